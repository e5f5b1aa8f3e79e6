import Layers
import Models
import Testing

@testable import ResNetModel
@testable import SaccaderModel

/// The numbers of the article Method, "Sizes".
@Suite struct SizeTests {
    @Test func parameterCountsAreThePapers() {
        let layout = Saccader<Float>(SaccaderSettings()).layout
        #expect(layout.trainableCount(of: .representation) == 20_574_249)
        #expect(layout.trainableCount(of: .location) == 35_523_625 - 20_574_249)
        #expect(
            layout.parameters.allSatisfy {
                $0.path.hasPrefix("representation/") == ($0.group == .representation)
            })
        #expect(layout.trainableCount == 35_523_625)
        #expect(layout.trainableCount + layout.statisticCount == 35_583_913)
    }

    /// The count of PyTorch's modules in the same arrangement (TrainingTests/Fixtures), and of
    /// this sum: convolutions, norms' gamma and beta, logits.
    @Test func theClassifierIsResNetV2With50Layers() {
        var configuration = ClassifierSettings()
        configuration.classes = 1000
        let layout = Classifier<Float>(configuration).layout
        var (convolutions, normed, inputs) = (7 * 7 * 3 * 64, 0, 64)
        for (planes, count) in [(64, 3), (128, 4), (256, 6), (512, 3)] {
            for block in 0..<count {
                convolutions += inputs * planes + 9 * planes * planes + planes * 4 * planes
                convolutions += block == 0 ? inputs * 4 * planes : 0
                normed += inputs + 2 * planes
                inputs = 4 * planes
            }
        }
        normed += inputs
        #expect(layout.trainableCount == convolutions + 2 * normed + (inputs + 1) * 1000)
        #expect(layout.trainableCount == 25_549_352)
        #expect(layout.statisticCount == 2 * normed)
        #expect(layout.parameters.allSatisfy { $0.path.hasPrefix("classifier/") })
    }

    @Test func geometryIsThePapers() {
        let geometry = Geometry(RepresentationConfiguration(), imageSize: 224)
        #expect(geometry.receptiveField == 77)
        #expect(geometry.stride == 8)
        #expect(geometry.gridSize == 19)
    }

    @Test func operationsAreThePapers() {
        let count = SaccaderOperations(SaccaderSettings(), imageSize: 224)
        #expect((count.representation / 1e8).rounded() == 282)
        // 361 locations: 2048→1024, 9·1024→1024, 1024→512, 9·512→512, then 1024→512.
        let products =
            361 * (2048 * 1024 + 9 * 1024 * 1024 + 1024 * 512 + 9 * 512 * 512 + 1024 * 512)
        #expect(count.location == Double(2 * products))
        #expect(count.training(Stage.joint) == 3 * (count.representation + count.location))
    }

    @Test func pathsAreUniqueAndDecayIsForKernels() {
        let layout = Saccader<Float>(SaccaderSettings()).layout
        #expect(Set(layout.parameters.map(\.path)).count == layout.parameters.count)
        for parameter in layout.parameters {
            let isKernel = parameter.path.hasSuffix("/kernel") || parameter.path == "cell/a"
            #expect(parameter.decays == isKernel, "\(parameter.path)")
        }
    }

    @Test func theLastNormOfABottleneckStartsAtZero() {
        for norm in [ShortcutNorm.residual, .reference] {
            var configuration = SaccaderSettings()
            configuration.representation.shortcutNorm = norm
            let layout = Saccader<Float>(configuration).layout
            let gammas = layout.parameters.filter { $0.path.hasSuffix("norm3/gamma") }
            #expect(gammas.count == 16)
            for gamma in gammas {
                // Where a second norm follows, a gamma of 0 would leave it no variance.
                let isProjected = layout.parameters.contains {
                    $0.path == gamma.path.replacing("norm3/gamma", with: "shortcut/conv/kernel")
                }
                let start: Float = norm == .reference && isProjected ? 1 : 0
                #expect(gamma.initial == .constant(start), "\(gamma.path)")
            }
        }
    }
}
