import Collectives
import Evaluation
import Foundation
import Host
import Tensors
import Terminal

/// Measures a step on one rank and predicts it on many; under mpirun, compares the prediction for
/// these ranks with what they do.
public struct ScalingBenchmark {
    /// What the prediction is for.
    public struct Network: Sendable {
        /// The rate of each link, in each direction; empty: measured under mpirun, 10 and 100
        /// elsewhere.
        public let gigabitsPerSecond: [Double]
        /// Nil: measured under mpirun, 20 elsewhere.
        public let latencyMicroseconds: Double?
        /// Speeds of the nodes over this one's, repeated in turn; empty: all alike.
        public let speeds: [Double]

        /// Names links and nodes.
        public init(
            gigabitsPerSecond: [Double], latencyMicroseconds: Double?, speeds: [Double] = []
        ) {
            self.gigabitsPerSecond = gigabitsPerSecond
            self.latencyMicroseconds = latencyMicroseconds
            self.speeds = speeds
        }
    }

    private let alone: StepBenchmark
    private let together: StepBenchmark?
    private let communicator: any Communicator
    private let network: Network

    /// Plans the steps.
    ///
    /// - Parameters:
    ///   - batchSize: Images of each rank; nil: the stage's batch.
    ///   - threadCount: Of each rank; nil: its share of the cores.
    public init(
        configurationPath: String?, overrides: [String], stage: String, batchSize: Int?,
        threadCount: Int?, network: Network, communicator: any Communicator
    ) throws {
        let threads = threadCount ?? Cores.share(ofRanks: communicator.size)
        func step(_ images: Int?, _ ranks: any Communicator) throws -> StepBenchmark {
            try StepBenchmark(
                configurationPath: configurationPath, overrides: overrides, stage: stage,
                batchSize: images, threadCount: threads, communicator: ranks)
        }
        alone = try step(batchSize, SoloCommunicator())
        together =
            communicator.size > 1
            ? try step(alone.imageCount * communicator.size, communicator) : nil
        (self.communicator, self.network) = (communicator, network)
    }

    /// A table or one JSON object, the same on all ranks.
    public func report(stepCount: Int, json: Bool) throws -> String {
        guard let together else {
            return try prediction(stepCount: stepCount, json: json)
        }
        let check = try ScalingCheck(
            alone: alone, together: together, communicator: communicator, network: network,
            stepCount: stepCount)
        return json ? check.json : check.description
    }

    // MARK: - Prediction

    private func prediction(stepCount: Int, json: Bool) throws -> String {
        _ = try alone.time(number: 0)
        let timings = try (1...stepCount).map { try alone.time(number: $0) }
        let model = ScalingModel(
            timings, gradientByteCount: alone.gradientByteCount,
            addSecondsPerByte: Self.addSecondsPerByte(), speeds: network.speeds)
        let rates = network.gigabitsPerSecond.isEmpty ? [10, 100] : network.gigabitsPerSecond
        let latency = network.latencyMicroseconds ?? 20
        let counts = (1...10).map { 1 << $0 }
        let tables = rates.map { rate in
            let link = Link(gigabitsPerSecond: rate, latencyMicroseconds: latency)
            return (rate, counts.map { model.predict(ranks: $0, link: link) })
        }
        return json
            ? self.json(model, tables, latency) : text(model, tables, latency)
    }

    private func json(
        _ model: ScalingModel, _ tables: [(Double, [ScalingModel.Prediction])], _ latency: Double
    ) -> String {
        let links = tables.map { rate, predictions -> JSONLine in
            [
                "gigabitsPerSecond": rate, "latencyMicroseconds": latency,
                "nodes": predictions.map(\.line),
            ]
        }
        let line: JSONLine = [
            "stepSeconds": model.stepSeconds, "gradientBytes": model.gradientByteCount,
            "pieces": model.pieceCount, "normSums": model.normByteCounts.count,
            "normBytes": model.normByteCounts.reduce(0, +),
            "addSecondsPerByte": model.addSecondsPerByte,
            "unevenness": model.uneven.deviation, "links": links,
        ]
        return (alone.place + line).json
    }

