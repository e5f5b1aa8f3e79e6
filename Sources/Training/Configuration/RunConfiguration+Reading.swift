import Configuration
import Evaluation
import Foundation
import Images
import SaccaderModel

extension RunConfiguration {
    /// The words that some keys take, by dotted path.
    private static let choices: [String: [String]] = {
        var choices = ModelSettings.choices
        choices["precision"] = Precision.allCases.map(\.rawValue)
        for stage in StageName.allCases {
            choices["stages.\(stage.rawValue).targetOrder"] = ["maxLogit", "predictedClass"]
            choices["stages.\(stage.rawValue).frozenNorm"] = ["inference", "training"]
        }
        return choices
    }()

    /// Where a configuration comes from.
    public enum Source: Sendable {
        /// The demonstration that ships with the program.
        case demonstration
        /// Nothing but the defaults.
        case defaults
        /// A YAML file.
        case file(String)
        /// What a checkpoint holds; keys of other versions are skipped.
        case checkpoint(json: String, path: String)
    }

    /// Lays the source and then each `--set` over the defaults, and checks the result.
    public static func read(_ source: Source, overrides: [String]) throws -> RunConfiguration {
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
            guard let text = FileManager.default.contents(atPath: path) else {
                throw TrainingError.missingConfiguration(path: path)
            }
            try tree.overlay(yaml: String(decoding: text, as: UTF8.self), source: path)
        case .checkpoint(let json, let path):
            try tree.overlay(yaml: json, source: path, ignoringUnknown: true)
        }
        for assignment in overrides { try tree.set(assignment) }
        let configuration = try tree.decode(RunConfiguration.self)
        if let problem = configuration.problem {
            throw ConfigurationError(key: problem.key, problem.message)
        }
        return configuration
    }

    /// All settings as a tree, for writing.
    func tree() throws -> ConfigurationTree { try ConfigurationTree(defaults: self) }

    /// The first setting that cannot be used.
    var problem: (key: String, message: String)? {
        if let problem = model.problem { return ("model.\(problem.key)", problem.message) }
        let geometry = Geometry(model.representation, imageSize: data.imageSize)
        if geometry.gridSize < 1 {
            return (
                "data.imageSize",
                "is \(data.imageSize), less than the receptive field of "
                    + "\(geometry.receptiveField) pixels: give a larger one"
            )
        }
        if !(0..<1).contains(data.developmentFraction) {
            return ("data.developmentFraction", "must be at least 0 and less than 1")
        }
        for stage in StageName.allCases {
            if let problem = Self.problem(stages[stage], locations: geometry.locationCount) {
                return ("stages.\(stage.rawValue).\(problem.key)", problem.message)
            }
        }
        let counts = [
            ("data.workers", data.workers), ("checkpoint.keep", checkpoint.keep),
            ("log.everySteps", log.everySteps), ("evaluation.batchSize", evaluation.batchSize),
        ]
        for (key, value) in counts where value < 1 {
            return (key, "is \(value): give a number of at least 1")
        }
        return nil
    }

    private static func problem(
        _ stage: StageConfiguration, locations: Int
    ) -> (key: String, message: String)? {
        let counts = [
            ("batchSize", stage.batchSize), ("shardSize", stage.shardSize),
            ("glimpses", stage.glimpses), ("samples", stage.samples),
        ]
        for (key, value) in counts where value < 1 {
            return (key, "is \(value): give a number of at least 1")
        }
        if stage.glimpses > locations {
            return ("glimpses", "is \(stage.glimpses), but there are \(locations) locations")
        }
        let amounts = [
            ("epochs", stage.epochs), ("learningRate", stage.learningRate),
            ("warmupEpochs", stage.warmupEpochs), ("l2", stage.l2),
            ("l2Location", stage.l2Location),
        ]
        for (key, value) in amounts where value < 0 {
            return (key, "is \(value): give a number of at least 0")
        }
        if !(0..<1).contains(stage.momentum) {
            return ("momentum", "is \(stage.momentum): give at least 0 and less than 1")
        }
        return nil
    }
}
