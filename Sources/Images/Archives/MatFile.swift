import CZlib

/// MATLAB's level 5 files, as far as ImageNet's development kit needs them: numeric and character
/// arrays and arrays of structures, little-endian, compressed or not.
///
/// Source: "MAT-File Format", The MathWorks, chapter 1.
struct MatFile {
    /// An array's content.
    indirect enum Value: Equatable {
        case numbers([Double])
        case text(String)
        /// An array of structures, by field.
        case structures([String: [Value]])
        /// A kind that nothing here needs.
        case other

        /// The only number.
        var number: Double? {
            if case .numbers(let values) = self, values.count == 1 { values[0] } else { nil }
        }

        /// The characters.
        var string: String? {
            switch self {
            case .text(let text): text
            // What has no characters has no kind either.
            case .numbers(let values): values.isEmpty ? "" : nil
            default: nil
            }
        }
    }

    /// The variables by name.
    let variables: [String: Value]

    private static let headerSize = 128
    /// Structures nest at most this deep.
    private static let deepest = 8
    /// A variable unpacks to at most this many bytes.
    private static let largestSize = 64 << 20

    /// Reads a file's bytes.
    ///
    /// - Parameter path: For messages.
    init(_ bytes: [UInt8], path: String) throws(ImagesError) {
        do throws(Damage) {
            variables = try Self.read(bytes)
        } catch {
            throw .damaged(
                path: path, what: "is not a readable MAT file: \(error.what)",
                remedy: "download the development kit again")
        }
    }

    /// What is wrong with the bytes.
    private struct Damage: Error {
        let what: String
    }

    /// One data element.
    private struct Element {
        let type: Int
        let bytes: ArraySlice<UInt8>
    }

    private static func read(_ bytes: [UInt8]) throws(Damage) -> [String: Value] {
        guard bytes.count >= headerSize, bytes[126] == UInt8(ascii: "I"),
            bytes[127] == UInt8(ascii: "M")
        else { throw Damage(what: "it has no level 5, little-endian header") }
        var variables: [String: Value] = [:]
        var rest = bytes[headerSize...]
        while !rest.isEmpty {
            var element = try next(&rest)
            if element.type == 15 {
                var unpacked = try inflate(element.bytes)[...]
                element = try next(&unpacked)
            }
            guard element.type == 14 else { continue }
            let (name, value) = try matrix(element.bytes, depth: 0)
            variables[name] = value
        }
        return variables
    }

    private static func next(_ rest: inout ArraySlice<UInt8>) throws(Damage) -> Element {
        guard rest.count >= 8 else { throw Damage(what: "it ends in the middle of a tag") }
        let tag = word(rest)
        if tag >> 16 != 0 {
            // A small element: type and size share a word, the data follow in the same eight bytes.
            let size = tag >> 16
            guard size <= 4 else { throw Damage(what: "a small element has \(size) bytes") }
            let data = rest.dropFirst(4).prefix(size)
            rest = rest.dropFirst(8)
            return Element(type: tag & 0xFFFF, bytes: data)
        }
        let size = word(rest.dropFirst(4))
        rest = rest.dropFirst(8)
        guard size <= rest.count else { throw Damage(what: "it ends in the middle of an array") }
        let data = rest.prefix(size)
        // Compressed elements are not padded to eight bytes, all others are.
        rest = rest.dropFirst(min(rest.count, tag == 15 ? size : (size + 7) & ~7))
        return Element(type: tag, bytes: data)
    }

    private static func matrix(
        _ bytes: ArraySlice<UInt8>, depth: Int
    ) throws(Damage) -> (name: String, value: Value) {
        guard depth < deepest else { throw Damage(what: "its structures are nested too deep") }
        if bytes.isEmpty { return ("", .numbers([])) }
        var rest = bytes
        let kind = (try next(&rest).bytes.first).map(Int.init) ?? 0
        let dimensions = numbers(try next(&rest))
        let name = String(decoding: try next(&rest).bytes, as: UTF8.self)
        switch kind {
        case 2: return (name, try structures(&rest, dimensions: dimensions, depth: depth))
        case 4: return (name, .text(text(try next(&rest))))
        case 6...15: return (name, .numbers(numbers(try next(&rest))))
        default: return (name, .other)
        }
    }

