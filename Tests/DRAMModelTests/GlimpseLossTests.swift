import Layers
import Models
import Tensors
import TestSupport
import Testing

@testable import DRAMModel

/// Class weights and label smoothing against PyTorch's `CrossEntropyLoss`: two samples of an image,
/// all glimpses alike.
@Test(arguments: [DRAMStageSettings.Glimpses.last, .everyGlimpse])
func theGlimpsesCrossEntropyIsPyTorchs(classification: DRAMStageSettings.Glimpses) throws {
    let figures = try SmallSetFigures.read()
    var settings = DRAMStageSettings()
    (settings.samples, settings.glimpses, settings.classification) = (2, 3, classification)
    for expected in figures.losses {
        let workspace = Workspace(imageCapacity: 12, shardCapacity: 3, keepsActivations: true)
        func tensors() -> [Tensor<Float>] {
            (0..<3).map { _ in Tensor(Shape(12, 1, 1, 4), in: workspace.arena) }
        }
        let (logits, gradients) = (tensors(), tensors())
        let loss = GlimpseLoss(
            logits, settings: settings,
            targets: ClassTargets(smoothing: expected.smoothing, weights: expected.weights),
            in: workspace)
        workspace.commit(threadCount: 1)
        workspace.allocate()
        for tensor in logits {
            for row in 0..<12 {
                for index in 0..<4 {
                    tensor.row(row)[index] = figures.logits[row / 2 * 4 + index]
                }
            }
        }
        let images = Pass(
            pool: ThreadPool(threadCount: 1), reducer: NoRanks(),
            store: ParameterStore(layout: ParameterLayout(), seed: 0), workspace: workspace,
            shards: [0..<1, 1..<4, 4..<6], globalImageCount: 6)
        let total = try loss.total(figures.labels, pass: images)
        var sum = 0.0
        let scratch = UnsafeMutablePointer<Float>.allocate(capacity: 8)
        defer { scratch.deallocate() }
        for row in 0..<12 {
            sum += loss.crossEntropy(
                row, label: Int(figures.labels[row / 2]), scratch: scratch)
        }
        #expect(abs(sum / (2 * total) - expected.loss) < 1e-6 * abs(expected.loss))
        loss.backward(
            figures.labels, LossReport(accuracy: 0, weight: total), into: gradients,
            pass: images.repeated(2))
        let count = loss.classified.count
        for glimpse in loss.classified {
            for sample in 0..<2 {
                let found = (0..<6).flatMap { image in
                    (0..<4).map {
                        Float(2 * count) * gradients[glimpse].row(image * 2 + sample)[$0]
                    }
                }
                #expect(relativeDifference(found, expected.gradient) < 1e-6, "\(expected)")
            }
        }
    }
}
