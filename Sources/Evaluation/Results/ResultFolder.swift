import Files
import Foundation
import Terminal

/// The folder of one evaluation's results: what an earlier evaluation wrote there goes, what anybody
/// else wrote stays.
struct ResultFolder {
    /// A file that is to be written.
    struct File {
        let name: String
        let content: Data

        init(_ name: String, _ content: Data) { (self.name, self.content) = (name, content) }

        init(_ name: String, text: String) { self.init(name, Data(text.utf8)) }
    }

    /// The list of the files that are an evaluation's own, a name a line.
    static let listName = ".evaluation"

    let path: String
    private let listName: String
    private var own: Set<String> = []

    /// Makes the folder where it is missing, and refuses one where files of the given names are not
    /// an evaluation's.
    ///
    /// - Parameter listName: The list of what is its own.
    init(_ path: String, for names: [String], listName: String = Self.listName) throws {
        (self.path, self.listName) = (path, listName)
        try AtomicFile.createFolder(path)
        let list = "\(path)/\(listName)"
        if FileManager.default.fileExists(atPath: list) {
            do {
                let text = try String(contentsOfFile: list, encoding: .utf8)
                // Names alone: a list that was meddled with must not lead out of the folder.
                own = Set(text.split(separator: "\n").map(String.init).filter { !$0.contains("/") })
            } catch {
                throw FileError(
                    path: list, reason: error.localizedDescription, isOfDisk: true)
            }
        }
        try requireOwn(names)
    }

    private func requireOwn(_ names: [String]) throws {
        let foreign = names.first {
            !own.contains($0) && FileManager.default.fileExists(atPath: "\(path)/\($0)")
        }
        guard let foreign else { return }
        throw RequestError(
            "\(path)/\(foreign): exists and is of no earlier evaluation in this folder; it is left "
                + "alone: choose another --output, or remove it", exitCode: .cannotWrite)
    }

    /// Replaces the earlier evaluation's files by these; returns the paths.
    func replace(by files: [File]) throws -> [String] {
        let names = files.map(\.name)
        try requireOwn(names)
        // Interrupted, all that may be there by then is still known to be an evaluation's.
        try writeList(own.union(names))
        for name in own.subtracting(names) {
            try AtomicFile.remove("\(path)/\(name)")
        }
        for file in files { try AtomicFile.write("\(path)/\(file.name)", data: file.content) }
        try writeList(Set(names))
        return names.map { "\(path)/\($0)" }
    }

    private func writeList(_ names: Set<String>) throws {
        let text = names.sorted().map { "\($0)\n" }.joined()
        try AtomicFile.write("\(path)/\(listName)", text: text)
    }

    /// Adds files while results still come: none of them may be there before.
    mutating func add(_ files: [File]) throws {
        try requireOwn(files.map(\.name))
        own.formUnion(files.map(\.name))
        let list = try AppendedFile(appendingTo: "\(path)/\(listName)")
        try list.append(files.map { "\($0.name)\n" }.joined().utf8)
        for file in files {
            try AtomicFile.write("\(path)/\(file.name)", data: file.content, isFlushed: false)
        }
    }
}
