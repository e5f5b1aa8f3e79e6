import Layers
import Models
import Tensors

extension SaccaderFamily {
    public static func policies(after stage: Stage) -> [Policy] {
        let untrained: [Policy] = [
            .random, .orderedLogits, .sobelMean, .sobelVariance, .center,
        ]
        return stage == .representation ? untrained : [.learned] + untrained
    }

    public static func scoredPolicy(_ stage: Stage) -> Policy? {
        stage == .representation ? nil : .learned
    }

    public static func trainedGlimpses(
        _ settings: (Stage) -> (any StageSettings)?, after stage: Stage
    ) -> Int {
        // The representation network alone has no glimpses of its own: the whole model's count.
        let own = settings(stage == .representation ? .joint : stage) as? SaccaderStageSettings
        return (own ?? SaccaderStageSettings(.joint)).glimpses
    }

    public var glimpseLimit: Int { geometry.locationCount }

    public func viewer(_ plan: ViewPlan) throws -> any Viewer {
        switch plan.precision {
        case .float32: try SaccaderViewer(Saccader<Float>(settings), geometry, imageSize, plan)
        case .bfloat16: try SaccaderViewer(Saccader<BFloat16>(settings), geometry, imageSize, plan)
        }
    }

    public func inferenceTrace(
        _ images: [Float], imageCount: Int, settings: (Stage) -> (any StageSettings)?,
        store: ParameterStore, pool: ThreadPool
    ) throws -> [TracedArray] {
        let inference = try Inference(
            Saccader<Float>(self.settings), store: store, pool: pool, imageSize: imageSize,
            imageCapacity: imageCount, shardSize: 1,
            glimpses: Self.trainedGlimpses(settings, after: .joint))
        let sights = try inference(images, imageCount: imageCount)
        let means = sights.flatMap { sight in
            sight.averages(.learned, sight.learned, classes: classes).last ?? []
        }
        return inference.trace(imageCount: imageCount) + [
            TracedArray("prediction", [imageCount, classes], .floats(means))
        ]
    }

    public var attackProblem: String? {
        settings.cell.soft
            ? "has soft attention; attacks follow gradients through a hard one's logits alone" : nil
    }

    public func pixelGradient(
        store: ParameterStore, pool: ThreadPool, glimpses: Int
    ) -> (any PixelGradient)? {
        // Activations are kept for backward: no more images at once than the threads need.
        InputGradient(
            Saccader<Float>(settings), store: store, pool: pool, imageSize: imageSize,
            imageCapacity: max(8, pool.threadCount), glimpses: glimpses)
    }
}
