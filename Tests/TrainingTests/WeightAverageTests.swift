import Layers
import Models
import Tensors
import TestSupport
import Testing

@testable import ResNetModel
@testable import Training

private func smallStore(seed: UInt64 = 2) -> ParameterStore {
    var settings = ClassifierSettings()
    settings.classes = 3
    (settings.classifier.stemChannels, settings.classifier.planes) = (3, [2])
    (settings.classifier.blocks, settings.classifier.strides) = ([1], [1])
    return ParameterStore(layout: Classifier<Float>(settings).layout, seed: seed)
}

private func settings(_ decay: Double, _ warmup: Double) -> AveragingSettings {
    var settings = AveragingSettings()
    (settings.decay, settings.warmup) = (decay, warmup)
    return settings
}

/// Against `torch.optim.swa_utils.AveragedModel`: seven weights and three statistics of twelve steps.
@Test func averagesAreThoseOfPyTorch() throws {
    let figures = try SmallSetFigures.read()
    #expect(figures.averages.count == 5)
    let pool = ThreadPool(threadCount: 2)
    for expected in figures.averages {
        let store = smallStore()
        let average = try #require(
            WeightAverage(settings(expected.decay, expected.warmup), store: store))
        let untouched = Array(store.allValues.dropFirst(7))
        for (values, wanted) in zip(figures.steps, expected.averages) {
            for index in 0..<7 { store.allValues[index] = values[index] }
            for index in 0..<3 { store.allStatistics[index] = values[7 + index] }
            average.update(store: store, pool: pool)
            let (values, statistics) = (Array(store.allValues), Array(store.allStatistics))
            average.exchange(with: store)
            let found = Array(store.allValues.prefix(7)) + Array(store.allStatistics.prefix(3))
            #expect(relativeDifference(found, wanted) < 1e-6, "\(expected.decay)")
            // What did not change is its own average, to the last bit.
            #expect(Array(store.allValues.dropFirst(7)) == untouched)
            average.exchange(with: store)
            #expect(Array(store.allValues) == values)
            #expect(Array(store.allStatistics) == statistics)
        }
    }
}

@Test func withoutADecayThereIsNoAverage() {
    #expect(WeightAverage(settings(0, 10), store: smallStore()) == nil)
    let all = (0..<4).map { settings(0.9, 0).decay(after: $0) }
    #expect(all == [0, 0.9, 0.9, 0.9])
    #expect(settings(0.9, 10).decay(after: 1) == 2.0 / 11)
    #expect(settings(0.9, 10).decay(after: 1000) == 0.9)
}

/// Against `torch.nn.utils.clip_grad_norm_`.
@Test func gradientsAreClippedAsPyTorchClips() throws {
    let figures = try SmallSetFigures.read()
    #expect(figures.clips.count == 4)
    for expected in figures.clips {
        let store = smallStore()
        var settings = ClassifierStageSettings()
        settings.gradientClip = expected.clip
        let optimizer = Optimizer(stage: .classifier, settings: settings, store: store)
        for index in store.allGradients.indices {
            store.allGradients[index] = index < 9 ? figures.gradient[index] : 0
        }
        let norm = optimizer.gradientNorm(store: store)
        #expect(abs(norm - expected.norm) < 1e-6 * expected.norm)
        optimizer.clip(norm: norm, store: store, pool: ThreadPool(threadCount: 2))
        let found = Array(store.allGradients.prefix(9))
        #expect(relativeDifference(found, expected.clipped) < 1e-6, "\(expected.clip)")
    }
}
