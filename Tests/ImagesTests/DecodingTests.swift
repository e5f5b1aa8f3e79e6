import Foundation
import TestSupport
import Testing

@testable import Images

/// Decodes the file at `path`.
private func decode(_ path: String) throws -> Pixels {
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    return try ImageDecoder().decode(bytes, path: path)
}

@Test(arguments: ["color", "progressive", "grey"])
func decodesAsPillowDoes(name: String) throws {
    let json = try Data(contentsOf: URL(fileURLWithPath: fixture("decode.json")))
    let expected = try #require(try JSONDecoder().decode([String: [UInt8]].self, from: json)[name])
    let pixels = try decode(fixture("\(name).jpg"))
    #expect(pixels.height == 29 && pixels.width == 37)
    let largest = zip(pixels.bytes, expected).map { abs(Int($0) - Int($1)) }.max()
    // Both are libjpeg-turbo; a version may round the last bit otherwise.
    #expect(pixels.bytes.count == expected.count && (largest ?? 255) <= 1)
}

@Test func decodesCMYKAsItsColours() throws {
    let color = try decode(fixture("color.jpg"))
    let ink = try decode(fixture("cmyk.jpg"))
    let mean = zip(color.bytes, ink.bytes).map { abs(Double($0) - Double($1)) }.reduce(0, +)
    #expect(ink.bytes.count == color.bytes.count)
    #expect(mean / Double(color.bytes.count) < 12)
}

@Test func damagedFilesAreNamed() throws {
    let folder = try TemporaryFolder()
    let good = try Data(contentsOf: URL(fileURLWithPath: fixture("color.jpg")))
    let bad: [(String, Data)] = [
        ("empty.jpg", Data()), ("text.jpg", Data("no image".utf8)), ("cut.jpg", good.prefix(400)),
        ("head.jpg", good.prefix(20)),
    ]
    for (name, data) in bad {
        let path = folder.path(name)
        try data.write(to: URL(fileURLWithPath: path))
        do {
            _ = try decode(path)
            Issue.record("\(name) was decoded")
        } catch {
            #expect("\(error)".contains(path))
        }
    }
}

@Test func whatIsEncodedComesBack() throws {
    let folder = try TemporaryFolder()
    let pixels = Pixels(
        height: 16, width: 24, bytes: (0..<1152).map { (index: Int) in UInt8(index / 3 * 5 % 200) })
    try JPEGEncoder().encode(pixels, quality: 100, to: folder.path("a.jpg"))
    let back = try decode(folder.path("a.jpg"))
    let largest = zip(pixels.bytes, back.bytes).map { abs(Int($0) - Int($1)) }.max()
    #expect(back.height == 16 && back.width == 24 && (largest ?? 255) < 12)
}

private struct ResizeCase: Decodable {
    let width: Int
    let height: Int
    let box: [Int]
    let size: Int
    let source: [UInt8]
    let result: [UInt8]
}

@Test func resizesAsPillowDoes() throws {
    let json = try Data(contentsOf: URL(fileURLWithPath: fixture("resize.json")))
    let cases = try JSONDecoder().decode([ResizeCase].self, from: json)
    #expect(cases.count == 5)
    for test in cases {
        let source = Pixels(height: test.height, width: test.width, bytes: test.source)
        let box = Resize.Box(
            x: Double(test.box[0]), y: Double(test.box[1]),
            width: Double(test.box[2] - test.box[0]), height: Double(test.box[3] - test.box[1]))
        let found = Resize.bicubic(source, box: box, size: test.size)
        #expect(found.bytes.count == test.result.count)
        let largest = zip(found.bytes, test.result).map { abs(Int($0) - Int($1)) }.max() ?? 255
        #expect(largest <= 1, "\(test.width)×\(test.height) to \(test.size): \(largest)")
    }
}
