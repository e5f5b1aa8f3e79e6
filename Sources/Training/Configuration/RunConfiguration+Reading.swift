import Configuration
import Families
import Foundation
import Images
import Models
import StoredModels
import Terminal

extension RunConfiguration {
    /// The words that some keys take, by dotted path.
    private static let choices = CheckpointSettings.choices
        .merging(["precision": Precision.allCases.map(\.rawValue)]) { $1 }

    /// Where a configuration comes from.
    public enum Source: Sendable {
        /// The demonstration that ships with the program.
        case demonstration
        /// The defaults alone.
        case defaults
        /// A YAML file.
        case file(String)
        /// What a checkpoint holds; keys of other versions are skipped.
        case checkpoint(json: String, path: String)
    }

    /// Lays the source and then each `--set` over the defaults, and checks the result.
    ///
    /// - Parameter stages: Those that will run: of the others' settings only the form is checked.
    public static func read(
        _ source: Source, overrides: [String], for stages: [Stage] = []
    ) throws -> RunConfiguration {
        try read(tree(source, overrides: overrides), for: stages)
    }

    /// Lays the source and then each `--set` over the defaults.
    static func tree(_ source: Source, overrides: [String]) throws -> ConfigurationTree {
        var tree = try ConfigurationTree(defaults: RunConfiguration(), choices: choices)
        switch source {
        case .demonstration:
            let name = "demo.yaml"
            guard
                let path = Bundle.module.path(forResource: "Resources/\(name)", ofType: nil),
                let text = FileManager.default.contents(atPath: path)
            else { throw ImagesError.resource(name: name) }
            try tree.overlay(yaml: String(decoding: text, as: UTF8.self), source: name)
        case .defaults: break
        case .file(let path):
            try tree.overlay(yaml: ConfigurationFile.text(path), source: path)
        case .checkpoint(let json, let path):
            try tree.overlay(yaml: json, source: path, ignoringUnknown: true)
        }
        for assignment in overrides { try tree.set(assignment) }
        return tree
    }

    /// The settings of a tree, checked.
    ///
    /// - Parameter acceptsEdited: Whether a checkpoint that they name may have been edited.
    static func read(
        _ tree: ConfigurationTree, for stages: [Stage], acceptsEdited: Bool = false
    ) throws -> RunConfiguration {
        var tree = tree
        if stages.contains(where: Families.takesLocator) {
            try LocatorCheckpoint.adopt(in: &tree, acceptsEdited: acceptsEdited)
        }
        var configuration = try tree.decode(RunConfiguration.self)
        configuration.data.path = UserPath.expanded(configuration.data.path)
        configuration.model.join(
            configuration.glimpse, patchImageSize: configuration.data.patchImageSize)
        if let problem = configuration.problem(of: stages) {
            throw ConfigurationError(key: problem.key, problem.message)
        }
        return configuration
    }

    /// All settings as a tree, for writing.
    func tree() throws -> ConfigurationTree { try ConfigurationTree(defaults: self) }

    /// The first setting that a run of `stages` cannot use.
    func problem(of stages: [Stage]) -> SettingProblem? {
        if let problem = data.problem { return problem.below("data") }
        for stage in stages {
            let family = Families.family(of: stage)
            if let problem = model.problem(of: family, imageSize: data.imageSize) {
                // What the model that says where is, is said by its checkpoint.
                if Families.takesLocator(stage) && glimpse.locator.isEmpty {
                    return LocatorCheckpoint.missing
                }
                // Without --stages it is the Saccader that is meant.
                return SettingProblem(
                    problem.key,
                    "\(problem.message) (the stage \(stage.name) trains a \(family.name))")
            }
            let model = model(of: stage)
            if let problem = model.problem(self.stages[stage], of: stage) {
                return problem.below("stages.\(stage.name)")
            }
            if evaluation.glimpses > model.glimpseLimit, family.scoredPolicy(stage) != nil {
                return SettingProblem(
                    "evaluation.glimpses",
                    "is \(evaluation.glimpses), but the model can take \(model.glimpseLimit) glimpses"
                )
            }
        }
        let counts = [
            ("checkpoint.keep", checkpoint.keep, 1...Int.max),
            ("checkpoint.everySteps", checkpoint.everySteps, 0...Int.max),
            ("log.everySteps", log.everySteps, 1...Int.max),
            ("evaluation.everyEpochs", evaluation.everyEpochs, 0...1_000_000),
            ("evaluation.glimpses", evaluation.glimpses, 0...CountRange.imageSize.upperBound),
            ("evaluation.batchSize", evaluation.batchSize, CountRange.images),
        ]
        if let problem = SettingProblem.first(counts) { return problem }
        if checkpoint.everyMinutes < 0 {
            return SettingProblem(
                "checkpoint.everyMinutes", "is \(checkpoint.everyMinutes): give 0 or more")
        }
        return nil
    }

    /// The model that a stage trains.
    func model(of stage: Stage) -> any ModelFamily {
        model.model(of: Families.family(of: stage), imageSize: data.imageSize)
    }
}
