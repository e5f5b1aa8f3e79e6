import Tensors
import Testing

@testable import DRAMModel

/// Glimpses against numbers worked out by hand and against loops in double precision.
@Suite struct GlimpseTests {
    private static func cut(
        _ geometry: GlimpseGeometry, _ image: [Float], at place: Place, resolutions: Int
    ) -> [Float] {
        let cut = GlimpseCut(geometry: geometry)
        return [Float](unsafeUninitializedCapacity: cut.count) { buffer, count in
            count = cut.count
            image.withUnsafeBufferPointer { source in
                guard let base = source.baseAddress, let target = buffer.baseAddress else { return }
                cut(base, at: place, resolutions: resolutions, into: target)
            }
        }
    }

    /// A window of two pixels in an image of four whose red is the column, green the row.
    @Test func aWindowIsCutOutAtItsCorner() {
        let geometry = GlimpseGeometry(imageSize: 4, glimpseSize: 2, resolutions: 2)
        var image: [Float] = []
        for row in 0..<4 { for column in 0..<4 { image += [Float(column), Float(row), 7] } }
        // (4·(0.5 + 1) − 2)/2 = 2 and (4·(−0.25 + 1) − 2)/2 = 0.5, down to 0.
        let place = Place(y: 0.5, x: -0.25)
        #expect(geometry.corner(of: place) == .init(row: 2, column: 0))
        // The whole image moves with the place: rows 1…4, of which the last repeats the border's.
        #expect(geometry.corner(of: place, resolution: 1) == .init(row: 1, column: -1))
        let found = Self.cut(geometry, image, at: place, resolutions: 2)
        let third: Float = 1 / 3
        // Per pixel: red, green, blue, row, column of the window, and the wide one's at 0 and 2.
        let expected: [Float] = [
            0, 2, 7, third, -1, 0, 1, 7, -third, -1,
            1, 2, 7, third, -third, 1, 1, 7, -third, -third,
            0, 3, 7, 1, -1, 0, 3, 7, 1, -1,
            1, 3, 7, 1, -third, 1, 3, 7, 1, -third,
        ]
        for (index, value) in expected.enumerated() {
            #expect(abs(found[index] - value) < 1e-6, "\(index)")
        }
        // Flat: the mean of each channel of the wide window.
        let flat = Self.cut(geometry, image, at: place, resolutions: 1)
        for pixel in 0..<4 {
            #expect(
                Array(flat[(10 * pixel)..<(10 * pixel + 5)])
                    == Array(found[(10 * pixel)..<(10 * pixel + 5)]))
            let means: [Float] = [0.5, 2, 7, third, -2 * third]
            for channel in 0..<5 {
                #expect(abs(flat[10 * pixel + 5 + channel] - means[channel]) < 1e-6)
            }
        }
    }

    /// Any place, also windows that lie mostly outside, against a second way to write it.
    @Test(arguments: [0, 1, 2, 3]) func interpolationAgrees(seed: Int) {
        let geometry = GlimpseGeometry(imageSize: 23, glimpseSize: 6, resolutions: 4)
        var random = CounterRandom(seed: UInt64(seed), purpose: .scene)
        let image = (0..<(23 * 23 * 3)).map { _ in Float(random.uniform()) }
        let place = Place(
            y: Float(2 * random.uniform() - 1), x: Float(2 * random.uniform() - 1))
        let found = Self.cut(geometry, image, at: place, resolutions: 3)
        func pixel(_ row: Int, _ column: Int, _ channel: Int) -> Double {
            let (row, column) = (min(max(row, 0), 22), min(max(column, 0), 22))
            return switch channel {
            case 3: -1 + Double(row) / 11
            case 4: -1 + Double(column) / 11
            default: Double(image[(row * 23 + column) * 3 + channel])
            }
        }
        for (resolution, side) in geometry.sides.enumerated() {
            let corner = geometry.corner(of: place, resolution: resolution)
            var values = [Double](repeating: 0, count: 36 * 5)
            for (index, _) in values.enumerated() {
                let (location, channel) = index.quotientAndRemainder(dividingBy: 5)
                let (i, j) = location.quotientAndRemainder(dividingBy: 6)
                let (y, x) = (Double(i * side) / 6, Double(j * side) / 6)
                // Hat functions: 1 at the pixel, 0 at its neighbours; beyond the last it goes on.
                for row in 0..<side {
                    for column in 0..<side {
                        let down = row == side - 1 ? min(Double(row), y) : y
                        let across = column == side - 1 ? min(Double(column), x) : x
                        let weight =
                            max(0, 1 - abs(down - Double(row)))
                            * max(0, 1 - abs(across - Double(column)))
                        if weight > 0 {
                            values[index] +=
                                weight * pixel(corner.row + row, corner.column + column, channel)
                        }
                    }
                }
            }
            for channel in 0..<5 where resolution >= 3 {
                let all = stride(from: channel, to: values.count, by: 5)
                let mean = all.reduce(0) { $0 + values[$1] } / 36
                for index in all { values[index] = mean }
            }
            for (index, value) in values.enumerated() {
                let place = index / 5 * 20 + 5 * resolution + index % 5
                #expect(abs(Double(found[place]) - value) < 1e-5, "\(resolution), \(index)")
            }
        }
    }
}
