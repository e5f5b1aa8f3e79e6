import Configuration
import Models

extension Policy {
    /// Policies by name, with commas between.
    public static func list(_ text: String) throws(EvaluationError) -> [Policy] {
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
