import Collectives
import Foundation
import Terminal

/// The prediction for the ranks that mpirun started, beside what they do.
///
/// All ranks take a step alone at the same time, so that what they share, cores and memory, is in
/// the step on one rank already. Latency and bandwidth come from sums of 1 KiB and of one piece,
/// unless they are given; what is predicted from them is everything else.
struct ScalingCheck {
    /// A quantity in seconds.
    struct Row {
        let name: String
        let text: String
        let predicted: Double
        let measured: Double
    }

    private let place: JSONLine
    private let ranks: Int
    private let link: Link
    private let model: ScalingModel
    private let coreShare: Double
    private let rows: [Row]

    init(
        alone: StepBenchmark, together: StepBenchmark, communicator: any Communicator,
        network: ScalingBenchmark.Network, stepCount: Int
    ) throws {
        var solo: [StepTiming] = []
        var (after, beside, norms): ([Double], [Double], [Double]) = ([], [], [])
        var (soloSeconds, gradients, later): ([Double], [Double], [Double]) = ([], [], [])
        let whole = SumTimer(byteCount: together.gradientByteCount, communicator: communicator)
        // In turn: the machine may be slower at one time than at another.
        for number in 0...stepCount {
            try communicator.barrier()
            let one = try alone.time(number: number)
            let soloSlowest = try communicator.slowest(one.seconds)
            let behind = try together.time(number: number, overlapsSums: false)
            let behindSlowest = try communicator.slowest(behind.seconds)
            let hidden = try communicator.slowest(together.time(number: number).seconds)
            let sum = try whole.alone(repeats: 1)
            guard number > 0 else { continue }
            solo.append(one)
            soloSeconds.append(soloSlowest)
            after.append(behindSlowest)
            beside.append(hidden)
            let waits = try RankWaits(behind.communication, communicator: communicator)
            norms.append(waits.normSeconds - waits.imbalanceSeconds)
            later.append(waits.imbalanceSeconds)
            gradients += sum
        }
        var model = ScalingModel(
            solo, gradientByteCount: together.gradientByteCount,
            addSecondsPerByte: ScalingBenchmark.addSecondsPerByte())
        model = ScalingModel(
            stepSeconds: soloSeconds.median, gradientByteCount: model.gradientByteCount,
            slackSeconds: model.slackSeconds, normByteCounts: model.normByteCounts,
            addSecondsPerByte: model.addSecondsPerByte,
            times: try Self.relativeTimes(solo, communicator: communicator),
            speeds: try Self.speeds(solo, communicator: communicator))
        let piece = SumTimer(byteCount: SumSize.pieceByteCount, communicator: communicator)
        let pieceSeconds = try piece.alone(repeats: 9).median
        let fitted = try model.link(
            ranks: communicator.size, smallByteCount: 1024,
            smallSeconds: SumTimer(byteCount: 1024, communicator: communicator)
                .alone(repeats: 99).median,
            pieceSeconds: pieceSeconds)
        link = Link(
            latency: network.latencyMicroseconds.map { $0 * 1e-6 } ?? fitted.latency,
            secondsPerByte: network.gigabitsPerSecond.first.map { 8e-9 / $0 }
                ?? fitted.secondsPerByte)
        coreShare = 1 - (try piece.hiddenShare(of: pieceSeconds, repeats: 9))
        let predicted = model.predict(
            ranks: communicator.size, link: link, coreShare: coreShare)
        rows = [
            Row(
                name: "gradientSeconds", text: "sum of all gradients",
                predicted: predicted.gradientSeconds, measured: gradients.median),
            Row(
                name: "normSeconds", text: "sums of norms and losses",
                predicted: predicted.normSeconds, measured: norms.median),
            Row(
                name: "laterRankSeconds", text: "waits for a later rank",
                predicted: predicted.waitSeconds, measured: later.median),
            Row(
                name: "stepSecondsAfter", text: "step, gradients summed after",
                predicted: predicted.afterSeconds, measured: after.median),
            Row(
                name: "stepSecondsBeside", text: "step, gradients summed beside",
                predicted: predicted.besideSeconds, measured: beside.median),
        ]
        (self.model, ranks, place) = (model, communicator.size, alone.place)
    }

