import Models

/// Everything below `stages`: the settings of each stage of each family.
public struct StagesConfiguration: Codable, Equatable, Sendable {
    /// The settings by the stage's name.
    private var values: [String: any StageSettings]

    /// The defaults.
    public init() {
        let stages = Families.all.flatMap { $0.stages }
        values = Dictionary(uniqueKeysWithValues: stages.map { ($0.stage.name, $0.defaults) })
    }

    /// The settings of one stage.
    public subscript(stage: Stage) -> any StageSettings {
        get {
            guard let settings = values[stage.name] else {
                preconditionFailure("the stage \(stage.name) has no settings")
            }
            return settings
        }
        set { values[stage.name] = newValue }
    }

    /// The words that some keys take, by dotted path from the root.
    public static var choices: [String: [String]] {
        Families.all.flatMap { $0.stages }.reduce(into: [:]) { choices, entry in
            let type = type(of: entry.defaults)
            for (key, words) in type.choices.merging(type.commonChoices, uniquingKeysWith: { $1 }) {
                choices["stages.\(entry.stage.name).\(key)"] = words
            }
        }
    }

    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    public init(from decoder: any Decoder) throws {
        self.init()
        let container = try decoder.container(keyedBy: Key.self)
        func decoded<Settings: StageSettings>(
            like _: Settings, _ key: Key
        ) throws -> any StageSettings { try container.decode(Settings.self, forKey: key) }
        for (name, defaults) in values {
            values[name] = try decoded(like: defaults, Key(stringValue: name))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        for stage in Families.stages {
            try container.encode(self[stage], forKey: Key(stringValue: stage.name))
        }
    }

    public static func == (left: StagesConfiguration, right: StagesConfiguration) -> Bool {
        Families.stages.allSatisfy { isSame(left[$0], right[$0]) }
    }
}
