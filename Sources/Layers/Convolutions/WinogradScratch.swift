import Tensors

extension WinogradConvolution {
    /// How a thread's scratch memory is divided while it works on one chunk of tiles.
    struct Scratch: Sendable {
        let tiles: WinogradTiles
        private let inputChannels: Int
        private let outputChannels: Int
        /// Elements from one place of the transformed pixels, gradients, products and kernel
        /// gradient to the next.
        private let pixelStride: Int
        private let gradientStride: Int
        private let productStride: Int
        let kernelStride: Int

        /// Two locations outside of the image: zeros that are read, and what is written and lost.
        private let lostOffset: Int
        private let slabOffset: Int
        let outputOffset: Int
        private let pixelOffset: Int
        private let productOffset: Int
        let forwardCount: Int
        private let gradientOffset: Int
        let windowOffset: Int
        private let kernelOffset: Int
        let backwardCount: Int

        init(_ convolution: WinogradConvolution, input: Shape, chunkRows: Int) {
            let output = convolution.outputShape(input)
            // A chunk of tiles has as many products of matrices of a third of its rows.
            tiles = WinogradTiles(
                convolution.geometry, input: input, output: output, chunkTiles: chunkRows / 3)
            (inputChannels, outputChannels) = (input.channels, output.channels)
            let widest = max(inputChannels, outputChannels)
            pixelStride = Winograd.plane(tiles.capacity * inputChannels, of: Element.self)
            gradientStride = Winograd.plane(tiles.capacity * outputChannels, of: Element.self)
            productStride = Winograd.plane(tiles.capacity * widest, of: Float.self)
            kernelStride = Winograd.plane(inputChannels * outputChannels, of: Float.self)
            let slabCount = tiles.slabHeight * input.width * inputChannels
            lostOffset = widest
            slabOffset = lostOffset + widest
            outputOffset = slabOffset + slabCount
            pixelOffset = outputOffset + tiles.chunkHeight * output.width * outputChannels
            productOffset = pixelOffset + Winograd.places * pixelStride
            forwardCount = productOffset + Winograd.places * productStride
            gradientOffset = forwardCount
            windowOffset = gradientOffset + Winograd.places * gradientStride
            kernelOffset = windowOffset + slabCount
            backwardCount = kernelOffset + Winograd.places * kernelStride
        }

        /// Readies the locations outside of the image.
        func clearOutside(_ scratch: UnsafeMutablePointer<Float>) {
            scratch.update(repeating: 0, count: slabOffset)
        }

        func pixelPlane(
            _ place: Int, _ scratch: UnsafeMutablePointer<Float>
        ) -> UnsafeMutablePointer<Element> {
            (scratch + pixelOffset).narrowed(to: Element.self) + place * pixelStride
        }

        func gradientPlane(
            _ place: Int, _ scratch: UnsafeMutablePointer<Float>
        ) -> UnsafeMutablePointer<Element> {
            (scratch + gradientOffset).narrowed(to: Element.self) + place * gradientStride
        }

        func productPlane(
            _ place: Int, _ scratch: UnsafeMutablePointer<Float>
        ) -> UnsafeMutablePointer<Float> {
            scratch + productOffset + place * productStride
        }

        func kernelPlane(
            _ place: Int, _ scratch: UnsafeMutablePointer<Float>
        ) -> UnsafeMutablePointer<Float> {
            scratch + kernelOffset + place * kernelStride
        }

        /// The raw outputs of a chunk.
        ///
        /// - Parameter product: Multiplies the tiles by the kernel at a place: `(place, pixels,
        ///   products, tiles)`.
        func outputs(
            of outputRows: Range<Int>, image: Int, input: Activation<Element>,
            into result: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>,
            product: (
                Int, UnsafeMutablePointer<Element>, UnsafeMutablePointer<Float>, Int
            ) -> Void
        ) {
            transformPixels(of: outputRows, image: image, input: input, scratch: scratch)
            let count = tiles.count(of: outputRows)
            for place in 0..<Winograd.places {
                product(
                    place, pixelPlane(place, scratch), productPlane(place, scratch), count)
            }
            withTable(of: Float.self) { table in
                tiles.forEachTile(of: outputRows) { tile, row, column in
                    tiles.locate(
                        Winograd.tile, row: row, column: column, in: result, rows: outputRows,
                        width: tiles.output.width, channels: outputChannels,
                        outside: scratch + lostOffset, into: table)
                    Winograd.outputs(
                        ofProducts: productPlane(0, scratch) + tile * outputChannels,
                        plane: productStride, channels: outputChannels, into: table)
                }
            }
        }