    /// The times between sums of all ranks' steps, each rank's as if its median step took as long as
    /// the first rank's.
    private static func relativeTimes(
        _ timings: [StepTiming], communicator: any Communicator
    ) throws -> [[Double]] {
        let own = timings.map(\.communication.computeSeconds)
        let count = own.first?.count ?? 0
        let all = try communicator.gather(own.flatMap { $0 })
        func steps(_ times: [Double]) -> [[Double]] {
            stride(from: 0, to: times.count, by: max(1, count)).map {
                Array(times[$0..<min(times.count, $0 + count)])
            }
        }
        let first = steps(all.first ?? []).map { $0.reduce(0, +) }.median
        return all.flatMap { times in
            let rank = steps(times)
            let factor = first / max(1e-12, rank.map { $0.reduce(0, +) }.median)
            return rank.map { $0.map { $0 * factor } }
        }
    }

    /// The ranks' speeds over the first one's: how long their median steps took.
    private static func speeds(
        _ timings: [StepTiming], communicator: any Communicator
    ) throws -> [Double] {
        let own = timings.map { $0.communication.computeSeconds.reduce(0, +) }.median
        let all = try communicator.gather([own]).compactMap(\.first)
        return all.map { (all.first ?? 1) / max(1e-12, $0) }
    }

    /// One JSON object on one line.
    var json: String {
        let rows = rows.map { row -> JSONLine in
            [
                "name": row.name, "predictedSeconds": row.predicted,
                "measuredSeconds": row.measured,
            ]
        }
        let line: JSONLine = [
            "ranks": ranks, "stepSeconds": model.stepSeconds,
            "gigabitsPerSecond": link.gigabitsPerSecond,
            "latencyMicroseconds": 1e6 * link.latency,
            "addSecondsPerByte": model.addSecondsPerByte, "hiddenShare": 1 - coreShare,
            "rows": rows,
        ]
        return (place + line).json
    }

    /// A table for a person.
    var description: String {
        String(
            format: """
                %d ranks, each alone at the same time: %.4f s a step
                a link of %.3g Gb/s and %.3g µs; %.0f %% of a sum takes the core from computing

                                                  predicted    measured   predicted/measured

                """, ranks, model.stepSeconds, link.gigabitsPerSecond, 1e6 * link.latency,
            100 * coreShare)
            + rows.map {
                $0.text.padding(toLength: 32, withPad: " ", startingAt: 0)
                    + String(
                        format: "%9.4f s %9.4f s %12.2f", $0.predicted, $0.measured,
                        $0.predicted / max($0.measured, 1e-12))
            }.joined(separator: "\n")
    }
}

extension ScalingModel {
    /// The link for which two sums take as long as they were measured to.
    func link(
        ranks: Int, smallByteCount: Int, smallSeconds: Double, pieceSeconds: Double
    ) -> Link {
        // Both sums are linear in α and β.
        func cost(_ byteCount: Int) -> (base: Double, alpha: Double, beta: Double) {
            func seconds(_ latency: Double, _ secondsPerByte: Double) -> Double {
                sumSeconds(
                    byteCount, ranks: ranks,
                    link: Link(latency: latency, secondsPerByte: secondsPerByte))
            }
            let base = seconds(0, 0)
            return (base, seconds(1, 0) - base, seconds(0, 1) - base)
        }
        let (small, piece) = (cost(smallByteCount), cost(SumSize.pieceByteCount))
        let (first, second) = (smallSeconds - small.base, pieceSeconds - piece.base)
        let determinant = small.alpha * piece.beta - small.beta * piece.alpha
        return Link(
            latency: max(0, (first * piece.beta - small.beta * second) / determinant),
            secondsPerByte: max(
                1e-15, (small.alpha * second - piece.alpha * first) / determinant))
    }
}
