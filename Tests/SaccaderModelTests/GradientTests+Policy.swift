import Layers
import Models
import Tensors
import Testing

@testable import SaccaderModel

/// The stages that train a policy, soft attention, and the gradients of pixels.
extension GradientTests {
    @Test(arguments: [NormMode.inference, .training], [true, false])
    func location(frozenNorm: NormMode, attention: Bool) throws {
        let subject = Subject(Self.configuration(.residual, attention: attention))
        var settings = SaccaderStageSettings(.location)
        (settings.glimpses, settings.frozenNorm) = (4, frozenNorm)
        let objective = try LocationObjective(
            subject.model, settings: settings, store: subject.store,
            pool: ThreadPool(threadCount: 2), imageSize: Self.imageSize, imageCapacity: 3,
            shardCapacity: 2)
        let report = try step(subject, objective, glimpses: .fixed([]))
        let frozen = subject.reference.representation(
            subject.images, training: frozenNorm == .training)
        let targets = (0..<Self.imageCount).map { image in
            let metric = (0..<(frozen.logits.h * frozen.logits.w)).map { place in
                subject.reference.averagedLogits(frozen.logits, image: image, places: [place]).max()
                    ?? 0
            }
            return Array(metric.indices.sorted { metric[$0] > metric[$1] }.prefix(4))
        }
        func loss(_ reference: ReferenceModel) -> Double {
            let mixed = reference.mixed(features: frozen.features, what: frozen.what)
            return (0..<Self.imageCount).reduce(0) {
                $0 + reference.surprise(mixed, image: $1, trajectory: targets[$1])
            } / Double(4 * Self.imageCount)
        }
        #expect(abs(report.total - loss(subject.reference)) < 1e-5)
        compare(
            subject,
            trained: { !isRepresentation($0) },
            loss: loss)
    }

    @Test(arguments: [
        (ShortcutNorm.residual, true, false), (.residual, false, false), (.reference, true, false),
        (.reference, false, false), (.residual, true, true),
    ])
    func joint(norm: ShortcutNorm, attention: Bool, isWeighted: Bool) throws {
        let subject = Subject(Self.configuration(norm, attention: attention))
        var settings = SaccaderStageSettings(.joint)
        (settings.glimpses, settings.samples, settings.reinforceWeight) = (3, 2, 0.7)
        let objective = JointObjective(
            subject.model, settings: settings, imageSize: Self.imageSize, imageCapacity: 3,
            shardCapacity: 2, threadCount: 2, targets: isWeighted ? Self.weighted : .plain)
        // [S][N][T]
        let trajectories = [
            [[0, 4, 8], [3, 1, 2], [5, 6, 0]], [[7, 2, 1], [8, 0, 4], [1, 5, 3]],
        ]
        let report = try step(
            subject, objective,
            glimpses: .fixed(trajectories.flatMap { $0.flatMap { $0.map { Int32($0) } } }))
        let base = subject.reference.representation(subject.images, training: true).logits
        let rewards = trajectories.map { sample in
            sample.enumerated().map { image, places -> Double in
                let mean = subject.reference.averagedLogits(base, image: image, places: places)
                let best = mean.indices.max { mean[$0] < mean[$1] }
                return best == Int(Self.labels[image]) ? 1 : 0
            }
        }
        let all = rewards.flatMap { $0 }
        let baseline = all.reduce(0, +) / Double(all.count)
        // Otherwise the policy term would vanish and nothing be tested.
        #expect(baseline > 0 && baseline < 1)
        #expect(report.baseline == baseline)
        func loss(_ reference: ReferenceModel) -> Double {
            let (features, what, logits) = reference.representation(subject.images, training: true)
            let mixed = reference.mixed(features: features, what: what)
            var sum = 0.0
            for (s, sample) in trajectories.enumerated() {
                for (image, places) in sample.enumerated() {
                    sum +=
                        settings.reinforceWeight * (rewards[s][image] - baseline)
                        * reference.surprise(mixed, image: image, trajectory: places)
                        / Double(Self.imageCount)
                    sum +=
                        Self.entropy(
                            reference,
                            reference.averagedLogits(logits, image: image, places: places),
                            image: image, isWeighted: isWeighted) / Double(settings.samples)
                }
            }
            return sum
        }
        #expect(abs(report.total - loss(subject.reference)) < 1e-4)
        compare(subject, trained: { _ in true }, loss: loss)
    }

    /// What is computed again comes out as it was, also where a single run of blocks has it needed
    /// by the backward pass's first layers.
    @Test(arguments: [[2], [2, 3]], [1, 2])
    func sparingMemoryChangesNoBit(planes: [Int], blocks: Int) throws {
        var configuration = Self.configuration(.residual)
        configuration.representation.planes = planes
        configuration.representation.blocks = planes.map { _ in blocks }
        configuration.representation.strides = Array([2, 1].prefix(planes.count))
        configuration.representation.kernel3 = planes.map { _ in 1 }
        let subject = Subject(configuration)
        var settings = SaccaderStageSettings(.joint)
        (settings.glimpses, settings.samples) = (2, 1)
        let gradients = try [true, false].map { sparesMemory in
            let objective = JointObjective(
                subject.model, settings: settings, imageSize: Self.imageSize, imageCapacity: 3,
                shardCapacity: 2, threadCount: 2, sparesMemory: sparesMemory)
            _ = try step(subject, objective, glimpses: .fixed([0, 4, 3, 1, 5, 6]))
            return Array(subject.store.allGradients)
        }
        #expect(gradients[0] == gradients[1])
    }

