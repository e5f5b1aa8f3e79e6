/// Walks through the members of a tar archive (ustar, GNU and pax headers) without reading their
/// content; the archive may itself be a member of another one, or several that were joined.
struct TarReader {
    private static let blockSize = 512
    /// Longer extended headers than this are damage.
    private static let longestExtension = 1 << 20
    /// Bytes behind the end mark that are looked through together.
    private static let zerosAtOnce = 1 << 16

    private let file: ByteFile
    /// The file, and the member in it, for messages.
    private let name: String
    private let end: Int
    private var position: Int
    private var isFinished = false
    /// What extended headers say about the member that follows them.
    private var extended = Extension()

    /// Another name, link or size than the header has room for.
    private struct Extension {
        var name: FileName?
        var link: FileName?
        var size: Int?
        var isSparse = false
    }

    /// Reads the archive that is the whole of `file`.
    init(_ file: ByteFile) {
        (self.file, name, position, end) = (file, file.path, 0, file.size)
    }

    /// Reads the archive that is a member of the archive `file`.
    init(_ member: TarMember, of file: ByteFile) {
        (self.file, name) = (file, "\(file.path): \(member.name.text)")
        (position, end) = (member.offset, member.offset + member.size)
    }

    /// Whether a file begins as a tar archive does.
    static func isArchive(_ file: ByteFile) throws(ImagesError) -> Bool {
        guard file.size >= blockSize else { return false }
        return checksumHolds(try file.bytes(at: 0, count: blockSize))
    }

    /// How far into the file the reader is, in bytes.
    var progress: Int { position }

    private func damage(_ what: String) -> ImagesError {
        .damaged(path: name, what: what, remedy: "download or copy the archive again")
    }

    /// The next member, or nil after the last.
    mutating func next() throws(ImagesError) -> TarMember? {
        while !isFinished {
            guard end - position >= Self.blockSize else {
                throw damage("ends at byte \(position) without an end mark: it is cut off")
            }
            let header = try file.bytes(at: position, count: Self.blockSize)
            if header.allSatisfy({ $0 == 0 }) {
                isFinished = try !findAnotherArchive()
                continue
            }
            guard Self.checksumHolds(header) else {
                throw damage("has no valid tar header at byte \(position)")
            }
            let type = Character(UnicodeScalar(header[156]))
            guard let written = Self.number(header[124..<136]) else {
                throw damage("has an impossible size at byte \(position)")
            }
            let isExtension = "xgLK".contains(type)
            // Links and folders have no content, whatever their headers say.
            let size =
                isExtension ? written : "123456".contains(type) ? 0 : extended.size ?? written
            let start = position + Self.blockSize
            let name = extended.name ?? Self.name(header)
            guard size >= 0, size <= end - start else {
                throw damage("ends in the middle of \(name.text): it is cut off at byte \(end)")
            }
            let blocks = (size + Self.blockSize - 1) / Self.blockSize
            position = min(end, start + blocks * Self.blockSize)
            if isExtension {
                try readExtension(type: type, start: start, size: size)
                continue
            }
            if type == "S" || extended.isSparse {
                throw .damaged(
                    path: self.name,
                    what: "stores \(name.text) as a sparse file, which cannot be read in place",
                    remedy: "make the archive without --sparse")
            }
            let link = extended.link ?? FileName(Self.text(header[157..<257]))
            extended = Extension()
            return TarMember(
                name: name, offset: start, size: size,
                kind: Self.kind(type, name: name, link: link))
        }
        return nil
    }

    private static func kind(_ type: Character, name: FileName, link: FileName) -> TarMember.Kind {
        switch type {
        // Old archives know a folder by its name's last letter alone.
        case "\0", "0", "7": name.bytes.last == UInt8(ascii: "/") ? .folder : .file
        case "1": .hardLink(link)
        case "2": .symbolicLink(link)
        case "5", "D": .folder
        default: .other
        }
    }

