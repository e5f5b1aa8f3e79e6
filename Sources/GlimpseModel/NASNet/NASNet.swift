import Layers
import Tensors

/// NASNet-A on images of any size: 3×3 convolution of stride 2 → norm → two reduction cells → three
/// groups of normal cells with a reduction between → relu → mean over places → dropout → logits.
///
/// Source: Zoph, Vasudevan, Shlens, Le, arXiv 1707.07012, as TensorFlow's slim has it.
struct NASNet<Element: StorageElement>: Sendable {
    private let stem: SpatialConvolution<Element>
    private let stemNorm: BatchNorm
    let wiring: NASNetWiring
    private let cells: [NASNetCell<Element>]
    private let logits: PointwiseConvolution<Element>
    let sizes: NASNetDimensions
    private let classes: Int

    /// Registers the parameters below `nasnet/`; those of the logits are of the group `head`.
    ///
    /// - Parameter sync: Whether statistics are of all ranks together.
    init(
        _ sizes: NASNetDimensions, classes: Int, sync: Bool,
        groups: (body: ParameterGroup, head: ParameterGroup), layout: inout ParameterLayout
    ) {
        let norms = sizes.norms(sync: sync)
        let path = "nasnet"
        layout.group = groups.body
        stem = SpatialConvolution(
            "\(path)/stem/conv", inputChannels: 3, outputChannels: sizes.stemChannels,
            geometry: PatchGeometry(kernel: 3, stride: 2),
            initial: .truncatedHe(inputs: 9 * sizes.stemChannels), layout: &layout)
        stemNorm = BatchNorm(
            "\(path)/stem/norm", channels: sizes.stemChannels, configuration: norms,
            layout: &layout)
        wiring = NASNetWiring(sizes)
        var channels = [[sizes.stemChannels]]
        var cells: [NASNetCell<Element>] = []
        for cell in wiring.cells {
            let planned = NASNetCell<Element>(
                "\(path)/\(cell.name)", cell: cell,
                inputs: (channels[cell.current], channels[cell.previous]), norms: norms,
                divisor: sizes.poolPadding, layout: &layout)
            channels.append(planned.outputChannels)
            cells.append(planned)
        }
        self.cells = cells
        layout.group = groups.head
        logits = PointwiseConvolution(
            "\(path)/logits", inputChannels: channels[cells.count], outputChannels: classes,
            bias: true, initial: .truncatedHe(inputs: classes), layout: &layout)
        (self.sizes, self.classes) = (sizes, classes)
    }

    /// Where the network's values lie during a step.
    struct Buffers: Sendable {
        /// The parts that are not trained, from the first on: part k writes output k.
        let frozenCount: Int
        /// `[N, p, p, 3]`.
        let images: Tensor<Element>
        let stem: Tensor<Element>
        let stemNorm: NormBuffers
        var cells: [NASNetCell<Element>.Buffers] = []
        /// The parts of each output; the first is the stem's.
        var outputs: [[Activation<Element>]]
        /// The mean of each part of the last output, `[N, 1, 1, C]`.
        var pooled: [Tensor<Element>] = []
        /// `[N, 1, 1, c]`.
        let logits: Tensor<Element>

        /// Whether a gradient of an output is wanted: where its part is trained, and of the stem's
        /// where the first cell is, which adds up in its place.
        func wantsGradient(ofOutput output: Int) -> Bool {
            output >= frozenCount || (output == 0 && frozenCount == 1)
        }
    }

