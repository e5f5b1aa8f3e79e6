import Foundation
import Terminal

/// How fast the model went through its images, and where.
struct Speed: Sendable {
    let stage: String
    /// Images of all ranks.
    let batch: Int
    let ranks: Int
    /// The threads of each rank.
    let threads: Int
    let precision: String
    let library: String
    /// The seconds of each repetition, on this rank's clock.
    let seconds: [Double]
    /// The seconds that all threads of this rank had a core, in the median repetition.
    let cpuSeconds: Double
    /// Nominal: what the layers' definitions ask for.
    let gigaflopsPerImage: Double
    /// The rate of all threads and ranks multiplying large matrices.
    let peakGigaflops: Double
    /// The most memory that this rank's process had.
    let peakMemoryBytes: Int

    private var imagesPerSecond: Double { Double(batch) / seconds.median }
    private var gigaflopsPerSecond: Double { imagesPerSecond * gigaflopsPerImage }

    /// What it is, for JSON.
    var line: JSONLine {
        [
            "stage": stage, "batch": batch, "ranks": ranks, "threads": threads,
            "precision": precision, "library": library, "imagesPerSecond": imagesPerSecond,
            "bestImagesPerSecond": Double(batch) / (seconds.min() ?? 0),
            "gflopsPerSecond": gigaflopsPerSecond, "sgemmPeakGflops": peakGigaflops,
            "fractionOfPeak": gigaflopsPerSecond / peakGigaflops,
            "peakMemoryBytes": peakMemoryBytes, "stepSeconds": seconds.median,
            "cpuSeconds": cpuSeconds, "steps": seconds.count,
        ]
    }

    /// The first lines for a person.
    ///
    /// - Parameter unit: What was timed, for example "a step".
    func head(_ name: String, unit: String) -> String {
        String(
            format: """
                %@, batch %d, %d ranks × %d threads, %@, %@
                %.3f s %@ (median of %d), %.2f images/s
                %.1f GFLOP/s of %.1f that large matrix products reach: %.0f %%
                """,
            name, batch, ranks, threads, precision, library, seconds.median, unit, seconds.count,
            imagesPerSecond, gigaflopsPerSecond, peakGigaflops,
            100 * gigaflopsPerSecond / peakGigaflops)
    }

    /// The last line for a person.
    var tail: String {
        String(format: "%.2f GB of memory at most", Double(peakMemoryBytes) * 1e-9)
    }
}

extension [Double] {
    /// The middle element, of an even number the mean of the two; 0 of none.
    var median: Double {
        guard !isEmpty else { return 0 }
        let sorted = sorted()
        return (sorted[(count - 1) / 2] + sorted[count / 2]) / 2
    }
}
