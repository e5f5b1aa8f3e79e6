import Tensors

extension SpatialConvolution {
    /// How a thread's scratch memory is divided while it works on one chunk of output rows.
    struct Scratch: Sendable {
        let geometry: PatchGeometry
        let input: Shape
        let output: Shape
        /// Rows of locations in a chunk.
        let chunkHeight: Int
        /// Input rows that a chunk reads or adds to, at most.
        let slabHeight: Int

        let patchOffset: Int
        let outputOffset: Int
        let patchGradientOffset: Int
        let pixelGradientOffset: Int
        let forwardCount: Int
        let backwardCount: Int

        init(_ convolution: SpatialConvolution, input: Shape, in workspace: Workspace) {
            geometry = convolution.geometry
            self.input = input
            output = convolution.outputShape(input)
            let chunkRows = workspace.chunkRows(
                columns: max(convolution.patchCount, convolution.outputChannels))
            chunkHeight = max(1, min(output.height, chunkRows / max(1, output.width)))
            slabHeight =
                geometry.stride * chunkHeight + geometry.reach + 2 * abs(geometry.offset)
                + geometry.stride
            let slabCount = slabHeight * input.width * input.channels
            let rows = chunkHeight * output.width
            patchOffset = slabCount
            outputOffset = patchOffset + rows * convolution.patchCount
            forwardCount = outputOffset + rows * output.channels
            patchGradientOffset = forwardCount
            pixelGradientOffset = patchGradientOffset + rows * convolution.patchCount
            backwardCount = pixelGradientOffset + slabCount
        }

        /// Runs `body(image, rows of locations, flat rows)` for the chunks of `images` in order.
        func forEachChunk(
            of images: Range<Int>, _ body: (Int, Range<Int>, Range<Int>) -> Void
        ) {
            for image in images {
                var i = 0
                while i < output.height {
                    let end = min(output.height, i + chunkHeight)
                    let first = image * output.locations
                    body(
                        image, i..<end, (first + i * output.width)..<(first + end * output.width))
                    i = end
                }
            }
        }

        /// The patches of a chunk, gathered into scratch from the input with its note applied.
        func patches(
            of outputRows: Range<Int>, image: Int, input activation: Activation<Element>,
            scratch: UnsafeMutablePointer<Float>
        ) -> UnsafeMutablePointer<Element> {
            let rows = geometry.inputRows(of: outputRows, inputHeight: input.height)
            let first = image * input.height + rows.lowerBound
            let patches = (scratch + patchOffset).narrowed(to: Element.self)
            // A 1×1 kernel's patches are pixels: those that a stride leaves out need no note.
            let areInputRows = geometry.kernel == 1 && geometry.offset >= 0
            let slab =
                areInputRows
                ? activation.raw.row(first * input.width)
                : activation.operand(
                    (first * input.width)..<((first + rows.count) * input.width),
                    scratch: scratch)
            geometry.gather(
                from: slab, firstInputRow: rows.lowerBound, inputHeight: input.height,
                inputWidth: input.width, channels: input.channels, outputRows: outputRows,
                outputWidth: output.width, into: patches)
            if areInputRows {
                activation.applyNote(to: patches, rows: outputRows.count * output.width)
            }
            return patches
        }
    }
}
