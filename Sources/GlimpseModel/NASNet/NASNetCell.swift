import Layers
import Tensors

/// One cell of a NASNet-A: two inputs are brought to its filters, five pairs of branches are summed,
/// and some of the sums are the output, side by side.
struct NASNetCell<Element: StorageElement>: Sendable {
    /// What brings the second input to the first's size and channels.
    enum Adjustment: Sendable {
        case none
        case pointwise(NormalizedPointwise<Element>)
        case factorized(FactorizedReduction<Element>)
    }

    /// What a branch does.
    enum Branch: Sendable {
        case separable(SeparableConvolution<Element>)
        case average(SameAveragePooling<Element>)
        case maximum(MaxPooling<Element>)
        case identity
    }

    let name: String
    let plan: CellPlan
    let filters: Int
    let current: NormalizedPointwise<Element>
    let previous: Adjustment
    /// Left and right branch of each pair.
    let branches: [[Branch]]

    /// Channels of each part of the output.
    var outputChannels: [Int] { plan.outputs.map { _ in filters } }

    /// Registers the parameters below `path`.
    ///
    /// - Parameters:
    ///   - inputs: Channels of each part of the two inputs.
    ///   - divisor: Of strided averages.
    init(
        _ path: String, cell: NASNetWiring.Cell, inputs: (current: [Int], previous: [Int]),
        norms: BatchNormConfiguration, divisor: PoolPadding,
        layout: inout ParameterLayout
    ) {
        (name, plan, filters) = (cell.name, cell.plan, cell.filters)
        let (plan, filters) = (cell.plan, cell.filters)
        current = NormalizedPointwise(
            "\(path)/current/conv", normPath: "\(path)/current/norm", inputs: inputs.current,
            outputs: filters, norms: norms, layout: &layout)
        var previousChannels = filters
        switch cell.adjusting {
        case .none:
            previous = .none
            previousChannels = inputs.previous.reduce(0, +)
        case .pointwise:
            previous = .pointwise(
                NormalizedPointwise(
                    "\(path)/previous/conv", normPath: "\(path)/previous/norm",
                    inputs: inputs.previous, outputs: filters, norms: norms, layout: &layout))
        case .factorized:
            previous = .factorized(
                FactorizedReduction(
                    "\(path)/previous", inputs: inputs.previous, outputs: filters, norms: norms,
                    layout: &layout))
        }
        var pairs: [[Branch]] = []
        for (pair, branches) in plan.pairs.enumerated() {
            pairs.append([])
            for (side, branch) in zip(["left", "right"], branches) {
                let padding = plan.padding(branch)
                switch branch.operation {
                case .separable:
                    pairs[pair].append(
                        .separable(
                            SeparableConvolution(
                                "\(path)/pair\(pair)/\(side)", padding: padding,
                                inputs: branch.source == .previous ? previousChannels : filters,
                                outputs: filters, norms: norms, layout: &layout)))
                case .average:
                    pairs[pair].append(
                        .average(
                            SameAveragePooling(
                                padding,
                                divisor: padding.stride > 1 && divisor == .zeros
                                    ? .zeros : .excluded)))
                case .maximum: pairs[pair].append(.maximum(MaxPooling(padding)))
                case .identity: pairs[pair].append(.identity)
                }
            }
        }
        branches = pairs
    }

    /// Where the second input lies once it is adjusted.
    enum Adjusted: Sendable {
        case none(Activation<Element>)
        case pointwise(NormalizedPointwise<Element>.Buffers)
        case factorized(FactorizedReduction<Element>.Buffers)

        /// The value as the branches read it.
        var value: Activation<Element> {
            switch self {
            case .none(let value): value
            case .pointwise(let buffers): buffers.value
            case .factorized(let buffers): buffers.value
            }
        }

        /// The norm that its gradient passes next.
        var normTarget: GradientSink<Element>.NormTarget? {
            switch self {
            case .none: nil
            case .pointwise(let buffers): buffers.normTarget
            case .factorized(let buffers): buffers.normTarget
            }
        }
    }

    /// Where a branch's values lie during a step.
    enum BranchBuffers: Sendable {
        case separable(SeparableConvolution<Element>.Buffers)
        /// A pooled value, which is given back once it is summed.
        case pooled(Tensor<Element>)
        case identity
    }

    /// Where the cell's values lie during a step.
    struct Buffers: Sendable {
        let current: NormalizedPointwise<Element>.Buffers
        let previous: Adjusted
        var branches: [[BranchBuffers]] = []
        var pairs: [Tensor<Element>] = []

        /// What a branch reads, before any ReLU.
        func value(_ source: CellPlan.Source) -> Activation<Element> {
            switch source {
            case .current: current.value
            case .previous: previous.value
            case .pair(let pair): Activation(final: pairs[pair])
            }
        }
    }

