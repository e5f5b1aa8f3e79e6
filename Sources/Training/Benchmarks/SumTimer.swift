import Collectives
import Foundation
import Tensors
import Terminal

/// Times a sum of one length over all ranks; a time is that of the slowest rank.
final class SumTimer {
    private let communicator: any Communicator
    private let byteCount: Int
    private let arena = Arena()
    private let vector: Tensor<Float>
    private let matrices: Tensor<Float>
    private let result: Tensor<Float>

    /// Rows and columns of the matrices whose product is the work beside a sum: some 50 µs.
    private static let side = 128

    init(byteCount: Int, communicator: any Communicator) {
        (self.byteCount, self.communicator) = (byteCount, communicator)
        vector = Tensor(vector: max(1, byteCount / MemoryLayout<Float>.stride), in: arena)
        matrices = Tensor(vector: Self.side * Self.side, in: arena)
        result = Tensor(vector: Self.side * Self.side, in: arena)
        arena.commit()
        MatrixMultiply.useOneThread()
    }

    /// The seconds of each repetition, with nothing else going on.
    func alone(repeats: Int) throws -> [Double] {
        // The first one also makes the connection.
        try (0...repeats).map { _ in try timed { try communicator.sum(vector.buffer) } }.dropFirst()
            .map { $0 }
    }

    /// The part of a sum that goes on beside products which take as long as the sum does:
    /// (sum + products − both at once) / sum.
    ///
    /// Source: Intel MPI Benchmarks, overlap of nonblocking collectives.
    func hiddenShare(of sumSeconds: Double, repeats: Int) throws -> Double {
        var count = 1
        let (_, unit) = Stopwatch.time { multiply(100) }
        count = max(1, Int(sumSeconds / (unit / 100)))
        var shares: [Double] = []
        for _ in 0..<repeats {
            let sum = try timed { try communicator.sum(vector.buffer) }
            let work = try timed(checks: false) { multiply(count) }
            let both = try timed {
                communicator.beginSum(vector.buffer)
                multiply(count)
                _ = try communicator.finishSums()
            }
            shares.append((sum + work - both) / min(sum, work))
        }
        return min(1, max(0, shares.median))
    }

    private func multiply(_ count: Int) {
        let matrix = Matrix(matrices.pointer, stride: Self.side)
        for _ in 0..<count {
            MatrixMultiply.product(
                matrix, matrix, into: Matrix(result.pointer, stride: Self.side),
                rows: Self.side, columns: Self.side, inner: Self.side)
        }
    }

    /// The slowest rank's time for `body`, which sums the vector once.
    private func timed(checks: Bool = true, _ body: () throws -> Void) throws -> Double {
        let values = vector.buffer
        values.update(repeating: Float(communicator.rank + 1))
        try communicator.barrier()
        let (_, elapsed) = try Stopwatch.time(body)
        let expected = Float(communicator.size * (communicator.size + 1) / 2)
        guard !checks || values.allSatisfy({ $0 == expected }) else {
            throw RequestError("bench: a sum of \(byteCount) bytes came to a wrong result")
        }
        return try communicator.slowest(elapsed)
    }
}

extension Tensor where Element == Float {
    /// All its numbers.
    fileprivate var buffer: UnsafeMutableBufferPointer<Float> {
        UnsafeMutableBufferPointer(start: pointer, count: shape.count)
    }
}

extension Communicator {
    /// The largest of all ranks' numbers, on every rank.
    func slowest(_ seconds: Double) throws -> Double {
        try gather([seconds]).joined().max() ?? seconds
    }
}
