import Testing

@testable import Tensors

/// Sums over windows and their products with vectors of 8 and 16 lanes, where the processor has
/// them: the bits are those of one chain of fused multiplications and additions for each number.
@Suite struct WindowWidthTests {
    private static let (height, width) = (6, 17)

    private static func numbers(_ count: Int, _ stream: UInt64) -> [Float] {
        var random = CounterRandom(seed: 3, purpose: .scene, stream: stream)
        return (0..<count).map { _ in Float(random.uniform() - 0.4) }
    }

    private struct Results: Equatable {
        var sums: [UInt32] = []
        var products: [UInt32] = []
    }

    /// A layer on one image of which rows, and columns on both sides, lie beyond the border.
    private struct Layer<Element: StorageElement> {
        let kernel: Int
        let stride: Int
        let channels: Int
        let pixels: [Element]
        let weights: [Float]
        let gradient: [Element]

        var output: (height: Int, width: Int) {
            ((height + stride - 1) / stride, (width + stride - 1) / stride)
        }
        private var margin: Int { kernel / 2 }
        private var blocks: Int { DepthwiseKernels.blockCount(channels) }

        init(kernel: Int, stride: Int, channels: Int) {
            (self.kernel, self.stride, self.channels) = (kernel, stride, channels)
            pixels = numbers(height * width * channels, 1).map(Element.init(narrowing:))
            weights = numbers(kernel * kernel * max(16, channels), 2)
            let count = (height + stride - 1) / stride * ((width + stride - 1) / stride) * channels
            gradient = numbers(count, 3).map(Element.init(narrowing:))
        }

        func run(lanes: Int32) -> Results {
            let length = ((output.width - 1) * stride + kernel) * 16
            let rows = (output.height - 1) * stride + kernel
            var tile = [SIMD16<Float>](repeating: .zero, count: rows * length / 16)
            var sums = [Element](repeating: Element(narrowing: 0), count: gradient.count)
            var products = [Float](repeating: 0, count: blocks * kernel * kernel * 16)
            let windows = DepthwiseKernels.Windows(
                rows: output.height, columns: output.width, stride: stride, height: kernel,
                width: kernel, result: .init(row: output.width))
            let step = max(16, channels)
            tile.withUnsafeMutableBytes { tile in
                guard let floats = tile.bindMemory(to: Float.self).baseAddress else { return }
                func place(_ rows: Int) -> DepthwiseKernels.Tile {
                    DepthwiseKernels.Tile(
                        floats, rows: rows, rowLength: length, firstRow: -margin, margin: margin)
                }
                pixels.withUnsafeBufferPointer { pixels in
                    guard let first = pixels.baseAddress else { return }
                    let image = DepthwiseKernels.Pixels(
                        first, of: Shape(1, height, width, channels), rectify: true)
                    weights.withUnsafeBufferPointer { weights in
                        guard let weights = weights.baseAddress else { return }
                        DepthwiseKernels.sum(
                            image, tile: place(kernel),
                            [(windows, .init(weights, row: kernel * step, column: step))],
                            into: &sums, factors: nil, ahead: .init(), lanes: lanes)
                    }
                    floats.update(repeating: 0, count: rows * length)
                    DepthwiseKernels.addProducts(
                        image, tile: place(rows), windows, gradient: gradient, to: &products,
                        ahead: .init(), lanes: lanes)
                }
            }
            return Results(
                sums: sums.map(\.widened.bitPattern), products: products.map(\.bitPattern))
        }

        /// The same number by number.
        func chains() -> Results {
            var results = Results()
            func pixel(_ i: Int, _ j: Int, _ u: Int, _ v: Int, _ channel: Int) -> Float? {
                let (y, x) = (i * stride + u - margin, j * stride + v - margin)
                guard (0..<height).contains(y) else { return nil }
                guard (0..<width).contains(x) else { return 0 }
                return max(0, pixels[(y * width + x) * channels + channel].widened)
            }
            let step = max(16, channels)
            for i in 0..<output.height {
                for j in 0..<output.width {
                    for channel in 0..<channels {
                        var sum: Float = 0
                        for u in 0..<kernel {
                            for v in 0..<kernel {
                                guard let value = pixel(i, j, u, v, channel) else { continue }
                                sum.addProduct(weights[(u * kernel + v) * step + channel], value)
                            }
                        }
                        results.sums.append(Element(narrowing: sum).widened.bitPattern)
                    }
                }
            }
            for block in 0..<blocks {
                let first = DepthwiseKernels.firstChannel(ofBlock: block, of: channels)
                for tap in 0..<(kernel * kernel) {
                    for lane in 0..<16 {
                        var sum: Float = 0
                        let channel = first + lane
                        for place in 0..<(channel < channels ? output.height * output.width : 0) {
                            let (i, j) = place.quotientAndRemainder(dividingBy: output.width)
                            let (u, v) = tap.quotientAndRemainder(dividingBy: kernel)
                            sum.addProduct(
                                gradient[place * channels + channel].widened,
                                pixel(i, j, u, v, channel) ?? 0)
                        }
                        results.products.append(sum.bitPattern)
                    }
                }
            }
            return results
        }
    }

    private func check<Element: StorageElement>(
        _ type: Element.Type, kernel: Int, stride: Int, channels: Int
    ) {
        let layer = Layer<Element>(kernel: kernel, stride: stride, channels: channels)
        let expected = layer.chains()
        for lanes in Set([DepthwiseKernels.lanes, min(8, DepthwiseKernels.lanes)]) {
            let found = layer.run(lanes: lanes)
            #expect(found.sums == expected.sums, "\(lanes) lanes")
            #expect(found.products == expected.products, "\(lanes) lanes")
        }
    }

    @Test(arguments: [3, 5, 7], [1, 2]) func bitsAreThoseOfChains(kernel: Int, stride: Int) {
        for channels in [5, 16, 42] {
            check(Float.self, kernel: kernel, stride: stride, channels: channels)
            check(BFloat16.self, kernel: kernel, stride: stride, channels: channels)
        }
    }
}
