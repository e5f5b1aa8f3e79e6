import Collectives
import Foundation
import Host
import Layers
import Models
import Tensors
import Terminal

/// How fast depthwise convolutions go through memory, beside a plain copy, and how near they come
/// to what bounds them: to move their arrays at the copy's rate, or to multiply at the rate of
/// large products in single precision, in which they compute, whichever takes longer.
public struct DepthwiseBenchmark: Sendable {
    /// A layer: the input's side and channels, the kernel's side and stride.
    struct Size: Sendable {
        let side: Int
        let channels: Int
        let kernel: Int
        let stride: Int
    }

    /// What was measured of a pass of a layer.
    struct Rate: Sendable {
        /// The bytes of its arrays, read and written once.
        let bytes: Int
        /// Multiplications of pixels that exist.
        let products: Int
        let seconds: Double

        /// 10⁹ bytes in a second.
        var gigabytes: Double { Double(bytes) / seconds * 1e-9 }

        /// The part of the bound that is reached, and whether multiplying is the bound.
        func bound(copy: Double, products rate: Double) -> (part: Double, multiplies: Bool) {
            let moving = Double(bytes) / copy * 1e-9
            let multiplying = Double(products) / rate * 1e-9
            return (max(moving, multiplying) / seconds, multiplying > moving)
        }
    }

    /// Layers of NASNet-A Large on patches of 113 pixels.
    static let layers = [
        (56, 42, 5, 2), (28, 84, 7, 2), (14, 168, 3, 1), (14, 168, 5, 1), (14, 336, 7, 2),
        (7, 336, 3, 1), (7, 336, 5, 1), (4, 672, 5, 1),
    ].map { Size(side: $0.0, channels: $0.1, kernel: $0.2, stride: $0.3) }

    private let pool: ThreadPool
    private let precision: Precision
    private let communicator: any Communicator

    /// Measures with `threadCount` threads on every rank at once.
    public init(threadCount: Int?, precision: Precision, communicator: any Communicator) {
        pool = ThreadPool(threadCount: threadCount ?? Cores.share(ofRanks: communicator.size))
        (self.precision, self.communicator) = (precision, communicator)
    }

    /// The rates as a table or one JSON object.
    public func report(json: Bool) throws -> String {
        switch precision {
        case .float32: try report(Float.self, json: json)
        case .bfloat16: try report(BFloat16.self, json: json)
        }
    }

    private func report<Element: StorageElement>(
        _ type: Element.Type, json: Bool
    ) throws -> String {
        let products =
            try MatrixBenchmark(
                threadCount: pool.threadCount, precision: .float32, communicator: communicator
            ).peakRate() / 2
        let layers = try Self.layers.map { size in
            // The copy's rate of the same minute: others may use the machine.
            (size: size, copy: try copyRate(), rates: try rates(size, type))
        }
        if json {
            let sizes = layers.map { layer in
                zip(["forward", "backward"], layer.rates).reduce(
                    [
                        "side": layer.size.side, "channels": layer.size.channels,
                        "kernel": layer.size.kernel, "stride": layer.size.stride,
                        "copyGigabytesPerSecond": layer.copy,
                    ] as JSONLine
                ) { line, pass in
                    let bound = pass.1.bound(copy: layer.copy, products: products)
                    return line + [
                        "\(pass.0)GigabytesPerSecond": pass.1.gigabytes,
                        "\(pass.0)PartOfBound": bound.part,
                        "\(pass.0)Bound": bound.multiplies ? "products" : "memory",
                    ]
                }
            }
            let line: JSONLine = [
                "copyGigabytesPerSecond": layers.map(\.copy).max() ?? 0,
                "gigaproductsPerSecond": products, "ranks": communicator.size,
                "threads": pool.threadCount, "precision": precision.rawValue, "sizes": sizes,
            ]
            return line.json
        }
        let head = String(
            format: "%@, %d ranks × %d threads, beside a copy of the same time; large products "
                + "multiply %.0f·10⁹ in a second\n",
            precision.rawValue, communicator.size, pool.threadCount, products)
        return head
            + "  side channels kernel stride  forward GB/s of a copy   of the bound"
            + "  backward GB/s of a copy   of the bound\n"
            + layers.map { layer in
                let passes = layer.rates.map { rate in
                    let bound = rate.bound(copy: layer.copy, products: products)
                    return String(
                        format: "%14.1f %8.0f%% %5.0f%% %@", rate.gigabytes,
                        100 * rate.gigabytes / layer.copy, 100 * bound.part,
                        bound.multiplies ? "products" : "  memory")
                }
                return String(
                    format: "%6d %8d %6d %6d", layer.size.side, layer.size.channels,
                    layer.size.kernel, layer.size.stride) + passes.joined(separator: " ")
            }.joined(separator: "\n")
    }

