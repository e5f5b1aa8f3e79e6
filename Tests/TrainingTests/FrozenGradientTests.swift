import Configuration
import Families
import Foundation
import Layers
import Models
import Tensors
import Testing

@testable import Training

/// Of every family's stages with frozen parts: the gradients of what is trained, against central
/// differences of the loss, along a random direction of each parameter.
@Suite struct FrozenGradientTests {
    private static let settings = """
        model:
          classes: 3
          mixedFeatures: 4
          representation: {stemChannels: 4, planes: [4], blocks: [1], strides: [2], kernel3: [1]}
          classifier: {stemChannels: 4, planes: [3, 4], blocks: [2, 1], strides: [1, 2], expansion: 2}
          dram: {glimpseSize: 9, stemChannels: 4, planes: [3, 4], blocks: [1, 1], strides: [2, 1], expansion: 2, classificationUnits: 6, locationUnits: 5}
          nasnet: {stemChannels: 4, filters: 4, cellsPerGroup: 1, dropout: 0}
        data: {imageSize: 24, patchImageSize: 48}
        glimpse: {windowSize: 40, locatorFamily: saccader}
        stages:
          dram: {glimpses: 2, samples: 2, deviation: 0.3, reinforceWeight: 3, classification: everyGlimpse, rewardWorth: correct, shardSize: 2}
          dramPretrain: {glimpses: 2, shardSize: 2}
          glimpse: {glimpses: 2, shardSize: 2}
          classifier: {shardSize: 2}
        """
    private static let imageCount = 5

    private struct Subject {
        let objective: any Objective
        let store: ParameterStore
        let batch: TrainingBatch

        init(_ stage: Stage, freeze: [String]) throws {
            var tree = try ConfigurationTree(defaults: RunConfiguration())
            try tree.overlay(yaml: FrozenGradientTests.settings, source: "settings")
            var configuration = try tree.decode(RunConfiguration.self)
            configuration.model.join(
                configuration.glimpse, patchImageSize: configuration.data.patchImageSize)
            configuration.stages[stage].freeze = freeze
            let model = configuration.model(of: stage)
            #expect(model.problem(configuration.stages[stage], of: stage) == nil)
            store = ParameterStore(layout: model.layout, seed: 6)
            var random = CounterRandom(seed: 9, purpose: .scene)
            for parameter in model.layout.parameters where !parameter.decays {
                for index in 0..<parameter.count {
                    store.values(parameter)[index] =
                        Float(random.uniform()) + (parameter.path.hasSuffix("gamma") ? 0.5 : -0.3)
                }
            }
            for statistic in model.layout.statistics {
                for index in 0..<statistic.count {
                    store.values(statistic)[index] =
                        Float(random.uniform()) + (statistic.path.hasSuffix("mean") ? -0.5 : 0.5)
                }
            }
            objective = try model.objective(
                stage, settings: configuration.stages[stage],
                plan: StepPlan(
                    store: store, pool: ThreadPool(threadCount: 2),
                    imageCapacity: imageCount, shardCapacity: 3))
            let count = imageCount * 24 * 24 * 3
            let places: GlimpseSource =
                switch stage.name {
                case "glimpse": .fixed((0..<(2 * imageCount)).map { Int32($0 % 9) })
                case "dram":
                    .places((0..<(imageCount * 8)).map { _ in Float(random.uniform() - 0.5) })
                case "dramPretrain":
                    .places((0..<(imageCount * 4)).map { _ in Float(random.uniform() - 0.5) })
                default: .sampled(seed: 1, stream: 1, identifiers: Array(0..<imageCount))
                }
            batch = TrainingBatch(
                images: (0..<count).map { _ in Float(random.uniform() * 2 - 1) },
                patchImages: stage.name == "glimpse"
                    ? (0..<(4 * count)).map { _ in Float(random.uniform() * 2 - 1) } : [],
                labels: (0..<imageCount).map { Int32($0 % 3) }, glimpses: places)
        }

        private var pass: Pass {
            Pass(
                pool: ThreadPool(threadCount: 2), reducer: NoRanks(), store: store,
                workspace: objective.workspace, shards: [0..<2, 2..<4, 4..<5],
                globalImageCount: imageCount)
        }

        func loss() throws -> LossReport {
            try objective.forward(batch, pass: pass)
            return try objective.loss(batch, pass: pass)
        }

        func backward(_ report: LossReport) throws {
            try objective.backward(batch, report, pass: pass)
        }
    }

