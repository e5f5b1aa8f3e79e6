import Files

/// A name or a path as a file system or an archive has it: bytes, which need not be text.
///
/// Two names are the same if their bytes are. Swift's strings would take two spellings of é for one
/// and lose what is no UTF-8.
struct FileName: Hashable, Comparable, Sendable {
    let bytes: [UInt8]

    init(_ bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }

    init(_ text: String) { bytes = Array(text.utf8) }

    /// The parts of a path, without `.` and empty ones.
    static func parts(of path: some Collection<UInt8>) -> [FileName] {
        path.split(separator: slash).map { FileName($0) }.filter { $0.bytes != [dot] }
    }

    /// A path of several parts.
    init(joining parts: some Sequence<FileName>) {
        bytes = Array(parts.map(\.bytes).joined(separator: [Self.slash]))
    }

    static func < (a: FileName, b: FileName) -> Bool {
        a.bytes.lexicographicallyPrecedes(b.bytes)
    }

    private static let slash = UInt8(ascii: "/")
    private static let dot = UInt8(ascii: ".")

    /// A path below this one.
    func appending(_ name: FileName) -> FileName { FileName(bytes + [Self.slash] + name.bytes) }

    /// A hash that is the same in every process.
    var stableHash: UInt64 {
        var checksum = Checksum()
        checksum.add(bytes)
        return checksum.value
    }

    /// Whether programs that list folders leave it out, or a system keeps it for itself.
    var isHidden: Bool { bytes.first == Self.dot || Self.systemNames.contains(self) }

    /// What macOS, Windows and storage servers put beside their users' files.
    private static let systemNames: Set<FileName> = [
        FileName("__MACOSX"), FileName("@eaDir"), FileName("$RECYCLE.BIN"),
        FileName("System Volume Information"), FileName("lost+found"), FileName("Thumbs.db"),
        FileName("desktop.ini"),
    ]

    /// What follows the last dot, in lower case; empty where there is none.
    var ending: String {
        guard let place = bytes.lastIndex(of: Self.dot) else { return "" }
        return String(decoding: bytes[(place + 1)...], as: UTF8.self).lowercased()
    }

    /// The name without its ending.
    var stem: FileName {
        bytes.lastIndex(of: Self.dot).map { FileName(bytes[..<$0]) } ?? self
    }

    /// The name for people, on one line: what is no UTF-8 or steers a terminal stands as `\xE9`.
    var text: String {
        if let text = String(validating: bytes, as: UTF8.self), !bytes.contains(where: Self.steers)
        {
            return text
        }
        var (result, rest) = ("", bytes[...])
        while let byte = rest.first {
            let character = (1...4).lazy.compactMap { count in
                String(validating: rest.prefix(count), as: UTF8.self)
            }.first
            if let character, !Self.steers(byte) {
                result += character
                rest = rest.dropFirst(character.utf8.count)
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                result += "\\x" + (digits.count == 1 ? "0" : "") + digits
                rest = rest.dropFirst()
            }
        }
        return result
    }

    /// The `text` with every letter outside of ASCII as `\xC3\xA9`: tells two spellings apart.
    var spelling: String {
        bytes.map { byte in
            (0x20..<0x7F).contains(byte)
                ? String(UnicodeScalar(byte))
                : "\\x" + String(byte, radix: 16, uppercase: true)
        }.joined()
    }

    private static func steers(_ byte: UInt8) -> Bool { byte < 0x20 || byte == 0x7F }
}
