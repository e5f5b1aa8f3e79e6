import Files
import Foundation
import Tensors
import TestSupport
import Testing

@testable import Images

struct SceneTests {
    private let digits: Digits

    init() throws { digits = try Digits() }

    private func scene(_ number: Int) -> Scene {
        var random = CounterRandom(
            seed: 0, purpose: .scene, stream: 0, index: UInt64(number))
        return Scene(pair: number % Scene.pairs.count, part: 0..<400, random: &random)
    }

    /// The figures of every document are of these scenes: they must not move with a library's way to draw numbers.
    @Test func theScenesOfASeedStayWhatTheyAre() {
        var digest = Checksum()
        for number in 0..<20 {
            let scene = scene(number)
            digest.add(scene.pixels(at: .small, digits: digits).bytes)
            for place in scene.places(at: .small) {
                digest.add(place.y)
                digest.add(place.x)
            }
        }
        #expect(digest.value == 13_468_878_949_230_243_041)
    }

    @Test(arguments: 0..<10) func smallScenesAreScaledCopiesOfLargeOnes(number: Int) {
        let scene = scene(number)
        let small = scene.pixels(at: .small, digits: digits)
        let large = scene.pixels(at: .large, digits: digits)
        #expect(large.width == 128 && large.height == 128)
        // What leaves 0–255 is cut off, so such pixels tell nothing.
        var compared = 0
        for y in 0..<64 {
            for x in 0..<64 {
                for channel in 0..<3 {
                    let four = [(0, 0), (0, 1), (1, 0), (1, 1)].map { dy, dx in
                        Int(large.bytes[((2 * y + dy) * 128 + 2 * x + dx) * 3 + channel])
                    }
                    if four.contains(0) || four.contains(255) { continue }
                    compared += 1
                    let own = 4 * Int(small.bytes[(y * 64 + x) * 3 + channel])
                    // Four values and the mean are rounded, each by at most a half.
                    #expect(abs(four.reduce(0, +) - own) <= 4)
                }
            }
        }
        #expect(compared > 64 * 64 * 2)
        #expect(
            scene.places(at: .large).map { [$0.y, $0.x] }
                == scene.places(at: .small).map { [2 * $0.y, 2 * $0.x] })
    }

    /// Else the larger picture would be the smaller one in blocks.
    @Test func largeScenesAreSmooth() {
        let large = scene(0).pixels(at: .large, digits: digits)
        var differing = 0
        for y in 0..<64 {
            for x in 0..<64 {
                let start = (2 * y * 128 + 2 * x) * 3
                if large.bytes[start] != large.bytes[start + 3] { differing += 1 }
            }
        }
        #expect(differing > 200)
    }

    @Test func aSetSaysItsSize() throws {
        let folder = try TemporaryFolder()
        let counts = DemonstrationSet.Counts(training: 3, development: 2, validation: 1)
        let sets = [SceneSize.small, .large].map {
            DemonstrationSet(seed: 3, counts: counts, size: $0)
        }
        for (set, name) in zip(sets, ["small", "large"]) {
            try set.write(to: folder.path(name)) { _, _ in }
        }
        #expect(sets[0].isComplete(in: folder.path("small")))
        #expect(sets[1].isComplete(in: folder.path("large")))
        #expect(!sets[0].isComplete(in: folder.path("large")))
        #expect(!sets[1].isComplete(in: folder.path("small")))
        // Sets from before there were sizes are still complete.
        let mark = try String(contentsOfFile: folder.path("small/dataset.json"), encoding: .utf8)
        #expect(!mark.contains("imageSize"))
        let path = folder.path("large/train/digits-0-1/scene-00000.JPEG")
        let file = try ByteFile(path)
        let pixels = try ImageDecoder().decode(
            file.bytes(at: 0, count: file.size), path: path)
        #expect(pixels.width == 128)
    }
}