    /// Reserves the values; where none are kept, all but the output are given back.
    func plan(
        current: [Activation<Element>], previous: [Activation<Element>], in workspace: Workspace
    ) -> (buffers: Buffers, output: [Activation<Element>]) {
        let keeps = workspace.keepsActivations
        let adjusted: Adjusted
        switch self.previous {
        case .none: adjusted = .none(previous[0])
        case .pointwise(let layer):
            adjusted = .pointwise(
                layer.plan(inputs: previous.map(\.rectified), in: workspace))
        case .factorized(let layer):
            adjusted = .factorized(layer.plan(inputs: previous, in: workspace))
        }
        var buffers = Buffers(
            current: self.current.plan(inputs: current.map(\.rectified), in: workspace),
            previous: adjusted)
        BranchSum.plan(channels: filters, in: workspace)
        for (layers, branches) in zip(branches, plan.pairs) {
            let planned = zip(layers, branches).map { layer, branch in
                plan(layer, of: buffers.value(branch.source), in: workspace)
            }
            let shape = planned.compactMap(shape).first ?? buffers.current.raw.shape
            buffers.pairs.append(Tensor(shape, in: workspace.arena))
            for branch in planned {
                switch branch {
                case .separable(let branch): if !keeps { branch.output.raw.release() }
                case .pooled(let pooled): pooled.release()
                case .identity: break
                }
            }
            buffers.branches.append(planned)
        }
        if !keeps {
            buffers.current.raw.release()
            if !plan.outputs.contains(.previous) { release(adjusted) }
            for pair in buffers.pairs.indices where !plan.outputs.contains(.pair(pair)) {
                buffers.pairs[pair].release()
            }
        }
        return (buffers, plan.outputs.map(buffers.value))
    }

    private func plan(
        _ branch: Branch, of input: Activation<Element>, in workspace: Workspace
    ) -> BranchBuffers {
        switch branch {
        case .separable(let layer): return .separable(layer.plan(input: input, in: workspace))
        case .average(let pooling):
            pooling.plan(input: input.shape, in: workspace)
            return .pooled(Tensor(pooling.outputShape(input.shape), in: workspace.arena))
        case .maximum(let pooling):
            pooling.plan(input: input.shape, in: workspace)
            return .pooled(Tensor(pooling.outputShape(input.shape), in: workspace.arena))
        case .identity: return .identity
        }
    }

    private func shape(_ branch: BranchBuffers) -> Shape? {
        switch branch {
        case .separable(let buffers): buffers.output.raw.shape
        case .pooled(let pooled): pooled.shape
        case .identity: nil
        }
    }

    /// Gives back the adjusted second input.
    func release(_ adjusted: Adjusted) {
        switch adjusted {
        case .none: break
        case .pointwise(let buffers): buffers.raw.release()
        case .factorized(let buffers): buffers.raw.release()
        }
    }

    /// Fills the output.
    ///
    /// - Parameter factor: Of a branch, by pair and side, for each image; nil: 1.
    func forward(
        _ buffers: Buffers, mode: NormMode,
        factor: (_ pair: Int, _ side: Int) -> BranchSum.Factor?, pass: Pass
    ) throws {
        switch (previous, buffers.previous) {
        case (.pointwise(let layer), .pointwise(let buffers)):
            try layer.forward(buffers, mode: mode, pass: pass)
        case (.factorized(let layer), .factorized(let buffers)):
            try layer.forward(buffers, mode: mode, pass: pass)
        default: break
        }
        try current.forward(buffers.current, mode: mode, pass: pass)
        for (pair, layers) in branches.enumerated() {
            var values: [Activation<Element>] = []
            var factors: [BranchSum.Factor?] = []
            for (side, layer) in layers.enumerated() {
                let input = buffers.value(plan.pairs[pair][side].source)
                switch (layer, buffers.branches[pair][side]) {
                case (.separable(let layer), .separable(let buffers)):
                    try layer.forward(buffers, mode: mode, pass: pass)
                    values.append(buffers.output.value)
                case (.average(let pooling), .pooled(let pooled)):
                    pooling.forward(input, into: pooled, pass: pass)
                    values.append(Activation(final: pooled))
                case (.maximum(let pooling), .pooled(let pooled)):
                    pooling.forward(input, into: pooled, pass: pass)
                    values.append(Activation(final: pooled))
                default: values.append(input)
                }
                // An identity is never left out.
                if case .identity = layer {
                    factors.append(nil)
                } else {
                    factors.append(factor(pair, side))
                }
            }
            BranchSum.forward(values, factors: factors, into: buffers.pairs[pair], pass: pass)
        }
    }
}
