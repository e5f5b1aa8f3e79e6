import Foundation
import TestSupport
import Testing

@testable import Safetensors

/// Files as they should be, and as nobody should send them.
@Suite struct SafetensorsTests {
    private func write(_ header: String, _ data: [UInt8], length: UInt64? = nil) throws -> String {
        let folder = FileManager.default.temporaryDirectory.path
        let path = "\(folder)/safetensors-\(UUID().uuidString)"
        let count = length ?? UInt64(header.utf8.count)
        var bytes = (0..<8).map { UInt8(truncatingIfNeeded: count >> (8 * UInt64($0))) }
        bytes += Array(header.utf8) + data
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        return path
    }

    private func reason(_ path: String) -> String {
        defer { try? FileManager.default.removeItem(atPath: path) }
        do {
            _ = try SafetensorsFile(path)
            return "taken"
        } catch {
            return error.reason
        }
    }

    private static func entry(
        _ name: String, _ type: String = "F32", _ shape: String = "[1]",
        _ offsets: String = "[0,4]"
    ) -> String {
        "\"\(name)\":{\"dtype\":\"\(type)\",\"shape\":\(shape),\"data_offsets\":\(offsets)}"
    }

    @Test func numbersOfAllFormatsAreRead() throws {
        let header =
            "{\"__metadata__\":{\"format\":\"pt\"},"
            + Self.entry("b\\u00e9", "F16", "[2,1]", "[4,8]") + ","
            + Self.entry("a", "F32", "[]", "[0,4]") + ","
            + Self.entry("c", "BF16", "[1]", "[8,10]") + ","
            + Self.entry("d", "F64", "[1]", "[10,18]") + ","
            + Self.entry("e", "I64", "[0,7]", "[18,18]") + "}  "
        var data: [UInt8] = [0, 0, 0x20, 0xC0]  // -2.5
        data += [0x00, 0x3C, 0x01, 0x80]  // 1, and the smallest below 0
        data += [0x80, 0x3F]  // 1
        data += [0, 0, 0, 0, 0, 0, 0xD0, 0x3F]  // 0.25
        let path = try write(header, data)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let file = try SafetensorsFile(path)
        #expect(file.arrays.map(\.name) == ["a", "b\u{e9}", "c", "d", "e"])
        #expect(file.arrays.map(\.shape) == [[], [2, 1], [1], [1], [0, 7]])
        let values = try file.arrays.prefix(4).map { try file.floats($0) }
        #expect(values == [[-2.5], [1, -0x1p-24], [1], [0.25]])
        #expect(throws: SafetensorsError.self) { try file.floats(file.arrays[4]) }
    }

    @Test func numbersThatAreNotFiniteAreRefused() throws {
        for bytes in [[0, 0, 0x80, 0x7F], [0, 0, 0xC0, 0xFF]] as [[UInt8]] {
            let path = try write("{\(Self.entry("a"))}", bytes)
            defer { try? FileManager.default.removeItem(atPath: path) }
            let file = try SafetensorsFile(path)
            #expect(throws: SafetensorsError.self) { try file.floats(file.arrays[0]) }
        }
    }

    static let hostile: [(header: String, count: Int, reason: String)] = [
        ("[1]", 0, "is not a JSON object"),
        ("{\(entry("a"))} x", 4, "goes on after"),
        ("{\(entry("a")),\(entry("a"))}", 4, "the name a twice"),
        ("{\(entry("a", "F31"))}", 4, "an unknown format, F31"),
        ("{\(entry("a", "F32", "[1]", "[-4,0]"))}", 4, "whole number"),
        ("{\(entry("a", "F32", "[1]", "[0,4.0]"))}", 4, "whole number"),
        ("{\(entry("a", "F32", "[1]", "[0,4e0]"))}", 4, "whole number"),
        ("{\(entry("a", "F32", "[1]", "[4,0]"))}", 4, "lies at bytes 4 to 0"),
        ("{\(entry("a", "F32", "[2]", "[0,8]"))}", 4, "lies at bytes 0 to 8 of 4"),
        ("{\(entry("a", "F32", "[2]", "[0,4]"))}", 4, "its shape [2] of F32 has 8"),
        ("{\(entry("a", "F32", "[9223372036854775807,9]"))}", 4, "impossible shape"),
        ("{\(entry("a", "F32", "[99999999999999999999]"))}", 4, "whole number"),
        ("{\(entry("a")),\(entry("b", "F32", "[1]", "[2,6]"))}", 6, "overlaps"),
        ("{\(entry("a")),\(entry("b", "F32", "[1]", "[6,10]"))}", 10, "2 bytes before b"),
        ("{\(entry("a"))}", 6, "2 bytes at its end"),
        ("{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "lacks dtype, shape"),
        ("{\"a\":[[[[[[[[1]]]]]]]]}", 4, "expected {"),
        ("{\"a\":{\"dtype\":{\"x\":1}}}", 4, "expected \""),
        ("{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}", 4, "twice or unknown"),
        ("{\"__metadata__\":{\"a\":1}}", 0, "expected \""),
        ("{\"a", 0, "open text"),
        ("{", 0, "expected \""),
    ]

    @Test(arguments: hostile) func hostileFilesAreRefused(
        header: String, count: Int, reason: String
    ) throws {
        let found = self.reason(
            try write(header, [UInt8](repeating: 0, count: count)))
        #expect(found.contains(reason), "\(found)")
        #expect(!found.contains("\n"))
    }

    @Test func otherFilesAreNamed() throws {
        func file(_ bytes: [UInt8]) throws -> String {
            let path =
                FileManager.default.temporaryDirectory.path
                + "/safetensors-\(UUID().uuidString)"
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            return reason(path)
        }
        let rest = [UInt8](repeating: 7, count: 40)
        #expect(try file([0x50, 0x4B, 3, 4] + rest).contains("PyTorch archive"))
        #expect(try file([0x80, 2, 0x8A, 0x0A] + rest).contains("pickle"))
        #expect(
            try file([0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A] + rest).contains("HDF5"))
        #expect(try file([1, 2, 3]).contains("3 bytes"))
        #expect(try file([]).contains("0 bytes"))
        #expect(
            reason(try write("{}", [], length: 100_000_001)).contains("header of 100000001 bytes"))
        #expect(reason(try write("{}", [], length: .max)).contains("header of"))
        #expect(reason("/nowhere/at/all").contains("cannot be read"))
        #expect(reason(try write(" {}", [])) == "taken")
    }

    /// Whatever is changed in a file, it is taken or refused, and never read beyond its end.
    @Test func changedBytesDoNoHarm() throws {
        let entries = [Self.entry("a"), Self.entry("b", "F16", "[2]", "[4,8]")]
        let header = "{\(entries.joined(separator: ","))}"
        let whole = try Data(
            contentsOf: URL(fileURLWithPath: write(header, [UInt8](repeating: 1, count: 8))))
        var random = SystemRandomNumberGenerator()
        let path =
            FileManager.default.temporaryDirectory.path
            + "/safetensors-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        for _ in 0..<1500 {
            var bytes = [UInt8](whole)
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: place)
                default: bytes.insert(UInt8.random(in: 0x20..<0x7F, using: &random), at: place)
                }
            }
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            guard let file = try? SafetensorsFile(path) else { continue }
            for array in file.arrays { _ = try? file.floats(array) }
        }
    }
}