    private static func structures(
        _ rest: inout ArraySlice<UInt8>, dimensions: [Double], depth: Int
    ) throws(Damage) -> Value {
        let length = Int(exactly: numbers(try next(&rest)).first ?? 0) ?? 0
        let names = try next(&rest).bytes
        let count = dimensions.reduce(1, *)
        // Each value takes eight bytes at least, so a larger count is impossible.
        guard (1...256).contains(length), names.count % length == 0, count >= 0,
            count * Double(names.count / length) <= Double(rest.count / 8)
        else { throw Damage(what: "an array of structures has an impossible size") }
        let fields = (0..<(names.count / length)).map { index in
            let start = names.startIndex + index * length
            return String(
                decoding: names[start..<(start + length)].prefix { $0 != 0 }, as: UTF8.self)
        }
        guard Set(fields).count == fields.count else {
            throw Damage(what: "an array of structures has two fields of one name")
        }
        // Without fields nothing bounds the count.
        if fields.isEmpty { return .structures([:]) }
        var values: [String: [Value]] = [:]
        for _ in 0..<Int(count) {
            for field in fields {
                let element = try next(&rest)
                guard element.type == 14 else {
                    throw Damage(what: "the field \(field) is not an array")
                }
                values[field, default: []].append(
                    try matrix(element.bytes, depth: depth + 1).value)
            }
        }
        return .structures(values)
    }

    /// Numbers of any stored type.
    private static func numbers(_ element: Element) -> [Double] {
        let bytes = element.bytes
        func list<Number>(_ type: Number.Type, _ value: (Number) -> Double) -> [Double] {
            bytes.withUnsafeBytes { raw in
                (0..<(raw.count / MemoryLayout<Number>.size)).map {
                    value(
                        raw.loadUnaligned(
                            fromByteOffset: $0 * MemoryLayout<Number>.size, as: type))
                }
            }
        }
        return switch element.type {
        case 1: list(Int8.self) { Double($0) }
        case 2: list(UInt8.self) { Double($0) }
        case 3: list(Int16.self) { Double($0) }
        case 4: list(UInt16.self) { Double($0) }
        case 5: list(Int32.self) { Double($0) }
        case 6: list(UInt32.self) { Double($0) }
        case 7: list(Float.self) { Double($0) }
        case 9: list(Double.self) { $0 }
        case 12: list(Int64.self) { Double($0) }
        case 13: list(UInt64.self) { Double($0) }
        default: []
        }
    }

    /// Characters, stored as UTF-8 or as 16-bit numbers.
    private static func text(_ element: Element) -> String {
        if [1, 2, 16].contains(element.type) {
            return String(decoding: element.bytes, as: UTF8.self)
        }
        return String(
            decoding: numbers(element).map { UInt16(exactly: $0) ?? 0xFFFD }, as: UTF16.self)
    }

    private static func word(_ bytes: ArraySlice<UInt8>) -> Int {
        bytes.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    private static func inflate(_ packed: ArraySlice<UInt8>) throws(Damage) -> [UInt8] {
        var size = max(1 << 12, packed.count * 4)
        while size <= largestSize {
            var unpacked = [UInt8](repeating: 0, count: size)
            var length = UInt(size)
            let status = packed.withUnsafeBufferPointer {
                uncompress(&unpacked, &length, $0.baseAddress, UInt($0.count))
            }
            if status == Z_OK { return Array(unpacked.prefix(Int(length))) }
            guard status == Z_BUF_ERROR else { break }
            size *= 4
        }
        throw Damage(what: "a compressed array cannot be unpacked")
    }
}
