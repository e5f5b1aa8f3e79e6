import Foundation
import TestSupport
import Testing

@testable import Images

/// Kinds of pictures besides ImageNet's: WebP, transparent, turned; and what is said of others.
@Suite struct PictureTests {
    private func decode(
        _ name: String, _ change: (inout DataConfiguration) -> Void = { _ in }
    ) throws -> Pixels {
        var settings = DataConfiguration()
        change(&settings)
        return try ImageDecoder(settings).decode(fixtureBytes(name), path: name)
    }

    private func largestDifference(_ a: [UInt8], _ b: [UInt8]) -> Int {
        guard a.count == b.count else { return 256 }
        return zip(a, b).map { abs(Int($0) - Int($1)) }.max() ?? 256
    }

    @Test(arguments: [
        "photo.webp", "lossless.webp", "alpha.webp", "alpha-lossless.webp", "transparent.png",
        "palette-transparent.png", "interlaced.png",
    ])
    func pixelsAreAsPillowsAre(name: String) throws {
        #expect(largestDifference(try decode(name).bytes, try fixtureBytes("\(name).rgb")) <= 1)
    }

    @Test(arguments: [
        "alpha.webp", "alpha-lossless.webp", "transparent.png", "palette-transparent.png",
    ])
    func transparentPicturesLieOnTheirGround(name: String) throws {
        let decoder = ImageDecoder()
        #expect(try decoder.head(fixtureBytes(name), path: name).traits.contains(.alpha))
        for ground in [Transparency.white, .black, .grey] {
            let expected = try fixtureBytes("\(name).\(ground.rawValue)")
            let found = try decode(name) { $0.transparency = ground }.bytes
            #expect(largestDifference(found, expected) <= 1, "\(ground)")
        }
        // Where nothing is transparent nothing changes.
        let photo = try decode("photo.webp") { $0.transparency = .white }
        #expect(try photo == decode("photo.webp"))
    }

    private static let turned: [String] =
        ["chelsea-rotated.jpg"] + (1...8).map { "oriented-\($0).webp" }
        + (1...8).map { "oriented-\($0).png" }

    @Test(arguments: turned)
    func picturesAreTurnedAsTheirCamerasWereHeld(name: String) throws {
        let expected = try fixtureBytes("\(name).upright")
        let found = try decode(name) { $0.orientation = .exif }
        #expect(found.width == Int(expected[0]) && found.height == Int(expected[2]))
        #expect(largestDifference(found.bytes, Array(expected.dropFirst(4))) <= 1)
        let head = try ImageDecoder().head(fixtureBytes(name), path: name)
        #expect(head.traits.contains(.rotated) == !name.contains("-1."))
        #expect(try decode(name).width == head.width)
    }

    @Test func webPIsKnownByItsContent() throws {
        let head = try ImageDecoder().head(fixtureBytes("photo.webp"), path: "")
        #expect(head == ImageHead(format: .webp, height: 75, width: 113, traits: []))
        let bytes = try fixtureBytes("photo.webp")
        for count in [0, 12, 40, bytes.count / 2, bytes.count - 40] {
            #expect(throws: ImagesError.self) {
                try ImageDecoder().decode(Array(bytes.prefix(count)), path: "cut")
            }
        }
        #expect {
            try decode("animated.webp")
        } throws: {
            "\($0)".contains("an animated WebP") && "\($0)".contains("webpmux")
        }
    }

    /// Heads of formats that are not read, and the command that helps.
    private static let others: [(head: String, words: String)] = [
        ("GIF89a", "a GIF picture (convert it to PNG: mogrify -format png FILE"),
        ("BM9999\0\0\0\0", "a BMP picture (convert it to PNG: mogrify"),
        ("II*\0", "a TIFF picture (convert it to PNG: mogrify"),
        ("\0\0\0\u{1C}ftypavif", "an AVIF picture (convert it to PNG: avifdec"),
        ("\0\0\0\u{1C}ftypmif1\0\0\0\0mif1avif", "an AVIF picture"),
        ("\0\0\0\u{1C}ftypheic", "a HEIC picture (convert it to PNG: heif-convert"),
    ]

    @Test(arguments: others)
    func whatIsNotReadNamesTheCommand(head: String, words: String) {
        #expect {
            try ImageDecoder().head(
                Array(head.utf8) + [UInt8](repeating: 1, count: 64), path: "x")
        } throws: {
            "\($0)".contains(words)
        }
    }

    /// Training and evaluation decode as the settings say, also where no thread of the loader could be
    /// started and whoever wants a batch decodes it.
    @Test(arguments: [1, 0]) func loadingHeedsTheSettings(threads: Int) throws {
        let small = try SmallImageNet()
        for name in ["a", "b"] {
            try small.write(fixtureBytes("transparent.png"), to: "set/train/\(name)/0.png")
            try small.write(fixtureBytes("chelsea-rotated.jpg"), to: "set/train/\(name)/1.jpg")
        }
        func images(_ change: (inout DataConfiguration) -> Void) throws -> [Float] {
            var settings = DataConfiguration()
            (settings.imageSize, settings.augmentation) = (24, .none)
            (settings.developmentFraction, settings.workers) = (0, threads)
            change(&settings)
            let set = try ImageDataset(small.path("set"), configuration: settings, seed: 0).training
            let loader = BatchLoader(set, configuration: settings, seed: 0) { number in
                number == 0 ? BatchRequest(entries: [0, 1], augmentation: nil) : nil
            }
            return try #require(try loader.next()).images
        }
        let (plain, white) = (try images { _ in }, try images { $0.transparency = .white })
        let turned = try images { $0.orientation = .exif }
        let half = plain.count / 2
        #expect(plain[..<half] != white[..<half] && plain[half...] == white[half...])
        #expect(plain[..<half] == turned[..<half] && plain[half...] != turned[half...])
    }
}