    /// Reserves the values for images of a size.
    ///
    /// - Parameter frozenCount: How many parts are not trained, from the first on: they are
    ///   normalised by their running statistics, leave nothing out by chance, and nothing of them is
    ///   kept for backward but what a part in training reads.
    func plan(imageSize: Int, frozenCount: Int = 0, in workspace: Workspace) -> Buffers {
        let arena = workspace.arena
        let capacity = workspace.imageCapacity
        let images = Tensor<Element>(Shape(capacity, imageSize, imageSize, 3), in: arena)
        workspace.planning(frozen: frozenCount > 0, folding: false) {
            stem.plan(input: images.shape, in: workspace)
        }
        let raw = Tensor<Element>(stem.outputShape(images.shape), in: arena)
        let norm = NormBuffers(channels: raw.shape.channels, in: workspace)
        var buffers = Buffers(
            frozenCount: frozenCount, images: images, stem: raw, stemNorm: norm,
            outputs: [[Activation(raw: raw, norm: norm, rectified: false)]],
            logits: Tensor(Shape(capacity, 1, 1, classes), in: arena))
        for (index, cell) in wiring.cells.enumerated() {
            let isFrozen = index + 1 < frozenCount
            let (planned, output) = workspace.planning(frozen: isFrozen, folding: false) {
                cells[index].plan(
                    current: buffers.outputs[cell.current],
                    previous: buffers.outputs[cell.previous], in: workspace)
            }
            buffers.cells.append(planned)
            buffers.outputs.append(output)
            if !workspace.keepsActivations || isFrozen {
                for output in Set([cell.current, cell.previous])
                where !wiring.cells.dropFirst(index + 1).contains(where: {
                    $0.current == output || $0.previous == output
                }) {
                    buffers.outputs[output].forEach { $0.raw.release() }
                }
            }
        }
        let last = buffers.outputs[cells.count]
        buffers.pooled = last.map { part in
            AveragePooling.plan(channels: part.shape.channels, in: workspace)
            return Tensor(Shape(capacity, 1, 1, part.shape.channels), in: arena)
        }
        logits.plan(in: workspace)
        return buffers
    }

    /// Fills the logits.
    ///
    /// - Parameters:
    ///   - noise: What is left out by chance; nil: nothing.
    ///   - visit: Gets the name and the parts of each output, when they are there.
    func forward(
        _ buffers: Buffers, mode: NormMode, noise: StepNoise? = nil, pass: Pass,
        visit: (_ name: String, _ parts: [Activation<Element>]) -> Void = { _, _ in }
    ) throws {
        func normMode(of part: Int) -> NormMode { part < buffers.frozenCount ? .inference : mode }
        stem.forward(
            Activation(final: buffers.images), into: buffers.stem,
            momentsOf: normMode(of: 0) == .training ? buffers.stemNorm : nil, pass: pass)
        try stemNorm.finishForward(
            buffers.stemNorm, locations: buffers.stem.shape.locations, mode: normMode(of: 0),
            pass: pass)
        visit("stem", buffers.outputs[0])
        for (index, cell) in cells.enumerated() {
            let isFrozen = index + 1 < buffers.frozenCount
            try cell.forward(
                buffers.cells[index], mode: normMode(of: index + 1),
                factor: factor(index, isFrozen ? nil : noise), pass: pass)
            visit(cell.name, buffers.outputs[index + 1])
        }
        for (part, pooled) in zip(buffers.outputs[cells.count], buffers.pooled) {
            AveragePooling.forward(part.rectified, into: pooled, pass: pass)
        }
        if let noise, sizes.dropout > 0 { drop(buffers.pooled, noise, pass: pass) }
        let pooled = buffers.pooled.map { Activation(final: $0) }
        visit("pooled", pooled)
        logits.forward(pooled, into: buffers.logits, pass: pass)
        visit("logits", [Activation(final: buffers.logits)])
    }

    /// Everything that forward has left behind, where all of it is kept; of frozen parts, nothing.
    func forEachValue(
        _ buffers: Buffers, _ body: (_ name: String, _ parts: [Activation<Element>]) -> Void
    ) {
        let outputs = zip(["stem"] + cells.map(\.name), buffers.outputs)
        for (name, parts) in outputs.dropFirst(buffers.frozenCount) {
            body(name, parts)
        }
        body("pooled", buffers.pooled.map { Activation(final: $0) })
        body("logits", [Activation(final: buffers.logits)])
    }

    /// The factors of a cell's branches.
    private func factor(
        _ cell: Int, _ noise: StepNoise?
    ) -> (_ pair: Int, _ side: Int) -> BranchSum.Factor? {
        let part = Double(cell + 1) / Double(cells.count) * sizes.dropPath
        guard let noise, part > 0 else { return { _, _ in nil } }
        let keep = 1 - part * min(1, noise.progress)
        return { pair, side in
            { image in
                noise.dropPath(keep: keep, branch: (cell * 5 + pair) * 2 + side, row: image)
            }
        }
    }

    /// Leaves out features, or does the same to their gradients.
    private func drop(_ features: [Tensor<Element>], _ noise: StepNoise, pass: Pass) {
        pass.forEachShard { _, images, _ in
            for image in images {
                noise.dropout(sizes.dropout, row: image, count: sizes.featureChannels) {
                    feature, factor in
                    let width = features[0].shape.channels
                    let place = features[feature / width].row(image) + feature % width
                    place.pointee = Element(narrowing: place.pointee.widened * factor)
                }
            }
        }
    }

