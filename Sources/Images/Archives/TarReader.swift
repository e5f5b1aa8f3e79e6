/// A file inside an archive.
struct TarMember: Equatable, Sendable {
    /// As the archive spells it, for example `n01440764/n01440764_10026.JPEG`.
    let name: String
    /// Of its first byte, from the beginning of the outermost file.
    let offset: Int
    /// In bytes.
    let size: Int
}

/// Walks through the members of a tar archive (ustar, GNU and pax headers) without reading their
/// content; the archive may itself be a member of another one.
struct TarReader {
    private static let blockSize = 512
    /// Longer extended headers than this are damage.
    private static let longestExtension = 1 << 20

    private let file: ByteFile
    /// For messages: the file, and the member in it.
    private let name: String
    private let end: Int
    private var position: Int
    private var isFinished = false
    /// What extended headers say about the member that follows them.
    private var nextName: String?
    private var nextSize: Int?

    /// Reads the archive that is the whole of `file`.
    init(_ file: ByteFile) {
        (self.file, name, position, end) = (file, file.path, 0, file.size)
    }

    /// Reads the archive that is a member of the archive `file`.
    init(_ member: TarMember, of file: ByteFile) {
        (self.file, name) = (file, "\(file.path): \(member.name)")
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

    /// The next regular file, or nil after the last.
    mutating func next() throws(ImagesError) -> TarMember? {
        while !isFinished {
            guard end - position >= Self.blockSize else {
                throw damage("ends at byte \(position) without an end mark: it is cut off")
            }
            let header = try file.bytes(at: position, count: Self.blockSize)
            if header.allSatisfy({ $0 == 0 }) {
                isFinished = true
                return nil
            }
            guard Self.checksumHolds(header) else {
                throw damage("has no valid tar header at byte \(position)")
            }
            let type = header[156]
            let isRegular = type == 0 || type == UInt8(ascii: "0") || type == UInt8(ascii: "7")
            guard let written = Self.number(header[124..<136]) else {
                throw damage("has an impossible size at byte \(position)")
            }
            let isExtension = [UInt8(ascii: "x"), UInt8(ascii: "g"), UInt8(ascii: "L")]
                .contains(type)
            let size = isExtension ? written : nextSize ?? written
            let start = position + Self.blockSize
            let name = nextName ?? Self.name(header)
            guard size >= 0, size <= end - start else {
                throw damage("ends in the middle of \(name): it is cut off at byte \(end)")
            }
            let blocks = (size + Self.blockSize - 1) / Self.blockSize
            position = min(end, start + blocks * Self.blockSize)
            if isExtension {
                try readExtension(type: type, start: start, size: size)
                continue
            }
            (nextName, nextSize) = (nil, nil)
            if type == UInt8(ascii: "S") {
                throw damage("stores \(name) as a sparse file, which cannot be read in place")
            }
            if isRegular { return TarMember(name: name, offset: start, size: size) }
        }
        return nil
    }

    /// A GNU long name, or pax records `LENGTH KEY=VALUE\n`.
    private mutating func readExtension(type: UInt8, start: Int, size: Int) throws(ImagesError) {
        guard size <= Self.longestExtension else {
            throw damage("has an extended header of \(size) bytes at byte \(start)")
        }
        let bytes = try file.bytes(at: start, count: size)
        if type == UInt8(ascii: "L") {
            nextName = Self.text(bytes[...])
            return
        }
        var rest = bytes[...]
        while let space = rest.firstIndex(of: UInt8(ascii: " ")) {
            guard let length = Int(Self.text(rest[..<space])), length > space - rest.startIndex + 1,
                length <= rest.count
            else { throw damage("has a malformed extended header at byte \(start)") }
            let record = rest[(space + 1)..<(rest.startIndex + length)].dropLast()
            rest = rest.dropFirst(length)
            guard type == UInt8(ascii: "x"), let equals = record.firstIndex(of: UInt8(ascii: "="))
            else { continue }
            let value = Self.text(record[(equals + 1)...])
            switch Self.text(record[..<equals]) {
            case "path": nextName = value
            case "size":
                guard let number = Int(value), number >= 0 else {
                    throw damage("has an impossible size at byte \(start)")
                }
                nextSize = number
            default: break
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
        return digits.isEmpty ? nil : Int(text(digits), radix: 8)
    }

    private static func name(_ header: [UInt8]) -> String {
        let name = text(header[0..<100])
        let isPOSIX = Array(header[257..<263]) == Array("ustar\0".utf8)
        let prefix = isPOSIX ? text(header[345..<500]) : ""
        return prefix.isEmpty ? name : "\(prefix)/\(name)"
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
}
