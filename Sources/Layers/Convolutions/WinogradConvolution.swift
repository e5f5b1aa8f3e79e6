import Tensors

/// A 3×3 convolution of stride 1, without bias, by Winograd's F(2×2, 3×3): sixteen products of
/// transformed tiles instead of one product of gathered patches, with 4/9 of the multiplications.
public struct WinogradConvolution<Element: StorageElement>: Sendable {
    let geometry: PatchGeometry
    let kernel: Parameter
    let inputChannels: Int
    let outputChannels: Int
    /// Whether the form fits a convolution: wide enough that the products outweigh the transforms.
    static func fits(_ geometry: PatchGeometry, inputChannels: Int, outputChannels: Int) -> Bool {
        geometry.kernel == 3 && geometry.stride == 1
            && inputChannels % 16 == 0 && outputChannels % 16 == 0
            && min(inputChannels, outputChannels) >= 64
    }

    /// The least side of a map that the form fits: on fewer locations the border's tiles waste
    /// what is won, and sixteen matrices take longer to read than nine.
    static var leastMapSize: Int { 8 }

    /// Registers `kernel` `[3, 3, in, out]` below `path`.
    init(
        _ path: String, inputChannels: Int, outputChannels: Int, geometry: PatchGeometry,
        initial: Parameter.Initial? = nil, layout: inout ParameterLayout
    ) {
        kernel = layout.parameter(
            "\(path)/kernel", shape: [3, 3, inputChannels, outputChannels], decays: true,
            initial: initial ?? .kernel(inputs: 9 * inputChannels))
        self.geometry = geometry
        self.inputChannels = inputChannels
        self.outputChannels = outputChannels
    }

    /// The output for an input of `shape`.
    func outputShape(_ shape: Shape) -> Shape {
        Shape(
            shape.images, geometry.outputSize(shape.height), geometry.outputSize(shape.width),
            outputChannels)
    }

    /// Elements of one place of the transformed kernel.
    private var pairCount: Int { inputChannels * outputChannels }

    /// Bytes of one place of the transformed kernel, packed either way.
    private var packedByteCount: Int {
        max(
            PackedMatrix<Element>.copiedByteCount(inner: inputChannels, columns: outputChannels),
            PackedMatrix<Element>.copiedByteCount(inner: outputChannels, columns: inputChannels))
    }

    /// Asks the workspace for what forward and backward need on an input of `shape`.
    func plan(input shape: Shape, in workspace: Workspace) {
        let room = Scratch(self, input: shape, chunkRows: workspace.chunkRows)
        let work = workspace.keepsActivations ? room.backwardCount : room.forwardCount
        workspace.needScratch(max(work, Winograd.span * pairCount))
        workspace.needPacked(Winograd.places * packedByteCount)
        if workspace.keepsActivations { workspace.needPartials(kernel.count) }
    }

    /// The transformed kernel `G g Gᵀ`, `[in, out]` at each place or, for backward, `[out, in]`.
    private func packed(transposed: Bool, pass: Pass) -> [PackedMatrix<Element>] {
        let (storage, isFilled) = pass.workspace.packed(
            kernel, transposed: transposed, byteCount: Winograd.places * packedByteCount)
        let (inner, columns) =
            transposed ? (outputChannels, inputChannels) : (inputChannels, outputChannels)
        pass.pool.run(isFilled ? 0 : Winograd.span) { row, worker in
            let transformed = pass.workspace.scratch(of: worker)
            Winograd.transformKernel(
                pass.store.values(kernel), count: pairCount, row: row, into: transformed)
            for column in 0..<Winograd.span {
                PackedMatrix<Element>.pack(
                    Matrix(transformed + column * pairCount, stride: outputChannels),
                    transposed: transposed, inner: inner, columns: columns,
                    into: storage + (Winograd.span * row + column) * packedByteCount)
            }
        }
        return (0..<Winograd.places).map {
            PackedMatrix(copied: storage + $0 * packedByteCount, inner: inner, columns: columns)
        }
    }

    /// `output = input ∗ kernel`, raw, `[N, h, w, out]`.
    ///
    /// - Parameter norm: The batch norm that follows in training mode: its moments are gathered.
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    func forward(
        _ input: Activation<Element>, into output: Tensor<Element>,
        momentsOf norm: NormBuffers? = nil, pass: Pass
    ) {
        let weights = packed(transposed: false, pass: pass)
        let room = Scratch(self, input: input.shape, chunkRows: pass.workspace.chunkRows)
        pass.forEachShard { shard, images, scratch in
            let moments = norm?.clearedMoments(shard: shard)
            room.clearOutside(scratch)
            room.tiles.forEachChunk(of: images) { image, outputRows, rows in
                let result = output.floatRow(rows.lowerBound) ?? scratch + room.outputOffset
                output.fetchAhead(after: rows)
                room.outputs(
                    of: outputRows, image: image, input: input, into: result, scratch: scratch
                ) {
                    weights[$0].product($1, into: $2, rows: $3)
                }
                output.store(result, rows: rows, momentsTo: moments)
            }
        }
    }

