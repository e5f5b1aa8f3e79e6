import Families
import Layers
import Models
import SaccaderModel
import Tensors
import Testing

@testable import GlimpseModel

/// The published numbers of parameters and operations.
@Suite struct SizeTests {
    private static func nasnet(
        classes: Int, _ change: (inout NASNetDimensions) -> Void = { _ in }
    ) -> ParameterLayout {
        var settings = GlimpseSettings()
        settings.classes = classes
        change(&settings.nasnet)
        return PatchNetwork<Float>.make(settings).layout
    }

    private static func mobile(_ sizes: inout NASNetDimensions) {
        (sizes.stemChannels, sizes.filters, sizes.cellsPerGroup) = (32, 44, 4)
        sizes.skipReductionInput = false
    }

    @Test func nasnetHasItsNumberOfParameters() {
        let large = Self.nasnet(classes: 1000)
        #expect(large.trainableCount == 88_753_150)
        #expect(large.statisticCount == 196_668)
        let background = Self.nasnet(classes: 1001)
        #expect(background.trainableCount + background.statisticCount == 88_953_851)
        #expect(background.statistics.count == 2 * 264)
        let mobile = Self.nasnet(classes: 1000, Self.mobile)
        #expect(mobile.trainableCount == 5_289_978)
        #expect(mobile.statisticCount == 36_738)
        let small = Self.nasnet(classes: 5) {
            ($0.stemChannels, $0.filters, $0.cellsPerGroup) = (10, 8, 2)
        }
        #expect(small.trainableCount == 110_587)
        #expect(small.statisticCount == 4000)
        func count(_ cell: String) -> Int {
            background.parameters.filter { $0.path.hasPrefix("nasnet/\(cell)/") }
                .reduce(0) { $0 + $1.count }
        }
        let parts = [
            ("stem", 2784), ("stemCell0", 49_230), ("stemCell1", 121_128), ("cell0", 396_816),
            ("cell1", 537_936), ("cell5", 650_832), ("reduction0", 1_919_904),
            ("cell6", 1_979_040), ("cell7", 2_317_728), ("cell11", 2_543_520),
            ("reduction1", 7_452_480), ("cell12", 7_796_544), ("cell13", 9_151_296),
            ("cell17", 10_054_464), ("logits", 4_037_033),
        ]
        for (name, expected) in parts { #expect(count(name) == expected, "\(name)") }
    }

    @Test func theSystemHasItsNumberOfParameters() {
        let model = ModelConfiguration().model(of: GlimpseFamily.self, imageSize: 224)
        let layout = model.layout
        #expect(layout.trainableCount + layout.statisticCount == 124_537_764)
        // What is trained lies in one run.
        let isFrozen = layout.parameters.map { model.isFrozen($0.path) }
        #expect(isFrozen.filter { $0 }.count > 100)
        #expect(zip(isFrozen, isFrozen.dropFirst()).filter { $0 != $1 }.count == 1)
        #expect(
            layout.parameters.filter { $0.group == .head }.map(\.path) == [
                "nasnet/logits/kernel", "nasnet/logits/bias",
            ])
    }

    @Test func operationsAreThePublishedOnes() {
        var sizes = NASNetDimensions()
        func products(_ size: Int) -> Double {
            Double(NASNetOperations.products(sizes, classes: 1001, imageSize: size)) * 1e-9
        }
        func isNear(_ size: Int, _ expected: Double) -> Bool {
            abs(products(size) / expected - 1) < 0.008
        }
        #expect(isNear(77, 1.482) && isNear(113, 2.806) && isNear(224, 10.28))
        #expect(isNear(331, 23.78))
        Self.mobile(&sizes)
        #expect(isNear(77, 0.080) && isNear(113, 0.153) && isNear(224, 0.564))
        #expect(isNear(331, 1.297))
    }

    @Test func settingsThatMakeNoModelAreNamed() {
        func problem(
            size: Int = 224, _ change: (inout GlimpseConfiguration) -> Void = { _ in },
            patchImageSize: Int = 0, model: (inout ModelConfiguration) -> Void = { _ in }
        ) -> String? {
            var (glimpse, configuration) = (GlimpseConfiguration(), ModelConfiguration())
            change(&glimpse)
            model(&configuration)
            configuration.join(glimpse, patchImageSize: patchImageSize)
            return configuration.problem(of: GlimpseFamily.self, imageSize: size)?.key
        }
        #expect(problem() == nil)
        #expect(problem(patchImageSize: 331) == nil)
        #expect(problem(patchImageSize: 200) == "data.patchImageSize")
        #expect(problem(size: 70) == "data.imageSize")
        #expect(problem { $0.windowSize = 225 } == "glimpse.windowSize")
        #expect(problem { $0.windowSize = 18 } == "glimpse.windowSize")
        #expect(problem { $0.windowSize = 19 } == nil)
        #expect(problem { $0.patchSize = 18 } == "glimpse.patchSize")
        #expect(problem { ($0.windowSize, $0.network) = (18, .resnetv2) } == nil)
        #expect(problem { $0.jitter = -1 } == "glimpse.jitter")
        #expect(problem { $0.randomPlaces = 1.5 } == "glimpse.randomPlaces")
        #expect(problem { $0.pixels.mean = [0.5] } == "glimpse.pixels.mean")
        #expect(
            problem { $0.pixels = PixelScale(mean: [0, 0, 0], deviation: [1, 0, 1]) }
                == "glimpse.pixels.deviation")
        #expect(
            problem { ($0.locatorFamily, $0.alignment) = (.dram, .reference) }
                == "glimpse.alignment")
        #expect(
            problem(model: { $0[GlimpseFamily.self].nasnet.filters = 10 })
                == "model.nasnet.filters")
        var settings = GlimpseStageSettings()
        settings.glimpses = 401
        #expect(settings.problem(locations: 400)?.key == "glimpses")
        (settings.glimpses, settings.headLearningRate) = (6, -1)
        #expect(settings.problem(locations: 400)?.key == "headLearningRate")
    }
}
