import Collectives
import Families
import Foundation
import Layers
import Models
import Terminal

/// Times sums over all ranks, by size, as training forms them: along the fixed tree.
public struct AllReduceBenchmark {
    /// A sum's size and how long it took.
    struct Timing: Sendable {
        let byteCount: Int
        /// The slowest rank's, of each repetition.
        let seconds: [Double]
        /// The part of it that goes on beside a computation as long as itself, without making that
        /// longer; nil for sums so short that training never forms them beside something else.
        let hiddenShare: Double?

        /// Bytes of the vector over the median time.
        var bandwidth: Double { Double(byteCount) / Swift.max(seconds.median, 1e-12) }

        /// What each rank sends and receives for it, by the least that any algorithm needs:
        /// 2·(n − 1)/n vectors.
        func busBandwidth(ranks: Int) -> Double {
            bandwidth * 2 * Double(ranks - 1) / Double(ranks)
        }
    }

    private let communicator: any Communicator
    private let gradientByteCount: Int
    private let stage: String
    private let repeats: Int

    /// Times vectors of 4 KiB to 64 MiB and one as long as a stage's gradients.
    ///
    /// - Parameter configurationPath: YAML; nil: the demonstration.
    public init(
        configurationPath: String?, overrides: [String], stage stageName: String, repeats: Int,
        communicator: any Communicator
    ) throws {
        let stages = try Trainer.stages(stageName)
        let configuration = try RunConfiguration.read(
            configurationPath.map { .file($0) } ?? .demonstration, overrides: overrides,
            for: stages)
        let trained = configuration.model(of: stages[0]).layout.parameters
            .filter { parameter in stages.contains { $0.trains(parameter) } }
        gradientByteCount = MemoryLayout<Float>.stride * trained.reduce(0) { $0 + $1.count }
        (stage, self.repeats, self.communicator) = (stageName, repeats, communicator)
    }

    /// A table or one JSON object, the same on all ranks.
    public func report(json: Bool) throws -> String {
        let sizes = (0...7).map { 4096 << (2 * $0) }.filter { $0 < gradientByteCount }
        let timings = try (sizes + [gradientByteCount]).map { try time(byteCount: $0) }
        let ranks = communicator.size
        if json {
            let sizes = timings.map { timing -> JSONLine in
                [
                    "bytes": timing.byteCount, "seconds": timing.seconds.median,
                    "bytesPerSecond": timing.bandwidth,
                    "busBytesPerSecond": timing.busBandwidth(ranks: ranks),
                    "hiddenShare": timing.hiddenShare,
                ]
            }
            let line: JSONLine = [
                "ranks": ranks, "stage": stage, "gradientBytes": gradientByteCount,
                "sizes": sizes,
            ]
            return line.json
        }
        let head =
            "\(ranks) ranks; the last line is as long as the gradients of stage \(stage)\n"
            + "       bytes        median       GB/s   bus GB/s   hidden\n"
        return head
            + timings.map {
                String(
                    format: "%12d %9.3f ms %10.2f %10.2f", $0.byteCount,
                    1e3 * $0.seconds.median, 1e-9 * $0.bandwidth,
                    1e-9 * $0.busBandwidth(ranks: ranks))
                    + ($0.hiddenShare.map { String(format: " %7.0f%%", 100 * $0) } ?? "")
            }.joined(separator: "\n")
    }

    private func time(byteCount: Int) throws -> Timing {
        let timer = SumTimer(byteCount: byteCount, communicator: communicator)
        let seconds = try timer.alone(repeats: repeats)
        guard byteCount >= SumSize.pieceByteCount && communicator.size > 1 else {
            return Timing(byteCount: byteCount, seconds: seconds, hiddenShare: nil)
        }
        return Timing(
            byteCount: byteCount, seconds: seconds,
            hiddenShare: try timer.hiddenShare(of: seconds.median, repeats: repeats))
    }
}
