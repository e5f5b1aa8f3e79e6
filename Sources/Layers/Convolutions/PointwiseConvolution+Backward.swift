import Tensors

extension PointwiseConvolution {
    /// One use of the layer in a step, as its backward pass sees it.
    public struct Use: Sendable {
        let gradient: GradientSource<Element>
        let inputs: [Activation<Element>]
        let sinks: [GradientSink<Element>?]

        /// Names a use.
        ///
        /// - Parameters:
        ///   - gradient: Of the raw output.
        ///   - inputs: What forward read.
        ///   - sinks: Where each input's gradient goes; nil where none is wanted.
        public init(
            _ gradient: GradientSource<Element>, inputs: [Activation<Element>],
            sinks: [GradientSink<Element>?]
        ) {
            (self.gradient, self.inputs, self.sinks) = (gradient, inputs, sinks)
        }
    }

    /// The gradients of kernel and bias (summed over this rank's shards) and of the inputs, of a
    /// layer that was used once.
    public func backward(
        _ gradient: GradientSource<Element>, inputs: [Activation<Element>],
        sinks: [GradientSink<Element>?], pass: Pass
    ) {
        backward([Use(gradient, inputs: inputs, sinks: sinks)], pass: pass)
    }

    /// The gradients of kernel and bias, summed over all uses and this rank's shards, and of each
    /// use's inputs (`ParameterStore` says why all uses come at once).
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    public func backward(_ uses: [Use], pass: Pass) {
        let wantsInputs = uses.contains { $0.sinks.contains { $0 != nil } }
        let weights = wantsInputs ? packed(transposed: true, pass: pass) : []
        let rowCount = chunkRows(pass.workspace)
        let widest = inputChannels.reduce(0, max)
        pass.sumOverShards(into: trained) { shard, images, scratch, partial in
            let inputGradientScratch = scratch + rowCount * widest
            let gradientScratch = inputGradientScratch + rowCount * widest
            let biasCount = partialCount - kernel.count
            let kernelPartial = partial + biasCount
            partial.update(repeating: 0, count: biasCount)
            for use in uses { for sink in use.sinks { sink?.begin(shard: shard) } }
            var isFirst = true
            forEachChunk(of: uses, images: images, pass: pass) { parts in
                let rows = parts.reduce(0) { $0 + $1.rows.count }
                let outputGradient = GradientSource.operand(
                    parts.map { ($0.use.gradient, $0.rows) }, scratch: gradientScratch)
                if trainsBias {
                    RowKernels.addSums(
                        outputGradient, rows: rows, channels: outputChannels, to: partial)
                }
                var first = 0
                for (index, channels) in inputChannels.enumerated() {
                    let input = Activation.operand(
                        parts.map { ($0.use.inputs[index], $0.rows) }, scratch: scratch)
                    for (use, rows) in parts where parts.count == 1 {
                        use.gradient.fetchAhead(after: rows)
                        use.inputs[index].raw.fetchAhead(after: rows)
                    }
                    // output = input·kernel, for the kernel:
                    MatrixMultiply.product(
                        transposed: input, outputGradient,
                        into: kernelPartial + first * outputChannels,
                        rows: channels, columns: outputChannels, inner: rows,
                        adding: !isFirst)
                    // … and for the input:
                    if parts.contains(where: { $0.use.sinks[index] != nil }) {
                        for (use, rows) in parts where parts.count == 1 {
                            use.sinks[index]?.fetchAhead(
                                after: rows, besides: use.inputs[index].raw)
                        }
                        weights[index].product(
                            outputGradient, into: inputGradientScratch, rows: rows)
                        var values = inputGradientScratch
                        for (use, rows) in parts {
                            use.sinks[index]?.finish(values, rows: rows, shard: shard)
                            values += rows.count * channels
                        }
                    }
                    first += channels
                }
                isFirst = false
            }
        }
        if let bias, !trainsBias { pass.completeWithoutGradient([bias]) }
    }

    /// Runs `body` for the chunks of a shard's rows, use after use: parts of one use each or, where
    /// chunks are joined, all rows of several uses.
    func forEachChunk(
        of uses: [Use], images: Range<Int>, pass: Pass,
        _ body: (_ parts: [(use: Use, rows: Range<Int>)]) -> Void
    ) {
        let rowCount = chunkRows(pass.workspace)
        var joined: [(use: Use, rows: Range<Int>)] = []
        for use in uses {
            let locations = use.inputs[0].shape.locations
            let count = images.count * locations
            let fits = (joined.count + 1) * count <= rowCount
            if !joined.isEmpty && !fits {
                body(joined)
                joined = []
            }
            if pass.workspace.joinsChunks && count <= rowCount {
                joined.append(
                    (use, (images.lowerBound * locations)..<(images.upperBound * locations)))
            } else {
                pass.forEachChunk(of: images, locations: locations, rowCount: rowCount) {
                    body([(use, $0)])
                }
            }
        }
        if !joined.isEmpty { body(joined) }
    }
}
