import Foundation
import Terminal

/// What people call the classes whose folders have ImageNet's names: from `words.txt` or
/// `LOC_synset_mapping.txt` (both come with ImageNet) in the data folder.
struct ClassWords {
    private static let files = ["words.txt", "LOC_synset_mapping.txt"]
    private var words: [Substring: Substring] = [:]

    /// Reads the first of the files that is there; none is fine.
    init(folder: String) throws(RequestError) {
        let paths = Self.files.map { "\(folder)/\($0)" }
        guard let path = paths.first(where: FileManager.default.fileExists) else {
            self.init(text: "")
            return
        }
        do {
            self.init(text: try String(contentsOfFile: path, encoding: .utf8))
        } catch {
            throw RequestError(
                "\(path): not text in UTF-8; repair it or move it out of the data folder",
                exitCode: .badData)
        }
    }

    /// Lines of a name, a blank or tab, and words with commas between, of which the first counts.
    init(text: String) {
        for line in text.split(whereSeparator: \.isNewline) {
            let parts = line.split(maxSplits: 1, whereSeparator: \.isWhitespace)
            guard parts.count == 2, let word = parts[1].split(separator: ",").first else {
                continue
            }
            words[parts[0]] = word
        }
    }

    /// The word for a folder's name: the name itself where there is none.
    func word(_ name: String) -> String {
        words[name[...]].map(String.init) ?? name
    }

    /// The words, with the class's name where two classes have one word (ImageNet's two cranes).
    static func distinct(_ words: [String], of names: [String]) -> [String] {
        let counts = words.reduce(into: [:]) { $0[$1, default: 0] += 1 }
        return zip(words, names).map { word, name in
            counts[word, default: 0] > 1 && word != name ? "\(word) (\(name))" : word
        }
    }
}
