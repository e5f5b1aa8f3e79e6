import Layers
import Models
import ResNetModel
import Tensors

/// A second network that looks only where a first one pointed (paper, section 4.3): a frozen
/// model's places, patches of the image or of a larger one, their logits' mean.
public struct GlimpseFamily: ModelFamily {
    public static let name = "glimpseClassifier"
    public static let title = "Classifier on glimpses"
    public static let stages: [(stage: Stage, defaults: any StageSettings)] = [
        (.glimpse, GlimpseStageSettings())
    ]
    public static let groups = [ParameterGroup.body, .head]
    public static let inferenceObjective: String? = "glimpseInference"
    public static let publicWeights: PublicWeights? = NASNetWeights.rules

    public let settings: GlimpseSettings
    public let imageSize: Int
    public let layout: ParameterLayout
    /// Where patches are cut; nil without a frozen model.
    package let places: PatchPlaces?

    public init(_ settings: GlimpseSettings, imageSize: Int) {
        (self.settings, self.imageSize) = (settings, imageSize)
        layout = PatchNetwork<Float>.make(settings).layout
        places = settings.places(imageSize: imageSize)
    }

    public static func problem(_ settings: GlimpseSettings, imageSize: Int) -> SettingProblem? {
        settings.problem(imageSize: imageSize)
    }

    public func problem(_ settings: any StageSettings, of stage: Stage) -> SettingProblem? {
        own(settings).problem(locations: places?.locations.locationCount)
            ?? PatchNetwork<Float>.freezable(self.settings).problem(settings.freeze)
    }

    /// The settings of a stage of this family.
    func own(_ settings: any StageSettings) -> GlimpseStageSettings {
        guard let own = settings as? GlimpseStageSettings else {
            preconditionFailure("a stage of the glimpse classifier has its settings")
        }
        return own
    }

    /// Whether the model has all that it needs to look at images.
    struct MissingLocator: Error, CustomStringConvertible {
        let description =
            "the checkpoint holds a network without the model that says where: train it with "
            + "--stages glimpse and glimpse.locator, or evaluate a checkpoint of such a run"
    }

    /// The frozen model and where patches are cut.
    func requireLocator() throws(MissingLocator) -> (model: any ModelFamily, places: PatchPlaces) {
        guard let locator = settings.locator?.model, let places else { throw MissingLocator() }
        return (locator, places)
    }

    public var description: ModelDescription {
        let network = settings.glimpse.network
        guard let places, let locator = settings.locator?.model else {
            return ModelDescription(
                summary: "\(network.rawValue) without a model that says where",
                lines: [("network", network.rawValue), ("locator", "none")])
        }
        let size = settings.glimpse.patchSize > 0 ? settings.glimpse.patchSize : places.side
        let image = "\(places.imageSize)×\(places.imageSize)"
        let source = settings.glimpse
        var from = locator.familyName
        if !source.locator.isEmpty { from += ", \(source.locator), step \(source.locatorStep)" }
        if !source.locatorChecksum.isEmpty { from += ", checksum \(source.locatorChecksum)" }
        return ModelDescription(
            summary: "\(network.rawValue) on patches of \(places.side) pixels of images of "
                + "\(image), places by a \(locator.familyName) on \(imageSize)×\(imageSize)",
            lines: [
                ("network", network.rawValue),
                (
                    "patches",
                    "\(places.side) pixels of \(image)"
                        + (size == places.side ? "" : ", brought to \(size)")
                ),
                ("locator", from),
            ],
            numbers: [("patchSize", size), ("patchImageSize", places.imageSize)],
            countedGroup: (.locator, "frozen locator"),
            likeness: [
                ("the network", network.rawValue), ("patches of pixels", "\(places.side)"),
                ("data.patchImageSize", "\(places.imageSize)"),
            ])
    }

    public var locationGrid: LocationGrid? { places?.locations }
    public var viewedImageSize: Int { settings.patchImageSize(imageSize) }
    public var pixelScale: PixelScale { settings.glimpse.pixels.resolved }

    public func isFrozen(_ path: String) -> Bool {
        settings.locator?.model.layout.contains(path) ?? false
    }

    public func givenPlaces(_ stage: Stage, settings: any StageSettings) -> GivenPlaces? {
        guard let count = places?.locations.locationCount else { return nil }
        return GivenPlaces(
            .locations(count: count), samples: nil, glimpses: own(settings).glimpses)
    }

    public func objective(
        _ stage: Stage, settings: any StageSettings, plan: StepPlan
    ) throws -> any Objective {
        let (locator, places) = try requireLocator()
        switch plan.precision {
        case .float32:
            return try GlimpseObjective<Float>(
                self.settings, stage: own(settings), locator: locator, places: places,
                plan: plan)
        case .bfloat16:
            return try GlimpseObjective<BFloat16>(
                self.settings, stage: own(settings), locator: locator, places: places,
                plan: plan)
        }
    }

    /// Multiplications of the network's parts on one patch.
    private var productsOfPatch: [(path: String, products: Int)] {
        guard let places else { return [] }
        let size = PatchCut(settings, places).size
        return settings.glimpse.network == .nasnet
            ? NASNetOperations.parts(
                settings.nasnet, classes: settings.classes, imageSize: size)
            : ClassifierOperations.parts(settings.residual, imageSize: size)
    }

    public func trainingOperations(_ stage: Stage, settings: any StageSettings) -> Double {
        let glimpses = own(settings).glimpses
        let locator = self.settings.locator?.model.viewingOperations(glimpses: glimpses) ?? 0
        return productsOfPatch.reduce(locator) {
            $0 + (settings.freezes($1.path) ? 2 : 6) * Double(glimpses * $1.products)
        }
    }

    public func viewingOperations(glimpses: Int) -> Double {
        let locator = settings.locator?.model.viewingOperations(glimpses: glimpses) ?? 0
        return productsOfPatch.reduce(locator) { $0 + 2 * Double(glimpses * $1.products) }
    }

    /// A step keeps the values of all patches.
    public func copies(_ stage: Stage, settings: any StageSettings) -> Int {
        own(settings).glimpses
    }

    public var largestLayer: (side: Int, channels: Int) {
        guard let places else { return (1, 1) }
        let size = PatchCut(settings, places).size
        guard settings.glimpse.network == .nasnet else {
            return (size, settings.classifier.stemChannels)
        }
        return ((size - 1) / 2, settings.nasnet.stemChannels)
    }
}
