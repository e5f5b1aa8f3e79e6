import Layers
import Models
import Tensors
import Testing

@testable import SaccaderModel

/// Every element of every parameter's gradient against central differences of the reference in
/// double precision: each layer and each loss, through the whole model.
@Suite struct GradientTests {
    static let imageSize = 13
    static let imageCount = 3
    static let labels: [Int32] = [2, 0, 1]

    /// Class weights and label smoothing.
    static let weights = [2, 0.25, 1.5]
    static let smoothing = 0.2
    static let weighted = ClassTargets(smoothing: smoothing, weights: weights)

    /// An image's part of the mean cross entropy.
    static func entropy(
        _ reference: ReferenceModel, _ logits: [Double], image: Int, isWeighted: Bool
    ) -> Double {
        let label = Int(labels[image])
        let own = reference.crossEntropy(logits, label: label)
        guard isWeighted else { return own / Double(imageCount) }
        let all = weights.indices.map { weights[$0] * reference.crossEntropy(logits, label: $0) }
        let total = labels.reduce(0) { $0 + weights[Int($1)] }
        return
            ((1 - smoothing) * weights[label] * own
            + smoothing / Double(weights.count) * all.reduce(0, +)) / total
    }

    static func configuration(
        _ norm: ShortcutNorm, attention: Bool = true
    ) -> SaccaderSettings {
        var configuration = SaccaderSettings()
        configuration.classes = 3
        configuration.mixedFeatures = 4
        configuration.representation.stemChannels = 3
        configuration.representation.planes = [2, 3]
        configuration.representation.blocks = [2, 2]
        configuration.representation.strides = [2, 1]
        configuration.representation.kernel3 = [1, 1]
        configuration.representation.expansion = 2
        configuration.representation.lowDDivisor = 1
        configuration.representation.shortcutNorm = norm
        configuration.attention.groups = 1
        configuration.attention.layersPerGroup = 3
        configuration.attention.enabled = attention
        return configuration
    }

    /// A model with numbers that no layer leaves at 0 or 1, the same in both implementations.
    struct Subject {
        let model: Saccader<Float>
        let store: ParameterStore
        let reference: ReferenceModel
        let pixels: [Float]

        init(_ configuration: SaccaderSettings) {
            let model = Saccader<Float>(configuration)
            let store = ParameterStore(layout: model.layout, seed: 6)
            var random = CounterRandom(seed: 9, purpose: .initialization)
            var numbers: [String: [Double]] = [:]
            for parameter in model.layout.parameters {
                for index in 0..<parameter.count {
                    let start = Float(random.uniform())
                    store.values(parameter)[index] =
                        parameter.decays
                        // Values of about 1 throughout: nothing cancels.
                        ? store.values(parameter)[index] * Float(6).squareRoot()
                        : start + (parameter.path.hasSuffix("gamma") ? 0.5 : -0.3)
                }
                numbers[parameter.path] = (0..<parameter.count).map {
                    Double(store.values(parameter)[$0])
                }
            }
            for statistic in model.layout.statistics {
                for index in 0..<statistic.count {
                    store.values(statistic)[index] =
                        Float(random.uniform()) + (statistic.path.hasSuffix("mean") ? -0.5 : 0.3)
                }
                numbers[statistic.path] = (0..<statistic.count).map {
                    Double(store.values(statistic)[$0])
                }
            }
            pixels = (0..<(imageCount * imageSize * imageSize * 3)).map { _ in
                Float(random.uniform() * 2 - 1)
            }
            (self.model, self.store) = (model, store)
            reference = ReferenceModel(configuration: configuration, numbers: numbers)
        }

        var images: Map {
            Map(imageCount, imageSize, imageSize, 3, values: pixels.map { Double($0) })
        }
    }

