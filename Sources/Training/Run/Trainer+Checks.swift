import Collectives
import Configuration
import Evaluation
import Images
import Layers
import SaccaderModel

extension Trainer {
    /// The stages named on the command line, in the order of training.
    static func stages(_ text: String) throws -> [StageName] {
        let words = text.split(separator: ",")
        if words.isEmpty {
            throw ConfigurationError(
                "--stages: names no stage; choose from "
                    + StageName.allCases.map(\.rawValue).joined(separator: ","))
        }
        let named = try words.map { word in
            guard let stage = StageName(rawValue: String(word)) else {
                throw ConfigurationError(
                    "--stages: \"\(word)\" is not a stage; choose from "
                        + StageName.allCases.map(\.rawValue).joined(separator: ","))
            }
            return stage
        }
        let stages = Set(named).sorted()
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

    /// Refuses what is larger than this host's memory whatever the engine does.
    static func requireMemory(
        _ configuration: RunConfiguration, stages: [StageName], layout: ParameterLayout,
        imageCount: Int, communicator: any Communicator
    ) throws {
        try HostMemory.requireRoom(for: layout)
        for stage in stages {
            let batches = BatchSchedule(
                stage: stage, imageCount: imageCount, settings: configuration.stages[stage],
                seed: configuration.seed, rank: communicator.rank, rankCount: communicator.size)
            try requireMemory(configuration, stage: stage, imageCount: batches.capacity.images)
        }
    }

    /// - Parameter imageCount: Of a batch, on this rank.
    static func requireMemory(
        _ configuration: RunConfiguration, stage: StageName, imageCount: Int
    ) throws {
        let model = configuration.model
        let problem = HostMemory.problem(
            images: imageCount, imageSize: configuration.data.imageSize,
            channels: stage == .classifier
                ? model.classifier.stemChannels : model.representation.stemChannels,
            numberByteCount: configuration.precision == .bfloat16 ? 2 : 4)
        guard let problem else { return }
        throw ConfigurationError(
            key: "stages.\(stage.rawValue).batchSize",
            "is too large: \(problem); give a smaller one, a smaller data.imageSize, or more hosts")
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
