import Tensors

extension SpatialConvolution {
    /// How a thread's scratch memory is divided while it works on one chunk of output rows.
    struct Scratch: Sendable {
        let geometry: PatchGeometry
        let input: Shape
        let output: Shape
        /// Rows of locations in a chunk, of one image.
        let chunkHeight: Int
        /// Images of a chunk, whole ones where it has several.
        let chunkImages: Int
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
            chunkImages =
                workspace.joinsChunks && chunkHeight == output.height
                ? max(1, chunkRows / max(1, output.locations)) : 1
            let rows = chunkHeight * output.width * chunkImages
            patchOffset = slabCount
            outputOffset = patchOffset + rows * convolution.patchCount
            forwardCount = outputOffset + rows * output.channels
            // The patches have been read when their gradients are written.
            patchGradientOffset = patchOffset
            pixelGradientOffset = forwardCount
            backwardCount = pixelGradientOffset + slabCount
        }

        /// What a chunk has of one image: rows of locations, and flat rows.
        struct Part {
            let use: Int
            let image: Int
            let outputRows: Range<Int>
            let rows: Range<Int>
        }

        /// Runs `body` for the chunks of `images` in order, use after use.
        func forEachChunk(of images: Range<Int>, uses: Int = 1, _ body: ([Part]) -> Void) {
            var joined: [Part] = []
            for use in 0..<uses {
                for image in images {
                    var i = 0
                    while i < output.height {
                        let end = min(output.height, i + chunkHeight)
                        let first = image * output.locations
                        joined.append(
                            Part(
                                use: use, image: image, outputRows: i..<end,
                                rows: (first + i * output.width)..<(first + end * output.width)))
                        if joined.count == chunkImages {
                            body(joined)
                            joined = []
                        }
                        i = end
                    }
                }
            }
            if !joined.isEmpty { body(joined) }
        }

        /// The patches of a chunk, gathered into scratch from the inputs with their norms and ReLUs applied.
        ///
        /// - Parameter activation: What a use reads.
        func patches(
            of parts: [Part], scratch: UnsafeMutablePointer<Float>,
            activation: (_ use: Int) -> Activation<Element>
        ) -> UnsafeMutablePointer<Element> {
            let patches = (scratch + patchOffset).narrowed(to: Element.self)
            var target = patches
            for part in parts {
                gather(part, input: activation(part.use), scratch: scratch, into: target)
                target += part.rows.count * geometry.kernel * geometry.kernel * input.channels
            }
            return patches
        }

        private func gather(
            _ part: Part, input activation: Activation<Element>,
            scratch: UnsafeMutablePointer<Float>, into patches: UnsafeMutablePointer<Element>
        ) {
            let rows = geometry.inputRows(of: part.outputRows, inputHeight: input.height)
            let first = part.image * input.height + rows.lowerBound
            activation.raw.fetchAhead(
                after: (first * input.width)..<((first + rows.count) * input.width))
            // A 1×1 kernel's patches are pixels: those that a stride leaves out need no norm.
            let areInputRows = geometry.kernel == 1 && geometry.offset >= 0
            let slab =
                areInputRows
                ? activation.raw.row(first * input.width)
                : activation.operand(
                    (first * input.width)..<((first + rows.count) * input.width),
                    scratch: scratch)
            geometry.gather(
                from: slab, firstInputRow: rows.lowerBound, inputHeight: input.height,
                inputWidth: input.width, channels: input.channels, outputRows: part.outputRows,
                outputWidth: output.width, into: patches)
            if areInputRows { activation.applyDeferred(to: patches, rows: part.rows.count) }
        }
    }
}
