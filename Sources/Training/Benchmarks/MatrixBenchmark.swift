import Collectives
import Foundation
import Host
import Models
import Tensors
import Terminal

/// How fast the matrix library multiplies here: the rate that a step is measured against.
public struct MatrixBenchmark: Sendable {
    /// One product: result `[rows, columns]` over `inner`.
    struct Size: Sendable {
        let rows: Int
        let columns: Int
        let inner: Int
    }

    /// A size and its rate.
    struct Rate: Sendable {
        let size: Size
        /// 10⁹ operations per second of all threads and ranks together.
        let gigaflops: Double
    }

    /// A product large enough to show the processor's practical peak.
    static let peak = Size(rows: 2888, columns: 512, inner: 1024)
    /// What the layers of the paper's network multiply, on a chunk of rows.
    static let layers = [
        (64, 64), (576, 64), (64, 256), (256, 64), (256, 128), (1152, 128), (128, 512),
        (512, 256), (2304, 256), (256, 1024), (1024, 512), (4608, 512), (512, 2048), (2048, 512),
        (512, 1001),
    ].map { Size(rows: 361, columns: $0.1, inner: $0.0) }

    private let threadCount: Int
    private let precision: Precision
    private let communicator: any Communicator

    /// Measures with `threadCount` threads on every rank at once.
    public init(threadCount: Int?, precision: Precision, communicator: any Communicator) {
        self.threadCount = threadCount ?? Cores.share(ofRanks: communicator.size)
        self.precision = precision
        self.communicator = communicator
        MatrixMultiply.useOneThread()
    }

    /// The rates of the peak's size and of the layers', as a table or one JSON object.
    public func report(json: Bool) throws -> String {
        let peak = try peakRate()
        let rates = try Self.layers.map { Rate(size: $0, gigaflops: try rate($0, seconds: 0.1)) }
        if json {
            let sizes = rates.map { rate -> JSONLine in
                [
                    "rows": rate.size.rows, "columns": rate.size.columns,
                    "inner": rate.size.inner, "gflopsPerSecond": rate.gigaflops,
                ]
            }
            let line: JSONLine = [
                "sgemmPeakGflops": peak, "ranks": communicator.size, "threads": threadCount,
                "precision": precision.rawValue, "library": MatrixMultiply.libraryDescription,
                "sizes": sizes,
            ]
            return line.json
        }
        let head = String(
            format: "%@, %@, %d ranks × %d threads: peak %.1f GFLOP/s\n",
            MatrixMultiply.libraryDescription, precision.rawValue, communicator.size,
            threadCount, peak)
        let title = "  rows  inner columns  GFLOP/s of peak\n"
        return head + title
            + rates.map {
                String(
                    format: "%6d %6d %7d %8.1f %6.0f%%", $0.size.rows, $0.size.inner,
                    $0.size.columns, $0.gigaflops, 100 * $0.gigaflops / peak)
            }.joined(separator: "\n")
    }

    /// The practical peak: the better library's rate of large products.
    func peakRate() throws -> Double {
        let rate = try rate(Self.peak)
        guard precision == .float32, MatrixMultiply.library != .openBLAS else { return rate }
        return max(rate, try self.rate(Self.peak, isPlain: true))
    }

    /// The rate of one size: every thread of every rank multiplies its own matrices.
    func rate(_ size: Size, seconds: Double = 0.3, isPlain: Bool = false) throws -> Double {
        let pool = ThreadPool(threadCount: threadCount)
        let arena = Arena()
        let rates = Tensor<Double>(vector: threadCount, in: arena)
        arena.commit()
        try communicator.barrier()
        pool.run(threadCount) { thread, _ in
            rates.pointer[thread] =
                switch precision {
                case .float32 where isPlain: Self.multiplyPlain(size, seconds: seconds)
                case .float32: Self.multiply(size, seconds: seconds, as: Float.self)
                case .bfloat16: Self.multiply(size, seconds: seconds, as: BFloat16.self)
                }
        }
        return try communicator.gather(rates.elements()).joined().reduce(0, +) * 1e-9
    }

    /// Operations per second of one thread, as the layers multiply.
    private static func multiply<Element: StorageElement>(
        _ size: Size, seconds: Double, as type: Element.Type
    ) -> Double {
        let arena = Arena()
        let left = Tensor<Element>(vector: size.rows * size.inner, in: arena)
        let right = Tensor<Float>(vector: size.inner * size.columns, in: arena)
        let storage = Tensor<UInt8>(
            vector: PackedMatrix<Element>.byteCount(inner: size.inner, columns: size.columns),
            in: arena)
        let result = Tensor<Float>(vector: size.rows * size.columns, in: arena)
        arena.commit()
        let packed = PackedMatrix<Element>(
            Matrix(right.pointer, stride: size.columns), inner: size.inner,
            columns: size.columns, into: storage.pointer)
        return best(size, seconds: seconds) {
            packed.product(left.pointer, into: result.pointer, rows: size.rows)
        }
    }

    /// Operations per second of one thread in OpenBLAS.
    private static func multiplyPlain(_ size: Size, seconds: Double) -> Double {
        let arena = Arena()
        let left = Tensor<Float>(vector: size.rows * size.inner, in: arena)
        let right = Tensor<Float>(vector: size.inner * size.columns, in: arena)
        let result = Tensor<Float>(vector: size.rows * size.columns, in: arena)
        arena.commit()
        return best(size, seconds: seconds) {
            MatrixMultiply.product(
                Matrix(left.pointer, stride: size.inner),
                Matrix(right.pointer, stride: size.columns),
                into: Matrix(result.pointer, stride: size.columns),
                rows: size.rows, columns: size.columns, inner: size.inner)
        }
    }

    /// The best of short runs: what the processor can do when nothing else disturbs it.
    private static func best(_ size: Size, seconds: Double, _ once: () -> Void) -> Double {
        once()
        let operations = 2 * Double(size.rows) * Double(size.columns) * Double(size.inner)
        var best = 0.0
        let start = Date()
        while Date().timeIntervalSince(start) < seconds {
            let repeats = max(1, Int(0.02 * 1e11 / operations))
            let (_, elapsed) = Stopwatch.time { for _ in 0..<repeats { once() } }
            best = max(best, operations * Double(repeats) / elapsed)
        }
        return best
    }
}
