import Configuration
import Evaluation
import Foundation
import Images
import Models
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
        if let problem = ModelSettings.problem(model, data) { return problem }
        let locations = Geometry(model.representation, imageSize: data.imageSize).locationCount
        for stage in StageName.allCases {
            if let problem = stages[stage].problem(locations: locations) {
                return ("stages.\(stage.rawValue).\(problem.key)", problem.message)
            }
        }
        let counts = [
            ("checkpoint.keep", checkpoint.keep, 1...Int.max),
            ("checkpoint.everySteps", checkpoint.everySteps, 0...Int.max),
            ("log.everySteps", log.everySteps, 1...Int.max),
            ("evaluation.everyEpochs", evaluation.everyEpochs, 0...1_000_000),
            ("evaluation.glimpses", evaluation.glimpses, 0...locations),
            ("evaluation.batchSize", evaluation.batchSize, CountRange.images),
        ]
        for (key, value, range) in counts {
            if let problem = CountRange.problem(value, in: range) { return (key, problem) }
        }
        if checkpoint.everyMinutes < 0 {
            return ("checkpoint.everyMinutes", "is \(checkpoint.everyMinutes): give 0 or more")
        }
        return nil
    }
}

extension StageConfiguration {
    /// Epochs beyond which their steps could not be counted.
    private static let mostEpochs = 1e6

    /// The first setting that cannot be used.
    fileprivate func problem(locations: Int) -> (key: String, message: String)? {
        let counts = [
            ("batchSize", batchSize, CountRange.images),
            ("shardSize", shardSize, CountRange.images),
            ("glimpses", glimpses, CountRange.images), ("samples", samples, CountRange.few),
        ]
        for (key, value, range) in counts {
            if let problem = CountRange.problem(value, in: range) { return (key, problem) }
        }
        if glimpses > locations {
            return ("glimpses", "is \(glimpses), but there are \(locations) locations")
        }
        let amounts = [
            ("epochs", epochs), ("learningRate", learningRate), ("warmupEpochs", warmupEpochs),
            ("l2", l2), ("l2Location", l2Location), ("reinforceWeight", reinforceWeight),
        ]
        for (key, value) in amounts where value < 0 {
            return (key, "is \(value): give a number of at least 0")
        }
        for (key, value) in [("epochs", epochs), ("warmupEpochs", warmupEpochs)]
        where value > Self.mostEpochs {
            return (key, "is \(value): give a number of at most 1000000")
        }
        if !(0..<1).contains(momentum) {
            return ("momentum", "is \(momentum): give at least 0 and less than 1")
        }
        return nil
    }
}
