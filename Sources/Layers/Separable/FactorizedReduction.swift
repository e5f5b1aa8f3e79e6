import Tensors

/// Halves height and width of a value: every second pixel → 1×1 convolution, beside it every second
/// pixel of the value moved by one up and left, zeros entering → 1×1 convolution, then one norm
/// over both. The value is read through a ReLU.
///
/// Several inputs are taken as if concatenated along their channels.
public struct FactorizedReduction<Element: StorageElement>: Sendable {
    private let convolutions: [PointwiseConvolution<Element>]
    private let norm: BatchNorm
    private let inputChannels: [Int]
    private let outputChannels: Int

    /// Registers `conv1`, `conv2` and `norm` below `path`.
    ///
    /// - Parameter outputs: Even.
    public init(
        _ path: String, inputs: [Int], outputs: Int, norms: BatchNormConfiguration,
        layout: inout ParameterLayout
    ) {
        (inputChannels, outputChannels) = (inputs, outputs)
        convolutions = [1, 2].map { number in
            PointwiseConvolution(
                "\(path)/conv\(number)", inputChannels: [inputs.reduce(0, +)],
                outputChannels: outputs / 2, initial: .truncatedHe(inputs: outputs / 2),
                layout: &layout)
        }
        norm = BatchNorm(
            "\(path)/norm", channels: outputs, configuration: norms, layout: &layout)
    }

    /// Where the values lie during a step.
    public struct Buffers: Sendable {
        let inputs: [Activation<Element>]
        /// The pixels (2i, 2j), and (2i+1, 2j+1), of all inputs, `[N, h, w, ΣC]`.
        let pixels: [Tensor<Element>]
        let halves: [Tensor<Element>]
        /// The convolutions' outputs side by side, `[N, h, w, C]`.
        public let raw: Tensor<Element>
        let norm: NormBuffers

        /// The normalised value.
        public var value: Activation<Element> {
            Activation(raw: raw, norm: norm, rectified: false)
        }

        /// The norm that a gradient of the value passes next.
        public var normTarget: GradientSink<Element>.NormTarget {
            GradientSink.NormTarget(raw: raw, norm: norm)
        }
    }

    /// Reserves the values.
    ///
    /// - Parameter inputs: As they are before the ReLU.
    public func plan(inputs: [Activation<Element>], in workspace: Workspace) -> Buffers {
        let (shape, arena) = (inputs[0].shape, workspace.arena)
        let (height, width) = ((shape.height + 1) / 2, (shape.width + 1) / 2)
        func tensor(_ channels: Int) -> Tensor<Element> {
            Tensor(Shape(shape.images, height, width, channels), in: arena)
        }
        let channels = inputChannels.reduce(0, +)
        convolutions.forEach { $0.plan(in: workspace) }
        workspace.needScratch(2 * workspace.chunkRows * outputChannels)
        workspace.needScratch(shape.width * (inputChannels.max() ?? 0))
        let pixels = convolutions.map { _ in tensor(channels) }
        let halves = convolutions.map { tensor($0.outputChannels) }
        if !workspace.keepsActivations { pixels.forEach { $0.release() } }
        let raw = tensor(outputChannels)
        halves.forEach { $0.release() }
        return Buffers(
            inputs: inputs.map(\.rectified), pixels: pixels, halves: halves, raw: raw,
            norm: NormBuffers(channels: outputChannels, in: workspace))
    }

    /// Fills the output.
    public func forward(_ buffers: Buffers, mode: NormMode, pass: Pass) throws {
        for (offset, pixels) in buffers.pixels.enumerated() {
            gather(buffers.inputs, offset: offset, into: pixels, pass: pass)
            convolutions[offset].forward(
                [Activation(final: pixels)], into: buffers.halves[offset], pass: pass)
        }
        let (raw, half) = (buffers.raw, outputChannels / 2)
        pass.forEachShard { shard, images, scratch in
            let moments = mode == .training ? buffers.norm.clearedMoments(shard: shard) : nil
            pass.forEachChunk(of: images, locations: raw.shape.locations) { rows in
                let result = raw.floatRow(rows.lowerBound) ?? scratch
                for row in rows {
                    let target = result + (row - rows.lowerBound) * outputChannels
                    for (index, part) in buffers.halves.enumerated() {
                        RowKernels.apply(
                            part.row(row), affine: nil, rectify: false, rows: 1, channels: half,
                            into: target + index * half)
                    }
                }
                raw.store(result, rows: rows, momentsTo: moments)
            }
        }
        try norm.finishForward(
            buffers.norm, locations: raw.shape.locations, mode: mode, pass: pass)
    }

