import Layers
import Models
import Tensors

/// The DRAM as a family of models: two stages, places anywhere in the image.
public struct DRAMFamily: ModelFamily {
    public static let name = "dram"
    public static let title = "DRAM"
    public static let stages: [(stage: Stage, defaults: any StageSettings)] = [
        (.dramPretrain, DRAMStageSettings()), (.dram, DRAMStageSettings()),
    ]
    public static let groups = [ParameterGroup.classification, .policy]
    public static let inferenceObjective: String? = "dramInference"

    public let settings: DRAMConfiguration
    public let imageSize: Int
    public let layout: ParameterLayout
    /// What a glimpse sees.
    public let geometry: GlimpseGeometry

    public init(_ settings: DRAMConfiguration, imageSize: Int) {
        (self.settings, self.imageSize) = (settings, imageSize)
        let model = DRAM<Float>(settings, imageSize: imageSize)
        (layout, geometry) = (model.layout, model.geometry)
    }

    public static func problem(_ settings: DRAMConfiguration, imageSize: Int) -> SettingProblem? {
        let sizes = [("data.imageSize", imageSize, CountRange.imageSize)]
        return SettingProblem.first(sizes)
            ?? settings.problem(imageSize: imageSize)?.below("model")
    }

    public func problem(_ settings: any StageSettings, of stage: Stage) -> SettingProblem? {
        own(settings).problem
            ?? FrozenDRAM.freezable(in: stage, self.settings).problem(settings.freeze)
    }

    /// The settings of a stage of this family.
    func own(_ settings: any StageSettings) -> DRAMStageSettings {
        guard let own = settings as? DRAMStageSettings else {
            preconditionFailure("a stage of the DRAM has the DRAM's settings")
        }
        return own
    }

    public var description: ModelDescription {
        let sides = geometry.sides.map { "\($0)" }.joined(separator: ", ")
        let (size, sizes) = ("\(imageSize)×\(imageSize)", settings.dram)
        let seen = sizes.classificationResolutions
        return ModelDescription(
            summary: "windows of \(sides) pixels around places of \(size) pixels",
            lines: [
                ("windows", "\(sides) pixels, brought to \(geometry.glimpseSize)"),
                ("glimpses see", "the finest \(seen) of them, the context all"),
                ("places", "anywhere on images of \(size)"),
            ],
            numbers: [
                ("glimpseSize", geometry.glimpseSize), ("resolutions", sizes.resolutions),
            ],
            coverageNote: seen > 1
                ? "the finest windows alone: the glimpses' \(seen - 1) wider ones are left out"
                : nil,
            likeness: [
                ("windows of pixels", sides), ("classificationResolutions", "\(seen)"),
                ("the prediction", sizes.prediction.rawValue),
            ])
    }

    public func givenPlaces(_ stage: Stage, settings: any StageSettings) -> GivenPlaces? {
        let settings = own(settings)
        return GivenPlaces(
            .points(limit: geometry.limit), samples: settings.samples,
            glimpses: settings.glimpses)
    }

    public var locationGrid: LocationGrid? { LocationGrid(field: geometry.glimpseSize) }

    /// A step keeps the passes of all samples: the context's and each glimpse's.
    public func copies(_ stage: Stage, settings: any StageSettings) -> Int {
        let settings = own(settings)
        return settings.samples * (settings.glimpses + 1)
    }

    /// All values that the layers of a pass leave behind, as if they were one layer: none is much
    /// larger than the others.
    public var largestLayer: (side: Int, channels: Int) {
        let sizes = settings.dram
        let stem = (geometry.glimpseSize + 1) / 2
        var (side, values) = ((stem + 1) / 2, stem * stem * sizes.stemChannels)
        for (group, blockCount) in sizes.blocks.enumerated() {
            let inner = sizes.planes[group]
            for block in 0..<blockCount {
                values += side * side * inner
                if block == blockCount - 1 { side = (side - 1) / sizes.strides[group] + 1 }
                values += side * side * (inner + inner * sizes.expansion)
            }
        }
        return (stem, max(1, values / (stem * stem)))
    }
}
