import Foundation
import Models

extension EvaluationReport {
    /// Accuracy against ε, of both predictions.
    var robustnessPlots: [Plot] {
        guard let robustness else { return [] }
        let lines = robustness.rows(familyTitle).map { name, _, entries in
            Plot.Line(
                name: name == Policy.learned.rawValue
                    ? "\(familyTitle), T = \(robustness.glimpses)" : "No attention",
                style: name == Policy.learned.rawValue ? .of(.learned) : .measuredMeanLogits,
                points: entries.sorted { $0.epsilon < $1.epsilon }.map { entry in
                    Self.point(
                        255 * entry.epsilon, entry.top1,
                        interval(entry.top1, of: entry.deviation?.top1))
                })
        }
        let method = robustness.attack.method == .fgsm ? "FGSM" : "PGD"
        return [
            Plot(
                name: "accuracy-epsilon", title: "Accuracy under attack (\(method))",
                xTitle: "Radius ε (pixel values of 0 to 255)", yTitle: "Top-1 accuracy (%)",
                lines: lines, countsGlimpses: false)
        ]
    }

    /// The table prediction × ε.
    var robustnessTable: [String] {
        guard let robustness else { return [] }
        let width = checkpoints.count > 1 ? 11 : 9
        let heads = robustness.attack.epsilons.map { Self.padded(Robustness.text($0), width) }
        let rows = robustness.rows(familyTitle).map { name, _, entries in
            let name = name == Policy.learned.rawValue ? "learned, T=\(robustness.glimpses)" : name
            return name.padding(toLength: 24, withPad: " ", startingAt: 0)
                + entries.map {
                    Self.padded(Self.percent($0.top1, $0.deviation?.top1), width)
                }.joined()
        }
        return [
            "", robustness.title,
            "ε".padding(toLength: 24, withPad: " ", startingAt: 0)
                + heads.joined(),
        ] + rows
    }
}
