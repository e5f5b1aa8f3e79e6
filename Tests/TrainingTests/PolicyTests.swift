import Checkpoints
import Models
import TestSupport
import Testing

@testable import SaccaderModel

/// The policies that need no training, against an independent implementation.
@Suite(.serialized) struct PolicyTests {
    private let fixture: HDF5File
    private let size = 48
    private let classes = 5
    private let places = 81
    private let most = 8
    private let geometry: Geometry

    init() throws {
        fixture = try HDF5File.open(try Fixture.path("policies"))
        var sizes = RepresentationConfiguration()
        sizes.stemChannels = 8
        sizes.planes = [8, 16]
        sizes.blocks = [2, 2]
        sizes.strides = [2, 2]
        sizes.kernel3 = [2, 1]
        geometry = Geometry(sizes, imageSize: size)
    }

    @Test func geometryIsTheFixtures() {
        #expect(geometry.receptiveField == 13 && geometry.stride == 4 && geometry.gridSize == 9)
    }

    private func rows<Number>(_ values: [Number], _ length: Int) -> [[Number]] {
        stride(from: 0, to: values.count, by: length).map { Array(values[$0..<($0 + length)]) }
    }

    private func expect(_ name: String, _ locations: (Int, [Float]) -> [Int]) throws {
        let expected = rows(try fixture.integers("/expected/\(name)/locations").map(Int.init), most)
        let predictions = rows(try fixture.doubles("/expected/\(name)/prediction"), classes)
        let logits = rows(try fixture.floats("/batch/logits2d"), places * classes)
        #expect(expected.count == 6)
        for image in expected.indices {
            let found = locations(image, logits[image])
            #expect(found == expected[image])
            let averages = AveragedLogits.prefixes(
                logits[image], classes: classes, locations: found)
            let last = try #require(averages.last)
            #expect(relativeDifference(last, predictions[image]) < 1e-5)
        }
    }

    @Test(arguments: [TargetOrder.maxLogit, .predictedClass])
    func ordersLogits(order: TargetOrder) throws {
        try expect("orderedLogits-\(order.rawValue)") { _, logits in
            LogitOrder.locations(logits, classes: classes, order: order, most: most)
        }
    }

    @Test func followsTheGradient() throws {
        let images = rows(try fixture.floats("/batch/images"), size * size * 3)
        let magnitudes = rows(try fixture.doubles("/expected/sobelMagnitude"), size * size)
        for (image, magnitude) in zip(images, magnitudes) {
            #expect(relativeDifference(Sobel.magnitude(image, size: size), magnitude) < 1e-5)
        }
        for (name, statistic) in [
            ("sobelMean", Sobel.Statistic.mean), ("sobelVariance", .variance),
        ] {
            try expect(name) { image, _ in
                Sobel.locations(
                    images[image], size: size, geometry: geometry, statistic: statistic,
                    most: most)
            }
        }
    }

    @Test func centerStaysInTheMiddle() throws {
        let expected = try fixture.integers("/expected/center/locations").map(Int.init)
        let view = Inference<Float>.Output(logits: [], learned: [])
        let found = Policy.center.locations(
            view, image: [], imageSize: size, geometry: geometry, classes: classes, most: 3,
            seed: 0, identifier: 0)
        #expect(Set(expected) == Set(found) && found.count == 3)
    }

    @Test func randomVisitsEachPlaceOnceAndAllAlike() {
        let view = Inference<Float>.Output(logits: [], learned: [])
        var counts = [Int](repeating: 0, count: places)
        for identifier in 0..<4000 {
            let found = Policy.random.locations(
                view, image: [], imageSize: size, geometry: geometry, classes: classes, most: 8,
                seed: 1, identifier: identifier)
            #expect(Set(found).count == 8)
            for place in found { counts[place] += 1 }
        }
        // 32,000 visits over 81 places: 395 each, with a deviation of about 19.
        #expect(counts.allSatisfy { abs($0 - 395) < 6 * 19 })
    }

    /// Reports of earlier programs hold what these places came to.
    @Test func randomPlacesStayAsTheyWere() {
        let found = Policy.random.locations(
            Inference<Float>.Output(logits: [], learned: []), image: [], imageSize: size,
            geometry: geometry, classes: classes, most: 8, seed: 1, identifier: 3, draw: 2)
        #expect(found == [40, 74, 20, 80, 47, 57, 21, 16])
    }
}
