import Layers
import Testing

@testable import DRAMModel

/// The published numbers of parameters, and the settings that make no network.
@Suite struct SizeTests {
    @Test func thePublishedModelHasItsNumberOfParameters() {
        let layout = DRAM<Float>(DRAMConfiguration(), imageSize: 224).layout
        #expect(layout.trainableCount == 45_564_779)
        #expect(layout.statisticCount == 45_440)
        #expect(layout.trainableCount + layout.statisticCount == 45_610_219)
        var configuration = DRAMConfiguration()
        configuration.classes = 1000
        let thousand = DRAM<Float>(configuration, imageSize: 224).layout
        #expect(thousand.trainableCount + thousand.statisticCount == 45_609_194)
        // Table of the parts.
        func count(_ prefix: String) -> Int {
            layout.parameters.filter { $0.path.hasPrefix("dram/\(prefix)") }
                .reduce(0) { $0 + $1.count }
        }
        let parts = [
            ("glimpse/stem/", 47_104), ("glimpse/group0/", 215_936),
            ("glimpse/group1/", 1_220_608), ("glimpse/group2/", 7_102_464),
            ("glimpse/group3/", 14_966_784), ("glimpse/norm/", 4096),
            ("classificationCell/", 12_587_008), ("locationCell/", 8_392_704),
            ("logits/", 1_026_025), ("emission/", 2050),
        ]
        for (prefix, expected) in parts { #expect(count(prefix) == expected, "\(prefix)") }
        #expect(layout.statistics.count == 2 * 49)
    }

    /// The classification's parameters lie together, and so do the location's.
    @Test func eachStageTrainsOneRunOfParameters() {
        let layout = DRAM<Float>(DRAMConfiguration(), imageSize: 224).layout
        let isLocation = layout.parameters.map { $0.group == .policy }
        #expect(isLocation.filter { $0 }.count == 4)
        #expect(zip(isLocation, isLocation.dropFirst()).filter { $0 != $1 }.count == 1)
    }

    @Test func windowsReachFromTheGlimpseToTheImage() {
        let geometry = GlimpseGeometry(imageSize: 224, glimpseSize: 77, resolutions: 3)
        #expect(geometry.sides == [77, 150, 224])
        #expect(
            GlimpseGeometry(imageSize: 64, glimpseSize: 21, resolutions: 3).sides == [21, 42, 64])
        #expect(GlimpseGeometry(imageSize: 64, glimpseSize: 21, resolutions: 1).sides == [21])
        // A place at the limit looks at the image's edge, in single precision too.
        for size in 21...300 {
            let geometry = GlimpseGeometry(imageSize: size, glimpseSize: 21, resolutions: 2)
            let (low, high) = (-geometry.limit, geometry.limit)
            #expect(geometry.corner(of: Place(y: low, x: high)).row == 0)
            #expect(geometry.corner(of: Place(y: low, x: high)).column == size - 21)
            #expect(
                geometry.corner(of: Place(y: low, x: high), resolution: 1)
                    == .init(
                        row: Int((Double(21 - size) / 2 + 0x1p-10).rounded(.down)),
                        column: Int((Double(size - 21) / 2 + 0x1p-10).rounded(.down))))
        }
        #expect(geometry.corner(of: Place(y: .nan, x: .infinity)) == .init(row: 0, column: 0))
    }

    @Test func settingsThatMakeNoNetworkAreNamed() {
        func problem(_ change: (inout DRAMConfiguration) -> Void) -> String? {
            var configuration = DRAMConfiguration()
            change(&configuration)
            return configuration.problem(imageSize: 224)?.key
        }
        #expect(problem { _ in } == nil)
        #expect(problem { $0.dram.glimpseSize = 225 } == "dram.glimpseSize")
        #expect(problem { $0.dram.glimpseSize = 76 } == "dram.glimpseSize")
        #expect(problem { $0.dram.glimpseSize = 79 } == "dram.glimpseSize")
        #expect(problem { $0.dram.glimpseSize = 78 } == nil)
        #expect(
            problem { $0.dram.classificationResolutions = 4 } == "dram.classificationResolutions")
        #expect(
            problem { $0.dram.classificationResolutions = 0 } == "dram.classificationResolutions")
        #expect(problem { $0.dram.resolutions = 1 } == nil)
        #expect(problem { $0.dram.resolutions = 0 } == "dram.resolutions")
        #expect(problem { $0.dram.strides = [1] } == "dram.strides")
        #expect(problem { $0.dram.blocks[1] = 0 } == "dram.blocks")
        #expect(problem { $0.dram.planes = [] } == "dram.blocks")
        #expect(problem { $0.dram.normMomentum = 1 } == "dram.normMomentum")
        #expect(problem { $0.classes = 0 } == "classes")
        #expect(problem { $0.batchNorm.epsilon = 0 } == "batchNorm")
        func stageProblem(_ change: (inout DRAMStageSettings) -> Void) -> String? {
            var settings = DRAMStageSettings()
            change(&settings)
            return settings.problem?.key
        }
        #expect(stageProblem { $0.glimpses = 6 } == nil)
        #expect(stageProblem { $0.glimpses = 0 } == "glimpses")
        #expect(stageProblem { $0.samples = 0 } == "samples")
        #expect(stageProblem { $0.deviation = 0 } == "deviation")
        #expect(stageProblem { $0.reinforceWeight = -1 } == "reinforceWeight")
    }
}
