import Layers
import Tensors

/// A kind of model: its networks, settings, stages and what they come to.
///
/// A family is one folder that nobody but the list of families names; a value of it is a model of
/// some size on images of some size. Its numbers are in a `ParameterStore`.
public protocol ModelFamily: Sendable {
    /// What it reads below `model`.
    associatedtype Settings: ModelSettings

    /// What checkpoints call it.
    static var name: String { get }
    /// What plots and pictures call it.
    static var title: String { get }
    /// Its stages in the order of training, each with its default settings.
    static var stages: [(stage: Stage, defaults: any StageSettings)] { get }
    /// Its groups of parameters, in the order of their terms in the loss.
    static var groups: [ParameterGroup] { get }
    /// What `trace` calls the model in inference mode; nil where it has no such objective.
    static var inferenceObjective: String? { get }
    /// How weights that others publish become such a model; nil: there are none.
    static var publicWeights: PublicWeights? { get }
    /// The stage whose settings hold for that objective; nil where there is none.
    static var inferenceStage: Stage? { get }

    /// Makes a model whose settings have no problem.
    init(_ settings: Settings, imageSize: Int)

    /// The dimensions.
    var settings: Settings { get }
    /// The side of the images, in pixels.
    var imageSize: Int { get }
    /// All parameters and statistics, in the order of the forward pass.
    var layout: ParameterLayout { get }
    /// What people are told of the model.
    var description: ModelDescription { get }

    /// The first setting that makes no model on images of such a size, by its key below the root.
    static func problem(_ settings: Settings, imageSize: Int) -> SettingProblem?
    /// The first setting of a stage that the model cannot be trained with, by its key below the
    /// stage.
    func problem(_ settings: any StageSettings, of stage: Stage) -> SettingProblem?

    /// Plans a step of a stage.
    func objective(
        _ stage: Stage, settings: any StageSettings, plan: StepPlan
    ) throws -> any Objective
    /// Nominal operations of a training step of a stage for one image, a multiply-add counted as two.
    func trainingOperations(_ stage: Stage, settings: any StageSettings) -> Double
    /// Which parameters and statistics a run that starts in a stage takes from a checkpoint of
    /// another run.
    func startsFrom(_ path: String, in stage: Stage) -> Bool
    /// The form of the glimpses' places that a batch file may give for a stage; nil: none.
    func givenPlaces(_ stage: Stage, settings: any StageSettings) -> GivenPlaces?
    /// What a glimpse sees, and where glimpses can go; nil where there are none.
    var locationGrid: LocationGrid? { get }
    /// The side of the image that windows, coverage and pictures are of, in pixels.
    var viewedImageSize: Int { get }
    /// How pixels are made ready for the network that classifies.
    var pixelScale: PixelScale { get }
    /// The paths of what is frozen from a checkpoint of another model, `glimpse.locator`.
    func isFrozen(_ path: String) -> Bool

    /// The policies that a model can follow after a stage, in the order of reports.
    static func policies(after stage: Stage) -> [Policy]
    /// The family's policies that this model can follow.
    func policies(after stage: Stage) -> [Policy]
    /// The policy by whose accuracy a stage is scored; nil: that of the whole image.
    static func scoredPolicy(_ stage: Stage) -> Policy?
    /// T of a stage's scores and of an evaluation's last line.
    static func trainedGlimpses(_ settings: (Stage) -> (any StageSettings)?, after stage: Stage)
        -> Int
    /// The most glimpses that it can take of an image.
    var glimpseLimit: Int { get }
    /// Plans a look at images.
    func viewer(_ plan: ViewPlan) throws -> any Viewer
    /// Nominal operations of a look at one image with `glimpses` glimpses.
    func viewingOperations(glimpses: Int) -> Double
    /// The side and channels of the layer with the most values, for a first judgement of memory.
    var largestLayer: (side: Int, channels: Int) { get }
    /// How often a step of a stage keeps a layer's values of one image.
    func copies(_ stage: Stage, settings: any StageSettings) -> Int
    /// Every named activation in inference mode, for `trace`.
    func inferenceTrace(
        _ images: [Float], imageCount: Int, settings: (Stage) -> (any StageSettings)?,
        store: ParameterStore, pool: ThreadPool
    ) throws -> [TracedArray]
    /// The same on a batch that may have more than images.
    func inferenceTrace(
        _ batch: TracedBatch, settings: (Stage) -> (any StageSettings)?, store: ParameterStore,
        pool: ThreadPool
    ) throws -> [TracedArray]
    /// Why predictions cannot be attacked; nil where they can.
    var attackProblem: String? { get }
    /// Plans attacks on the prediction after `glimpses` glimpses; 0: on that without attention alone.
    func pixelGradient(store: ParameterStore, pool: ThreadPool, glimpses: Int)
        -> (any PixelGradient)?
}

