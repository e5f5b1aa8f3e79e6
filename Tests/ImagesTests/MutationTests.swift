import Foundation
import TestSupport
import Testing

@testable import Images

/// Damaged copies of good bytes, the same ones in every run: each must be read or refused with an
/// error of this module, never end the program.
@Suite struct MutationTests {
    /// xorshift64*, so that the copies depend on nothing outside.
    private struct Generator {
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15

        mutating func next(below bound: Int) -> Int {
            state ^= state >> 12
            state ^= state << 25
            state ^= state >> 27
            return Int((state &* 0x2545_F491_4F6C_DD1D) >> 33) % bound
        }

        /// A copy with a few bytes changed, a part cut out or doubled, or its end missing.
        mutating func damage(_ bytes: [UInt8]) -> [UInt8] {
            var copy = bytes
            for _ in 0...next(below: 4) where copy.count > 1 {
                let place = next(below: copy.count)
                switch next(below: 6) {
                case 0: copy[place] ^= UInt8(1 << next(below: 8))
                case 1: copy[place] = 0xFF
                case 2: copy[place] = UInt8(next(below: 256))
                case 3: copy.removeSubrange(place..<min(copy.count, place + next(below: 40) + 1))
                case 4: copy.insert(contentsOf: copy.prefix(next(below: 40)), at: place)
                default: copy.removeLast(next(below: min(copy.count, 600)))
                }
            }
            return copy
        }
    }

    /// Reads `count` damaged copies and says how many were refused.
    private func refusals(
        of bytes: [UInt8], count: Int, _ read: ([UInt8]) throws(ImagesError) -> Void
    ) -> Int {
        var generator = Generator()
        var refused = 0
        for _ in 0..<count {
            do throws(ImagesError) {
                try read(generator.damage(bytes))
            } catch {
                refused += "\(error)".contains("damaged-copy") ? 1 : 0
            }
        }
        return refused
    }

    @Test(arguments: [
        "chelsea.jpg", "rocket.jpg", "coffee-cmyk.jpg", "chelsea-rotated.jpg", "palette.png",
        "lossless.webp", "palette-transparent.png",
        "deep.png",
    ])
    func images(name: String) throws {
        let decoder = ImageDecoder()
        let refused = refusals(of: try fixtureBytes(name), count: 300) {
            bytes throws(ImagesError) in
            _ = try decoder.head(bytes, path: "damaged-copy")
            _ = try decoder.decode(bytes, path: "damaged-copy")
        }
        #expect(refused > 50)
        // What came before leaves no trace in the decoder.
        let good = try fixtureBytes(name)
        #expect(
            try decoder.decode(good, path: "") == ImageDecoder().decode(good, path: ""))
    }

    @Test func archives() {
        let inner = Archives.tar([("a.JPEG", [UInt8](repeating: 3, count: 700)), ("b.JPEG", [1])])
        let bytes = Archives.tar([("n1.tar", inner), ("n2.tar", inner)])
        let refused = refusals(of: bytes, count: 3000) { bytes throws(ImagesError) in
            try FuzzedBytes.tar.read(bytes)
        }
        #expect(refused > 500)
    }

    @Test func labels() throws {
        let bytes = try fixtureBytes("meta.mat")
        let plain = try fixtureBytes("meta-plain.mat")
        for good in [bytes, plain] {
            let refused = refusals(of: good, count: 2000) { bytes throws(ImagesError) in
                _ = try MatFile(bytes, path: "damaged-copy")
            }
            #expect(refused > 100)
        }
    }

    @Test func indexes() throws {
        let small = try SmallImageNet()
        try small.writeFolders("folders")
        _ = try small.index(["folders"], output: "index")
        let good = [UInt8](try Data(contentsOf: URL(fileURLWithPath: small.path("index"))))
        let refused = refusals(of: good, count: 1000) { bytes throws(ImagesError) in
            try FuzzedBytes.index.read(bytes)
        }
        #expect(refused > 300)
    }

    /// What cluster/faults/fuzz came upon: each is read or refused by name.
    @Test(arguments: FuzzedBytes.allCases) func whatFuzzingFound(reader: FuzzedBytes) throws {
        let folder = try fixture("corpus/\(reader.rawValue)")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        #expect(!names.isEmpty)
        for name in names {
            do throws(ImagesError) {
                try reader.read(try bytes(of: "\(folder)/\(name)"))
            } catch {
                #expect("\(error)".contains(FuzzedBytes.path), "\(name)")
            }
        }
    }

    private func bytes(of path: String) throws(ImagesError) -> [UInt8] {
        let file = try ByteFile(path)
        return try file.bytes(at: 0, count: file.size)
    }
}
