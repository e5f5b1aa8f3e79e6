import Collectives
import Configuration
import Evaluation
import Images
import SaccaderModel

extension Trainer {
    /// The stages named on the command line, in the order of training.
    static func stages(_ text: String) throws -> [StageName] {
        let stages = try text.split(separator: ",").map { word in
            guard let stage = StageName(rawValue: String(word)) else {
                throw ConfigurationError(
                    "--stages: \"\(word)\" is not a stage; choose from "
                        + StageName.allCases.map(\.rawValue).joined(separator: ","))
            }
            return stage
        }.sorted()
        if let last = stages.last, !Set(stages).isSubset(of: last.siblings) {
            throw ConfigurationError(
                "--stages: the classifier is a model of its own; train it in a run of its own, "
                    + "with --stages classifier and another --output")
        }
        return stages
    }

    /// The Saccader and the classifier share neither parameters nor an output folder.
    static func requireSameModel(_ start: ResumePoint, stages: [StageName]) throws {
        let found = start.position.stage
        guard !stages.allSatisfy(found.siblings.contains) else { return }
        throw ConfigurationError(
            "\(start.checkpoint.file.path): is of stage \(found.rawValue), another model than that "
                + "of --stages \(stages.map(\.rawValue).joined(separator: ",")); give another "
                + "--output")
    }

    /// The first rank writes the demonstration's images while the others wait.
    static func makeDemonstration(
        _ configuration: RunConfiguration, communicator: any Communicator, reporter: Reporter,
        activity: Activity
    ) throws {
        if communicator.rank == 0 {
            let set = DemonstrationSet(seed: 0)
            if !set.isComplete(in: configuration.data.path) {
                reporter.say("writing the demonstration's images to \(configuration.data.path)")
            }
            try activity.during(.writingDemonstration) {
                try set.write(to: configuration.data.path) { _, _ in activity.tick() }
            }
        }
        try communicator.barrier()
    }

    /// Whether images, classes and ranks fit together.
    static func requireFit(
        _ configuration: RunConfiguration, data: ImageDataset, ranks: Int
    ) throws {
        let images = data.training.entries.count
        if ranks > images {
            throw TrainingError.moreRanksThanImages(
                ranks: ranks, images: images, what: configuration.data.path)
        }
        for stage in StageName.allCases where ranks > configuration.stages[stage].batchSize {
            throw TrainingError.moreRanksThanImages(
                ranks: ranks, images: configuration.stages[stage].batchSize,
                what: "a batch (stages.\(stage.rawValue).batchSize)")
        }
        let labels = data.classes.count + (configuration.data.backgroundClass ? 1 : 0)
        if labels > configuration.model.classes {
            throw TrainingError.tooManyClasses(found: labels, model: configuration.model.classes)
        }
    }
}
