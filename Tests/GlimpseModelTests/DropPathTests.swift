import Layers
import Models
import Tensors
import Testing

@testable import GlimpseModel

/// The gradients of a whole NASNet-A of which branches are left out by chance, against central
/// differences of a weighted sum of its logits, along a random direction of each parameter.
@Suite struct DropPathTests {
    private static let imageCount = 5
    private static let shards = [0..<2, 2..<4, 4..<5]
    private static let noise = StepNoise(
        seed: 3, stream: 4, keys: (0..<UInt64(imageCount)).map { $0 * 7 + 1 }, progress: 0.8)

    /// A network with its numbers.
    private struct Subject {
        let network: NASNet<Float>
        let buffers: NASNet<Float>.Buffers
        let gradients: NASNet<Float>.Gradients
        let workspace: Workspace
        let store: ParameterStore
        let upstream: [Float]

        init() {
            var sizes = NASNetDimensions()
            (sizes.stemChannels, sizes.filters, sizes.cellsPerGroup) = (4, 4, 1)
            (sizes.dropout, sizes.dropPath) = (0, 0.6)
            var layout = ParameterLayout()
            network = NASNet(
                sizes, classes: 3, sync: true, groups: (.body, .head), layout: &layout)
            workspace = Workspace(
                imageCapacity: imageCount, shardCapacity: shards.count, keepsActivations: true)
            buffers = network.plan(imageSize: 24, in: workspace)
            gradients = network.planBackward(buffers, in: workspace)
            workspace.commit(threadCount: 2)
            workspace.allocate()
            store = ParameterStore(layout: layout, seed: 6)
            var random = CounterRandom(seed: 9, purpose: .scene)
            for parameter in layout.parameters where !parameter.decays {
                for index in 0..<parameter.count {
                    store.values(parameter)[index] =
                        Float(random.uniform()) + (parameter.path.hasSuffix("gamma") ? 0.5 : -0.3)
                }
            }
            upstream = (0..<buffers.logits.shape.count).map { _ in Float(random.uniform() - 0.5) }
            for index in 0..<buffers.images.shape.count {
                pixels.append(Float(random.uniform() * 2 - 1))
                buffers.images.pointer[index] = pixels[index]
            }
        }

        private var pixels: [Float] = []

        private var pass: Pass {
            Pass(
                pool: ThreadPool(threadCount: 2), reducer: NoRanks(), store: store,
                workspace: workspace, shards: shards, globalImageCount: imageCount)
        }

        /// Forward, and what it comes to.
        func sum(_ noise: StepNoise?) throws -> Double {
            // The backward pass may have used their place.
            buffers.images.pointer.update(from: pixels, count: pixels.count)
            try network.forward(buffers, mode: .training, noise: noise, pass: pass)
            return zip(buffers.logits.elements(), upstream).reduce(0) {
                $0 + Double($1.0) * Double($1.1)
            }
        }

        func backward(_ noise: StepNoise?) throws {
            gradients.logits.pointer.update(from: upstream, count: upstream.count)
            try network.backward(buffers, gradients, noise: noise, pass: pass)
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

    private static func largest(_ slopes: [Slope]) -> Double {
        slopes.map { abs($0.expected) }.max() ?? 0
    }

    @Test func someBranchesAreLeftOut() throws {
        let factors = (0..<50).flatMap { branch in
            (0..<Self.imageCount).map {
                Self.noise.dropPath(keep: 0.7, branch: branch, row: $0)
            }
        }
        #expect(Set(factors) == [0, Float(1 / 0.7)])
        let subject = Subject()
        #expect(try subject.sum(Self.noise) != subject.sum(nil))
    }

    @Test func gradientsAreTheDifferences() throws {
        let subject = Subject()
        let store = subject.store
        _ = try subject.sum(Self.noise)
        try subject.backward(Self.noise)
        let gradients = Array(store.allGradients)
        var random = CounterRandom(seed: 11, purpose: .scene)
        var slopes: [Slope] = []
        for parameter in store.layout.parameters {
            let range = store.range(parameter)
            let start = Array(store.allValues[range])
            let direction = range.map { index in
                Float(random.uniform() * 2 - 1) * (gradients[index] < 0 ? -1 : 1)
            }
            let length = direction.reduce(0) { $0 + Double($1 * $1) }.squareRoot()
            func slope(_ distance: Double) throws -> Double {
                let step = Float(distance / length)
                func sum(_ sign: Float) throws -> Double {
                    for (place, index) in range.enumerated() {
                        store.allValues[index] = start[place] + sign * step * direction[place]
                    }
                    return try subject.sum(Self.noise)
                }
                let difference = try sum(1) - sum(-1)
                for (place, index) in range.enumerated() { store.allValues[index] = start[place] }
                return difference / (2 * distance)
            }
            let found = zip(range, direction).reduce(0.0) {
                $0 + Double(gradients[$1.0]) * Double($1.1)
            }
            slopes.append(
                Slope(path: parameter.path, expected: try slope(1e-3), found: found / length))
            // Where a ReLU's kink lies in the way: less far.
            for distance in [2.5e-4, 6e-5]
            where !slopes[slopes.count - 1].isNear(Self.largest(slopes)) {
                slopes[slopes.count - 1].expected = try slope(distance)
            }
        }
        let largest = Self.largest(slopes)
        #expect(largest > 1e-3)
        for slope in slopes { #expect(slope.isNear(largest), "\(slope), \(largest)") }
    }
}
