import Foundation

extension AtomicFile {
    /// Gives a file that is in the way another name, `NAME-1.ENDING` or the next that is free: what
    /// this run has not written it does not overwrite.
    ///
    /// The folder is to be this run's alone, so that no other takes the name between look and use.
    ///
    /// - Returns: The other name; nil where there is no file, or nothing in it.
    public static func setAside(_ path: String) throws(FileError) -> String? {
        var status = stat()
        guard stat(path, &status) == 0, status.st_size > 0 else { return nil }
        let dot = path.lastIndex { "./".contains($0) }.flatMap { path[$0] == "." ? $0 : nil }
        let (base, ending) = (path[..<(dot ?? path.endIndex)], path[(dot ?? path.endIndex)...])
        var number = 1
        while lstat("\(base)-\(number)\(ending)", &status) == 0 { number += 1 }
        let name = "\(base)-\(number)\(ending)"
        guard rename(path, name) == 0 else { throw FileError(writing: name) }
        return name
    }
}
