import Checkpoints
import Evaluation
import Foundation
import Layers
import SaccaderModel

/// What a checkpoint holds.
public struct Inspection: CustomStringConvertible {
    private let path: String
    private let header: CheckpointHeader
    /// Nil: a classifier, which has no locations.
    private let geometry: Geometry?
    private let imageSize: Int
    private let representationCount: Int
    private let trainableCount: Int
    private let statisticCount: Int
    private let checksummed: Int

    /// Reads a checkpoint and verifies its checksums.
    public init(_ path: String) throws {
        let checkpoint = try Checkpoint(reading: path)
        try checkpoint.verify()
        self.path = path
        header = checkpoint.header
        let counts: ParameterCounts
        if header.stage == StageName.classifier.rawValue {
            let stored = try StoredClassifier(checkpoint)
            (imageSize, geometry) = (stored.settings.data.imageSize, nil)
            counts = ParameterCounts(stored.model.layout)
        } else {
            let stored = try StoredModel(checkpoint)
            imageSize = stored.settings.data.imageSize
            geometry = Geometry(stored.settings.model.representation, imageSize: imageSize)
            counts = ParameterCounts(stored.model.layout)
        }
        (representationCount, trainableCount) = (counts.representation, counts.trainable)
        statisticCount = counts.statistics
        checksummed = try checkpoint.checksummedCount()
    }

    /// A few lines for a person.
    public var description: String {
        """
        checkpoint       \(path)
        stage            \(header.stage), step \(header.step), epoch \(header.epoch), \
        \(header.samples) images seen
        run              seed \(header.seed), \(header.worldSize) ranks, \
        program \(header.program.isEmpty ? "unknown" : header.program)
        trainable        \(trainableCount)\(part)
        with statistics  \(trainableCount + statisticCount)
        \(view)
        checksums        \(checksummed) verified
        config           \(header.config)
        """
    }

    private var part: String {
        geometry == nil ? "" : " (representation network \(representationCount))"
    }

    private var view: String {
        let images = "images of \(imageSize)×\(imageSize)"
        guard let geometry else { return "classifier       of whole \(images)" }
        return """
            receptive field  \(geometry.receptiveField) pixels, one location every \
            \(geometry.stride) pixels
            locations        \(geometry.gridSize)×\(geometry.gridSize) on \(images)
            """
    }

    /// One JSON object.
    public func json() -> String {
        let program = header.program
        let grid =
            geometry.map {
                "\"receptiveField\": \($0.receptiveField), \"stride\": \($0.stride), "
                    + "\"grid\": \($0.gridSize), "
            } ?? ""
        return """
            {"stage": "\(header.stage)", "step": \(header.step), "epoch": \(header.epoch), \
            "samples": \(header.samples), "seed": \(header.seed), \
            "worldSize": \(header.worldSize), "program": "\(program)", \
            "parameters": {"representation": \(representationCount), \
            "trainable": \(trainableCount), "statistics": \(statisticCount), \
            "total": \(trainableCount + statisticCount)}, \
            \(grid)"imageSize": \(imageSize), \
            "checksumsVerified": \(checksummed), "config": \(header.config)}
            """
    }
}

/// How many numbers a model has.
struct ParameterCounts: Equatable, Sendable {
    /// Trainable, in the representation network.
    let representation: Int
    /// Trainable, in all.
    let trainable: Int
    /// Running means and variances.
    let statistics: Int

    init(_ layout: ParameterLayout) {
        representation = layout.parameters.filter { $0.path.hasPrefix("representation/") }
            .reduce(0) { $0 + $1.count }
        trainable = layout.trainableCount
        statistics = layout.statisticCount
    }
}
