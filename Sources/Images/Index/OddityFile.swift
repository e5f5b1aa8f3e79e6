import Files
import Foundation

/// All names of what is odd about the images of an index, where there are too many to show: a file
/// beside it, with a line `KIND<TAB>NAME` for each.
enum OddityFile {
    static let magic = Array("# Oddities of a saccader-dist index: kind, name\n".utf8)

    static func path(of output: String) -> String { "\(output).odd.txt" }

    /// Writes the file of the index `output`, or removes an earlier one that nothing is left of;
    /// its path, where it was written.
    static func write(
        _ kinds: [(what: String, names: [String])], of output: String
    ) throws(ImagesError) -> String? {
        let path = path(of: output)
        guard kinds.contains(where: { $0.names.count > IndexSummary.shownCount }) else {
            unlink(path)
            return nil
        }
        var text = magic
        for (what, names) in kinds {
            for name in names { text += Array("\(what)\t\(name)\n".utf8) }
        }
        try ImagesError.of(try AtomicFile.write(path, data: Data(text)))
        return path
    }
}
