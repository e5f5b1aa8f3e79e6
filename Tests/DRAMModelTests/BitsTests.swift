import Layers
import Models
import Tensors
import TestSupport
import Testing

@testable import DRAMModel

/// A step's bits do not depend on threads and ranks; given places and drawn ones are the same.
@Suite struct BitsTests {
    private static var settings: DRAMStageSettings {
        var settings = DRAMStageSettings()
        (settings.glimpses, settings.samples) = (3, 2)
        (settings.deviation, settings.reinforceWeight) = (0.3, 0.7)
        settings.reward = .everyGlimpse
        return settings
    }

    @Test(arguments: SmallModel.Stage.allCases, [1, 2])
    func threadsDoNotMatter(stage: SmallModel.Stage, shardSize: Int) throws {
        let small = SmallModel()
        let shards = stride(from: 0, to: 4, by: shardSize).map { $0..<($0 + shardSize) }
        let results = try [1, 2, 3].map {
            try small.step(
                Float.self, stage: stage, settings: Self.settings, shards: shards, of: 4,
                threads: $0
            ).0
        }
        #expect(results[0].gradients.contains { $0 != 0 })
        #expect(results[1] == results[0] && results[2] == results[0])
    }

    @Test(arguments: SmallModel.Stage.allCases, [2, 4])
    func ranksDoNotMatter(stage: SmallModel.Stage, rankCount: Int) throws {
        let small = SmallModel()
        let shards = (0..<4).map { $0..<($0 + 1) }
        let (alone, _) = try small.step(
            Float.self, stage: stage, settings: Self.settings, shards: shards, of: 4)
        let model = small.model(Float.self)
        let store = ParameterStore(layout: model.layout, seed: 0)
        let trained = model.layout.parameters.filter {
            stage == .dram || $0.group != .policy
        }
        let expected = trained.map { store.range($0) }.sorted { $0.lowerBound < $1.lowerBound }
        let results = try LocalRanks(count: rankCount).run { rank, reducer in
            let own = shards[(rank * 4 / rankCount)..<((rank + 1) * 4 / rankCount)]
            let (result, _) = try small.step(
                Float.self, stage: stage, settings: Self.settings, shards: Array(own), of: 4,
                reducer: reducer, isFirstRank: rank == 0)
            // Each trained parameter is complete once.
            #expect(reducer.completed == expected)
            return result
        }
        for result in results {
            #expect(result.report == alone.report && result.statistics == alone.statistics)
        }
        #expect(LocalRanks.treeSum(results.map(\.gradients)) == alone.gradients)
    }

    /// Another division into shards gives the same to rounding.
    @Test func shardsHardlyMatter() throws {
        let small = SmallModel()
        let results = try [[0..<4], [0..<3, 3..<4], [0..<1, 1..<2, 2..<3, 3..<4]].map {
            try small.step(Float.self, stage: .dram, settings: Self.settings, shards: $0, of: 4).0
        }
        for result in results.dropFirst() {
            #expect(relativeDifference(result.gradients, results[0].gradients) < 1e-4)
        }
    }

    /// The places that a step drew, given to it, make the same step.
    @Test(arguments: SmallModel.Stage.allCases)
    func givenPlacesAreFollowed(stage: SmallModel.Stage) throws {
        let small = SmallModel()
        let (shards, settings) = ([0..<2, 2..<4], Self.settings)
        let (drawn, arrays) = try small.step(
            Float.self, stage: stage, settings: settings, shards: shards, of: 4)
        let model = small.model(Float.self)
        let limit = model.geometry.limit
        let places = try Self.places(small, stage: stage, settings: settings)
        #expect(places.allSatisfy { abs($0) <= limit })
        #expect(Set(places).count > (stage == .pretrain ? 47 : 20))
        let (given, again) = try small.step(
            Float.self, stage: stage, settings: settings, shards: shards, of: 4,
            glimpses: .places(places))
        #expect(given == drawn)
        #expect(Self.integers(arrays) == Self.integers(again))
        // Places elsewhere make another step.
        let (other, _) = try small.step(
            Float.self, stage: stage, settings: settings, shards: shards, of: 4,
            glimpses: .places(places.map { -$0 }))
        #expect(other != drawn)
    }

    private static func integers(_ arrays: [TracedArray]) -> [Int32] {
        arrays.flatMap { array -> [Int32] in
            if case .integers(let values) = array.values { values } else { [] }
        }
    }

    /// The places of a step, `[S, N, T, 2]`, from the numbers that key them.
    private static func places(
        _ small: SmallModel, stage: SmallModel.Stage, settings: DRAMStageSettings
    ) throws -> [Float] {
        let limit = small.model(Float.self).geometry.limit
        var means: [Float] = []
        if stage == .dram {
            let (_, arrays) = try small.step(
                Float.self, stage: stage, settings: settings, shards: [0..<2, 2..<4], of: 4)
            for array in arrays where array.path == "dram/mean" {
                if case .floats(let values) = array.values { means = values }
            }
        }
        var places: [Float] = []
        for sample in 0..<settings.samples {
            for image in 0..<4 {
                var random = CounterRandom(
                    seed: 8, purpose: .places, stream: 3,
                    index: UInt64((100 + image) * settings.samples + sample))
                for _ in 0..<settings.glimpses {
                    if stage == .pretrain {
                        let y = Float(Double(limit) * (2 * random.uniform() - 1))
                        places += [y, Float(Double(limit) * (2 * random.uniform() - 1))]
                    } else {
                        let noise = random.normalPair()
                        for value in [noise.0, noise.1] {
                            let place =
                                means[places.count] + Float(settings.deviation) * Float(value)
                            places.append(min(max(place, -limit), limit))
                        }
                    }
                }
            }
        }
        return places
    }

    /// The same step with activations stored in bfloat16, to the digits that such numbers have.
    @Test(arguments: SmallModel.Stage.allCases)
    func storageInBFloat16GivesTheSameStep(stage: SmallModel.Stage) throws {
        // Large enough that a rectification which rounding flips here or there does not matter.
        let small = SmallModel(imageCount: 8) {
            $0.dram.glimpseSize = 17
            $0.dram.stemChannels = 32
            $0.dram.planes = [32, 32]
        }
        var settings = Self.settings
        settings.samples = 1
        let places = (0..<48).map { Float($0 % 7) / 50 - 0.06 }
        func step<Element: StorageElement>(_ type: Element.Type) throws -> SmallModel.Result {
            try small.step(
                type, stage: stage, settings: settings, shards: [0..<4, 4..<8], of: 8,
                glimpses: .places(places)
            ).0
        }
        let (wide, narrow) = (try step(Float.self), try step(BFloat16.self))
        #expect(wide.gradients != narrow.gradients)
        let entropies = (wide.report.crossEntropy ?? 0, narrow.report.crossEntropy ?? 0)
        #expect(abs(entropies.0 - entropies.1) < 0.03 * entropies.0)
        #expect(relativeDifference(narrow.gradients, wide.gradients) < 0.3)
    }
}
