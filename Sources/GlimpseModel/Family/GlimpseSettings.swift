import Layers
import Models
import ResNetModel

/// What the second network reads below `model`, and beside it.
public struct GlimpseSettings: ModelSettings {
    public var classes = SharedDefaults.classes
    /// Of the locator, and of a ResNet-v2; a NASNet-A has its own.
    public var batchNorm = BatchNormConfiguration()
    /// The paper's network.
    public var nasnet = NASNetDimensions()
    /// The other one.
    public var classifier = ClassifierDimensions()
    /// What stands below the root's key `glimpse`.
    public var glimpse = GlimpseConfiguration()
    /// `data.patchImageSize`, S; 0: the locator's image.
    public var patchImageSize = 0
    /// The model that says where; nil: none.
    public var locator: Locator?

    /// A frozen model; which it is follows from the other settings.
    public struct Locator: Equatable, Sendable {
        /// The model.
        public let model: any ModelFamily

        /// Names it.
        public init(_ model: any ModelFamily) { self.model = model }

        public static func == (left: Locator, right: Locator) -> Bool {
            left.model.familyName == right.model.familyName
                && left.model.layout.trainableCount == right.model.layout.trainableCount
        }
    }

    private enum CodingKeys: CodingKey {
        case classes, batchNorm, nasnet, classifier
    }

    /// NASNet-A Large on ImageNet.
    public init() {}

    public static let choices = [
        "nasnet.poolPadding": PoolPadding.allCases.map(\.rawValue)
    ]

    /// What a ResNet-v2 reads.
    var residual: ClassifierSettings {
        var settings = ClassifierSettings()
        (settings.classes, settings.batchNorm) = (classes, batchNorm)
        settings.classifier = classifier
        return settings
    }

    /// S, the side of the classifier's image.
    ///
    /// - Parameter imageSize: H, of the locator's.
    func patchImageSize(_ imageSize: Int) -> Int {
        patchImageSize > 0 ? patchImageSize : imageSize
    }

    /// Where patches are cut; nil without a locator.
    func places(imageSize: Int) -> PatchPlaces? {
        locator?.model.locationGrid.map {
            PatchPlaces(
                locations: $0, locatorSize: imageSize, imageSize: patchImageSize(imageSize),
                windowSize: glimpse.windowSize, alignment: glimpse.alignment)
        }
    }
}

extension GlimpseSettings {
    /// The first setting that makes no model, by its key below the root.
    func problem(imageSize: Int) -> SettingProblem? {
        if let problem = commonProblem?.below("model") { return problem }
        if let problem = glimpse.problem?.below("glimpse") { return problem }
        let sizes = [
            ("data.imageSize", imageSize, CountRange.imageSize),
            ("data.patchImageSize", patchImageSize, 0...CountRange.imageSize.upperBound),
        ]
        if let problem = SettingProblem.first(sizes) { return problem }
        switch glimpse.network {
        case .nasnet:
            if let problem = nasnet.problem?.below("model.nasnet") { return problem }
        case .resnetv2:
            if let problem = classifier.problem?.below("model.classifier") { return problem }
        }
        guard let locator else {
            let size = patchImageSize(imageSize)
            guard glimpse.network == .nasnet, size < NASNetDimensions.leastImageSize else {
                return nil
            }
            return SettingProblem(
                "data.imageSize",
                "is \(size), but a NASNet-A takes at least \(NASNetDimensions.leastImageSize) "
                    + "pixels")
        }
        return placeProblem(locator.model, imageSize: imageSize)
    }

    private func placeProblem(_ locator: any ModelFamily, imageSize: Int) -> SettingProblem? {
        let large = patchImageSize(imageSize)
        if large < imageSize {
            return SettingProblem(
                "data.patchImageSize",
                "is \(large), less than data.imageSize \(imageSize): the locator's image is scaled "
                    + "down from it; give at least that, or 0")
        }
        guard let places = places(imageSize: imageSize) else {
            return SettingProblem("glimpse.locator", "is a model without places")
        }
        if glimpse.alignment == .reference && places.locations.grid == nil {
            return SettingProblem(
                "glimpse.alignment",
                "is reference, which wants a grid of locations, but the locator goes anywhere: "
                    + "give receptiveField")
        }
        if places.side > large {
            return SettingProblem(
                "glimpse.windowSize",
                "is \(places.side), more than the \(large) pixels of the image that patches are "
                    + "cut out of: give at most that")
        }
        let size = glimpse.patchSize > 0 ? glimpse.patchSize : places.side
        if glimpse.network == .nasnet && size < NASNetDimensions.leastImageSize {
            return SettingProblem(
                glimpse.patchSize > 0 ? "glimpse.patchSize" : "glimpse.windowSize",
                "makes patches of \(size) pixels, but a NASNet-A takes at least "
                    + "\(NASNetDimensions.leastImageSize): give more, a larger "
                    + "data.patchImageSize or the network resnetv2")
        }
        return nil
    }
}
