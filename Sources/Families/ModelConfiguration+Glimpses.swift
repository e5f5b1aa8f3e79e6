import DRAMModel
import GlimpseModel
import Models
import SaccaderModel

/// What stands below the root's key `glimpse`.
public typealias GlimpseConfiguration = GlimpseModel.GlimpseConfiguration

extension ModelConfiguration {
    /// The family of the model that says where a second network looks; nil: there is none.
    private static func locatorFamily(_ glimpse: GlimpseConfiguration) -> (any ModelFamily.Type)? {
        switch glimpse.locatorFamily {
        case .saccader: SaccaderFamily.self
        case .dram: DRAMFamily.self
        case .none: nil
        }
    }

    /// Tells the second network what stands beside `model`.
    public mutating func join(_ glimpse: GlimpseConfiguration, patchImageSize: Int) {
        self[GlimpseFamily.self].glimpse = glimpse
        self[GlimpseFamily.self].patchImageSize = patchImageSize
    }

    /// The first problem of the model that says where, if a family has one.
    func locatorProblem(of family: any ModelFamily.Type, imageSize: Int) -> SettingProblem? {
        guard family.name == GlimpseFamily.name,
            let locator = Self.locatorFamily(self[GlimpseFamily.self].glimpse)
        else { return nil }
        return problem(of: locator, imageSize: imageSize)
    }

    /// A second network's settings with the model that says where; that model must have no problem.
    func withLocator(_ settings: any ModelSettings, imageSize: Int) -> any ModelSettings {
        guard var own = settings as? GlimpseSettings,
            let locator = Self.locatorFamily(own.glimpse)
        else { return settings }
        own.locator = GlimpseSettings.Locator(model(of: locator, imageSize: imageSize))
        return own
    }
}

extension Families {
    /// Whether a stage's model looks where another, frozen model says.
    public static func takesLocator(_ stage: Stage) -> Bool {
        family(of: stage).name == GlimpseFamily.name
    }

    /// How settings call a family whose places a second network can be given; nil: none of them.
    public static func locatorName(of family: any ModelFamily.Type) -> String? {
        LocatorFamily(rawValue: family.name)?.rawValue
    }
}
