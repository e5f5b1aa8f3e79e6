import Foundation

/// A safetensors file, checked as a whole when it is opened: 8 bytes with the header's length, the
/// header in JSON, then all arrays without gaps.
///
/// Source: the format of huggingface's safetensors, version 0.4.
public struct SafetensorsFile: Sendable {
    /// An array of the file.
    public struct Array: Sendable {
        /// The array's name.
        public let name: String
        /// The format of its numbers, for example F32.
        public let type: String
        /// Row-major dimensions; none for a single number.
        public let shape: [Int]
        let bytes: Range<Int>
    }

    /// Where the file is.
    public let path: String
    /// All arrays, sorted by name.
    public let arrays: [Array]
    /// What the file says of itself: `__metadata__`.
    public let metadata: [String: String]
    private let data: Data

    /// The longest header that is read, as the reference has it.
    static let longestHeader = 100_000_000

    /// Bytes of a number, of the formats that there are.
    static let widths = [
        "BOOL": 1, "U8": 1, "I8": 1, "F8_E5M2": 1, "F8_E4M3": 1, "F8_E8M0": 1, "I16": 2,
        "U16": 2, "F16": 2, "BF16": 2, "I32": 4, "U32": 4, "F32": 4, "I64": 8, "U64": 8,
        "F64": 8, "C64": 8,
    ]

