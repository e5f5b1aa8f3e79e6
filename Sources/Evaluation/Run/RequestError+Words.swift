import Configuration
import Terminal

extension RequestError {
    /// A word of the command line that is none of those which it may be.
    static func unknown(
        _ word: String, _ option: String, _ what: String, among words: [String]
    ) -> RequestError {
        let hint = EditDistance.nearest(to: word, among: words).map { ", did you mean \($0)?" }
        return RequestError(
            "\(option): \"\(word)\" is \(what)\(hint ?? ";") choose from "
                + words.joined(separator: ","))
    }
}