    /// Runs the engine's step in two unlike shards on two threads.
    func step(
        _ subject: Subject, _ objective: any Objective, glimpses: GlimpseSource,
        frozen: [String] = []
    ) throws -> LossReport {
        let batch = TrainingBatch(
            images: subject.pixels, labels: Self.labels, glimpses: glimpses)
        let completed = CompletedGradients(subject.store)
        let pass = Pass(
            pool: ThreadPool(threadCount: 2), reducer: completed, store: subject.store,
            workspace: objective.workspace, shards: [0..<2, 2..<3],
            globalImageCount: Self.imageCount)
        try objective.forward(batch, pass: pass)
        let report = try objective.loss(batch, pass: pass)
        try objective.backward(batch, report, pass: pass)
        completed.check(trained: {
            if FreezableParts.isNamed($0, in: frozen) { return false }
            return switch objective {
            case is RepresentationObjective<Float>, is RepresentationObjective<BFloat16>:
                isRepresentation($0)
            case is LocationObjective<Float>: !isRepresentation($0)
            default: true
            }
        })
        return report
    }

    /// Compares all elements of the parameters that `isTrained` names.
    func compare(
        _ subject: Subject, trained isTrained: (String) -> Bool, loss: (ReferenceModel) -> Double
    ) {
        var reference = subject.reference
        let parameters = subject.model.layout.parameters.filter { isTrained($0.path) }
        #expect(parameters.count >= 3)
        var pairs: [(path: String, found: Double, expected: Double)] = []
        let step = 1e-7
        for parameter in parameters {
            guard let values = reference.numbers[parameter.path] else { continue }
            for index in values.indices {
                reference.numbers[parameter.path]?[index] = values[index] + step
                let above = loss(reference)
                reference.numbers[parameter.path]?[index] = values[index] - step
                let below = loss(reference)
                reference.numbers[parameter.path]?[index] = values[index]
                pairs.append(
                    (
                        "\(parameter.path)[\(index)]",
                        Double(subject.store.gradient(parameter)[index]),
                        (above - below) / (2 * step)
                    ))
            }
        }
        let scale = pairs.map { abs($0.expected) }.max() ?? 0
        #expect(scale > 1e-3)
        for pair in pairs {
            // Single precision: about seven digits of the largest terms that cancel in an element.
            #expect(
                abs(pair.found - pair.expected) <= 2e-4 * abs(pair.expected) + 2e-5 * scale,
                "\(pair)")
        }
    }

    @Test(arguments: [ShortcutNorm.residual, .reference], [false, true])
    func representation(norm: ShortcutNorm, isWeighted: Bool) throws {
        let targets = isWeighted ? Self.weighted : .plain
        let subject = Subject(Self.configuration(norm))
        let sparing = RepresentationObjective(
            subject.model, imageSize: Self.imageSize, imageCapacity: 3, shardCapacity: 2,
            threadCount: 2, sparesMemory: true, targets: targets)
        let sparingReport = try step(subject, sparing, glimpses: .fixed([]))
        let sparingGradients = Array(subject.store.allGradients)
        let objective = RepresentationObjective(
            subject.model, imageSize: Self.imageSize, imageCapacity: 3, shardCapacity: 2,
            threadCount: 2, targets: targets)
        let report = try step(subject, objective, glimpses: .fixed([]))
        // What is computed again to spare memory comes out as it was.
        #expect(sparing.workspace.byteCount < objective.workspace.byteCount)
        #expect(sparingReport == report)
        #expect(sparingGradients == Array(subject.store.allGradients))
        func loss(_ reference: ReferenceModel) -> Double {
            let logits = reference.representation(subject.images, training: true).logits
            return (0..<Self.imageCount).reduce(0) { sum, image in
                sum
                    + Self.entropy(
                        reference, reference.averagedLogits(logits, image: image), image: image,
                        isWeighted: isWeighted)
            }
        }
        #expect(abs(report.total - loss(subject.reference)) < 1e-5)
        compare(subject, trained: isRepresentation, loss: loss)
    }

    /// The first parts are frozen: their norms are those of inference, and the gradients of the
    /// others are what they are then.
    @Test(
        arguments: [ShortcutNorm.residual, .reference],
        [
            ["representation/stem"], ["representation/stem", "representation/group0"],
            ["representation/stem", "representation/group0", "representation/group1"],
        ])
    func frozenRepresentation(norm: ShortcutNorm, frozen: [String]) throws {
        let subject = Subject(Self.configuration(norm))
        let objective = RepresentationObjective(
            subject.model, freeze: frozen, imageSize: Self.imageSize, imageCapacity: 3,
            shardCapacity: 2, threadCount: 2, sparesMemory: true)
        try objective.fold(subject.store, pool: ThreadPool(threadCount: 2))
        func statistics() -> [String: Float] {
            Dictionary(
                uniqueKeysWithValues: subject.model.layout.statistics.map {
                    ($0.path, subject.store.values($0)[0])
                })
        }
        let before = statistics()
        let report = try step(subject, objective, glimpses: .fixed([]), frozen: frozen)
        for (path, value) in statistics() {
            let isKept = FreezableParts.isNamed(path, in: frozen) || !isRepresentation(path)
            #expect((value == before[path]) == isKept, "\(path)")
        }
        func loss(_ reference: ReferenceModel) -> Double {
            var reference = reference
            reference.frozen = frozen
            let logits = reference.representation(subject.images, training: true).logits
            return (0..<Self.imageCount).reduce(0) { sum, image in
                sum
                    + reference.crossEntropy(
                        reference.averagedLogits(logits, image: image),
                        label: Int(Self.labels[image]))
            } / Double(Self.imageCount)
        }
        #expect(abs(report.total - loss(subject.reference)) < 1e-5)
        compare(
            subject,
            trained: { isRepresentation($0) && !FreezableParts.isNamed($0, in: frozen) }, loss: loss
        )
    }

    @Test(arguments: [
        ["representation/stem"],
        ["representation/stem", "representation/group0", "representation/group1"],
        [
            "representation/stem", "representation/group0", "representation/group1",
            "representation/lowd",
        ], ["representation"], ["representation", "attention"],
    ])
    func frozenJoint(frozen: [String]) throws {
        let subject = Subject(Self.configuration(.residual))
        var settings = SaccaderStageSettings(.joint)
        (settings.glimpses, settings.samples, settings.reinforceWeight) = (3, 1, 0.7)
        settings.freeze = frozen
        let objective = JointObjective(
            subject.model, settings: settings, imageSize: Self.imageSize, imageCapacity: 3,
            shardCapacity: 2, threadCount: 2, sparesMemory: true)
        try objective.fold(subject.store, pool: ThreadPool(threadCount: 2))
        let trajectories = [[0, 4, 8], [3, 1, 2], [5, 6, 0]]
        let report = try step(
            subject, objective, glimpses: .fixed(trajectories.flatMap { $0.map { Int32($0) } }),
            frozen: frozen)
        var start = subject.reference
        start.frozen = frozen
        let base = start.representation(subject.images, training: true).logits
        let rewards = trajectories.enumerated().map { image, places -> Double in
            let mean = start.averagedLogits(base, image: image, places: places)
            return mean.indices.max { mean[$0] < mean[$1] } == Int(Self.labels[image]) ? 1 : 0
        }
        let baseline = rewards.reduce(0, +) / 3
        #expect(report.baseline == baseline)
        func loss(_ reference: ReferenceModel) -> Double {
            var reference = reference
            reference.frozen = frozen
            let (features, what, logits) = reference.representation(subject.images, training: true)
            let mixed = reference.mixed(features: features, what: what)
            return trajectories.enumerated().reduce(0) { sum, entry in
                sum + settings.reinforceWeight * (rewards[entry.offset] - baseline)
                    * reference.surprise(mixed, image: entry.offset, trajectory: entry.element)
                    + reference.crossEntropy(
                        reference.averagedLogits(
                            logits, image: entry.offset, places: entry.element),
                        label: Int(Self.labels[entry.offset]))
            } / Double(Self.imageCount)
        }
        #expect(abs(report.total - loss(subject.reference)) < 1e-4)
        compare(subject, trained: { !FreezableParts.isNamed($0, in: frozen) }, loss: loss)
    }
}

/// Whether a parameter is the representation network's, by its path.
func isRepresentation(_ path: String) -> Bool { path.hasPrefix("representation/") }