extension ModelFamily {
    /// By default the last stage's settings hold for the objective in inference mode.
    public static var inferenceStage: Stage? { stages.last?.stage }

    /// By default nobody publishes weights.
    public static var publicWeights: PublicWeights? { nil }

    /// By default a step keeps the values of each image once.
    public func copies(_ stage: Stage, settings: any StageSettings) -> Int { 1 }

    /// By default everything is taken.
    public func startsFrom(_ path: String, in stage: Stage) -> Bool { true }

    /// By default there are no glimpses.
    public var locationGrid: LocationGrid? { nil }

    /// By default a model looks at one image.
    public var viewedImageSize: Int { imageSize }

    /// By default pixels are standardised as all images are.
    public var pixelScale: PixelScale { .standard }

    /// By default nothing is frozen.
    public func isFrozen(_ path: String) -> Bool { false }

    /// By default a model can follow all policies of its family.
    public func policies(after stage: Stage) -> [Policy] { Self.policies(after: stage) }

    /// By default a batch has nothing more than images.
    public func inferenceTrace(
        _ batch: TracedBatch, settings: (Stage) -> (any StageSettings)?, store: ParameterStore,
        pool: ThreadPool
    ) throws -> [TracedArray] {
        try inferenceTrace(
            batch.images, imageCount: batch.imageCount, settings: settings, store: store,
            pool: pool)
    }

    /// By default a batch file gives no places.
    public func givenPlaces(_ stage: Stage, settings: any StageSettings) -> GivenPlaces? { nil }

    /// What checkpoints call the family of the model.
    public var familyName: String { Self.name }

    /// The classes of the model's settings.
    public var classes: Int { settings.classes }

    /// Whether batch norms are over the images of all ranks.
    public var synchronizesNorms: Bool { settings.batchNorm.sync }

    /// Makes a model from settings of unknown type; nil where they are another family's.
    public static func make(_ settings: any ModelSettings, imageSize: Int) -> Self? {
        (settings as? Settings).map { Self($0, imageSize: imageSize) }
    }

    /// The first problem of settings of unknown type.
    public static func problem(
        ofAny settings: any ModelSettings, imageSize: Int
    ) -> SettingProblem? {
        (settings as? Settings).flatMap { problem($0, imageSize: imageSize) }
    }
}

/// The form of the glimpses' places that a batch file gives, row-major.
public struct GivenPlaces: Sendable {
    /// What a place is.
    public enum Kind: Sendable {
        /// The index of one of so many locations, int32.
        case locations(count: Int)
        /// A point (y, x) between −limit and limit, float32.
        case points(limit: Float)
    }

    /// What a place is.
    public let kind: Kind
    /// S; nil where a stage has none.
    public let samples: Int?
    /// T.
    public let glimpses: Int

    /// Names the form.
    ///
    /// - Parameter samples: Nil: the array is not divided by samples.
    public init(_ kind: Kind, samples: Int?, glimpses: Int) {
        (self.kind, self.samples, self.glimpses) = (kind, samples, glimpses)
    }

    /// Where places lie, in words.
    public var bounds: String {
        switch kind {
        case .locations(let count): "give 0 to \(count - 1)"
        case .points(let limit): "give -\(limit) to \(limit)"
        }
    }

    /// The array's shape for a batch: `[S, N, T]` or `[N, T]`, of points `[S, N, T, 2]`.
    public func shape(imageCount: Int) -> [Int] {
        let shape = (samples.map { [$0] } ?? []) + [imageCount, glimpses]
        if case .points = kind { return shape + [2] }
        return shape
    }
}

/// What people are told of a model.
public struct ModelDescription: Sendable {
    /// What the first line of a run says after the number of parameters, for example the grid.
    public var summary: String
    /// Lines of `inspect`: a word or two, and what they are.
    public var lines: [(label: String, text: String)]
    /// Numbers of `inspect --json`.
    public var numbers: [(key: String, value: Int)]
    /// The group whose number of parameters is told beside that of all; nil: none.
    public var countedGroup: (group: ParameterGroup, title: String)?
    /// What the figures of coverage leave out; nil: nothing.
    public var coverageNote: String?
    /// What models must have in common for a mean of their figures: a name and a value.
    public var likeness: [(what: String, value: String)]

    /// Collects what is told.
    public init(
        summary: String, lines: [(label: String, text: String)],
        numbers: [(key: String, value: Int)] = [],
        countedGroup: (group: ParameterGroup, title: String)? = nil, coverageNote: String? = nil,
        likeness: [(what: String, value: String)] = []
    ) {
        (self.summary, self.lines, self.numbers) = (summary, lines, numbers)
        (self.countedGroup, self.coverageNote) = (countedGroup, coverageNote)
        self.likeness = likeness
    }
}
