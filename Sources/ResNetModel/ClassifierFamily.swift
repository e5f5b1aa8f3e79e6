import Layers
import Models
import Tensors

extension ParameterGroup {
    /// All of the classifier.
    static let classifier = ParameterGroup("classifier", l2Name: "l2Classifier")
}

extension Stage {
    /// The classifier's only stage.
    public static let classifier = Stage("classifier", stream: 3, trains: [.classifier])
}

/// A classifier of whole images, ResNet-v2-50 in the paper: it judges images from which the windows
/// of another model's glimpses were taken out.
public struct ClassifierFamily: ModelFamily {
    public static let name = "classifier"
    public static let title = "Classifier"
    public static let stages: [(stage: Stage, defaults: any StageSettings)] = [
        (.classifier, ClassifierStageSettings())
    ]
    public static let groups = [ParameterGroup.classifier]
    public static let inferenceObjective: String? = nil
    public static let publicWeights: PublicWeights? = ClassifierWeights.rules

    public let settings: ClassifierSettings
    public let imageSize: Int
    public let layout: ParameterLayout

    public init(_ settings: ClassifierSettings, imageSize: Int) {
        (self.settings, self.imageSize) = (settings, imageSize)
        layout = Classifier<Float>(settings).layout
    }

    public static func problem(
        _ settings: ClassifierSettings, imageSize: Int
    ) -> SettingProblem? {
        if let problem = settings.problem { return problem.below("model") }
        return SettingProblem.first([("data.imageSize", imageSize, CountRange.imageSize)])
    }

    public func problem(_ settings: any StageSettings, of stage: Stage) -> SettingProblem? {
        (settings as? ClassifierStageSettings)?.problem
            ?? self.settings.freezable.problem(settings.freeze)
    }

    public var description: ModelDescription {
        ModelDescription(
            summary: "classifier of whole images of \(imageSize)×\(imageSize) pixels",
            lines: [("classifier", "of whole images of \(imageSize)×\(imageSize)")])
    }

    public func objective(
        _ stage: Stage, settings: any StageSettings, plan: StepPlan
    ) throws -> any Objective {
        switch plan.precision {
        case .float32: objective(Float.self, settings, plan)
        case .bfloat16: objective(BFloat16.self, settings, plan)
        }
    }

    private func objective<Element: StorageElement>(
        _: Element.Type, _ stage: any StageSettings, _ plan: StepPlan
    ) -> any Objective {
        ClassifierObjective(
            Classifier<Element>(settings),
            frozenCount: settings.freezable.frozenCount(stage.freeze), imageSize: imageSize,
            imageCapacity: plan.imageCapacity, shardCapacity: plan.shardCapacity,
            threadCount: plan.pool.threadCount, targets: ClassTargets(stage, plan))
    }

    public func trainingOperations(_ stage: Stage, settings: any StageSettings) -> Double {
        ClassifierOperations.parts(self.settings, imageSize: imageSize).reduce(0) {
            $0 + (settings.freezes($1.path) ? 2 : 6) * Double($1.products)
        }
    }

    public func viewingOperations(glimpses: Int) -> Double {
        2 * Double(ClassifierOperations.products(settings, imageSize: imageSize))
    }

    public var pixelScale: PixelScale { settings.classifier.pixels.resolved }

    public static func policies(after stage: Stage) -> [Policy] { [] }
    public static func scoredPolicy(_ stage: Stage) -> Policy? { nil }
    public static func trainedGlimpses(
        _ settings: (Stage) -> (any StageSettings)?, after stage: Stage
    ) -> Int { 1 }
    public var glimpseLimit: Int { 0 }

    public func viewer(_ plan: ViewPlan) throws -> any Viewer {
        switch plan.precision {
        case .float32:
            ClassifierViewer(Classifier<Float>(settings), imageSize: imageSize, plan: plan)
        case .bfloat16:
            ClassifierViewer(Classifier<BFloat16>(settings), imageSize: imageSize, plan: plan)
        }
    }

    public var largestLayer: (side: Int, channels: Int) {
        (imageSize, settings.classifier.stemChannels)
    }

    public func inferenceTrace(
        _ images: [Float], imageCount: Int, settings: (Stage) -> (any StageSettings)?,
        store: ParameterStore, pool: ThreadPool
    ) throws -> [TracedArray] { [] }

    public var attackProblem: String? { "is a classifier, which has no glimpses" }
    public func pixelGradient(
        store: ParameterStore, pool: ThreadPool, glimpses: Int
    ) -> (any PixelGradient)? { nil }
}
