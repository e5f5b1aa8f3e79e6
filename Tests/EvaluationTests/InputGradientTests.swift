import Checkpoints
import Foundation
import Images
import Models
import SaccaderModel
import Tensors
import Testing

@testable import Evaluation
@testable import StoredModels

/// The gradient that attacks follow, against PyTorch's autograd in double precision
/// (Fixtures/make_attack.py).
@Suite struct InputGradientTests {
    private let file: HDF5File
    private let stored: StoredModel
    private let pixels: [Float]
    private let labels: [Int32]

    init() throws {
        let path = try #require(
            Bundle.module.url(forResource: "attack", withExtension: "h5", subdirectory: "Fixtures"))
        let checkpoint = try Checkpoint(reading: path.path)
        file = checkpoint.file
        stored = try StoredModel(checkpoint)
        pixels = try file.floats("/batch/images")
        labels = try file.integers("/batch/labels")
    }

    private func network() throws -> InputGradient {
        let family = try #require(stored.model as? SaccaderFamily)
        return InputGradient(
            Saccader<Float>(family.settings), store: stored.store, pool: ThreadPool(threadCount: 2),
            imageSize: stored.settings.data.imageSize, imageCapacity: labels.count, glimpses: 3)
    }

    /// Every element, within `tolerance` of the largest: single precision, and in each element
    /// terms of about that size cancel.
    private func expectEqual(
        _ found: [Float], _ name: String, tolerance: Float,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let expected = try file.floats(name)
        let scale = expected.map(abs).max() ?? 0
        #expect(found.count == expected.count && scale > 1e-2, sourceLocation: sourceLocation)
        let worst = zip(found, expected).map { abs($0 - $1) }.max() ?? 0
        #expect(worst <= tolerance * scale, "\(name)", sourceLocation: sourceLocation)
    }

    @Test(arguments: AttackTarget.allCases)
    func everyPixelHasTheGradientOfPyTorch(target: AttackTarget) throws {
        let root = "/expected/\(target.rawValue)"
        let found = try network()(pixels, imageCount: labels.count, labels: labels, of: target)
        #expect(
            found.flatMap { $0.locations.map(Int32.init) }
                == (try file.integers("\(root)/locations")))
        try expectEqual(found.flatMap(\.prediction), "\(root)/prediction", tolerance: 1e-5)
        try expectEqual(found.flatMap(\.gradient), "\(root)/gradient", tolerance: 2e-5)
    }

    @Test(arguments: AttackTarget.allCases)
    func aSignStepLeadsWhereItLeadsInPyTorch(target: AttackTarget) throws {
        let attack = try Attack(method: "fgsm", epsilons: "8/255")
        let network = try network()
        let found = try network(pixels, imageCount: labels.count, labels: labels, of: target)
        let length = pixels.count / labels.count
        let moved = found.enumerated().flatMap { image, result in
            let origin = Preparation.unstandardized(
                Array(pixels[(image * length)..<((image + 1) * length)]))
            return attack.step(
                origin, along: result.gradient, around: origin, epsilon: 8.0 / 255)
        }
        let standardized = moved.indices.map {
            (moved[$0] - Preparation.mean[$0 % 3]) / Preparation.deviation[$0 % 3]
        }
        let attacked = try network(
            standardized, imageCount: labels.count, labels: nil, of: target)
        // A gradient of nearly 0 may have another sign, and moves the logits as little.
        try expectEqual(
            attacked.flatMap(\.prediction), "/expected/\(target.rawValue)/fgsm", tolerance: 1e-4)
    }
}
