import Foundation

/// What a step benchmark found.
public struct StepMeasurement: Sendable {
    let stage: String
    /// Images of all ranks.
    let batch: Int
    let ranks: Int
    /// Of each rank.
    let threads: Int
    let precision: String
    /// Of each step.
    let timings: [StepTiming]
    let waits: [RankWaits]
    /// Of all threads of this rank on a core, in the median step.
    let cpuSeconds: Double
    /// Nominal: what the layers' definitions ask for.
    let gigaflopsPerImage: Double
    /// Of all threads and ranks multiplying large matrices.
    let peakGigaflops: Double
    /// Of this rank's process.
    let peakMemoryBytes: Int
    let library: String

    private var seconds: [Double] { timings.map(\.seconds) }
    private func median(_ part: (StepTiming) -> Double) -> Double { timings.map(part).median }
    private var gradientWait: Double { waits.map(\.gradientSeconds).median }
    private var normWait: Double { waits.map(\.normSeconds).median }
    private var imbalance: Double { waits.map(\.imbalanceSeconds).median }
    private var communicationWait: Double { waits.map(\.seconds).median }
    private var hidden: Double { median { $0.communication.hiddenSeconds } }
    private var dataWait: Double { median(\.dataWaitSeconds) }

    var imagesPerSecond: Double { Double(batch) / seconds.median }
    var gigaflopsPerSecond: Double { imagesPerSecond * gigaflopsPerImage }

    /// One JSON object on one line.
    public var json: String {
        var line = JSONLine()
        line.add("stage", stage)
        line.add("batch", batch)
        line.add("ranks", ranks)
        line.add("threads", threads)
        line.add("precision", precision)
        line.add("imagesPerSecond", imagesPerSecond)
        line.add("bestImagesPerSecond", Double(batch) / (seconds.min() ?? 0))
        line.add("gflopsPerSecond", gigaflopsPerSecond)
        line.add("sgemmPeakGflops", peakGigaflops)
        line.add("fractionOfPeak", gigaflopsPerSecond / peakGigaflops)
        line.add("peakMemoryBytes", peakMemoryBytes)
        line.add("stepSeconds", seconds.median)
        line.add("cpuSeconds", cpuSeconds)
        line.add("allReduceSeconds", gradientWait)
        line.add("communicationWaitSeconds", communicationWait)
        line.add("imbalanceSeconds", imbalance)
        line.add("communicationHiddenSeconds", hidden)
        line.add("dataWaitSeconds", dataWait)
        line.add("steps", seconds.count)
        line.add("library", library)
        return line.text
    }

    /// A few lines for a person.
    public var description: String {
        String(
            format: """
                stage %@, batch %d, %d ranks × %d threads, %@, %@
                %.3f s a step (median of %d), %.2f images/s
                %.1f GFLOP/s of %.1f that large matrix products reach: %.0f %%
                a step waits %.1f ms for other ranks (%.1f %%): %.1f ms for a rank that comes later to a sum \
                of norms or losses, %.1f ms for these sums, %.1f ms for gradients, of whose sum %.1f ms \
                lie beside the backward pass
                a step waits %.1f ms for images (%.1f %%)
                %.2f GB of memory at most
                """,
            stage, batch, ranks, threads, precision, library, seconds.median, seconds.count,
            imagesPerSecond, gigaflopsPerSecond, peakGigaflops,
            100 * gigaflopsPerSecond / peakGigaflops, 1000 * communicationWait,
            100 * communicationWait / seconds.median, 1000 * imbalance,
            1000 * (normWait - imbalance), 1000 * gradientWait, 1000 * hidden, 1000 * dataWait,
            100 * dataWait / seconds.median,
            Double(peakMemoryBytes) * 1e-9)
    }
}
