import Foundation

@testable import Images

/// Bytes of archives, as tar and gzip write them.
enum Archives {
    /// One member's header and content.
    static func member(
        _ name: String, _ content: [UInt8], type: Character = "0", link: String = ""
    ) -> [UInt8] {
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, at place: Int) {
            for (index, byte) in text.utf8.enumerated() { header[place + index] = byte }
        }
        func octal(_ number: Int, digits: Int) -> String {
            let text = String(number, radix: 8)
            return String(repeating: "0", count: max(0, digits - text.count)) + text
        }
        put(String(name.prefix(100)), at: 0)
        put("0000644", at: 100)
        put(octal(content.count, digits: 11), at: 124)
        put(String(type), at: 156)
        put(link, at: 157)
        put("ustar", at: 257)
        put("00", at: 263)
        put("        ", at: 148)
        put(octal(header.reduce(0) { $0 + Int($1) }, digits: 6) + "\0", at: 148)
        return header + content
            + [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
    }

    /// An archive with an end mark.
    static func tar(_ members: [(name: String, content: [UInt8])]) -> [UInt8] {
        members.flatMap { member($0.name, $0.content) } + [UInt8](repeating: 0, count: 1024)
    }

    /// Gzip with a stored block for each 60,000 bytes.
    static func gzip(_ content: [UInt8]) -> [UInt8] {
        var result: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255]
        func put(_ value: some FixedWidthInteger) {
            withUnsafeBytes(of: value.littleEndian) { result += $0 }
        }
        for start in stride(from: 0, to: content.count, by: 60_000) {
            let part = content[start..<min(content.count, start + 60_000)]
            result.append(part.endIndex == content.count ? 1 : 0)
            put(UInt16(part.count))
            put(~UInt16(part.count))
            result += part
        }
        put(ImageIndex.checksum(content))
        put(UInt32(content.count))
        return result
    }
}
