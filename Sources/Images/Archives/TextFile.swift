/// Text that users write with whatever they have.
enum TextFile {
    /// A file's text in UTF-8, without the mark that editors on Windows put in front of it.
    static func text(_ bytes: [UInt8], path: String) throws(ImagesError) -> String {
        String(decoding: try content(bytes, path: path), as: UTF8.self)
    }

    /// The same as bytes.
    static func content(_ bytes: [UInt8], path: String) throws(ImagesError) -> [UInt8] {
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
            throw .damaged(
                path: path, what: "is text in UTF-16", remedy: "save it as UTF-8")
        }
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        return bytes.starts(with: mark) ? Array(bytes.dropFirst(mark.count)) : bytes
    }
}
