import Foundation
import Layers
import Models
import Tensors
import Testing

@testable import DRAMModel

/// REINFORCE with each kind of reward and baseline, against sums over the traced arrays and central
/// differences.
@Suite struct RewardTests {
    private static let kinds = DRAMStageSettings.Reward.allCases.flatMap { reward in
        DRAMStageSettings.Baseline.allCases.map { (reward, $0) }
    }

    @Test(arguments: kinds) func theLossIsTheSumOverLocations(
        reward: DRAMStageSettings.Reward, baseline: DRAMStageSettings.Baseline
    ) throws {
        let settings = Self.settings(reward, baseline)
        let (result, arrays) = try Self.step(settings)
        let logits = try Self.floats(arrays, "dram/logits")
        let means = try Self.floats(arrays, "dram/mean")
        let (samples, count) = (settings.samples, settings.glimpses)
        let trajectories = samples * 4
        /// The label's probability after a glimpse; 0 before the first.
        func worth(_ trajectory: Int, _ glimpse: Int) -> Double {
            guard glimpse >= 0 else { return 0 }
            let first = (trajectory * count + glimpse) * 3
            let values = logits[first..<(first + 3)].map { exp(Double($0)) }
            return values[(trajectory % 4) % 3] / values.reduce(0, +)
        }
        var advantages = (0..<trajectories).map { trajectory in
            (0..<count).map { glimpse in
                let own = worth(trajectory, glimpse)
                let last = worth(trajectory, count - 1)
                let later = (glimpse..<count).map { worth(trajectory, $0) }.reduce(0, +)
                let reward =
                    switch reward {
                    case .last: last
                    case .everyGlimpse: own
                    case .remainingGlimpses: later / Double(count - glimpse)
                    }
                return baseline == .previousGlimpse
                    ? reward - worth(trajectory, glimpse - 1) : reward
            }
        }
        let perGlimpse = (0..<count).map { glimpse in
            advantages.map { $0[glimpse] }.reduce(0, +) / Double(trajectories)
        }
        let mean = perGlimpse.reduce(0, +) / Double(count)
        var sum = 0.0
        for trajectory in 0..<trajectories {
            for glimpse in 0..<count {
                advantages[trajectory][glimpse] -= baseline == .batch ? mean : perGlimpse[glimpse]
                let place = (trajectory * count + glimpse) * 2
                let distance = (0..<2).map {
                    Double(Self.places[place + $0] - means[place + $0]) / settings.deviation
                }
                // The normal's constant multiplies a sum of 0.
                let surprise = (distance[0] * distance[0] + distance[1] * distance[1]) / 2
                sum += advantages[trajectory][glimpse] * surprise
            }
        }
        let expected = settings.reinforceWeight * sum / 4
        let found = try #require(result.report.reinforce)
        #expect(abs(expected) > 1e-4)
        #expect(abs(found - expected) < 1e-4 * max(abs(expected), 0.01), "\(found), \(expected)")
    }

    /// The places being given, the emission's bias moves the means and nothing else.
    @Test(arguments: kinds) func theGradientIsThatOfTheLoss(
        reward: DRAMStageSettings.Reward, baseline: DRAMStageSettings.Baseline
    ) throws {
        let settings = Self.settings(reward, baseline)
        let model = SmallModel().model(Float.self)
        let store = ParameterStore(layout: model.layout, seed: 6)
        let bias = try #require(
            model.layout.parameters.first { $0.path.hasSuffix("emission/bias") })
        let (result, _) = try Self.step(settings)
        for index in store.range(bias) {
            let losses = try [Float(-0.01), 0.01].map { step in
                let (moved, _) = try Self.step(settings) {
                    let values = $0.allValues
                    values[index] += step
                }
                return try #require(moved.report.reinforce)
            }
            let expected = (losses[1] - losses[0]) / 0.02
            let found = Double(result.gradients[index])
            let tolerance = 0.02 * max(abs(expected), 0.01)
            #expect(abs(found - expected) < tolerance, "\(found), \(expected)")
        }
    }

    private static func settings(
        _ reward: DRAMStageSettings.Reward, _ baseline: DRAMStageSettings.Baseline
    ) -> DRAMStageSettings {
        var settings = DRAMStageSettings()
        (settings.glimpses, settings.samples) = (3, 2)
        (settings.deviation, settings.reinforceWeight) = (0.3, 20)
        (settings.reward, settings.rewardWorth, settings.baseline) = (
            reward, .probability, baseline
        )
        return settings
    }

    /// `[S, N, T, 2]`, two samples of four images.
    private static let places: [Float] = {
        var random = CounterRandom(seed: 5, purpose: .scene)
        return (0..<48).map { _ in Float(random.uniform() - 0.5) }
    }()

    private static func step(
        _ settings: DRAMStageSettings, change: (ParameterStore) -> Void = { _ in }
    ) throws -> (SmallModel.Result, [TracedArray]) {
        try SmallModel().step(
            Float.self, stage: .dram, settings: settings, shards: [0..<2, 2..<4], of: 4,
            glimpses: .places(places), change: change)
    }

    private static func floats(_ arrays: [TracedArray], _ path: String) throws -> [Float] {
        let array = try #require(arrays.first { $0.path == path })
        guard case .floats(let values) = array.values else { return [] }
        return values
    }
}
