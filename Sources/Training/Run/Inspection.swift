import Checkpoints
import Evaluation
import Foundation
import Layers
import SaccaderModel

/// What a checkpoint holds.
public struct Inspection: CustomStringConvertible {
    private let path: String
    private let header: CheckpointHeader
    private let geometry: Geometry
    private let imageSize: Int
    private let representationCount: Int
    private let trainableCount: Int
    private let statisticCount: Int
    private let checksummed: Int

    /// Reads a checkpoint and verifies its checksums.
    public init(_ path: String) throws {
        let checkpoint = try Checkpoint(reading: path)
        try checkpoint.verify()
        let stored = try StoredModel(checkpoint)
        self.path = path
        header = checkpoint.header
        imageSize = stored.settings.data.imageSize
        geometry = Geometry(stored.settings.model.representation, imageSize: imageSize)
        let counts = ParameterCounts(stored.model.layout)
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
        trainable        \(trainableCount) (representation network \(representationCount))
        with statistics  \(trainableCount + statisticCount)
        receptive field  \(geometry.receptiveField) pixels, one location every \(geometry.stride) \
        pixels
        locations        \(geometry.gridSize)×\(geometry.gridSize) on images of \
        \(imageSize)×\(imageSize)
        checksums        \(checksummed) verified
        config           \(header.config)
        """
    }

    /// One JSON object.
    public func json() -> String {
        let program = header.program
        return """
            {"stage": "\(header.stage)", "step": \(header.step), "epoch": \(header.epoch), \
            "samples": \(header.samples), "seed": \(header.seed), \
            "worldSize": \(header.worldSize), "program": "\(program)", \
            "parameters": {"representation": \(representationCount), \
            "trainable": \(trainableCount), "statistics": \(statisticCount), \
            "total": \(trainableCount + statisticCount)}, \
            "receptiveField": \(geometry.receptiveField), "stride": \(geometry.stride), \
            "grid": \(geometry.gridSize), "imageSize": \(imageSize), \
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
