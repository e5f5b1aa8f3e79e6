/// How many letters must change to make one word of another (Levenshtein).
public enum EditDistance {
    /// The distance of two words.
    static func between(_ first: String, _ second: String) -> Int {
        let letters = Array(second)
        var row = Array(0...letters.count)
        for (i, letter) in first.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, other) in letters.enumerated() {
                let next = min(row[j] + 1, row[j + 1] + 1, diagonal + (letter == other ? 0 : 1))
                diagonal = row[j + 1]
                row[j + 1] = next
            }
        }
        return row[letters.count]
    }

    /// The word of a list that a misspelt one may mean: the nearest, if they have anything in
    /// common.
    public static func nearest(to word: String, among words: [String]) -> String? {
        let distances = words.map { between(word.lowercased(), $0.lowercased()) }
        guard let least = distances.min(), least < word.count,
            let index = distances.firstIndex(of: least)
        else { return nil }
        return words[index]
    }
}
