import Checkpoints
import Foundation
import Images
import SaccaderModel

extension EvaluationRun {
    /// Writes `results.json`, `results.csv` and a contact sheet of each policy; returns the paths.
    public func write(_ report: EvaluationReport, to folder: String) throws -> [String] {
        try AtomicFile.createFolder(folder)
        var paths = ["\(folder)/results.json", "\(folder)/results.csv"]
        try AtomicFile.write(paths[0], text: report.json(isPretty: true) + "\n")
        try AtomicFile.write(paths[1], text: report.csv(order: policies))
        paths += try writePictures(to: folder)
        return paths
    }

    private func writePictures(to folder: String) throws -> [String] {
        guard options.picturedCount > 0, !policies.isEmpty else { return [] }
        let (checkpoint, scores) = (checkpoints[0], scores[0])
        let evaluator = evaluator(checkpoint, batchSize: options.picturedCount)
        var paths: [String] = []
        for policy in policies {
            guard let verdicts = scores.verdicts[policy] else { continue }
            for choice in options.choices where choice == .spread || policy == policies[0] {
                let chosen = choice.images(options.picturedCount, of: images, verdicts: verdicts)
                if chosen.isEmpty { continue }
                let ending = choice == .spread ? "" : "-\(choice.rawValue)"
                let path = "\(folder)/glimpses-\(policy.rawValue)\(ending).png"
                try ContactSheet(
                    try evaluator.sightings(images, chosen, places: places), policy: policy,
                    glimpses: picturedGlimpses, geometry: checkpoint.geometry, classes: classes
                ).write(to: path)
                paths.append(path)
            }
        }
        return paths
    }
}
