import Layers
import Models

/// Top-1 accuracies on the development images after a step.
struct DevelopmentScore: Sendable {
    /// The accuracy of the model's weights.
    let accuracy: Double
    /// The accuracy of their moving average, where one is kept.
    let average: Double?

    /// Whether the average does better than the weights.
    var isAverageBetter: Bool { average.map { $0 > accuracy } ?? false }

    /// The better of both.
    var best: Double { max(accuracy, average ?? accuracy) }

    /// The score in words, for the line that tells of it.
    var text: String {
        let own = String(format: "development %.4f", accuracy)
        guard let average else { return own }
        return own
            + String(
                format: " (averaged weights %.4f%@)", average, isAverageBetter ? ", better" : "")
    }

    /// The fields of the log.
    var fields: [(String, MetricsValue)] {
        let own: [(String, MetricsValue)] = [("developmentAccuracy", .number(accuracy))]
        guard let average else { return own }
        return own + [
            ("emaDevelopmentAccuracy", .number(average)),
            ("betterWeights", .text(isAverageBetter ? "ema" : "model")),
        ]
    }
}

extension DevelopmentScorer {
    /// The scores of the model and, where one is kept, of its moving average; nil where there are no
    /// development images.
    func score(
        _ stage: Stage, average: WeightAverage?, store: ParameterStore
    ) throws -> DevelopmentScore? {
        guard let accuracy = try score(stage) else { return nil }
        guard let average, average.updates > 0 else {
            return DevelopmentScore(accuracy: accuracy, average: nil)
        }
        average.exchange(with: store)
        defer { average.exchange(with: store) }
        return DevelopmentScore(accuracy: accuracy, average: try score(stage))
    }
}
