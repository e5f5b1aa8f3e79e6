import Models

/// Accuracy under attack, of the learned policy's prediction and of the network without attention.
public struct Robustness: Codable, Equatable, Sendable {
    /// The attack.
    public let attack: Attack
    /// T of the learned policy.
    public let glimpses: Int
    /// Images of each checkpoint.
    public let images: Int
    /// The entries by prediction, `learned` or `meanLogits`; each is attacked for itself.
    public let predictions: [String: [Entry]]
    /// The same for each checkpoint alone.
    public let checkpoints: [[String: [Entry]]]

    /// The accuracy at one radius.
    public struct Entry: Codable, Equatable, Sendable {
        /// ε, pixels on the scale [0, 1].
        public let epsilon: Double
        /// Images that are right under attack, of all checkpoints.
        public let top1Count: Int
        /// The part of all images.
        public let top1: Double
        /// Images whose class is among the five largest.
        public let top5Count: Int
        /// The part of all images.
        public let top5: Double
        /// Over checkpoints; left out for one.
        public let deviation: EvaluationReport.Deviation?
    }

    /// Sums up checkpoints.
    ///
    /// - Parameter counts: Of each checkpoint, as `RobustnessRun` orders them.
    init(_ attack: Attack, glimpses: Int, counts: [[Int]], images: Int) {
        (self.attack, self.glimpses, self.images) = (attack, glimpses, images)
        predictions = Self.entries(attack, glimpses: glimpses, counts: counts, images: images)
        checkpoints = counts.map {
            Self.entries(attack, glimpses: glimpses, counts: [$0], images: images)
        }
    }

    private static func entries(
        _ attack: Attack, glimpses: Int, counts: [[Int]], images: Int
    ) -> [String: [Entry]] {
        let targets = glimpses > 0 ? AttackTarget.allCases : [.meanLogits]
        var predictions: [String: [Entry]] = [:]
        for (row, target) in targets.enumerated() {
            predictions[target.rawValue] = attack.epsilons.enumerated().map { column, epsilon in
                let index = 2 * (row * attack.epsilons.count + column)
                func part(_ index: Int) -> Repeats {
                    Repeats(counts.map { Double($0[index]) / Double(max(1, images)) })
                }
                let (top1, top5) = (part(index), part(index + 1))
                return Entry(
                    epsilon: epsilon, top1Count: counts.reduce(0) { $0 + $1[index] },
                    top1: top1.mean, top5Count: counts.reduce(0) { $0 + $1[index + 1] },
                    top5: top5.mean,
                    deviation: top1.deviation.map {
                        EvaluationReport.Deviation(top1: $0, top5: top5.deviation ?? 0)
                    })
            }
        }
        return predictions
    }

    /// One row for each checkpoint, prediction and radius, of several checkpoints those of the
    /// mean too: the content of `robustness.csv`.
    func csv(checkpoints paths: [String]) -> String {
        var rows = [
            [
                "checkpoint", "prediction", "glimpses", "attack", "steps", "epsilon", "images",
                "top1Count", "top1", "top5Count", "top5", "top1SD", "top5SD",
            ]
        ]
        let mean = checkpoints.count > 1 ? [("mean", predictions)] : []
        for (path, predictions) in Array(zip(paths, checkpoints)) + mean {
            for target in AttackTarget.allCases {
                for entry in predictions[target.rawValue] ?? [] {
                    let steps = attack.method == .pgd ? attack.steps : 1
                    rows.append(
                        [
                            path, target.rawValue, target == .learned ? "\(glimpses)" : "",
                            attack.method.rawValue, "\(steps)", "\(entry.epsilon)", "\(images)",
                            "\(entry.top1Count)", "\(entry.top1)", "\(entry.top5Count)",
                            "\(entry.top5)",
                        ] + EvaluationReport.spread(entry.deviation).prefix(2))
                }
            }
        }
        return EvaluationReport.lines(rows)
    }

    /// What the figures are of.
    var title: String {
        let name = attack.method == .fgsm ? "FGSM" : "PGD, \(attack.steps) steps"
        return "Top-1 accuracy (%) under attack (\(name)) by radius ε"
    }

    /// The predictions in the order of their rows, with what people call them.
    ///
    /// - Parameter family: The title of the model's family.
    func rows(_ family: String) -> [(name: String, title: String, entries: [Entry])] {
        AttackTarget.allCases.compactMap { target in
            predictions[target.rawValue].map { entries in
                let title =
                    target == .learned
                    ? "\(Policy.learned.title(family)), T = \(glimpses)"
                    : "No attention (mean of all logits)"
                return (target.rawValue, title, entries)
            }
        }
    }

    /// ε in 255ths, as it is usually told.
    static func text(_ epsilon: Double) -> String {
        let scaled = (epsilon * 255 * 100).rounded() / 100
        return scaled == 0 ? "0" : Ticks.text(scaled) + "/255"
    }
}