    /// Reserves the transformed kernel and the norm that follows.
    func planFolded(in workspace: Workspace) -> FoldedKernel<Element> {
        FoldedKernel(
            inner: inputChannels, columns: outputChannels, places: Winograd.places, in: workspace)
    }

    /// Transforms the kernel with `norm` folded in, whose scale and shift are known.
    func fold(_ folded: FoldedKernel<Element>, norm: NormBuffers?, store: ParameterStore) {
        let transformed = UnsafeMutablePointer<Float>.allocate(
            capacity: Winograd.places * pairCount)
        defer { transformed.deallocate() }
        for row in 0..<Winograd.span {
            Winograd.transformKernel(
                store.values(kernel), count: pairCount, row: row,
                into: transformed + row * Winograd.span * pairCount)
        }
        folded.fill(transformed, norm: norm)
    }

    /// `output = relu?(norm(input ∗ kernel))`, final, `[N, h, w, out]`.
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    func forward(
        _ input: Activation<Element>, folded: FoldedKernel<Element>, rectified: Bool,
        into output: Tensor<Element>, pass: Pass
    ) {
        let room = Scratch(self, input: input.shape, chunkRows: pass.workspace.chunkRows)
        let weights = folded.matrices
        pass.forEachShard { _, images, scratch in
            room.clearOutside(scratch)
            room.tiles.forEachChunk(of: images) { image, outputRows, rows in
                let result = scratch + room.outputOffset
                output.fetchAhead(after: rows)
                room.outputs(
                    of: outputRows, image: image, input: input, into: result, scratch: scratch
                ) {
                    weights[$0].product($1, into: $2, rows: $3)
                }
                folded.finish(
                    result, rectified: rectified, rows: rows.count,
                    into: output.row(rows.lowerBound))
            }
        }
    }

    /// The gradient of the kernel, summed over all uses and this rank's shards, and, where there is
    /// a sink, of each use's input.
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    func backward(_ uses: [Convolution<Element>.Use], pass: Pass) {
        let wantsPixels = uses.contains { $0.sink != nil }
        let weights = wantsPixels ? packed(transposed: true, pass: pass) : []
        pass.sumOverShards(into: [kernel]) { shard, images, scratch, partial in
            let room = Scratch(
                self, input: uses[0].input.shape, chunkRows: pass.workspace.chunkRows)
            room.clearOutside(scratch)
            var isFirst = true
            for use in uses {
                backward(
                    use, room: room, weights: weights, shard: shard, images: images,
                    scratch: scratch, isFirst: &isFirst)
            }
            Winograd.kernelGradient(
                ofTransformed: room.kernelPlane(0, scratch), plane: room.kernelStride,
                count: pairCount, into: partial)
        }
    }

    /// One shard's part of one use; the kernel's transformed gradient is added to, unless this is
    /// the first chunk.
    @inline(__always)
    private func backward(
        _ use: Convolution<Element>.Use, room: Scratch, weights: [PackedMatrix<Element>],
        shard: Int, images: Range<Int>, scratch: UnsafeMutablePointer<Float>,
        isFirst: inout Bool
    ) {
        let tiles = room.tiles
        var pixels = PixelGradients(
            geometry, input: tiles.input, outputHeight: tiles.output.height,
            windowHeight: tiles.slabHeight, window: scratch + room.windowOffset)
        use.sink?.begin(shard: shard)
        tiles.forEachChunk(of: images) { image, outputRows, rows in
            let outputGradient = use.gradient.operand(rows, scratch: scratch + room.outputOffset)
            room.transformGradients(outputGradient, of: outputRows, scratch: scratch)
            room.transformPixels(
                of: outputRows, image: image, input: use.input, scratch: scratch)
            use.gradient.fetchAhead(after: rows)
            let inputRow = (image * tiles.input.height + outputRows.lowerBound) * tiles.input.width
            use.sink?.fetchAhead(
                after: inputRow..<(inputRow + outputRows.count * tiles.input.width),
                besides: use.input.raw)
            let count = tiles.count(of: outputRows)
            for place in 0..<Winograd.places {
                let placeGradient = room.gradientPlane(place, scratch)
                // products = pixels·kernel at each place, for the kernel:
                MatrixMultiply.product(
                    transposed: room.pixelPlane(place, scratch), placeGradient,
                    into: room.kernelPlane(place, scratch), rows: inputChannels,
                    columns: outputChannels, inner: count, adding: !isFirst)
                // … and for the pixels:
                if use.sink != nil {
                    weights[place].product(
                        placeGradient, into: room.productPlane(place, scratch), rows: count)
                }
            }
            isFirst = false
            guard let sink = use.sink else { return }
            pixels.add(outputRows: outputRows, image: image) { window, firstRow in
                room.addPixelGradients(
                    of: outputRows, to: window, firstRow: firstRow, scratch: scratch)
            } finish: {
                sink.finish($0, rows: $1, shard: shard)
            }
        }
    }
}
