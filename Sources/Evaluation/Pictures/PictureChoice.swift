import Images
import Terminal

/// Which images a contact sheet shows.
public enum PictureChoice: String, CaseIterable, Sendable {
    /// Evenly spread over the set, so that all classes appear.
    case spread
    /// The first ones by name.
    case first
    /// The images with the largest cross entropy under the sheet's policy.
    case worst
    /// Wrong ones, evenly spread over all that are wrong under the sheet's policy.
    case wrong

    /// What a report calls it.
    var title: String {
        switch self {
        case .spread: "spread evenly over the set"
        case .first: "the first"
        case .worst: "the worst"
        case .wrong: "wrong ones"
        }
    }

    /// Choices by name, with commas between.
    public static func list(_ text: String) throws(RequestError) -> [PictureChoice] {
        var list: [PictureChoice] = []
        for word in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let choice = PictureChoice(rawValue: String(word)) else {
                throw .unknown(
                    String(word), "--pick", "no rule for pictures",
                    among: allCases.map(\.rawValue))
            }
            if !list.contains(choice) { list.append(choice) }
        }
        return list
    }

    /// Chooses at most `count` images of `set`.
    func images(_ count: Int, of set: ImageSet, verdicts: Scores.Verdicts) -> [Int] {
        let all = Array(set.entries.indices)
        switch self {
        case .spread: return Self.spread(all, count)
        case .first: return Array(all.prefix(count))
        case .wrong:
            return Self.spread(
                all.filter { verdicts.predictions[$0] != Int(set.entries[$0].label) }, count)
        case .worst:
            let losses = verdicts.losses
            return Array(
                all.sorted {
                    losses[$0] != losses[$1] ? losses[$0] > losses[$1] : $0 < $1
                }.prefix(count))
        }
    }

    /// Every n-th.
    static func spread(_ all: [Int], _ count: Int) -> [Int] {
        let count = min(count, all.count)
        return (0..<count).map { all[$0 * all.count / count] }
    }
}
