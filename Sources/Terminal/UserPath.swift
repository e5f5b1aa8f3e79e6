import Foundation

/// Paths as a person writes them.
public enum UserPath {
    /// A path that begins with `~/` from the user's own folder on: a shell expands it at the
    /// beginning of a word alone, and nobody does in a file of settings. A folder named `~` would
    /// be made, and one day deleted with all that the name means to the shell.
    public static func expanded(_ path: String) -> String {
        path.hasPrefix("~/") ? (path as NSString).expandingTildeInPath : path
    }

    /// The command line's words, with `--option=~/…` and `key=~/…` expanded.
    public static func arguments(_ words: [String]) -> [String] {
        words.map { word in
            guard let equals = word.firstIndex(of: "=") else { return word }
            let value = String(word[word.index(after: equals)...])
            return word[...equals] + expanded(value)
        }
    }
}
