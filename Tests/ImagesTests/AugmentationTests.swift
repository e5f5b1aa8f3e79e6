import Foundation
import Tensors
import TestSupport
import Testing

@testable import Images

/// What torchvision makes of given numbers, by Fixtures/make_augmentation.py.
private struct Torchvision: Decodable {
    struct Crop: Decodable {
        let width: Int
        let height: Int
        let area: [Double]
        let aspect: [Double]
        let uniforms: [Double]
        let box: [Double]
    }
    struct Change: Decodable {
        struct Step: Decodable {
            let name: String
            let factor: Double
        }
        let steps: [Step]
        let pixels: [Float]
    }
    let crops: [Crop]
    let pixels: [Float]
    let changes: [Change]

    static func read() throws -> Torchvision {
        try JSONDecoder().decode(
            Torchvision.self, from: Data(fixtureBytes("augmentation.json")))
    }
}

@Test func cropsAreTorchvisions() throws {
    let cases = try Torchvision.read().crops
    #expect(cases.count == 105)
    for expected in cases {
        var settings = DataConfiguration()
        (settings.crop.area, settings.crop.aspect) = (expected.area, expected.aspect)
        var used = 0
        let box = Preparation(settings).randomBox(
            height: expected.height, width: expected.width
        ) {
            used += 1
            return used <= expected.uniforms.count ? expected.uniforms[used - 1] : .nan
        }
        #expect([box.x, box.y, box.width, box.height] == expected.box, "\(expected)")
        #expect(used == expected.uniforms.count, "\(expected)")
    }
}

/// Runs of before the setting have had it so.
@Test func theDefaultCropOfAStripIsTheCentralSquare() {
    let preparation = Preparation(DataConfiguration())
    // The largest part and the most extreme aspect, ten times.
    let box = preparation.randomBox(height: 10, width: 1000) { 0.999 }
    #expect(box == preparation.centralBox(height: 10, width: 1000))
}

@Test func coloursAreTorchvisions() throws {
    let fixture = try Torchvision.read()
    #expect(fixture.changes.count == 16)
    for change in fixture.changes {
        let operations = try change.steps.map { step in
            let all: [String: ColorJitter.Operation] = [
                "brightness": .brightness(step.factor), "contrast": .contrast(step.factor),
                "saturation": .saturation(step.factor), "hue": .hue(step.factor),
            ]
            return try #require(all[step.name])
        }
        var pixels = fixture.pixels
        ColorJitter(operations).apply(to: &pixels)
        let largest = zip(pixels, change.pixels).map { abs($0 - $1) }.max() ?? .infinity
        // Single precision against double, on the scale [0, 1].
        #expect(largest < 2e-6, "\(change.steps): \(largest)")
    }
}

private func numbers(_ index: UInt64) -> CounterRandom {
    CounterRandom(seed: 3, purpose: .augmentation, stream: 1, index: index)
}