    /// Arrays that no cache holds, in bytes.
    private static let byteCount = 48 << 20

    /// Bytes read and written by a copy, 10⁹ in a second of all ranks together.
    private func copyRate() throws -> Double {
        let arena = Arena()
        let count = Self.byteCount / MemoryLayout<Float>.stride
        let (source, target) = (
            Tensor<Float>(vector: count, in: arena), Tensor<Float>(vector: count, in: arena)
        )
        arena.commit()
        let seconds = try seconds {
            pool.runRanges(count) { range in
                (target.pointer + range.lowerBound).update(
                    from: source.pointer + range.lowerBound, count: range.count)
            }
        }
        return Double(2 * Self.byteCount * communicator.size) / seconds * 1e-9
    }

    /// The best of some runs: others may use the machine.
    private func seconds(_ body: () -> Void) throws -> Double {
        var best = Double.infinity
        for _ in 0..<24 {
            try communicator.barrier()
            let (_, seconds) = Stopwatch.time(body)
            best = min(best, seconds)
        }
        return best
    }

    /// Forward and backward pass.
    private func rates<Element: StorageElement>(
        _ size: Size, _: Element.Type
    ) throws -> [Rate] {
        let imageBytes = size.side * size.side * size.channels * MemoryLayout<Element>.stride
        let images = max(8, Self.byteCount / imageBytes / 8 * 8)
        var layout = ParameterLayout()
        let layer = DepthwiseConvolution<Element>(
            "layer", channels: size.channels,
            padding: SamePadding(kernel: size.kernel, stride: size.stride), layout: &layout)
        let shape = Shape(images, size.side, size.side, size.channels)
        let workspace = Workspace(
            imageCapacity: images, shardCapacity: images / 8, keepsActivations: true)
        layer.plan(input: shape, in: workspace)
        let input = Tensor<Element>(shape, in: workspace.arena)
        let output = Tensor<Element>(layer.outputShape(shape), in: workspace.arena)
        let gradient = Tensor<Element>(shape, in: workspace.arena)
        workspace.commit(threadCount: pool.threadCount)
        workspace.allocate()
        for index in 0..<shape.count {
            input.pointer[index] = Element(narrowing: Float(index % 97) / 97)
        }
        let pass = Pass(
            pool: pool, reducer: NoRanks(), store: ParameterStore(layout: layout, seed: 1),
            workspace: workspace,
            shards: (0..<(images / 8)).map { ($0 * 8)..<($0 * 8 + 8) }, globalImageCount: images)
        let (read, written) = (
            shape.count * MemoryLayout<Element>.stride,
            output.shape.count * MemoryLayout<Element>.stride
        )
        let forward = try seconds {
            layer.forward(Activation(rectifying: input), into: output, pass: pass)
        }
        let backward = try seconds {
            layer.backward(
                output, input: Activation(rectifying: input),
                sink: GradientSink(gradient, mask: Activation(rectifying: input)), pass: pass)
        }
        let along = (0..<output.shape.width).reduce(0) {
            $0 + layer.padding.pixelCount($1, inputSize: size.side)
        }
        let products = along * along * size.channels * images * communicator.size
        // Input and output gradient are read, the input's is written; the mask is the input.
        return [
            Rate(bytes: (read + written) * communicator.size, products: products, seconds: forward),
            Rate(
                bytes: (2 * read + written) * communicator.size, products: 2 * products,
                seconds: backward),
        ]
    }
}
