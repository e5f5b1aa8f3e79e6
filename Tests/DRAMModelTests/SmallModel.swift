import Layers
import Models
import Tensors

@testable import DRAMModel

/// A DRAM of few numbers, with images and labels to train on.
struct SmallModel {
    static let imageSize = 20
    let configuration: DRAMConfiguration
    let images: [Float]
    let labels: [Int32]

    init(imageCount: Int = 4, change: (inout DRAMConfiguration) -> Void = { _ in }) {
        var configuration = DRAMConfiguration()
        configuration.classes = 3
        configuration.dram.glimpseSize = 9
        configuration.dram.stemChannels = 4
        configuration.dram.planes = [3, 4]
        configuration.dram.blocks = [2, 2]
        configuration.dram.strides = [2, 1]
        configuration.dram.expansion = 2
        configuration.dram.classificationUnits = 6
        configuration.dram.locationUnits = 5
        change(&configuration)
        self.configuration = configuration
        var random = CounterRandom(seed: 4, purpose: .scene)
        images = (0..<(imageCount * Self.imageSize * Self.imageSize * 3)).map { _ in
            Float(random.uniform() * 2 - 1)
        }
        labels = (0..<imageCount).map { Int32($0 % 3) }
    }

    func model<Element: StorageElement>(_ type: Element.Type) -> DRAM<Element> {
        DRAM(configuration, imageSize: Self.imageSize)
    }

    /// What a stage's step leaves behind.
    struct Result: Equatable {
        var report: LossReport
        var gradients: [Float]
        var statistics: [Float]
    }

    /// A step of one rank on a part of the images.
    ///
    /// - Parameters:
    ///   - images: This rank's, in shards.
    ///   - count: The images of all ranks.
    ///   - change: What is done to the first parameters.
    func step<Element: StorageElement>(
        _ type: Element.Type, stage: Stage, settings: DRAMStageSettings, shards: [Range<Int>],
        of count: Int, threads: Int = 1, reducer: any SumReducer = NoRanks(),
        isFirstRank: Bool = true, glimpses: GlimpseSource? = nil,
        change: (ParameterStore) -> Void = { _ in }
    ) throws -> (Result, [TracedArray]) {
        let model = model(type)
        let store = ParameterStore(layout: model.layout, seed: 6)
        change(store)
        let first = shards[0].lowerBound
        let end = shards[shards.count - 1].upperBound
        let objective: any Objective =
            stage == .dram
            ? DRAMObjective(
                model, settings: settings, imageCapacity: end - first,
                shardCapacity: shards.count, threadCount: threads)
            : DRAMPretrainObjective(
                model, settings: settings, imageCapacity: end - first,
                shardCapacity: shards.count, threadCount: threads)
        let pass = Pass(
            pool: ThreadPool(threadCount: threads), reducer: reducer, store: store,
            workspace: objective.workspace,
            shards: shards.map { ($0.lowerBound - first)..<($0.upperBound - first) },
            globalImageCount: count, isFirstRank: isFirstRank)
        let pixels = Self.imageSize * Self.imageSize * 3
        let batch = TrainingBatch(
            images: Array(images[(first * pixels)..<(end * pixels)]),
            labels: Array(labels[first..<end]),
            glimpses: glimpses
                ?? .sampled(seed: 8, stream: 3, identifiers: (first..<end).map { 100 + $0 }))
        try objective.forward(batch, pass: pass)
        let report = try objective.loss(batch, pass: pass)
        let arrays = objective.trace(imageCount: end - first)
        try objective.backward(batch, report, pass: pass)
        return (
            Result(
                report: report, gradients: Array(store.allGradients),
                statistics: Array(store.allStatistics)),
            arrays
        )
    }

    enum Stage: CaseIterable {
        case pretrain
        case dram
    }
}