@Test func jitterIsDrawnFromItsRangesInEveryOrder() {
    var settings = ColorJitterConfiguration()
    (settings.brightness, settings.contrast) = (0.4, 2)
    (settings.saturation, settings.hue) = (0.5, 0.1)
    var orders: [[Int]: Int] = [:]
    var sums = [Double](repeating: 0, count: 4)
    for index in 0..<2400 {
        var random = numbers(UInt64(index))
        let order = ColorJitter(settings, random: &random).operations.map { operation in
            let (kind, factor, range) =
                switch operation {
                case .brightness(let factor): (0, factor, 0.6...1.4)
                case .contrast(let factor): (1, factor, 0...3)
                case .saturation(let factor): (2, factor, 0.5...1.5)
                case .hue(let factor): (3, factor, -0.1...0.1)
                }
            #expect(range.contains(factor))
            sums[kind] += factor
            return kind
        }
        orders[order, default: 0] += 1
    }
    #expect(orders.count == 24 && orders.values.allSatisfy { (50...150).contains($0) })
    for (sum, middle) in zip(sums, [1, 1.5, 1, 0]) { #expect(abs(sum / 2400 - middle) < 0.06) }
}

/// What is switched on beside a crop leaves its numbers as they are.
@Test func flipsAndColoursDoNotMoveTheCrop() {
    var settings = DataConfiguration()
    var counts: [Flip: [Int]] = [:]
    for flip in Flip.allCases {
        settings.flip = flip
        settings.colorJitter.brightness = flip == .both ? 0.5 : 0
        let preparation = Preparation(settings)
        var count = [0, 0, 0]
        for index in 0..<400 {
            let crop = preparation.crop(height: 90, width: 120, random: numbers(UInt64(index)))
            let plain = Preparation(DataConfiguration()).crop(
                height: 90, width: 120, random: numbers(UInt64(index)))
            #expect(crop.box == plain.box)
            count[0] += crop.isFlipped ? 1 : 0
            count[1] += crop.isUpsideDown ? 1 : 0
            count[2] += crop.isFlipped && crop.isUpsideDown ? 1 : 0
        }
        counts[flip] = count
    }
    #expect(counts[.auto] == counts[.horizontal] && counts[.none] == [0, 0, 0])
    #expect(counts[.auto]?[1] == 0 && (160...240).contains(counts[.auto]?[0] ?? 0))
    #expect(counts[.both]?[0] == counts[.auto]?[0])
    #expect((160...240).contains(counts[.both]?[1] ?? 0))
    #expect((70...130).contains(counts[.both]?[2] ?? 0))
}

@Test func withoutCropsOnlyWhatIsAskedForIsDone() {
    var settings = DataConfiguration()
    settings.augmentation = .none
    func crops() -> [ImageCrop] {
        (0..<20).map {
            Preparation(settings).crop(height: 300, width: 200, random: numbers($0))
        }
    }
    let central = Preparation(settings).crop(height: 300, width: 200, random: nil)
    #expect(crops().allSatisfy { $0 == central })
    settings.flip = .horizontal
    #expect(crops().allSatisfy { $0.box == central.box })
    #expect(Set(crops().map(\.isFlipped)) == [true, false])
}

/// The pixels of a mirrored image, and where one of them has gone.
@Test(arguments: [(false, false), (true, false), (false, true), (true, true)])
func mirroredPixelsAreWhereThePlacesAre(across: Bool, over: Bool) {
    var settings = DataConfiguration()
    settings.imageSize = 5
    let box = Resize.Box(x: 0, y: 0, width: 5, height: 5)
    let crop = ImageCrop(box: box, isFlipped: across, isUpsideDown: over, size: 5)
    var values = [-1] + (0..<75).map { Float($0) } + [-2]
    Preparation(settings).mirror(&values, at: 1, size: 5, as: crop)
    #expect(values.first == -1 && values.last == -2)
    for y in 0..<5 {
        for x in 0..<5 {
            let place = crop.place(y: y, x: x) ?? (0, 0)
            #expect(place == (over ? 4 - y : y, across ? 4 - x : x))
            for channel in 0..<3 {
                #expect(
                    values[1 + (place.y * 5 + place.x) * 3 + channel]
                        == Float((y * 5 + x) * 3 + channel))
            }
        }
    }
}

/// Evaluation sees pictures as they are; training sees the changed colours, standardised.
@Test(arguments: Resampling.allCases) func jitterIsForTrainingAlone(resize: Resampling) throws {
    let pixels = try ImageDecoder().decode(fixtureBytes("coffee.jpg"), path: "")
    var settings = DataConfiguration()
    (settings.imageSize, settings.augmentation, settings.resize) = (24, .none, resize)
    func prepared(_ random: CounterRandom?) -> [Float] {
        var result = [Float](repeating: 0, count: 24 * 24 * 3)
        Preparation(settings).prepare(pixels, random: random, into: &result, at: 0)
        return result
    }
    let plain = prepared(numbers(0))
    settings.colorJitter.brightness = 0.9
    #expect(prepared(nil) == plain)
    // 0.1 to 1.9 of the brightness: found again where nothing was clipped.
    let (before, after) = (
        Preparation.unstandardized(plain), Preparation.unstandardized(prepared(numbers(0)))
    )
    let ratios = zip(before, after).filter { $0.0 > 0.1 && $0.1 < 0.99 && $0.1 > 0 }
        .map { $0.1 / $0.0 }
    #expect(ratios.count > 100)
    let (least, most) = (ratios.min() ?? 0, ratios.max() ?? 1)
    #expect(most - least < 1e-4 && abs(most - 1) > 0.01 && (0.1...1.9).contains(most))
}