    private func text(
        _ model: ScalingModel, _ tables: [(Double, [ScalingModel.Prediction])], _ latency: Double
    ) -> String {
        let head = String(
            format: """
                stage %@, %d images on each node, %d threads, %@: %.3f s a step on one node
                a step sums %.1f MB of gradients in pieces of 4 MiB (%d), and %d times %.1f kB for norms and losses
                the time from one sum to the next varies by %.1f %% (standard deviation over %d steps)
                predicted: seconds of the sums; a step on one node over a step on many (efficiency) where \
                gradients are summed after the backward pass, and beside it; seconds of a step that nodes wait \
                for the slowest at these sums, and the efficiency with that; with four sums taken for one; \
                with one a step
                """,
            alone.stageName, alone.imageCount, alone.threadCount, alone.precisionName,
            model.stepSeconds, 1e-6 * Double(model.gradientByteCount), model.pieceCount,
            model.normByteCounts.count,
            1e-3 * Double(model.normByteCounts.reduce(0, +))
                / Double(max(1, model.normByteCounts.count)),
            100 * model.uneven.deviation, model.times.count)
        let parts = tables.map { rate, predictions in
            String(format: "\n%g Gb/s, %g µs\n", rate, latency)
                + "  nodes  gradients      norms    after   beside      waits    with"
                + "  by four    once\n"
                + predictions.map {
                    String(
                        format: "%7d %8.3f s %8.4f s %7.1f%% %7.1f%% %8.3f s"
                            + " %6.1f%% %7.1f%% %6.1f%%",
                        $0.ranks, $0.gradientSeconds, $0.normSeconds, 100 * $0.afterEfficiency,
                        100 * $0.besideEfficiency, $0.waitSeconds, 100 * $0.efficiency(1),
                        100 * $0.efficiency(4), 100 * $0.efficiency(.max))
                }.joined(separator: "\n")
        }
        return ([head] + parts).joined(separator: "\n")
    }

    /// γ: how long adding one vector to another takes, for each byte of one; the best of ten.
    static func addSecondsPerByte() -> Double {
        let count = SumSize.pieceByteCount / 2 / MemoryLayout<Float>.stride
        let arena = Arena()
        let (target, source) = (
            Tensor<Float>(vector: count, in: arena),
            Tensor<Float>(
                vector: count, in: arena)
        )
        arena.commit()
        let (sum, part) = (target.pointer, source.pointer)
        let seconds = (0..<10).map { _ in
            Stopwatch.time { for index in 0..<count { sum[index] += part[index] } }.1
        }
        return (seconds.min() ?? 0) / Double(count * MemoryLayout<Float>.stride)
    }
}

extension ScalingModel {
    /// Takes medians over steps of one rank alone.
    init(
        _ timings: [StepTiming], gradientByteCount: Int, addSecondsPerByte: Double,
        speeds: [Double] = []
    ) {
        let slacks = timings.map(\.communication.slackSeconds)
        self.init(
            stepSeconds: timings.map(\.seconds).median, gradientByteCount: gradientByteCount,
            slackSeconds: (slacks.first ?? []).indices.map { piece in
                slacks.map { $0[piece] }.median
            },
            normByteCounts: timings.first?.communication.normSums.map(\.byteCount) ?? [],
            addSecondsPerByte: addSecondsPerByte,
            times: timings.map(\.communication.computeSeconds), speeds: speeds)
    }
}

extension ScalingModel.Prediction {
    fileprivate var line: JSONLine {
        [
            "nodes": ranks, "gradientSeconds": gradientSeconds, "normSeconds": normSeconds,
            "stepSecondsAfter": afterSeconds, "stepSecondsBeside": besideSeconds,
            "efficiencyAfter": afterEfficiency, "efficiencyBeside": besideEfficiency,
            "waitSeconds": waitSeconds, "efficiencyWithWaits": efficiency(1),
            "efficiencySumsByFour": efficiency(4), "efficiencyOneSum": efficiency(.max),
        ]
    }
}

extension StepBenchmark {
    /// What is measured, for JSON.
    var place: JSONLine {
        [
            "stage": stageName, "imagesPerNode": imageCount, "threads": threadCount,
            "precision": precisionName,
        ]
    }
}
