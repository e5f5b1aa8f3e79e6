import Layers
import Tensors

extension NASNetCell {
    /// Where the gradients lie during a backward pass.
    struct Gradients: Sendable {
        /// The gradients of what branches read, and of the parts of the output.
        var values: [CellPlan.Source: Tensor<Element>]
        var branches: [[SeparableConvolution<Element>.Gradients?]]
        /// The gradients of branches that are left out for some images.
        var scaled: [[Tensor<Element>?]]
        var factorized: FactorizedReduction<Element>.Gradients?
    }

    /// Reserves the gradients in the order of the backward pass, and gives back them, those of the
    /// output and what was kept.
    ///
    /// - Parameters:
    ///   - outputs: The gradient of each part of the output, which readers write.
    ///   - unadjusted: That of a second input that is read as it is.
    ///   - dropsPaths: Whether branches are left out.
    func planBackward(
        _ buffers: Buffers, outputs: [Tensor<Element>], unadjusted: Tensor<Element>?,
        dropsPaths: Bool, in workspace: Workspace
    ) -> Gradients {
        let arena = workspace.arena
        var values = Dictionary(uniqueKeysWithValues: zip(plan.outputs, outputs))
        for pair in buffers.pairs.indices where values[.pair(pair)] == nil {
            values[.pair(pair)] = Tensor(buffers.pairs[pair].shape, in: arena)
        }
        let current = Tensor<Element>(buffers.current.raw.shape, in: arena)
        values[.current] = current
        if values[.previous] == nil {
            values[.previous] =
                unadjusted ?? Tensor(buffers.previous.value.shape, in: arena)
        }
        var gradients = Gradients(
            values: values, branches: branches.map { $0.map { _ in nil } },
            scaled: branches.map { $0.map { _ in nil } })
        for pair in branches.indices.reversed() {
            for (side, layer) in branches[pair].enumerated() {
                var scaled: Tensor<Element>?
                if dropsPaths, Self.canBeLeftOut(layer) {
                    scaled = Tensor(buffers.pairs[pair].shape, in: arena)
                }
                if case .separable(let layer) = layer,
                    case .separable(let own) = buffers.branches[pair][side]
                {
                    gradients.branches[pair][side] = layer.planBackward(own, in: workspace)
                }
                scaled?.release()
                gradients.scaled[pair][side] = scaled
            }
            values[.pair(pair)]?.release()
        }
        current.release()
        buffers.current.raw.release()
        switch (previous, buffers.previous) {
        case (.factorized(let layer), .factorized(let own)):
            gradients.factorized = layer.planBackward(own, in: workspace)
        case (.pointwise, .pointwise(let own)): own.raw.release()
        default: break
        }
        if unadjusted == nil { values[.previous]?.release() }
        buffers.pairs.forEach { $0.release() }
        return gradients
    }

    private static func canBeLeftOut(_ layer: Branch) -> Bool {
        if case .identity = layer { false } else { true }
    }

    /// The gradients of all parameters and of the inputs.
    ///
    /// - Parameters:
    ///   - factor: As forward had it.
    ///   - sinks: Where the gradients of the parts of the first and second input go, nil where they
    ///     are not wanted; asked for when they are about to be written.
    func backward(
        _ buffers: Buffers, _ gradients: Gradients,
        factor: (_ pair: Int, _ side: Int) -> BranchSum.Factor?,
        sinks: (
            current: () -> [GradientSink<Element>?], previous: () -> [GradientSink<Element>?]
        ),
        pass: Pass
    ) throws {
        // Readers of the output have written its parts' gradients, and the stem's other reader its.
        var written = Set(plan.outputs)
        if case .none = previous { written.insert(.previous) }
        func gradient(_ source: CellPlan.Source) -> Tensor<Element> {
            guard let tensor = gradients.values[source] else {
                preconditionFailure("\(name) has no gradient of \(source)")
            }
            return tensor
        }
        func sink(_ source: CellPlan.Source, rectifies: Bool) -> GradientSink<Element> {
            GradientSink(
                gradient(source), mask: rectifies ? buffers.value(source).rectified : nil,
                accumulates: !written.insert(source).inserted)
        }
        for pair in branches.indices.reversed() {
            for (side, layer) in branches[pair].enumerated() {
                let source = plan.pairs[pair][side].source
                var upstream = gradient(.pair(pair))
                if let scaled = gradients.scaled[pair][side], let factor = factor(pair, side) {
                    BranchSum.backward(upstream, factor: factor, into: scaled, pass: pass)
                    upstream = scaled
                }
                switch layer {
                case .separable(let layer):
                    guard case .separable(let own) = buffers.branches[pair][side],
                        let place = gradients.branches[pair][side]
                    else { preconditionFailure("\(name) planned no gradients of pair \(pair)") }
                    upstream.gatherNormSums([own.output.normTarget], pass: pass)
                    try layer.backward(
                        own, place, outputGradient: upstream,
                        sink: sink(source, rectifies: true), pass: pass)
                case .average(let pooling):
                    pooling.backward(upstream, sink: sink(source, rectifies: false), pass: pass)
                case .maximum(let pooling):
                    pooling.backward(
                        upstream, input: buffers.value(source),
                        sink: sink(source, rectifies: false), pass: pass)
                case .identity:
                    BranchSum.pass(upstream, to: sink(source, rectifies: false), pass: pass)
                }
            }
        }
        let ofCurrent = gradient(.current)
        ofCurrent.gatherNormSums([buffers.current.normTarget], pass: pass)
        try current.backward(
            buffers.current, gradient: ofCurrent, sinks: sinks.current(), pass: pass)
        let ofPrevious = gradient(.previous)
        if let target = buffers.previous.normTarget {
            ofPrevious.gatherNormSums([target], pass: pass)
        }
        switch (previous, buffers.previous) {
        case (.pointwise(let layer), .pointwise(let own)):
            try layer.backward(own, gradient: ofPrevious, sinks: sinks.previous(), pass: pass)
        case (.factorized(let layer), .factorized(let own)):
            guard let place = gradients.factorized else {
                preconditionFailure("\(name) planned no gradients of its second input")
            }
            try layer.backward(
                own, place, gradient: ofPrevious, sinks: sinks.previous(), pass: pass)
        default: break
        }
    }
}
