import Foundation
import TestSupport
import Testing

@testable import Images

/// The largest difference of two images, of 255.
private func largestDifference(_ a: [UInt8], _ b: [UInt8]) -> Int {
    guard a.count == b.count else { return 256 }
    return zip(a, b).map { abs(Int($0) - Int($1)) }.max() ?? 256
}

@Test(arguments: [
    "chelsea.jpg", "coffee.jpg", "rocket.jpg", "astronaut.jpg", "coffee-grey.jpg",
    "coffee-cmyk.jpg", "coffee-ycck.jpg", "png-in-jpeg-clothes.jpg", "palette.png", "grey.png",
    "alpha.png",
    "deep.png", "sampled-1x4.jpg", "sampled-4x2.jpg", "sampled-3x1.jpg", "sampled-ink.jpg",
    "sampled-odd.jpg", "adobe-unknown.jpg", "adobe-unknown-ink.jpg",
])
func photographsAreDecodedAsPillowDoes(name: String) throws {
    let pixels = try ImageDecoder().decode(fixtureBytes(name), path: name)
    let expected = try fixtureBytes("\(name).rgb")
    // Another version of the same library may round the last bit otherwise.
    #expect(largestDifference(pixels.bytes, expected) <= 1)
}

@Test(arguments: [
    ("chelsea", [0, 0, 113, 75], 48), ("coffee", [11, 7, 97, 66], 32),
    ("rocket", [30, 20, 70, 60], 56), ("astronaut", [3, 1, 94, 92], 24),
    ("astronaut", [40, 40, 64, 64], 24),
])
func photographsAreResizedAsPillowDoes(name: String, box: [Int], size: Int) throws {
    let pixels = try ImageDecoder().decode(fixtureBytes("\(name).jpg"), path: name)
    let part = Resize.Box(
        x: Double(box[0]), y: Double(box[1]), width: Double(box[2] - box[0]),
        height: Double(box[3] - box[1]))
    let words = box.map(String.init).joined(separator: "-")
    let expected = try fixtureBytes("\(name)-\(words)-\(size).rgb")
    let found = Resize.bicubic(pixels, box: part, size: size)
    #expect(largestDifference(found.bytes, expected) <= 1)
}

/// Without antialiasing: against the definition's formula, which make_legacy.py has checked against
/// TensorFlow's own operation.
@Test(arguments: [
    ("chelsea", [0, 0, 113, 75], 48), ("coffee", [11, 7, 97, 66], 32),
    ("rocket", [30, 20, 70, 60], 56), ("astronaut", [40, 40, 64, 64], 24),
    ("astronaut", [3, 1, 94, 92], 9),
])
func photographsAreResizedAsThePublishedCodeDid(name: String, box: [Int], size: Int) throws {
    // Pillow's pixels, as the decoders may differ in the last bit.
    let head = try ImageDecoder().head(fixtureBytes("\(name).jpg"), path: name)
    let pixels = Pixels(
        height: head.height, width: head.width, bytes: try fixtureBytes("\(name).jpg.rgb"))
    let part = Resize.Box(
        x: Double(box[0]), y: Double(box[1]), width: Double(box[2] - box[0]),
        height: Double(box[3] - box[1]))
    let words = box.map(String.init).joined(separator: "-")
    let expected = try fixtureBytes("\(name)-\(words)-\(size).legacy").withUnsafeBytes {
        Array($0.bindMemory(to: Float.self))
    }
    let found = LegacyResize.bicubic(pixels, box: part, size: size)
    #expect(found.count == expected.count)
    let largest = zip(found, expected).map { abs($0 - $1) }.max() ?? .infinity
    // Single precision, of 255.
    #expect(largest < 1e-3)
}

@Test func theSettingChoosesTheResize() throws {
    let pixels = try ImageDecoder().decode(fixtureBytes("coffee.jpg"), path: "")
    var settings = DataConfiguration()
    (settings.imageSize, settings.centralCropMargin) = (24, 2)
    var results: [Resampling: [Float]] = [:]
    for method in Resampling.allCases {
        settings.resize = method
        let preparation = Preparation(settings)
        let box = preparation.centralBox(height: pixels.height, width: pixels.width)
        let values: [Float] =
            switch method {
            case .antialias: Resize.bicubic(pixels, box: box, size: 24).bytes.map { Float($0) }
            case .legacy: LegacyResize.bicubic(pixels, box: box, size: 24)
            }
        var found = [Float](repeating: 0, count: values.count)
        preparation.prepare(pixels, into: &found, at: 0)
        for (index, value) in values.enumerated() {
            let expected =
                (value / 255 - Preparation.mean[index % 3]) / Preparation.deviation[index % 3]
            #expect(abs(found[index] - expected) < 1e-5)
        }
        results[method] = found
    }
    #expect(results[.antialias] != results[.legacy])
}

