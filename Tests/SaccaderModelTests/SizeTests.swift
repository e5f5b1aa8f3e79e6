import Testing

@testable import SaccaderModel

/// The numbers of method §1.
@Suite struct SizeTests {
    @Test func parameterCountsAreThePapers() {
        let layout = Saccader<Float>(ModelConfiguration()).layout
        let representation = layout.parameters.filter {
            Saccader<Float>.isRepresentation($0.path)
        }.reduce(0) { $0 + $1.count }
        #expect(representation == 20_574_249)
        #expect(layout.trainableCount == 35_523_625)
        #expect(layout.trainableCount + layout.statisticCount == 35_583_913)
    }

    @Test func geometryIsThePapers() {
        let geometry = Geometry(RepresentationConfiguration(), imageSize: 224)
        #expect(geometry.receptiveField == 77)
        #expect(geometry.stride == 8)
        #expect(geometry.gridSize == 19)
    }

    @Test func operationsAreThePapers() {
        let count = OperationCount(ModelConfiguration(), imageSize: 224)
        #expect((count.representation / 1e8).rounded() == 282)
        // 361 locations: 2048→1024, 9·1024→1024, 1024→512, 9·512→512, then 1024→512.
        let products =
            361 * (2048 * 1024 + 9 * 1024 * 1024 + 1024 * 512 + 9 * 512 * 512 + 1024 * 512)
        #expect(count.location == Double(2 * products))
        #expect(count.training(.joint) == 3 * (count.representation + count.location))
    }

    @Test func pathsAreUniqueAndDecayIsForKernels() {
        let layout = Saccader<Float>(ModelConfiguration()).layout
        #expect(Set(layout.parameters.map(\.path)).count == layout.parameters.count)
        for parameter in layout.parameters {
            let isKernel = parameter.path.hasSuffix("/kernel") || parameter.path == "cell/a"
            #expect(parameter.decays == isKernel, "\(parameter.path)")
        }
    }

    @Test func theLastNormOfABottleneckStartsAtZero() {
        for norm in [ShortcutNorm.residual, .reference] {
            var configuration = ModelConfiguration()
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