    /// Where the network's gradients lie during a backward pass.
    struct Gradients: Sendable {
        /// The gradient of the logits; the objective writes it.
        let logits: Tensor<Element>
        /// None where the logits alone are trained.
        let pooled: [Tensor<Element>]
        /// Nil where a cell is frozen.
        let cells: [NASNetCell<Element>.Gradients?]
        /// The gradients of the parts of each output; none where it is not wanted.
        let outputs: [[Tensor<Element>]]
    }

    /// Reserves the gradients in the order of the backward pass, and gives back what was kept.
    func planBackward(_ buffers: Buffers, in workspace: Workspace) -> Gradients {
        let arena = workspace.arena
        var outputs = [[Tensor<Element>]](repeating: [], count: cells.count + 1)
        func reserve(_ output: Int) {
            guard outputs[output].isEmpty, buffers.wantsGradient(ofOutput: output) else { return }
            outputs[output] = buffers.outputs[output].map { Tensor($0.shape, in: arena) }
        }
        let logits = Tensor<Element>(buffers.logits.shape, in: arena)
        let pooled =
            buffers.frozenCount > cells.count
            ? [] : buffers.pooled.map { Tensor<Element>($0.shape, in: arena) }
        reserve(cells.count)
        var gradients = [NASNetCell<Element>.Gradients?](repeating: nil, count: cells.count)
        for (index, cell) in wiring.cells.enumerated().reversed()
        where index + 1 >= buffers.frozenCount {
            reserve(cell.previous)
            reserve(cell.current)
            gradients[index] = cells[index].planBackward(
                buffers.cells[index], outputs: outputs[index + 1],
                unadjusted: cell.adjusting == .none ? outputs[cell.previous][0] : nil,
                dropsPaths: sizes.dropPath > 0, in: workspace)
        }
        return Gradients(logits: logits, pooled: pooled, cells: gradients, outputs: outputs)
    }

    /// The gradients of all parameters, from `gradients.logits`.
    func backward(
        _ buffers: Buffers, _ gradients: Gradients, noise: StepNoise?, pass: Pass
    ) throws {
        logits.backward(
            GradientSource(stored: gradients.logits),
            inputs: buffers.pooled.map { Activation(final: $0) },
            sinks: buffers.pooled.indices.map { index in
                gradients.pooled.isEmpty ? nil : GradientSink(gradients.pooled[index])
            }, pass: pass)
        if gradients.pooled.isEmpty { return }
        if let noise, sizes.dropout > 0 { drop(gradients.pooled, noise, pass: pass) }
        var written: Set<Int> = []
        func sinks(_ output: Int) -> [GradientSink<Element>?] {
            let accumulates = !written.insert(output).inserted
            let places = gradients.outputs[output]
            return buffers.outputs[output].enumerated().map { index, value in
                places.isEmpty
                    ? nil
                    : GradientSink(
                        places[index], mask: value.rectified, accumulates: accumulates)
            }
        }
        for (sink, pooled) in zip(sinks(cells.count), gradients.pooled) {
            guard let sink else { continue }
            AveragePooling.backward(
                pooled, locations: buffers.outputs[cells.count][0].shape.locations, sink: sink,
                pass: pass)
        }
        for (index, cell) in wiring.cells.enumerated().reversed() {
            guard let own = gradients.cells[index] else { continue }
            try cells[index].backward(
                buffers.cells[index], own, factor: factor(index, noise),
                sinks: ({ sinks(cell.current) }, { sinks(cell.previous) }), pass: pass)
        }
        guard buffers.frozenCount == 0 else { return }
        let gradient = gradients.outputs[0][0]
        gradient.gatherNormSums(
            [GradientSink.NormTarget(raw: buffers.stem, norm: buffers.stemNorm)], pass: pass)
        try stemNorm.finishBackward(
            buffers.stemNorm, locations: buffers.stem.shape.locations, mode: .training,
            pass: pass)
        stem.backward(
            GradientSource(gradient, through: buffers.stemNorm, of: buffers.stem),
            input: Activation(final: buffers.images), inputGradient: .none, pass: pass)
    }
}