    @Test(arguments: [(true, false), (false, false), (true, true)])
    func softAttention(attention: Bool, isWeighted: Bool) throws {
        var configuration = Self.configuration(.residual, attention: attention)
        configuration.cell.soft = true
        let subject = Subject(configuration)
        var settings = SaccaderStageSettings(.joint)
        settings.glimpses = 3
        let objective = SoftJointObjective(
            subject.model, settings: settings, imageSize: Self.imageSize, imageCapacity: 3,
            shardCapacity: 2, threadCount: 2, targets: isWeighted ? Self.weighted : .plain)
        let trajectories = [[0, 4, 8], [3, 1, 2], [5, 6, 0]]
        let report = try step(
            subject, objective, glimpses: .fixed(trajectories.flatMap { $0.map { Int32($0) } }))
        func loss(_ reference: ReferenceModel) -> Double {
            let (features, what, logits) = reference.representation(subject.images, training: true)
            let mixed = reference.mixed(features: features, what: what)
            return trajectories.enumerated().reduce(0) { sum, entry in
                let policies = reference.policies(
                    mixed, image: entry.offset, trajectory: entry.element)
                let mean = (0..<configuration.classes).map { channel in
                    policies.reduce(0) { sum, policy in
                        sum
                            + policy.indices.reduce(0) {
                                $0 + policy[$1]
                                    * logits[
                                        entry.offset, $1 / logits.w, $1 % logits.w, channel]
                            }
                    } / 3
                }
                return sum
                    + Self.entropy(
                        reference, mean, image: entry.offset, isWeighted: isWeighted)
            }
        }
        #expect(abs(report.total - loss(subject.reference)) < 1e-5)
        compare(subject, trained: { _ in true }, loss: loss)
    }

    /// Every seventh pixel's gradient, batch norm in inference mode.
    @Test(
        arguments: [ShortcutNorm.residual, .reference], AttackTarget.allCases)
    func pixels(norm: ShortcutNorm, target: AttackTarget) throws {
        let subject = Subject(Self.configuration(norm))
        let network = InputGradient(
            subject.model, store: subject.store, pool: ThreadPool(threadCount: 2),
            imageSize: Self.imageSize, imageCapacity: Self.imageCount, glimpses: 3)
        let found = try network(
            subject.pixels, imageCount: Self.imageCount, labels: Self.labels, of: target)
        #expect(found.allSatisfy { $0.locations.count == (target == .learned ? 3 : 9) })
        var images = subject.images
        func loss(_ image: Int) -> Double {
            let logits = subject.reference.representation(images, training: false).logits
            return subject.reference.crossEntropy(
                subject.reference.averagedLogits(
                    logits, image: image, places: found[image].locations),
                label: Int(Self.labels[image]))
        }
        let length = subject.pixels.count / Self.imageCount
        let step = 1e-6
        var pairs: [(index: Int, found: Double, expected: Double)] = []
        for index in stride(from: 0, to: subject.pixels.count, by: 7) {
            let (image, value) = (index / length, images.values[index])
            images.values[index] = value + step
            let above = loss(image)
            images.values[index] = value - step
            let below = loss(image)
            images.values[index] = value
            pairs.append(
                (
                    index, Double(found[image].gradient[index % length]),
                    (above - below) / (2 * step)
                ))
        }
        let scale = pairs.map { abs($0.expected) }.max() ?? 0
        #expect(scale > 1e-3)
        for pair in pairs {
            #expect(
                abs(pair.found - pair.expected) <= 2e-4 * abs(pair.expected) + 2e-5 * scale,
                "\(pair)")
        }
    }

    /// The engine is generic over its storage: with activations in bfloat16 the same step comes
    /// out, to the two or three digits that such numbers have.
    @Test func storageInBFloat16GivesTheSameStep() throws {
        // Wide enough that a rectification which rounding flips here or there does not matter.
        var configuration = Self.configuration(.residual)
        configuration.representation.stemChannels = 32
        configuration.representation.planes = [32, 32]
        let subject = Subject(configuration)
        let whole = RepresentationObjective(
            subject.model, imageSize: Self.imageSize, imageCapacity: 3, shardCapacity: 2,
            threadCount: 2)
        let report = try step(subject, whole, glimpses: .fixed([]))
        let gradients = Array(subject.store.allGradients)
        let narrow = RepresentationObjective(
            Saccader<BFloat16>(configuration), imageSize: Self.imageSize, imageCapacity: 3,
            shardCapacity: 2, threadCount: 2)
        let narrowReport = try step(subject, narrow, glimpses: .fixed([]))
        #expect(abs(narrowReport.total - report.total) < 0.03 * report.total)
        var (dot, left, right) = (0.0, 0.0, 0.0)
        for (a, b) in zip(gradients, subject.store.allGradients) {
            dot += Double(a * b)
            left += Double(a * a)
            right += Double(b * b)
        }
        // 2^-9 of rounding at each of some thirty stored arrays: an angle of about 0.2.
        #expect(dot / (left * right).squareRoot() > 0.97)
    }
}
