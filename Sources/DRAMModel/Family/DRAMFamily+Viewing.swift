import Layers
import Models
import Tensors

extension DRAMFamily {
    public static func policies(after stage: Stage) -> [Policy] {
        // Pretraining leaves the policy as it began.
        stage == .dramPretrain ? [.random, .center] : [.learned, .random, .center]
    }

    public static func scoredPolicy(_ stage: Stage) -> Policy? {
        stage == .dramPretrain ? .random : .learned
    }

    public static func trainedGlimpses(
        _ settings: (Stage) -> (any StageSettings)?, after stage: Stage
    ) -> Int {
        let own = settings(stage) as? DRAMStageSettings
        return (own ?? DRAMStageSettings()).glimpses
    }

    public var glimpseLimit: Int { CountRange.few.upperBound }

    public func viewer(_ plan: ViewPlan) throws -> any Viewer {
        switch plan.precision {
        case .float32: DRAMViewer(DRAM<Float>(settings, imageSize: imageSize), plan)
        case .bfloat16: DRAMViewer(DRAM<BFloat16>(settings, imageSize: imageSize), plan)
        }
    }

    public func inferenceTrace(
        _ images: [Float], imageCount: Int, settings: (Stage) -> (any StageSettings)?,
        store: ParameterStore, pool: ThreadPool
    ) throws -> [TracedArray] {
        let glimpses = Self.trainedGlimpses(settings, after: .dram)
        let inference = DRAMInference(
            DRAM<Float>(self.settings, imageSize: imageSize), store: store, pool: pool,
            imageCapacity: imageCount, shardSize: 1)
        let arrays = try inference.trace(images, imageCount: imageCount, glimpses: glimpses)
        let views = try inference(images, imageCount: imageCount, glimpses: glimpses)
        let predictions = views.flatMap { $0.predictions(self.settings.dram.prediction).last ?? [] }
        return arrays + [
            TracedArray("prediction", [imageCount, classes], .floats(predictions))
        ]
    }

    public var attackProblem: String? {
        "is a DRAM; attacks follow gradients through the Saccader's logits alone"
    }

    public func pixelGradient(
        store: ParameterStore, pool: ThreadPool, glimpses: Int
    ) -> (any PixelGradient)? { nil }
}
