import Configuration
import Models
import Terminal

extension Policy {
    /// Policies by name, with commas between.
    public static func list(_ text: String) throws(RequestError) -> [Policy] {
        var list: [Policy] = []
        for word in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let policy = Policy(rawValue: String(word)) else {
                throw .unknown(
                    String(word), "--policies", "no policy", among: allCases.map(\.rawValue))
            }
            if !list.contains(policy) { list.append(policy) }
        }
        return list
    }
}