    /// Opens a file and checks its whole form; the numbers are looked at when they are read.
    public init(_ path: String) throws(SafetensorsError) {
        self.path = path
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
        } catch {
            throw SafetensorsError(path, "cannot be read: give a safetensors file")
        }
        do {
            (arrays, metadata) = try Self.content(data)
        } catch {
            throw SafetensorsError(path, Self.otherFormat(data) ?? error.reason)
        }
    }

    private static func content(
        _ data: Data
    ) throws(HeaderScanner.Problem) -> ([Array], [String: String]) {
        guard data.count >= 8 else {
            throw .init(reason: "has \(data.count) bytes, too few for a safetensors file")
        }
        let length = data.withUnsafeBytes {
            UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self))
        }
        guard length <= longestHeader, length <= data.count - 8 else {
            throw .init(
                reason: "is no safetensors file, or cut short: a header of \(length) bytes in "
                    + "\(data.count)")
        }
        let start = 8 + Int(length)
        typealias Header = (entries: [String: HeaderScanner.Entry], metadata: [String: String])
        let found: Result<Header, HeaderScanner.Problem> =
            data.withUnsafeBytes { bytes in
                var scanner = HeaderScanner(
                    UnsafeRawBufferPointer(rebasing: bytes[8..<start]))
                do throws(HeaderScanner.Problem) {
                    let entries = try scanner.entries()
                    return .success((entries, scanner.metadata))
                } catch {
                    return .failure(error)
                }
            }
        let (entries, metadata) = try found.get()
        var arrays: [Array] = []
        for (name, entry) in entries {
            arrays.append(try array(name, entry, start: start, count: data.count - start))
        }
        try requireWhole(arrays, from: start, to: data.count)
        return (arrays.sorted { $0.name < $1.name }, metadata)
    }

    /// - Parameter count: Bytes of all arrays together.
    private static func array(
        _ name: String, _ entry: HeaderScanner.Entry, start: Int, count: Int
    ) throws(HeaderScanner.Problem) -> Array {
        guard let type = entry.type, let shape = entry.shape, let offsets = entry.offsets,
            offsets.count == 2
        else { throw .init(reason: "\(name) lacks dtype, shape or two data_offsets") }
        guard let width = widths[type] else {
            throw .init(reason: "\(name) has numbers of an unknown format, \(type)")
        }
        var size = width
        for length in shape {
            let (product, overflows) = size.multipliedReportingOverflow(by: length)
            guard !overflows else {
                throw .init(reason: "\(name) has an impossible shape \(shape)")
            }
            size = product
        }
        let (first, end) = (offsets[0], offsets[1])
        guard first <= end, end <= count else {
            throw .init(
                reason: "\(name) lies at bytes \(first) to \(end) of \(count): damaged or cut short"
            )
        }
        guard end - first == size else {
            throw .init(
                reason: "\(name) has \(end - first) bytes, but its shape \(shape) of \(type) has "
                    + "\(size)")
        }
        return Array(name: name, type: type, shape: shape, bytes: (start + first)..<(start + end))
    }

    /// Arrays lie one after the other, from the header's end to the file's.
    private static func requireWhole(
        _ arrays: [Array], from start: Int, to end: Int
    ) throws(HeaderScanner.Problem) {
        var place = start
        let order = arrays.sorted {
            ($0.bytes.lowerBound, $0.bytes.upperBound) < ($1.bytes.lowerBound, $1.bytes.upperBound)
        }
        for array in order {
            guard array.bytes.lowerBound == place else {
                throw .init(
                    reason: array.bytes.lowerBound < place
                        ? "\(array.name) overlaps another array"
                        : "has \(array.bytes.lowerBound - place) bytes before \(array.name) that "
                            + "belong to no array")
            }
            place = array.bytes.upperBound
        }
        guard place == end else {
            throw .init(reason: "has \(end - place) bytes at its end that belong to no array")
        }
    }

    /// What a file is that was taken for safetensors; nil: nothing known.
    private static func otherFormat(_ data: Data) -> String? {
        let bytes = [UInt8](data.prefix(8))
        let advice =
            "save the weights with safetensors.torch.save_file(model.state_dict(), "
            + "\"weights.safetensors\")"
        if bytes.starts(with: [0x50, 0x4B]) {
            return "is a PyTorch archive (zip), not safetensors: load it with torch.load and "
                + advice
        }
        if bytes.starts(with: [0x89, 0x48, 0x44, 0x46]) {
            return "is HDF5, not safetensors: load it with the program that wrote it and \(advice)"
        }
        if bytes.first == 0x80, bytes.count > 1, (2...5).contains(bytes[1]) {
            return "is a pickle, not safetensors: load it with torch.load and \(advice)"
        }
        return nil
    }

    /// The numbers of an array in single precision; they must be finite.
    public func floats(_ array: Array) throws(SafetensorsError) -> [Float] {
        func all<Number: BitwiseCopyable>(_: Number.Type, _ value: (Number) -> Float) -> [Float] {
            data.withUnsafeBytes { bytes in
                stride(
                    from: array.bytes.lowerBound, to: array.bytes.upperBound,
                    by: MemoryLayout<Number>.size
                ).map { value(bytes.loadUnaligned(fromByteOffset: $0, as: Number.self)) }
            }
        }
        let values: [Float]
        switch array.type {
        case "F32": values = all(UInt32.self) { Float(bitPattern: UInt32(littleEndian: $0)) }
        case "F64":
            values = all(UInt64.self) { Float(Double(bitPattern: UInt64(littleEndian: $0))) }
        case "F16": values = all(UInt16.self) { Self.widened(UInt16(littleEndian: $0)) }
        case "BF16":
            values = all(UInt16.self) {
                Float(bitPattern: UInt32(UInt16(littleEndian: $0)) << 16)
            }
        default:
            throw SafetensorsError(
                path,
                "\(array.name) has numbers of the format \(array.type): save it as F32, F16, BF16 "
                    + "or F64")
        }
        if let number = values.first(where: { !$0.isFinite }) {
            throw SafetensorsError(path, "\(array.name) has a number that is not finite, \(number)")
        }
        return values
    }

    /// A number of half precision.
    private static func widened(_ bits: UInt16) -> Float {
        let sign: Float = bits & 0x8000 == 0 ? 1 : -1
        let (exponent, fraction) = (Int(bits >> 10 & 0x1F), Float(bits & 0x3FF))
        if exponent == 0x1F { return fraction == 0 ? sign * .infinity : .nan }
        if exponent == 0 { return sign * fraction * 0x1p-24 }
        let scale = Float(sign: .plus, exponent: exponent - 25, significand: 1)
        return sign * (1024 + fraction) * scale
    }
}