    /// Behind the end mark only zeros may follow, or another archive that was joined to this one.
    private mutating func findAnotherArchive() throws(ImagesError) -> Bool {
        while position < end {
            let chunk = try file.bytes(
                at: position, count: min(Self.zerosAtOnce, end - position))
            guard let other = chunk.firstIndex(where: { $0 != 0 }) else {
                position += chunk.count
                continue
            }
            position += other / Self.blockSize * Self.blockSize
            let isWhole = end - position >= Self.blockSize
            guard isWhole,
                Self.checksumHolds(try file.bytes(at: position, count: Self.blockSize))
            else {
                throw damage(
                    "has bytes after its end mark, at byte \(position), which are no "
                        + "archive")
            }
            return true
        }
        return false
    }

    /// A GNU long name or link, or pax records `LENGTH KEY=VALUE\n`.
    private mutating func readExtension(
        type: Character, start: Int, size: Int
    ) throws(ImagesError) {
        guard size <= Self.longestExtension else {
            throw damage("has an extended header of \(size) bytes at byte \(start)")
        }
        let bytes = try file.bytes(at: start, count: size)
        switch type {
        case "L": extended.name = FileName(Self.text(bytes[...]))
        case "K": extended.link = FileName(Self.text(bytes[...]))
        case "x": try readRecords(bytes, start: start)
        // What a global header says of all members that follow is nothing of use here.
        default: break
        }
    }

    private mutating func readRecords(_ bytes: [UInt8], start: Int) throws(ImagesError) {
        var rest = bytes[...]
        while let space = rest.firstIndex(of: UInt8(ascii: " ")) {
            let digits = String(decoding: rest[..<space], as: UTF8.self)
            guard let length = Int(digits), length > space - rest.startIndex + 1,
                length <= rest.count
            else { throw damage("has a malformed extended header at byte \(start)") }
            let record = rest[(space + 1)..<(rest.startIndex + length)].dropLast()
            rest = rest.dropFirst(length)
            guard let equals = record.firstIndex(of: UInt8(ascii: "=")) else { continue }
            let value = record[(equals + 1)...]
            let key = String(decoding: record[..<equals], as: UTF8.self)
            switch key {
            case "path": extended.name = FileName(value)
            case "linkpath": extended.link = FileName(value)
            case "size":
                guard let number = Int(String(decoding: value, as: UTF8.self)), number >= 0 else {
                    throw damage("has an impossible size at byte \(start)")
                }
                extended.size = number
            case "GNU.sparse.name":
                (extended.name, extended.isSparse) = (FileName(value), true)
            default:
                if key.hasPrefix("GNU.sparse.") { extended.isSparse = true }
            }
        }
    }

    /// The header's bytes add up, with blanks in the place of the sum, as unsigned or (in old
    /// archives) as signed numbers.
    private static func checksumHolds(_ header: [UInt8]) -> Bool {
        guard let written = number(header[148..<156]) else { return false }
        var (unsigned, signed) = (0, 0)
        for (index, byte) in header.enumerated() {
            let byte = (148..<156).contains(index) ? UInt8(ascii: " ") : byte
            unsigned += Int(byte)
            signed += Int(Int8(bitPattern: byte))
        }
        return written == unsigned || written == signed
    }

    /// Octal digits, or a binary number (base 256) whose first bit is set.
    private static func number(_ field: ArraySlice<UInt8>) -> Int? {
        guard let first = field.first else { return nil }
        if first & 0x80 != 0 {
            var value = Int(first & 0x7F)
            for byte in field.dropFirst() {
                guard value < 1 << 54 else { return nil }
                value = value << 8 | Int(byte)
            }
            return value
        }
        let digits = field.drop { $0 == UInt8(ascii: " ") }.prefix {
            $0 != 0 && $0 != UInt8(ascii: " ")
        }
        return digits.isEmpty ? nil : Int(String(decoding: digits, as: UTF8.self), radix: 8)
    }

    private static func name(_ header: [UInt8]) -> FileName {
        let name = text(header[0..<100])
        let isPOSIX = Array(header[257..<263]) == Array("ustar\0".utf8)
        let prefix = isPOSIX ? text(header[345..<500]) : []
        return FileName(prefix.isEmpty ? name : prefix + [UInt8(ascii: "/")] + name)
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        bytes.prefix { $0 != 0 }
    }
}
