/// Reads the header of a safetensors file: a JSON object of a fixed form, so that nothing can be
/// nested deeply and no name can come twice unnoticed.
struct HeaderScanner {
    /// What is wrong, and where, in bytes from the header's start.
    struct Problem: Error {
        let reason: String
    }

    private let bytes: UnsafeRawBufferPointer
    private var place = 0
    /// What `__metadata__` says, once the header has been read.
    private(set) var metadata: [String: String] = [:]

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// An array as the header describes it.
    struct Entry {
        var type: String?
        var shape: [Int]?
        var offsets: [Int]?
    }

    /// All arrays by name; what `__metadata__` says is kept apart.
    mutating func entries() throws(Problem) -> [String: Entry] {
        var entries: [String: Entry] = [:]
        var hasMetadata = false
        skipSpace()
        guard peek() == UInt8(ascii: "{") else { throw problem("is not a JSON object") }
        try object { scanner, name throws(Problem) in
            if name == "__metadata__" {
                guard !hasMetadata else { throw scanner.problem("has __metadata__ twice") }
                hasMetadata = true
                return try scanner.readMetadata()
            }
            guard entries[name] == nil else { throw scanner.problem("has the name \(name) twice") }
            entries[name] = try scanner.entry(name)
        }
        skipSpace()
        guard place == bytes.count else { throw problem("goes on after its object") }
        return entries
    }

    private mutating func readMetadata() throws(Problem) {
        try object { scanner, key throws(Problem) in
            guard scanner.metadata[key] == nil else {
                throw scanner.problem("has \(key) twice in __metadata__")
            }
            scanner.metadata[key] = try scanner.text()
        }
    }

    private mutating func entry(_ name: String) throws(Problem) -> Entry {
        var entry = Entry()
        try object { scanner, key throws(Problem) in
            switch key {
            case "dtype" where entry.type == nil: entry.type = try scanner.text()
            case "shape" where entry.shape == nil: entry.shape = try scanner.numbers()
            case "data_offsets" where entry.offsets == nil:
                entry.offsets = try scanner.numbers()
            default: throw scanner.problem("has the key \(key) in \(name), twice or unknown")
            }
        }
        return entry
    }

    // MARK: - JSON

    private func problem(_ reason: String) -> Problem {
        Problem(reason: "its header \(reason) (byte \(place))")
    }

    private func peek() -> UInt8? { place < bytes.count ? bytes[place] : nil }

    private mutating func skipSpace() {
        while let byte = peek(), [0x20, 0x09, 0x0A, 0x0D].contains(byte) { place += 1 }
    }

    private mutating func take(_ character: Character) throws(Problem) {
        skipSpace()
        guard let byte = peek(), byte == character.asciiValue else {
            throw problem("is not as safetensors writes it: expected \(character)")
        }
        place += 1
    }

    private mutating func takes(_ character: Character) -> Bool {
        skipSpace()
        guard let byte = peek(), byte == character.asciiValue else { return false }
        place += 1
        return true
    }

    /// An object whose values `value` reads.
    private mutating func object(
        _ value: (inout HeaderScanner, _ key: String) throws(Problem) -> Void
    ) throws(Problem) {
        try take("{")
        if takes("}") { return }
        repeat {
            skipSpace()
            let key = try text()
            try take(":")
            try value(&self, key)
        } while takes(",")
        try take("}")
    }

    private mutating func numbers() throws(Problem) -> [Int] {
        var numbers: [Int] = []
        try take("[")
        if takes("]") { return numbers }
        repeat { numbers.append(try number()) } while takes(",")
        try take("]")
        return numbers
    }

    /// A whole number of at least 0.
    private mutating func number() throws(Problem) -> Int {
        skipSpace()
        let start = place
        while let byte = peek(), (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
            place += 1
        }
        let digits = String(decoding: bytes[start..<place], as: UTF8.self)
        let isPlain = !(digits.count > 1 && digits.hasPrefix("0"))
        let ends = peek().map { [0x2C, 0x5D, 0x20, 0x09, 0x0A, 0x0D].contains($0) } ?? false
        guard isPlain, ends, let number = Int(digits) else {
            throw problem("has something else where a whole number of at least 0 belongs")
        }
        return number
    }

    private mutating func text() throws(Problem) -> String {
        try take("\"")
        var units: [UInt8] = []
        while true {
            guard let byte = peek(), byte >= 0x20 else { throw problem("has an open text") }
            place += 1
            if byte == UInt8(ascii: "\"") { break }
            if byte != UInt8(ascii: "\\") {
                units.append(byte)
                continue
            }
            units += try escaped()
        }
        guard let text = String(validating: units, as: UTF8.self) else {
            throw problem("has a text that is not UTF-8")
        }
        return text
    }

    private mutating func escaped() throws(Problem) -> [UInt8] {
        guard let byte = peek() else { throw problem("has an open text") }
        place += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"): break
        default: throw problem("has an unknown escape")
        }
        var code = UInt32(try hexadecimal())
        if (0xD800..<0xDC00).contains(code) {
            guard peek() == UInt8(ascii: "\\") else { throw problem("has half a character") }
            place += 1
            guard peek() == UInt8(ascii: "u") else { throw problem("has half a character") }
            place += 1
            let low = UInt32(try hexadecimal())
            guard (0xDC00..<0xE000).contains(low) else { throw problem("has half a character") }
            code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(code) else { throw problem("has half a character") }
        return Array(String(Character(scalar)).utf8)
    }

    private mutating func hexadecimal() throws(Problem) -> UInt16 {
        guard place + 4 <= bytes.count,
            let value = UInt16(
                String(decoding: bytes[place..<(place + 4)], as: UTF8.self), radix: 16)
        else { throw problem("has an unknown escape") }
        place += 4
        return value
    }
}
