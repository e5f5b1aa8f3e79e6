import Foundation

/// What lies directly in a folder.
enum FolderListing {
    /// Everything in the folder, in byte order of the names. A link that leads nowhere counts as a
    /// file: whoever reads it is told.
    static func list(_ path: FileName) throws(ImagesError) -> [SourceEntry] {
        errno = 0
        guard let folder = path.withCString({ opendir($0) }) else { throw failure(path) }
        defer { closedir(folder) }
        var entries: [SourceEntry] = []
        while true {
            errno = 0
            guard let entry = readdir(folder) else {
                if errno != 0 { throw failure(path) }
                break
            }
            let name = name(entry)
            if name.bytes == [UInt8(ascii: ".")] || name.bytes == Array("..".utf8) { continue }
            let isFolder: Bool
            switch Int(entry.pointee.d_type) {
            case Int(DT_DIR): isFolder = true
            case Int(DT_LNK), Int(DT_UNKNOWN): isFolder = Self.isFolder(path.appending(name))
            default: isFolder = false
            }
            entries.append(SourceEntry(name: name, isFolder: isFolder))
        }
        return entries.sorted { $0.name < $1.name }
    }

    /// Device and inode of a folder, by which a link into itself is known.
    static func identity(_ path: FileName) throws(ImagesError) -> [UInt64] {
        var status = stat()
        guard path.withCString({ stat($0, &status) }) == 0 else { throw failure(path) }
        return [UInt64(status.st_dev), UInt64(status.st_ino)]
    }

    private static func isFolder(_ path: FileName) -> Bool {
        var status = stat()
        return path.withCString { stat($0, &status) } == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    private static func name(_ entry: UnsafeMutablePointer<dirent>) -> FileName {
        withUnsafeBytes(of: &entry.pointee.d_name) { FileName($0.prefix { $0 != 0 }) }
    }

    private static func failure(_ path: FileName) -> ImagesError {
        ByteFile.failure(path, errno)
    }
}

extension FileName {
    /// The path as the system takes it.
    func withCString<Value>(_ body: (UnsafePointer<CChar>) -> Value) -> Value {
        (bytes + [0]).withUnsafeBufferPointer { buffer in
            buffer.withMemoryRebound(to: CChar.self) { text in
                // The terminating zero makes sure that there is a first byte.
                text.baseAddress.map(body) ?? body("")
            }
        }
    }
}