@Test(arguments: [
    ("chelsea.jpg", ImageHead(format: .jpeg, height: 75, width: 113, traits: [])),
    ("rocket.jpg", ImageHead(format: .jpeg, height: 85, width: 128, traits: .progressive)),
    ("chelsea-rotated.jpg", ImageHead(format: .jpeg, height: 75, width: 113, traits: .rotated)),
    ("coffee-grey.jpg", ImageHead(format: .jpeg, height: 80, width: 120, traits: .grey)),
    ("coffee-cmyk.jpg", ImageHead(format: .jpeg, height: 80, width: 120, traits: .ink)),
    ("coffee-ycck.jpg", ImageHead(format: .jpeg, height: 80, width: 120, traits: .ink)),
    ("png-in-jpeg-clothes.jpg", ImageHead(format: .png, height: 27, width: 40, traits: [])),
    ("grey.png", ImageHead(format: .png, height: 27, width: 40, traits: .grey)),
    ("deep.png", ImageHead(format: .png, height: 27, width: 40, traits: .deep)),
])
func headsSayWhatIsOdd(name: String, expected: ImageHead) throws {
    #expect(try ImageDecoder().head(fixtureBytes(name), path: name) == expected)
}

@Test func orientationIsIgnored() throws {
    let decoder = ImageDecoder()
    let upright = try decoder.decode(fixtureBytes("chelsea.jpg"), path: "")
    #expect(try decoder.decode(fixtureBytes("chelsea-rotated.jpg"), path: "") == upright)
}

/// A claim that the numbers are linear light (gamma 1) changes none of them.
@Test(arguments: ["png-in-jpeg-clothes.jpg", "grey.png", "deep.png"])
func theGammaOfAPNGIsIgnored(name: String) throws {
    let plain = try fixtureBytes(name)
    let decoder = ImageDecoder()
    // Length, "gAMA", 100000, checksum; after the signature and the chunk IHDR.
    let gamma: [UInt8] = [0, 0, 0, 4] + Array("gAMA".utf8) + [0, 1, 0x86, 0xA0]
    let claiming = plain[..<33] + gamma + [0x31, 0xE8, 0x96, 0x5F] + plain[33...]
    #expect(try decoder.decode(Array(claiming), path: "") == decoder.decode(plain, path: ""))
}

/// A small file whose thousands of scans would each be a pass over the whole image.
@Test func aFileOfEndlessScansIsRefused() throws {
    let good = try fixtureBytes("rocket.jpg")
    let scans = (0..<(good.count - 1)).filter { good[$0] == 0xFF && good[$0 + 1] == 0xDA }
    let (last, end) = (try #require(scans.last), good.count - 2)
    func repeated(_ count: Int) -> [UInt8] {
        // The second component's refinement of nothing: an end-of-band run in each block.
        good[..<end] + Array((0..<count).map { _ in good[last..<end] }.joined()) + good[end...]
    }
    #expect(scans.count > 5)
    #expect {
        _ = try ImageDecoder().decode(repeated(600), path: "a.JPEG")
    } throws: {
        "\($0)".contains("a.JPEG") && "\($0)".contains("scans")
    }
}

@Test func badBytesAreNamed() throws {
    let (jpeg, png) = (try fixtureBytes("chelsea.jpg"), try fixtureBytes("grey.png"))
    // Sizes that would fill the memory, in the head of an else small file.
    var bombs = [jpeg, png]
    let frame = try #require(
        (0..<(jpeg.count - 1)).first { jpeg[$0] == 0xFF && jpeg[$0 + 1] == 0xC0 })
    for place in (frame + 5)..<(frame + 9) { bombs[0][place] = 0xF0 }
    for place in [18, 22] { bombs[1][place] = 0xF0 }
    let head = Array(bombs[1][12..<29])
    withUnsafeBytes(of: ImageIndex.checksum(head).bigEndian) {
        bombs[1].replaceSubrange(29..<33, with: $0)
    }
    let cases: [([UInt8], String)] = [
        ([], "empty"), (Array("no image".utf8), "a.JPEG"),
        (Array(jpeg.prefix(2000)), "remature end"),
        (Array(jpeg.prefix(30)), "a.JPEG"), (Array(png.prefix(400)), "PNG"),
        (bombs[0], "pixels, not 1 to"), (bombs[1], "pixels, not 1 to"),
    ]
    for (bytes, words) in cases {
        #expect {
            _ = try ImageDecoder().decode(bytes, path: "a.JPEG")
        } throws: {
            "\($0)".contains("a.JPEG") && "\($0)".contains(words)
        }
    }
}

@Test func aBadFileLeavesNoTraceInTheNext() throws {
    let good = try fixtureBytes("chelsea.jpg")
    let decoder = ImageDecoder()
    for length in stride(from: 2, to: good.count, by: 97) {
        do {
            _ = try decoder.decode(Array(good.prefix(length)), path: "")
            Issue.record("\(length) bytes were decoded")
        } catch {}
        #expect(try decoder.decode(good, path: "") == ImageDecoder().decode(good, path: ""))
    }
}
