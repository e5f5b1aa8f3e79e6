import Models
import Tensors
import Testing

@testable import GlimpseModel

/// Where patches are cut, and what they hold.
@Suite struct PatchTests {
    private static let locations = LocationGrid(field: 77, grid: (8, 19))

    private static func corners(
        _ imageSize: Int, _ alignment: PatchAlignment, side: Int = 0
    ) -> [Int] {
        let places = PatchPlaces(
            locations: locations, locatorSize: 224, imageSize: imageSize, windowSize: side,
            alignment: alignment)
        return (0..<19).compactMap {
            locations.window(of: $0).map { places.patch(of: $0).columns.lowerBound }
        }
    }

    /// All corners of the published code, computed there in single precision.
    @Test func cornersAreThePublishedOnes() {
        #expect(
            Self.corners(224, .reference).prefix(7) == [0, 8, 16, 24, 32, 40, 49])
        #expect(Self.corners(224, .reference).last == 147)
        let large = Self.corners(331, .reference)
        #expect(large.prefix(3) == [0, 12, 24] && large.last == 217)
        #expect(large.contains(96) && large.contains(109))
        #expect(
            PatchPlaces(locations: Self.locations, locatorSize: 224, imageSize: 331).side == 113)
        // Half of a window of 77 reaches as far as one of 113 would.
        #expect(Self.corners(331, .reference, side: 77).first == 18)
    }

    @Test func patchesHaveTheMiddleOfWhatTheLocationSees() {
        #expect(Self.corners(224, .receptiveField) == (0..<19).map { 8 * $0 })
        for (index, corner) in Self.corners(331, .receptiveField).enumerated() {
            let seen: Double = (Double(8 * index) + 38.5) / 224
            let found: Double = (Double(corner) + 56.5) / 331
            #expect(abs(found - seen) <= 0.5 / 331 + 1e-12)
        }
        // A wide window stays inside.
        let wide = Self.corners(331, .receptiveField, side: 200)
        #expect(wide.first == 0 && wide.last == 131)
    }

    @Test func aWindowBeyondTheBorderRepeatsItsPixels() {
        let places = PatchPlaces(
            locations: LocationGrid(field: 3, grid: (1, 2)), locatorSize: 4, imageSize: 4,
            windowSize: 4, alignment: .reference)
        let window = places.patch(of: Window(rows: 0..<3, columns: 1..<4))
        #expect(window == Window(rows: -1..<3, columns: 0..<4))
        let image = (0..<48).map { Float($0) }
        let cut = PatchCut(imageSize: 4, side: 4, size: 4, pixels: PixelScale())
        let patch = Self.patch(cut, image, at: window)
        let expected: [Float] = Array(image[0..<12]) + Array(image[0..<36])
        #expect(patch == expected)
    }

    @Test func pixelsComeToTheNetworksScale() {
        let cut = PatchCut(
            imageSize: 1, side: 1, size: 1,
            pixels: PixelScale(mean: [0.5, 0.5, 0.5], deviation: [0.5, 0.25, 0.5]))
        let standard = PixelScale.standard
        let pixels = [0.1, 0.7, 0.4]
        let image: [Float] = (0..<3).map { channel in
            let value: Double = pixels[channel] - standard.mean[channel]
            return Float(value / standard.deviation[channel])
        }
        let patch = Self.patch(cut, image, at: Window(rows: 0..<1, columns: 0..<1))
        let expected: [Float] = [-0.8, 0.8, -0.2]
        #expect(zip(patch, expected).allSatisfy { abs($0 - $1) < 1e-6 })
        #expect(PixelScale.standard.change == nil && PixelScale().change == nil)
    }

    @Test func aResizedPatchKeepsItsMeanAndDirection() {
        // A ramp stays one, upwards and downwards.
        var image: [Float] = []
        for pixel in 0..<64 {
            image += [Float(pixel % 8), Float(pixel / 8), 1] as [Float]
        }
        for size in [4, 8, 16] {
            let cut = PatchCut(imageSize: 8, side: 8, size: size, pixels: PixelScale())
            let patch = Self.patch(cut, image, at: Window(rows: 0..<8, columns: 0..<8))
            #expect(patch.count == size * size * 3)
            for channel in 0..<2 {
                let values = (0..<(size * size)).map { patch[3 * $0 + channel] }
                let mean = values.reduce(0, +) / Float(values.count)
                #expect(abs(mean - 3.5) < 1e-4)
            }
            #expect((0..<(size * size)).allSatisfy { abs(patch[3 * $0 + 2] - 1) < 1e-6 })
            let row: [Float] = (0..<size).map { patch[3 * $0] }
            #expect(zip(row, row.dropFirst()).allSatisfy { $0 < $1 })
        }
    }

    private static func patch(_ cut: PatchCut, _ image: [Float], at window: Window) -> [Float] {
        var scratch = [Float](repeating: .nan, count: cut.scratchCount)
        return scratch.withUnsafeMutableBufferPointer { scratch in
            image.withUnsafeBufferPointer { image in
                guard let source = image.baseAddress, let room = scratch.baseAddress else {
                    return []
                }
                return Array(
                    UnsafeBufferPointer(
                        start: cut(source, at: window, scratch: room),
                        count: cut.size * cut.size * 3))
            }
        }
    }
}