        /// Transforms the pixels that a chunk's tiles read, with the input's norm and ReLU applied.
        func transformPixels(
            of outputRows: Range<Int>, image: Int, input activation: Activation<Element>,
            scratch: UnsafeMutablePointer<Float>
        ) {
            let (input, geometry) = (tiles.input, tiles.geometry)
            let rows = geometry.inputRows(of: outputRows, inputHeight: input.height)
            let first = (image * input.height + rows.lowerBound) * input.width
            let slab = activation.operand(
                first..<(first + rows.count * input.width), scratch: scratch + slabOffset)
            activation.raw.fetchAhead(after: first..<(first + rows.count * input.width))
            withTable(of: Element.self) { table in
                tiles.forEachTile(of: outputRows) { tile, row, column in
                    tiles.locate(
                        Winograd.span, row: row + geometry.offset,
                        column: column + geometry.offset, in: slab, rows: rows,
                        width: input.width, channels: inputChannels,
                        outside: scratch.narrowed(to: Element.self), into: table)
                    Winograd.transformPixels(
                        table, channels: inputChannels,
                        into: pixelPlane(0, scratch) + tile * inputChannels, plane: pixelStride)
                }
            }
        }

        /// Transforms the gradients of a chunk's outputs.
        func transformGradients(
            _ gradients: UnsafeMutablePointer<Element>, of outputRows: Range<Int>,
            scratch: UnsafeMutablePointer<Float>
        ) {
            withTable(of: Element.self) { table in
                tiles.forEachTile(of: outputRows) { tile, row, column in
                    tiles.locate(
                        Winograd.tile, row: row, column: column, in: gradients, rows: outputRows,
                        width: tiles.output.width, channels: outputChannels,
                        outside: scratch.narrowed(to: Element.self), into: table)
                    Winograd.transformGradients(
                        table, channels: outputChannels,
                        into: gradientPlane(0, scratch) + tile * outputChannels,
                        plane: gradientStride)
                }
            }
        }

        /// Adds the gradients of the pixels that a chunk's tiles read to a window of input rows.
        func addPixelGradients(
            of outputRows: Range<Int>, to window: UnsafeMutablePointer<Float>, firstRow: Int,
            scratch: UnsafeMutablePointer<Float>
        ) {
            let (input, geometry) = (tiles.input, tiles.geometry)
            let end = geometry.inputRows(of: outputRows, inputHeight: input.height).upperBound
            withTable(of: Float.self) { table in
                tiles.forEachTile(of: outputRows) { tile, row, column in
                    tiles.locate(
                        Winograd.span, row: row + geometry.offset,
                        column: column + geometry.offset, in: window,
                        rows: firstRow..<max(firstRow, end), width: input.width,
                        channels: inputChannels, outside: scratch + lostOffset, into: table)
                    Winograd.addPixelGradients(
                        ofProducts: productPlane(0, scratch) + tile * inputChannels,
                        plane: productStride, channels: inputChannels, to: table)
                }
            }
        }

        /// Room for the places of a tile's locations.
        private func withTable<Value>(
            of type: Value.Type,
            _ body: (UnsafeMutablePointer<UnsafeMutablePointer<Value>>) -> Void
        ) {
            withUnsafeTemporaryAllocation(
                of: UnsafeMutablePointer<Value>.self, capacity: Winograd.places
            ) { buffer in
                if let table = buffer.baseAddress { body(table) }
            }
        }
    }
}
