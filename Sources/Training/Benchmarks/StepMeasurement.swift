import Foundation
import Terminal

/// What a step benchmark found.
public struct StepMeasurement: Sendable {
    let speed: Speed
    /// The times of each step.
    let timings: [StepTiming]
    let waits: [RankWaits]

    private var gradientWait: Double { waits.map(\.gradientSeconds).median }
    private var normWait: Double { waits.map(\.normSeconds).median }
    private var imbalance: Double { waits.map(\.imbalanceSeconds).median }
    private var communicationWait: Double { waits.map(\.seconds).median }
    private var hidden: Double { timings.map(\.communication.hiddenSeconds).median }
    private var dataWait: Double { timings.map(\.dataWaitSeconds).median }

    /// One JSON object on one line.
    public var json: String {
        let waits: JSONLine = [
            "allReduceSeconds": gradientWait, "communicationWaitSeconds": communicationWait,
            "imbalanceSeconds": imbalance, "communicationHiddenSeconds": hidden,
            "dataWaitSeconds": dataWait,
        ]
        return (speed.line + waits).json
    }

    /// A few lines for a person.
    public var description: String {
        let step = speed.seconds.median
        let ranks = String(
            format: """
                a step waits %.1f ms for other ranks (%.1f %%): %.1f ms for a rank that comes \
                later to a sum of norms or losses, %.1f ms for these sums, %.1f ms for gradients, \
                of whose sum %.1f ms lie beside the backward pass
                """,
            1000 * communicationWait, 100 * communicationWait / step, 1000 * imbalance,
            1000 * (normWait - imbalance), 1000 * gradientWait, 1000 * hidden)
        let images = String(
            format: "a step waits %.1f ms for images (%.1f %%)", 1000 * dataWait,
            100 * dataWait / step)
        let waits = speed.ranks > 1 ? [ranks, images] : [images]
        return ([speed.head("stage \(speed.stage)", unit: "a step")] + waits + [speed.tail])
            .joined(separator: "\n")
    }
}