    /// Copies the pixels (2i + offset, 2j + offset), zeros beyond the border.
    private func gather(
        _ inputs: [Activation<Element>], offset: Int, into pixels: Tensor<Element>, pass: Pass
    ) {
        let (input, shape) = (inputs[0].shape, pixels.shape)
        pass.forEachShard { _, images, _ in
            for row in (images.lowerBound * shape.locations)..<(images.upperBound * shape.locations)
            {
                let (image, location) = row.quotientAndRemainder(dividingBy: shape.locations)
                let (i, j) = location.quotientAndRemainder(dividingBy: shape.width)
                let (y, x) = (2 * i + offset, 2 * j + offset)
                var target = pixels.row(row)
                guard y < input.height, x < input.width else {
                    target.update(repeating: Element(narrowing: 0), count: shape.channels)
                    continue
                }
                let source = (image * input.height + y) * input.width + x
                for part in inputs {
                    part.write(source..<(source + 1), into: target)
                    target += part.shape.channels
                }
            }
        }
    }

    /// Where the gradients lie during a backward pass.
    public struct Gradients: Sendable {
        let halves: [Tensor<Element>]
        let pixels: [Tensor<Element>]
    }

    /// Reserves the gradients, and gives back them and what was kept.
    public func planBackward(_ buffers: Buffers, in workspace: Workspace) -> Gradients {
        let arena = workspace.arena
        let halves = buffers.halves.map { Tensor<Element>($0.shape, in: arena) }
        let pixels = buffers.pixels.map { Tensor<Element>($0.shape, in: arena) }
        buffers.raw.release()
        buffers.pixels.forEach { $0.release() }
        halves.forEach { $0.release() }
        pixels.forEach { $0.release() }
        return Gradients(halves: halves, pixels: pixels)
    }

    /// The gradients of all parameters and of the inputs.
    ///
    /// - Parameters:
    ///   - gradient: Of the value, with the norm's sums already gathered.
    ///   - sinks: Where each input's gradient goes; they mask by the ReLU. Nil: not wanted, of all
    ///     inputs alike.
    public func backward(
        _ buffers: Buffers, _ gradients: Gradients, gradient: Tensor<Element>,
        sinks: [GradientSink<Element>?], pass: Pass
    ) throws {
        let wanted = sinks.compactMap(\.self)
        let (shape, half) = (buffers.raw.shape, outputChannels / 2)
        try norm.finishBackward(
            buffers.norm, locations: shape.locations, mode: .training, pass: pass)
        let source = GradientSource(gradient, through: buffers.norm, of: buffers.raw)
        pass.forEachShard { _, images, scratch in
            pass.forEachChunk(of: images, locations: shape.locations) { rows in
                let values = source.operand(rows, scratch: scratch)
                for row in rows {
                    let place = values + (row - rows.lowerBound) * outputChannels
                    for (index, part) in gradients.halves.enumerated() {
                        part.row(row).update(from: place + index * half, count: half)
                    }
                }
            }
        }
        for (index, convolution) in convolutions.enumerated() {
            convolution.backward(
                GradientSource(stored: gradients.halves[index]),
                inputs: [Activation(final: buffers.pixels[index])],
                sinks: [wanted.isEmpty ? nil : GradientSink(gradients.pixels[index])], pass: pass)
        }
        if !wanted.isEmpty { scatter(gradients.pixels, to: wanted, pass: pass) }
    }

    /// Gives each input its pixels' gradients, row by row.
    private func scatter(
        _ pixels: [Tensor<Element>], to sinks: [GradientSink<Element>], pass: Pass
    ) {
        let small = pixels[0].shape
        pass.forEachShard { shard, images, scratch in
            for sink in sinks { sink.begin(shard: shard) }
            var first = 0
            for (sink, channels) in zip(sinks, inputChannels) {
                let shape = sink.destination.shape
                for image in images {
                    for y in 0..<shape.height {
                        scratch.update(repeating: 0, count: shape.width * channels)
                        for x in Swift.stride(from: y % 2, to: shape.width, by: 2) {
                            let row = (image * small.height + y / 2) * small.width + x / 2
                            RowKernels.apply(
                                pixels[y % 2].row(row) + first, affine: nil, rectify: false,
                                rows: 1, channels: channels, into: scratch + x * channels)
                        }
                        let start = (image * shape.height + y) * shape.width
                        sink.finish(scratch, rows: start..<(start + shape.width), shard: shard)
                    }
                }
                first += channels
            }
        }
    }
}
