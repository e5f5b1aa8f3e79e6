import Foundation

/// The bytes of a safetensors file that is not on a disk yet: arrays of single precision, sorted by
/// name, and what the file says of itself.
///
/// Source: the format of huggingface's safetensors, version 0.4.
public struct SafetensorsImage {
    /// An array that goes into the file.
    public struct Array {
        /// The array's name.
        public let name: String
        /// Row-major dimensions.
        public let shape: [Int]
        /// The array's numbers.
        public let values: [Float]

        /// Names an array.
        public init(_ name: String, shape: [Int], values: [Float]) {
            precondition(shape.reduce(1, *) == values.count, "\(name): \(shape) ≠ \(values.count)")
            (self.name, self.shape, self.values) = (name, shape, values)
        }
    }

    /// The whole file.
    public let data: Data

    /// Puts a file together; the names must differ.
    ///
    /// - Throws: Nothing that texts and whole numbers could give cause to.
    public init(_ arrays: [Array], metadata: [String: String]) throws {
        let arrays = arrays.sorted { $0.name < $1.name }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        func json(_ value: some Encodable) throws -> String {
            String(decoding: try encoder.encode(value), as: UTF8.self)
        }
        var members = ["\"__metadata__\":\(try json(metadata))"]
        var place = 0
        for array in arrays {
            let end = place + 4 * array.values.count
            members.append(
                "\(try json(array.name)):{\"dtype\":\"F32\",\"shape\":\(try json(array.shape)),"
                    + "\"data_offsets\":[\(place),\(end)]}")
            place = end
        }
        var header = Data("{\(members.joined(separator: ","))}".utf8)
        // Numbers then begin at a multiple of 8 bytes, as readers that map the file like them.
        while header.count % 8 != 0 { header.append(UInt8(ascii: " ")) }
        var data = Data(capacity: 8 + header.count + place)
        withUnsafeBytes(of: UInt64(header.count).littleEndian) { data.append(contentsOf: $0) }
        data.append(header)
        for array in arrays {
            for value in array.values {
                withUnsafeBytes(of: value.bitPattern.littleEndian) { data.append(contentsOf: $0) }
            }
        }
        self.data = data
    }
}
