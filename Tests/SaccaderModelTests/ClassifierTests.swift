import Layers
import Models
import Tensors
import TestSupport
import Testing

@testable import ResNetModel

/// The classifier against central differences of a reference in double precision: padded
/// convolutions, max pooling, pre-activation, both kinds of shortcut.
@Suite struct ClassifierTests {
    private static let imageCount = 3
    private static let labels: [Int32] = [2, 0, 1]

    private static var configuration: ClassifierSettings {
        var configuration = ClassifierSettings()
        configuration.classes = 3
        configuration.classifier.stemChannels = 3
        configuration.classifier.planes = [2, 3]
        configuration.classifier.blocks = [2, 2]
        configuration.classifier.strides = [1, 2]
        configuration.classifier.expansion = 2
        return configuration
    }

    /// A classifier with numbers that no layer leaves at 0 or 1, the same in both implementations.
    private struct Subject {
        let model: Classifier<Float>
        let store: ParameterStore
        let reference: ReferenceClassifier
        let pixels: [Float]
        let size: Int

        init(size: Int) {
            let model = Classifier<Float>(ClassifierTests.configuration)
            let store = ParameterStore(layout: model.layout, seed: 6)
            var random = CounterRandom(seed: 9, purpose: .initialization)
            var numbers: [String: [Double]] = [:]
            for parameter in model.layout.parameters {
                let values = store.values(parameter)
                for index in 0..<parameter.count {
                    let start = Float(random.uniform())
                    values[index] =
                        parameter.decays
                        ? values[index] * Float(6).squareRoot()
                        : start + (parameter.path.hasSuffix("gamma") ? 0.5 : -0.3)
                }
                numbers[parameter.path] = (0..<parameter.count).map { Double(values[$0]) }
            }
            for statistic in model.layout.statistics {
                let values = store.values(statistic)
                for index in 0..<statistic.count {
                    values[index] =
                        Float(random.uniform()) + (statistic.path.hasSuffix("mean") ? -0.5 : 0.3)
                }
                numbers[statistic.path] = (0..<statistic.count).map { Double(values[$0]) }
            }
            pixels = (0..<(imageCount * size * size * 3)).map { _ in
                Float(random.uniform() * 2 - 1)
            }
            (self.model, self.store, self.size) = (model, store, size)
            reference = ReferenceClassifier(
                configuration: ClassifierTests.configuration, numbers: numbers)
        }

        var images: Map {
            Map(imageCount, size, size, 3, values: pixels.map { Double($0) })
        }

        func loss(_ reference: ReferenceClassifier) -> Double {
            zip(reference.logits(images, training: true), ClassifierTests.labels)
                .reduce(0) { $0 + softmax($1.0).logSum - $1.0[Int($1.1)] } / Double(imageCount)
        }
    }

    /// 13 → 7 → 4 → 2 and 17 → 9 → 5 → 3: windows that end at the border and beyond it.
    @Test(arguments: [13, 17]) func gradientsAreTheDifferences(size: Int) throws {
        let subject = Subject(size: size)
        let objective = ClassifierObjective(
            subject.model, imageSize: size, imageCapacity: 3, shardCapacity: 2, threadCount: 2)
        let batch = TrainingBatch(
            images: subject.pixels, labels: Self.labels, glimpses: .fixed([]))
        let completed = CompletedGradients(subject.store)
        let pass = Pass(
            pool: ThreadPool(threadCount: 2), reducer: completed, store: subject.store,
            workspace: objective.workspace, shards: [0..<2, 2..<3],
            globalImageCount: Self.imageCount)
        try objective.forward(batch, pass: pass)
        let report = try objective.loss(batch, pass: pass)
        try objective.backward(batch, report, pass: pass)
        completed.check(trained: { _ in true })
        #expect(abs(report.total - subject.loss(subject.reference)) < 1e-5)

        var reference = subject.reference
        var pairs: [(path: String, found: Double, expected: Double)] = []
        let step = 1e-6
        for parameter in subject.model.layout.parameters {
            guard let values = reference.numbers[parameter.path] else { continue }
            // Of the larger kernels a part: the reference is slow.
            for index in stride(from: 0, to: values.count, by: 1 + values.count / 24) {
                reference.numbers[parameter.path]?[index] = values[index] + step
                let above = subject.loss(reference)
                reference.numbers[parameter.path]?[index] = values[index] - step
                let below = subject.loss(reference)
                reference.numbers[parameter.path]?[index] = values[index]
                let found = Double(subject.store.gradient(parameter)[index])
                pairs.append((parameter.path, found, (above - below) / (2 * step)))
            }
        }
        let scale = pairs.map { abs($0.expected) }.max() ?? 0
        #expect(scale > 1e-3 && pairs.count > 300)
        for pair in pairs {
            #expect(
                abs(pair.found - pair.expected) <= 2e-4 * abs(pair.expected) + 2e-5 * scale,
                "\(pair)")
        }
    }

    @Test func inferenceUsesTheRunningStatistics() throws {
        let subject = Subject(size: 17)
        let viewer = ClassifierViewer(
            subject.model, imageSize: 17,
            plan: ViewPlan(
                store: subject.store, pool: ThreadPool(threadCount: 2), imageCapacity: 8,
                shardSize: 2, glimpses: 0, policies: [:], seed: 0))
        let found = try viewer(
            ViewedImages(
                standardized: subject.pixels, pixels: [],
                identifiers: Array(0..<Self.imageCount)), wantsMap: false
        ).map { $0.whole ?? [] }
        let expected = subject.reference.logits(subject.images, training: false)
        #expect(relativeDifference(found.flatMap { $0 }, expected.flatMap { $0 }) < 1e-5)
    }

    /// The same step with activations stored in bfloat16, to the digits that such numbers have.
    @Test func storageInBFloat16GivesTheSameStep() throws {
        var configuration = Self.configuration
        configuration.classifier.stemChannels = 32
        configuration.classifier.planes = [64, 64]
        configuration.classifier.strides = [1, 1]
        let model = Classifier<Float>(configuration)
        let store = ParameterStore(layout: model.layout, seed: 2)
        let subject = Subject(size: 33)
        func step(_ objective: any Objective) throws -> (Double, [Float]) {
            let batch = TrainingBatch(
                images: subject.pixels, labels: Self.labels, glimpses: .fixed([]))
            let pass = Pass(
                pool: ThreadPool(threadCount: 1), reducer: NoRanks(), store: store,
                workspace: objective.workspace, shards: [0..<3], globalImageCount: 3)
            try objective.forward(batch, pass: pass)
            let report = try objective.loss(batch, pass: pass)
            try objective.backward(batch, report, pass: pass)
            return (report.total, Array(store.allGradients))
        }
        let (loss, gradients) = try step(
            ClassifierObjective(
                model, imageSize: 33, imageCapacity: 3, shardCapacity: 1, threadCount: 1))
        let (narrowLoss, narrow) = try step(
            ClassifierObjective(
                Classifier<BFloat16>(configuration), imageSize: 33, imageCapacity: 3,
                shardCapacity: 1, threadCount: 1))
        #expect(abs(narrowLoss - loss) < 0.03 * loss)
        // 2^-9 of rounding at each of some forty stored arrays.
        #expect(relativeDifference(narrow, gradients) < 0.3)
    }
}
