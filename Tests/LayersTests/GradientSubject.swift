import Tensors
import Testing

@testable import Layers

/// A layer with its numbers, whose gradients are compared with central differences of its own
/// forward pass.
final class GradientSubject {
    static let images = 2
    static let shards = [0..<1, 1..<2]
    let workspace = Workspace(
        imageCapacity: GradientSubject.images, shardCapacity: GradientSubject.shards.count,
        keepsActivations: true)
    let input: Tensor<Float>
    let gradient: Tensor<Float>
    var layout = ParameterLayout()
    /// What is summed with the upstream gradient to the loss.
    var output: () -> [Float] = { [] }
    var upstream: Tensor<Float>
    var forward: (Pass) throws -> Void = { _ in }
    var backward: (Pass) throws -> Void = { _ in }
    /// Paths of parameters on which the loss does not depend.
    var idle: Set<String> = []

    init(size: Int, channels: Int) {
        let shape = Shape(Self.images, size, size + 1, channels)
        input = Tensor(shape, in: workspace.arena)
        gradient = Tensor(shape, in: workspace.arena)
        upstream = gradient
    }

    /// Reserves the output's gradient.
    func reserve(_ shape: Shape) { upstream = Tensor(shape, in: workspace.arena) }

    /// Compares every gradient with (L(x + step) − L(x − step)) / 2·step.
    func check(step: Float, bound: Double, place: SourceLocation = #_sourceLocation) throws {
        workspace.commit(threadCount: 1)
        workspace.allocate()
        let store = ParameterStore(layout: layout, seed: 5)
        let pass = Pass(
            pool: ThreadPool(threadCount: 1), reducer: NoRanks(), store: store,
            workspace: workspace, shards: Self.shards, globalImageCount: Self.images)
        var random = CounterRandom(seed: 7, purpose: .scene)
        // All different, and none nearer than two steps to another or to 0.
        var order = Array(0..<input.shape.count)
        for index in order.indices {
            order.swapAt(index, index + Int(random.uniform() * Double(order.count - index)))
        }
        for (index, rank) in order.enumerated() {
            input.pointer[index] = (Float(rank - order.count / 3) + 0.5) * 4 * step
        }
        for index in 0..<upstream.shape.count {
            upstream.pointer[index] = Float(random.uniform() - 0.4)
        }
        for parameter in layout.parameters where !parameter.decays {
            for index in 0..<parameter.count {
                store.values(parameter)[index] += Float(random.uniform() - 0.3)
            }
        }
        try forward(pass)
        try backward(pass)
        let found = input.shape.count
        var exact = [[Float](UnsafeBufferPointer(start: gradient.pointer, count: found))]
        var places = [(input.pointer, found)]
        for parameter in layout.parameters {
            places.append((store.values(parameter), parameter.count))
            exact.append(
                (0..<parameter.count).map { store.gradient(parameter)[$0] })
        }
        func loss() throws -> Double {
            try forward(pass)
            return zip(output(), 0...).reduce(0) {
                $0 + Double($1.0) * Double(upstream.pointer[$1.1])
            }
        }
        let paths = ["input"] + layout.parameters.map(\.path)
        for (path, ((values, count), exact)) in zip(paths, zip(places, exact)) {
            let isIdle = idle.contains(path)
            let largest = exact.map { abs(Double($0)) }.max() ?? 0
            #expect((largest > 0) != isIdle, "\(path)", sourceLocation: place)
            let scale = isIdle ? 1 : largest
            for index in 0..<count {
                let value = values[index]
                values[index] = value + step
                let above = try loss()
                values[index] = value - step
                let below = try loss()
                values[index] = value
                let difference = (above - below) / (2 * Double(step))
                #expect(
                    abs(difference - Double(exact[index])) <= bound * scale,
                    "\(path): \(difference) and \(exact[index])", sourceLocation: place)
            }
        }
    }
}
