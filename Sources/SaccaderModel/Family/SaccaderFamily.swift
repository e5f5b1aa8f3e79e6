import Layers
import Models
import Tensors

/// The Saccader as a family of models: three stages, locations on a grid.
public struct SaccaderFamily: ModelFamily {
    public static let name = "saccader"
    public static let title = "Saccader"
    public static let stages: [(stage: Stage, defaults: any StageSettings)] =
        [Stage.representation, .location, .joint].map { ($0, SaccaderStageSettings($0)) }
    public static let groups = [ParameterGroup.representation, .location]
    public static let inferenceObjective: String? = "inference"

    public let settings: SaccaderSettings
    public let imageSize: Int
    public let layout: ParameterLayout
    /// What the locations see.
    public let geometry: Geometry

    public init(_ settings: SaccaderSettings, imageSize: Int) {
        (self.settings, self.imageSize) = (settings, imageSize)
        layout = Saccader<Float>(settings).layout
        geometry = Geometry(settings.representation, imageSize: imageSize)
    }

    public static func problem(_ settings: SaccaderSettings, imageSize: Int) -> SettingProblem? {
        if let problem = settings.problem { return problem.below("model") }
        // A size of 0 or less is told by the receptive field.
        if imageSize > CountRange.imageSize.upperBound {
            return SettingProblem.first([("data.imageSize", imageSize, CountRange.imageSize)])
        }
        let geometry = Geometry(settings.representation, imageSize: imageSize)
        if geometry.gridSize < 1 {
            return SettingProblem(
                "data.imageSize",
                "is \(imageSize), less than the receptive field of "
                    + "\(geometry.receptiveField) pixels: give a larger one")
        }
        return nil
    }

    public func problem(_ settings: any StageSettings, of stage: Stage) -> SettingProblem? {
        let own = own(settings)
        if let problem = own.problem(of: stage, locations: geometry.locationCount) {
            return problem
        }
        return FrozenParts.freezable(in: stage, self.settings).problem(own.freeze)
    }

    /// The settings of a stage of this family.
    func own(_ settings: any StageSettings) -> SaccaderStageSettings {
        guard let own = settings as? SaccaderStageSettings else {
            preconditionFailure("a stage of the Saccader has the Saccader's settings")
        }
        return own
    }

    public var description: ModelDescription {
        let (field, stride, grid) = (
            geometry.receptiveField, geometry.stride, geometry.gridSize
        )
        let size = "\(imageSize)×\(imageSize)"
        return ModelDescription(
            summary: "receptive field \(field) pixels, \(grid)×\(grid) locations on \(size) pixels",
            lines: [
                ("receptive field", "\(field) pixels, one location every \(stride) pixels"),
                ("locations", "\(grid)×\(grid) on images of \(size)"),
            ],
            numbers: [("receptiveField", field), ("stride", stride), ("grid", grid)],
            countedGroup: (.representation, "representation network"),
            likeness: [
                ("soft attention", "\(settings.cell.soft)"),
                ("the number of locations", "\(geometry.locationCount)"),
                ("the receptive field", "\(field)"),
            ])
    }

    /// Nothing else is trained in the first stage, so that a model with another cell or without
    /// attention can start from the same representation network.
    public func startsFrom(_ path: String, in stage: Stage) -> Bool {
        guard stage == .representation else { return true }
        return path.hasPrefix("\(ParameterGroup.representation.name)/")
    }

    public func givenPlaces(_ stage: Stage, settings: any StageSettings) -> GivenPlaces? {
        guard stage == .joint else { return nil }
        let settings = own(settings)
        return GivenPlaces(
            .locations(count: geometry.locationCount), samples: settings.samples,
            glimpses: settings.glimpses)
    }

    public var locationGrid: LocationGrid? {
        LocationGrid(
            field: geometry.receptiveField, grid: (geometry.stride, geometry.gridSize))
    }

    public func trainingOperations(_ stage: Stage, settings: any StageSettings) -> Double {
        operations.training(stage, freeze: own(settings).freeze)
    }

    public func viewingOperations(glimpses: Int) -> Double {
        operations.representation + (glimpses > 0 ? operations.location : 0)
    }

    private var operations: SaccaderOperations {
        SaccaderOperations(settings, imageSize: imageSize)
    }

    public var largestLayer: (side: Int, channels: Int) {
        (imageSize, settings.representation.stemChannels)
    }
}