    @Test(arguments: [
        ("classifier", ["classifier/stem"]),
        ("classifier", ["classifier/stem", "classifier/group0/block0"]),
        ("classifier", ["classifier/stem", "classifier/group0", "classifier/group1"]),
        (
            "classifier",
            ["classifier/stem", "classifier/group0", "classifier/group1", "classifier/norm"]
        ),
        ("dramPretrain", ["dram/glimpse"]),
        ("dramPretrain", ["dram/glimpse/stem", "dram/glimpse/group0", "dram/logits"]),
        ("dramPretrain", ["dram/classificationCell", "dram/logits"]),
        ("dram", ["dram/glimpse/stem"]),
        ("dram", ["dram/glimpse", "dram/classificationCell", "dram/logits"]),
        ("dram", ["dram/glimpse", "dram/logits", "dram/emission"]),
        ("dram", ["dram/classificationCell", "dram/locationCell"]),
        ("dram", ["dram/glimpse", "dram/locationCell", "dram/emission"]),
        ("dram", ["dram/glimpse", "dram/logits", "dram/classificationCell", "dram/locationCell"]),
        ("glimpse", ["nasnet/stem", "nasnet/stemCell0", "nasnet/stemCell1"]),
        (
            "glimpse",
            [
                "nasnet/stem", "nasnet/stemCell0", "nasnet/stemCell1", "nasnet/cell0",
                "nasnet/reduction0", "nasnet/cell1", "nasnet/reduction1",
            ]
        ),
    ])
    func gradientsAreTheDifferences(name: String, freeze: [String]) throws {
        let stage = try #require(Families.stage(named: name))
        let subject = try Subject(stage, freeze: freeze)
        let store = subject.store
        let frozen = store.layout.statistics.filter { FreezableParts.isNamed($0.path, in: freeze) }
        func numbers(_ statistics: [Statistic]) -> [[Float]] {
            statistics.map {
                Array(UnsafeBufferPointer(start: store.values($0), count: $0.count))
            }
        }
        let (before, all) = (numbers(frozen), numbers(store.layout.statistics))
        let report = try subject.loss()
        try subject.backward(report)
        #expect(numbers(frozen) == before)
        let gradients = Array(store.allGradients)
        var random = CounterRandom(seed: 11, purpose: .scene)
        var slopes: [Slope] = []
        for parameter in store.layout.parameters
        where stage.trains(parameter) && !FreezableParts.isNamed(parameter.path, in: freeze) {
            let range = store.range(parameter)
            let start = Array(store.allValues[range])
            let direction = range.map { index in
                Float(random.uniform() * 2 - 1) * (gradients[index] < 0 ? -1 : 1)
            }
            let length = direction.reduce(0) { $0 + Double($1 * $1) }.squareRoot()
            func slope(_ distance: Double) throws -> Double {
                let step = Float(distance / length)
                func loss(_ sign: Float) throws -> Double {
                    for (place, index) in range.enumerated() {
                        store.allValues[index] = start[place] + sign * step * direction[place]
                    }
                    return try subject.loss().total
                }
                let difference = try loss(1) - loss(-1)
                for (place, index) in range.enumerated() { store.allValues[index] = start[place] }
                return difference / (2 * distance)
            }
            let found = zip(range, direction).reduce(0.0) {
                $0 + Double(gradients[$1.0]) * Double($1.1)
            }
            slopes.append(
                Slope(path: parameter.path, expected: try slope(1e-3), found: found / length))
            // Where a ReLU's kink lies in the way: less far.
            for distance in [2.5e-4, 6e-5] where !slopes[slopes.count - 1].isNear(largest(slopes)) {
                slopes[slopes.count - 1].expected = try slope(distance)
            }
        }
        let hasTrainedNorms = !freeze.contains { ["dram/glimpse", "classifier/norm"].contains($0) }
        #expect((numbers(store.layout.statistics) != all) == hasTrainedNorms)
        #expect(largest(slopes) > 1e-3)
        for slope in slopes {
            #expect(slope.isNear(largest(slopes)), "\(slope), \(largest(slopes))")
        }
    }

    private struct Slope {
        let path: String
        var expected: Double
        let found: Double

        func isNear(_ largest: Double) -> Bool {
            abs(expected - found) < 0.03 * abs(expected) + 0.01 * largest
        }
    }

    private func largest(_ slopes: [Slope]) -> Double { slopes.map { abs($0.expected) }.max() ?? 0 }
}
