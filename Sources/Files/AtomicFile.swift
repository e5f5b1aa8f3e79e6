import Foundation

/// Writes files that are there completely or not at all.
public enum AtomicFile {
    /// Bytes of one call to the system.
    private static let pieceByteCount = 8 << 20

    /// Writes `bytes` under a temporary name beside `path`, flushes them to the disk, renames the
    /// file and flushes the folder; after an error nothing is left behind.
    ///
    /// - Parameters:
    ///   - isFlushed: False: the system flushes it when it likes, which is much faster; for what can
    ///     be made again.
    ///   - onProgress: Called whenever a piece has been written.
    public static func write(
        _ path: String, _ bytes: UnsafeRawBufferPointer, isFlushed: Bool = true,
        onProgress: () -> Void = {}
    ) throws(FileError) {
        let temporary = temporaryName(path)
        do throws(FileError) {
            let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
            guard descriptor >= 0 else { throw FileError(writing: path) }
            do throws(FileError) {
                try writeAll(bytes, to: descriptor, path: path, onProgress: onProgress)
                guard !isFlushed || fsync(descriptor) == 0 else {
                    throw FileError(writing: path)
                }
            } catch {
                close(descriptor)
                throw error
            }
            // Network file systems may tell of a full disk only now.
            guard close(descriptor) == 0 else { throw FileError(writing: path) }
            guard rename(temporary, path) == 0 else { throw FileError(writing: path) }
        } catch {
            unlink(temporary)
            throw error
        }
        if isFlushed { try synchronizeFolder(of: path) }
    }

    private static func writeAll(
        _ bytes: UnsafeRawBufferPointer, to descriptor: Int32, path: String, onProgress: () -> Void
    ) throws(FileError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(pieceByteCount))
            let count = Foundation.write(descriptor, piece.baseAddress, piece.count)
            if count < 0 && errno == EINTR { continue }
            // A disk that takes nothing without saying why is full.
            if count == 0 { errno = ENOSPC }
            guard count > 0 else { throw FileError(writing: path) }
            rest = rest.dropFirst(count)
            onProgress()
        }
    }

    /// Writes text.
    public static func write(_ path: String, text: String) throws(FileError) {
        try write(path, data: Data(text.utf8))
    }

    /// Writes bytes.
    public static func write(
        _ path: String, data: Data, isFlushed: Bool = true, onProgress: () -> Void = {}
    ) throws(FileError) {
        let result = data.withUnsafeBytes { bytes -> Result<Void, FileError> in
            do throws(FileError) {
                return .success(
                    try write(path, bytes, isFlushed: isFlushed, onProgress: onProgress))
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    /// Makes a folder and those above it.
    public static func createFolder(_ path: String) throws(FileError) {
        var folder = path.hasPrefix("/") ? "/" : ""
        for name in path.split(separator: "/") {
            folder += "\(name)/"
            guard mkdir(folder, 0o777) == 0 || errno == EEXIST else {
                throw FileError(writing: path)
            }
        }
        // The slash at its end: a file of that name is no folder.
        guard access(folder, W_OK) == 0 else { throw FileError(writing: path) }
    }

    /// Deletes a file; one that is not there is as good as deleted.
    public static func remove(_ path: String) throws(FileError) {
        guard unlink(path) == 0 || errno == ENOENT else { throw FileError(writing: path) }
    }

    /// Part of the names of files that are not whole yet: nobody else gives such ones.
    private static let mark = ".saccader-"

    /// The name of a file until it is whole, `NAME.saccader-PROCESS.tmp`.
    static func temporaryName(_ path: String) -> String { "\(path)\(mark)\(getpid()).tmp" }

    /// Deletes what processes that were killed while writing have left in a folder.
    public static func removeLeftovers(in folder: String) throws(FileError) {
        for name in try list(folder) where name.hasSuffix(".tmp") {
            guard let place = name.range(of: mark, options: .backwards) else { continue }
            let process = name[place.upperBound...].dropLast(4)
            guard !process.isEmpty, process.allSatisfy(\.isNumber) else { continue }
            unlink("\(folder)/\(name)")
        }
    }

    /// The names in a folder, none where there is no such folder.
    ///
    /// - Throws: Where the folder cannot be read: it is not as good as empty.
    public static func list(_ folder: String) throws(FileError) -> [String] {
        guard let directory = opendir(folder) else {
            if errno == ENOENT { return [] }
            // A file stands in its way.
            if [ENOTDIR, ENAMETOOLONG, ELOOP].contains(errno) {
                throw FileError(writing: folder)
            }
            throw FileError(
                path: folder, reason: String(cString: strerror(errno)), isOfDisk: true)
        }
        defer { closedir(directory) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(directory) else { break }
            names.append(
                withUnsafeBytes(of: entry.pointee.d_name) {
                    String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
                })
        }
        guard errno == 0 else {
            throw FileError(
                path: folder, reason: String(cString: strerror(errno)), isOfDisk: true)
        }
        return names
    }

    /// Flushes the name of a file to the disk.
    static func synchronizeFolder(of path: String) throws(FileError) {
        let folder = path.parentFolder
        let descriptor = open(folder.isEmpty ? "." : folder, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError(writing: path) }
        defer { close(descriptor) }
        // Some network file systems cannot flush a folder, and need not.
        guard fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP else {
            throw FileError(writing: path)
        }
    }
}
