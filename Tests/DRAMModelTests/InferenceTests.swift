import Layers
import Tensors
import Testing

@testable import DRAMModel

/// The policies that an untrained look can follow.
@Suite struct InferenceTests {
    private let small = SmallModel()

    private func views(
        _ policy: DRAMInference<Float>.Policy, glimpses: Int = 4, shardSize: Int = 2,
        threads: Int = 2, seed: UInt64 = 6
    ) throws -> [DRAMInference<Float>.Output] {
        let model = small.model(Float.self)
        let inference = DRAMInference(
            model, store: ParameterStore(layout: model.layout, seed: seed),
            pool: ThreadPool(threadCount: threads), imageCapacity: 6, shardSize: shardSize)
        // A second call must not remember the first.
        _ = try inference(small.images, imageCount: 4, glimpses: 3)
        return try inference(small.images, imageCount: 4, glimpses: glimpses, policy: policy)
    }

    @Test func aLongerLookBeginsLikeAShorterOne() throws {
        let (short, long) = (try views(.learned, glimpses: 2), try views(.learned, glimpses: 7))
        for (short, long) in zip(short, long) {
            #expect(long.places.count == 7 && long.logits.count == 7)
            #expect(Array(long.places.prefix(2)) == short.places)
            #expect(Array(long.logits.prefix(2)) == short.logits)
        }
        #expect(try views(.learned, glimpses: 7, threads: 1).map(\.logits) == long.map(\.logits))
    }

    /// The learned places, given, lead to the same logits: the context decides where, not what.
    @Test func givenPlacesAreFollowed() throws {
        let learned = try views(.learned)
        let given = try views(.given(learned.map(\.places)))
        #expect(given.map(\.logits) == learned.map(\.logits))
        #expect(given.map(\.corners) == learned.map(\.corners))
        #expect(learned[0].places != learned[1].places)
    }

    /// Other weights are seen once they are read.
    @Test func parametersAreReadAgain() throws {
        let model = small.model(Float.self)
        let (store, other) = (
            ParameterStore(layout: model.layout, seed: 6),
            ParameterStore(layout: model.layout, seed: 7)
        )
        let inference = DRAMInference(
            model, store: store, pool: ThreadPool(threadCount: 1), imageCapacity: 6, shardSize: 2)
        let before = try inference(small.images, imageCount: 4, glimpses: 3)
        for (index, value) in other.allValues.enumerated() { store.allValues[index] = value }
        inference.readParameters()
        let after = try inference(small.images, imageCount: 4, glimpses: 3)
        #expect(after.map(\.logits) != before.map(\.logits))
        #expect(try after.map(\.logits) == views(.learned, glimpses: 3, seed: 7).map(\.logits))
    }

    @Test func theMiddleAndRandomPlaces() throws {
        let center = try views(.center)
        #expect(center.allSatisfy { $0.places == Array(repeating: .center, count: 4) })
        #expect(center[0].corners.allSatisfy { $0 == .init(row: 5, column: 5) })
        let identifiers = [3, 9, 4, 7]
        let random = try views(.random(seed: 1, draw: 0, identifiers: identifiers))
        let limit = small.model(Float.self).geometry.limit
        let places = random.flatMap(\.places)
        #expect(places.allSatisfy { abs($0.y) <= limit && abs($0.x) <= limit })
        #expect(Set(places.map(\.y)).count == 16 && Set(places.map(\.x)).count == 16)
        // By image, not by place in the batch; each draw has its own.
        let other = try views(.random(seed: 1, draw: 0, identifiers: identifiers.reversed()))
        #expect(other.map(\.places) == random.reversed().map(\.places))
        #expect(
            try views(.random(seed: 1, draw: 1, identifiers: identifiers)).map(\.places)
                != random.map(\.places))
    }

    @Test func thePredictionIsTheLastOrTheMean() throws {
        let view = try views(.learned)[0]
        #expect(view.predictions(.last) == view.logits)
        let means = view.predictions(.mean)
        for (index, value) in means[2].enumerated() {
            let sum = view.logits[0][index] + view.logits[1][index] + view.logits[2][index]
            #expect(abs(value - sum / 3) < 1e-6)
        }
        #expect(means[0] == view.logits[0] && means.count == 4)
    }
}
