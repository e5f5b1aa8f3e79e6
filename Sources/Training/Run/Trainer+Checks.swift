import Collectives
import Configuration
import Families
import Images
import Layers
import Models

extension Trainer {
    /// The stages named on the command line, in the order of training.
    static func stages(_ text: String) throws -> [Stage] {
        let words = text.split(separator: ",")
        if words.isEmpty {
            throw ConfigurationError(
                "--stages: names no stage; choose from "
                    + Families.stageNames.joined(separator: ","))
        }
        let named = try words.map { word in
            guard let stage = Families.stage(named: String(word)) else {
                throw ConfigurationError(
                    "--stages: \"\(word)\" is not a stage; choose from "
                        + Families.stageNames.joined(separator: ","))
            }
            return stage
        }
        let stages = Set(named).sorted()
        let first = Families.family(of: stages[0])
        if let other = stages.first(where: { Families.family(of: $0) != first }) {
            throw ConfigurationError(
                "--stages: \(stages[0].name) and \(other.name) train models of their own; train each in "
                    + "a run of its own, with another --output")
        }
        return stages
    }

    /// Where a run goes on, as the options say; nil: at its beginning.
    ///
    /// - Parameter folder: The run's folder, which is claimed; nil on the other ranks.
    static func resumePoint(
        _ options: TrainingOptions, stages: [Stage], folder: RunFolder?,
        communicator: any Communicator, reporter: Reporter, activity: Activity
    ) throws -> ResumePoint? {
        if options.onlyValidates { return nil }
        // Before anything is looked at that another run may be changing.
        try folder?.claim(warn: { reporter.warn($0) })
        if try communicator.sum([folder?.exists == true ? 1 : 0])[0] > 0 {
            try SharedFolder.require(options.output, communicator: communicator)
        }
        let start = try activity.during(.readingCheckpoint) {
            try ResumePoint.find(
                options.resume, acceptsEdited: options.acceptsEdited, folder: folder,
                communicator: communicator,
                output: options.output, warn: { reporter.warn($0) })
        }
        if let start { try requireSameModel(start, stages: stages) }
        return start
    }

    /// Models of different families share neither parameters nor an output folder.
    static func requireSameModel(_ start: ResumePoint, stages: [Stage]) throws {
        let found = start.position.stage
        let family = Families.family(of: found)
        guard stages.contains(where: { Families.family(of: $0) != family }) else { return }
        throw ConfigurationError(
            "\(start.checkpoint.file.path): is of stage \(found.name), another model than that "
                + "of --stages \(stages.map(\.name).joined(separator: ",")); give another "
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
        _ configuration: RunConfiguration, stages: [Stage], data: ImageDataset, ranks: Int
    ) throws {
        let images = data.training.entries.count
        if ranks > images {
            throw TrainingError.moreRanksThanImages(
                ranks: ranks, images: images, what: configuration.data.path)
        }
        for stage in stages where ranks > configuration.stages[stage].batchSize {
            throw TrainingError.moreRanksThanImages(
                ranks: ranks, images: configuration.stages[stage].batchSize,
                what: "a batch (stages.\(stage.name).batchSize)")
        }
        let labels = data.classes.count + (configuration.data.backgroundClass ? 1 : 0)
        let classes = stages.first.map { configuration.model(of: $0).classes } ?? labels
        if labels > classes {
            throw TrainingError.tooManyClasses(found: labels, model: classes)
        }
    }
}
