import Collectives
import Foundation
import Layers
import Models
import Tensors

/// How fast depthwise convolutions go through memory, beside a plain copy: they compute little.
public struct DepthwiseBenchmark: Sendable {
    /// A layer: the input's side and channels, the kernel's side and stride.
    struct Size: Sendable {
        let side: Int
        let channels: Int
        let kernel: Int
        let stride: Int
    }

    /// What was measured of a layer, in 10⁹ bytes of its arrays in a second.
    struct Rate: Sendable {
        let size: Size
        let forward: Double
        let backward: Double
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
        let copy = try copyRate()
        let rates = try Self.layers.map { try rate($0, type) }
        if json {
            var line = JSONLine()
            line.add("copyGigabytesPerSecond", copy)
            line.add("ranks", communicator.size)
            line.add("threads", pool.threadCount)
            line.add("precision", precision.rawValue)
            line.add(
                "sizes",
                objects: rates.map { rate in
                    var object = JSONLine()
                    object.add("side", rate.size.side)
                    object.add("channels", rate.size.channels)
                    object.add("kernel", rate.size.kernel)
                    object.add("stride", rate.size.stride)
                    object.add("forwardGigabytesPerSecond", rate.forward)
                    object.add("backwardGigabytesPerSecond", rate.backward)
                    return object
                })
            return line.text
        }
        let head = String(
            format: "%@, %d ranks × %d threads: a copy moves %.1f GB/s\n", precision.rawValue,
            communicator.size, pool.threadCount, copy)
        return head + "  side channels kernel stride  forward GB/s of a copy  backward GB/s\n"
            + rates.map {
                String(
                    format: "%6d %8d %6d %6d %13.1f %8.0f%% %9.1f %7.0f%%", $0.size.side,
                    $0.size.channels, $0.size.kernel, $0.size.stride, $0.forward,
                    100 * $0.forward / copy, $0.backward, 100 * $0.backward / copy)
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
        return try rate(byteCount: 2 * Self.byteCount) {
            pool.runRanges(count) { range in
                (target.pointer + range.lowerBound).update(
                    from: source.pointer + range.lowerBound, count: range.count)
            }
        }
    }

    /// The best of a few runs.
    private func rate(byteCount: Int, _ body: () -> Void) throws -> Double {
        var best = Double.infinity
        for _ in 0..<6 {
            try communicator.barrier()
            let (_, seconds) = Stopwatch.time(body)
            best = min(best, seconds)
        }
        return Double(byteCount * communicator.size) / best * 1e-9
    }

    private func rate<Element: StorageElement>(
        _ size: Size, _: Element.Type
    ) throws -> Rate {
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
        let forward = try rate(byteCount: read + written) {
            layer.forward(Activation(rectifying: input), into: output, pass: pass)
        }
        // Input and output gradient are read, the input's is written, masked by the input.
        let backward = try rate(byteCount: 3 * read + written) {
            layer.backward(
                output, input: Activation(rectifying: input),
                sink: GradientSink(gradient, mask: Activation(rectifying: input)), pass: pass)
        }
        return Rate(size: size, forward: forward, backward: backward)
    }
}
