import Foundation

/// Second names of files.
extension AtomicFile {
    /// Makes `link` another name of `target`, a file in the same folder, replacing an older link at
    /// once: a symbolic link, or where the file system has none, as vfat and some that are mounted
    /// over a network, a hard link, or else a copy.
    ///
    /// - Parameter onProgress: Called whenever a piece of a copy has been written.
    public static func link(
        _ link: String, to target: String, onProgress: () -> Void = {}
    ) throws(FileError) {
        let temporary = temporaryName(link)
        let folder = link.parentFolder
        let file = folder.isEmpty ? target : "\(folder)/\(target)"
        unlink(temporary)
        let code = symlink(target, temporary) == 0 ? 0 : errno
        if code != 0 {
            guard hasNoLinks(code) else { throw FileError(writing: link, code: code) }
            // Renaming one name of a file to another one of the same file does nothing.
            if isSame(file, link) { return }
            guard Foundation.link(file, temporary) == 0 else {
                return try copy(file, to: link, onProgress: onProgress)
            }
        }
        guard rename(temporary, link) == 0 else {
            let error = FileError(writing: link)
            unlink(temporary)
            throw error
        }
        try synchronizeFolder(of: link)
    }

    /// Why a folder's file system has no symbolic links; nil where it has, or where something else
    /// is wrong, which the first file to be written will tell.
    public static func problemWithLinks(in folder: String) -> String? {
        let temporary = temporaryName("\(folder)/.link")
        unlink(temporary)
        defer { unlink(temporary) }
        let code = symlink("target", temporary) == 0 ? 0 : errno
        return hasNoLinks(code) ? String(cString: strerror(code)) : nil
    }

    /// Whether two names are of one file.
    public static func isSame(_ one: String, _ other: String) -> Bool {
        var (first, second) = (stat(), stat())
        return stat(one, &first) == 0 && stat(other, &second) == 0
            && first.st_dev == second.st_dev && first.st_ino == second.st_ino
    }

    /// What file systems say that do not know links; a disk that is full says something else.
    private static func hasNoLinks(_ code: Int32) -> Bool {
        [EPERM, ENOSYS, EOPNOTSUPP, EINVAL, EACCES].contains(code)
    }

    private static func copy(
        _ file: String, to path: String, onProgress: () -> Void
    ) throws(FileError) {
        let data: Data
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: file), options: .mappedIfSafe)
        } catch {
            throw FileError(writing: path, code: EIO)
        }
        try write(path, data: data, onProgress: onProgress)
    }
}
