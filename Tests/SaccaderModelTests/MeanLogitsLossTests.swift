import Layers
import Models
import Tensors
import TestSupport
import Testing

/// Class weights and label smoothing against PyTorch's `CrossEntropyLoss`: the batch in unlike shards,
/// the logits the mean over the locations.
@Test(arguments: [[0..<6], [0..<1, 1..<4, 4..<6]])
func theCrossEntropyIsPyTorchs(shards: [Range<Int>]) throws {
    let figures = try SmallSetFigures.read()
    #expect(figures.losses.count == 12)
    for expected in figures.losses {
        let workspace = Workspace(imageCapacity: 6, shardCapacity: 3, keepsActivations: true)
        let logits = Tensor<Float>(Shape(6, 2, 1, 4), in: workspace.arena)
        let gradient = Tensor<Float>(Shape(6, 2, 1, 4), in: workspace.arena)
        let loss = MeanLogitsLoss(
            logits,
            targets: ClassTargets(smoothing: expected.smoothing, weights: expected.weights),
            in: workspace)
        workspace.commit(threadCount: 2)
        workspace.allocate()
        for image in 0..<6 {
            for index in 0..<4 {
                let value = figures.logits[image * 4 + index]
                logits.row(image * 2)[index] = value + 0.5
                logits.row(image * 2 + 1)[index] = value - 0.5
            }
        }
        let store = ParameterStore(layout: ParameterLayout(), seed: 0)
        let pass = Pass(
            pool: ThreadPool(threadCount: 2), reducer: NoRanks(), store: store,
            workspace: workspace, shards: shards, globalImageCount: 6)
        let report = try loss.report(figures.labels, gradient: gradient, pass: pass)
        let value = try #require(report.crossEntropy)
        #expect(abs(value - expected.loss) < 1e-6 * abs(expected.loss))
        for location in 0..<2 {
            let found = (0..<6).flatMap { image in
                (0..<4).map { 2 * gradient.row(image * 2 + location)[$0] }
            }
            #expect(relativeDifference(found, expected.gradient) < 1e-6, "\(expected)")
        }
    }
}

/// PyTorch's mean over no weight is no number, and would end a run for one batch of a class that is
/// to count for nothing.
@Test func aBatchWithoutWeightIsNoLoss() throws {
    let workspace = Workspace(imageCapacity: 2, shardCapacity: 1, keepsActivations: true)
    let logits = Tensor<Float>(Shape(2, 1, 1, 2), in: workspace.arena)
    let gradient = Tensor<Float>(Shape(2, 1, 1, 2), in: workspace.arena)
    let loss = MeanLogitsLoss(
        logits, targets: ClassTargets(smoothing: 0, weights: [0, 1]), in: workspace)
    workspace.commit(threadCount: 1)
    workspace.allocate()
    for index in 0..<4 { logits.pointer[index] = Float(index) }
    let pass = Pass(
        pool: ThreadPool(threadCount: 1), reducer: NoRanks(),
        store: ParameterStore(layout: ParameterLayout(), seed: 0), workspace: workspace,
        shards: [0..<2], globalImageCount: 2)
    let report = try loss.report([0, 0], gradient: gradient, pass: pass)
    #expect(report.crossEntropy == 0)
    #expect((0..<4).allSatisfy { gradient.pointer[$0] == 0 })
}
