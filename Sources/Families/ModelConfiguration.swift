import Foundation
import Layers
import Models
import SaccaderModel

/// Everything below `model`: what each family reads there, its own keys and those that it shares.
public struct ModelConfiguration: Codable, Equatable, Sendable {
    /// The settings by the family's name.
    private var values: [String: any ModelSettings]

    /// Every family's published model.
    public init() {
        values = Dictionary(
            uniqueKeysWithValues: Families.all.map { ($0.name, $0.defaultSettings) })
    }

    /// The settings of a family.
    public subscript<Family: ModelFamily>(family: Family.Type) -> Family.Settings {
        get { values[Family.name] as? Family.Settings ?? Family.Settings() }
        set { values[Family.name] = newValue }
    }

    /// Gives every family's model so many classes.
    public mutating func setClasses(_ count: Int) {
        for name in values.keys { values[name]?.classes = count }
    }

    /// The classes of all families' models: a key that they share.
    public var classes: Int { self[SaccaderFamily.self].classes }

    /// The first setting of a family's model that cannot be used, by its whole key.
    public func problem(of family: any ModelFamily.Type, imageSize: Int) -> SettingProblem? {
        if let problem = locatorProblem(of: family, imageSize: imageSize) { return problem }
        return values[family.name].flatMap {
            family.problem(ofAny: withLocator($0, imageSize: imageSize), imageSize: imageSize)
        }
    }

    /// The model of a family on images of a size.
    public func model(of family: any ModelFamily.Type, imageSize: Int) -> any ModelFamily {
        guard let settings = values[family.name],
            let model: any ModelFamily = family.make(
                withLocator(settings, imageSize: imageSize), imageSize: imageSize)
        else { preconditionFailure("the family \(family.name) has no settings") }
        return model
    }

    /// The words that some keys take, by dotted path from the root.
    public static var choices: [String: [String]] {
        Families.all.reduce(into: [:]) { choices, family in
            for (key, words) in family.settingChoices { choices["model.\(key)"] = words }
        }
    }

    /// What one family reads, as JSON.
    public func json(of family: any ModelFamily.Type) throws -> String {
        func encoded(_ settings: some Encodable) throws -> String {
            String(decoding: try JSONEncoder().encode(settings), as: UTF8.self)
        }
        return try values[family.name].map { try encoded($0) } ?? "{}"
    }

    public init(from decoder: any Decoder) throws {
        self.init()
        for family in Families.all {
            values[family.name] = try family.decodeSettings(from: decoder)
        }
    }

    public func encode(to encoder: any Encoder) throws {
        // Keys that families share have one value, whoever writes it.
        for family in Families.all { try values[family.name]?.encode(to: encoder) }
    }

    public static func == (left: ModelConfiguration, right: ModelConfiguration) -> Bool {
        Families.all.allSatisfy { isSame(left.values[$0.name], right.values[$0.name]) }
    }
}

/// Whether two values of unknown types are of one type and equal.
func isSame(_ left: (any Equatable)?, _ right: (any Equatable)?) -> Bool {
    func compare<Value: Equatable>(_ left: Value) -> Bool { left == right as? Value }
    guard let left else { return right == nil }
    return compare(left)
}

extension ModelFamily {
    fileprivate static var defaultSettings: any ModelSettings { Settings() }
    fileprivate static var settingChoices: [String: [String]] { Settings.choices }
    fileprivate static func decodeSettings(from decoder: any Decoder) throws -> any ModelSettings {
        try Settings(from: decoder)
    }
}
