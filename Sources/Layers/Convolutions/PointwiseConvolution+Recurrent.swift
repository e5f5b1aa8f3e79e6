import Tensors

/// The backward pass of a product whose uses depend on each other: first the gradients of the
/// inputs, use after use, then those of the parameters, of all uses at once. The first uses may
/// leave out the last inputs, as if they were 0.
extension PointwiseConvolution {
    /// The gradients of one use's inputs alone; the kernel's follow when those of all uses are
    /// known.
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    public func backwardInputs(_ use: Use, pass: Pass) {
        let weights = packed(transposed: true, pass: pass)
        let rowCount = chunkRows(pass.workspace)
        let widest = inputChannels.reduce(0, max)
        pass.forEachShard { shard, images, scratch in
            let gradientScratch = scratch + 2 * rowCount * widest
            for sink in use.sinks { sink?.begin(shard: shard) }
            pass.forEachChunk(
                of: images, locations: use.inputs[0].shape.locations, rowCount: rowCount
            ) { rows in
                let outputGradient = use.gradient.operand(rows, scratch: gradientScratch)
                for (index, sink) in use.sinks.enumerated() {
                    guard let sink else { continue }
                    weights[index].product(outputGradient, into: scratch, rows: rows.count)
                    sink.finish(scratch, rows: rows, shard: shard)
                }
            }
        }
    }

    /// Rows of the kernel whose gradient is summed at a time: the shards' parts of a large matrix
    /// would take many times its memory.
    var blockRows: Int { max(1, min(inputChannels.reduce(0, max), (2 << 20) / outputChannels)) }

    /// The gradients of kernel and bias, summed over all uses and this rank's shards; the uses'
    /// sinks are left alone.
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    public func backwardParameters(_ uses: [Use], pass: Pass) {
        if let bias, trainsBias { backwardBias(bias, uses, pass: pass) }
        var gradient = pass.store.gradient(kernel)
        for (index, channels) in inputChannels.enumerated() {
            let readers = uses.filter { index < $0.inputs.count }.map {
                Use($0.gradient, inputs: [$0.inputs[index]], sinks: [nil])
            }
            for first in stride(from: 0, to: channels, by: blockRows) {
                let block = first..<min(channels, first + blockRows)
                backwardKernel(block, into: gradient, readers, pass: pass)
                gradient += block.count * outputChannels
            }
        }
        if let bias, !trainsBias { pass.completeWithoutGradient([bias]) }
        pass.complete(trained)
    }

    private func backwardBias(_ bias: Parameter, _ uses: [Use], pass: Pass) {
        pass.sumOverShards(into: pass.store.gradient(bias), length: bias.count) {
            _, images, scratch, partial in
            partial.update(repeating: 0, count: bias.count)
            forEachChunk(of: uses, images: images, pass: pass) { parts in
                RowKernels.addSums(
                    GradientSource.operand(
                        parts.map { ($0.use.gradient, $0.rows) }, scratch: scratch),
                    rows: parts.reduce(0) { $0 + $1.rows.count }, channels: outputChannels,
                    to: partial)
            }
        }
    }

    /// The gradient of a block of the kernel's rows, those of the channels `block` of the one input
    /// that the uses have.
    private func backwardKernel(
        _ block: Range<Int>, into gradient: UnsafeMutablePointer<Float>, _ uses: [Use], pass: Pass
    ) {
        let rowCount = chunkRows(pass.workspace)
        let widest = inputChannels.reduce(0, max)
        let length = block.count * outputChannels
        pass.sumOverShards(into: gradient, length: length) { _, images, scratch, partial in
            let columns = scratch.narrowed(to: Element.self)
            let rowScratch = scratch + rowCount * widest
            let gradientScratch = rowScratch + rowCount * widest
            if uses.isEmpty { partial.update(repeating: 0, count: length) }
            var isFirst = true
            forEachChunk(of: uses, images: images, pass: pass) { parts in
                var target = columns
                for (use, rows) in parts {
                    for row in rows {
                        let values = use.inputs[0].operand(row..<(row + 1), scratch: rowScratch)
                        target.update(from: values + block.lowerBound, count: block.count)
                        target += block.count
                    }
                }
                // output = input·kernel
                MatrixMultiply.product(
                    transposed: columns,
                    GradientSource.operand(
                        parts.map { ($0.use.gradient, $0.rows) }, scratch: gradientScratch),
                    into: partial, rows: block.count, columns: outputChannels,
                    inner: parts.reduce(0) { $0 + $1.rows.count }, adding: !isFirst)
                isFirst = false
            }
        }
    }
}
