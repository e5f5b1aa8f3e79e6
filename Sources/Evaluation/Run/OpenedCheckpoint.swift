import Checkpoints
import Foundation
import SaccaderModel

/// A checkpoint that is ready to be evaluated.
struct OpenedCheckpoint {
    let stored: StoredModel
    let settings: ModelSettings
    let provenance: Provenance
    let geometry: Geometry

    private struct TrainedGlimpses: Decodable {
        struct Stages: Decodable {
            struct Joint: Decodable { let glimpses: Int? }
            let joint: Joint?
        }
        let stages: Stages?
    }

    /// Loads a checkpoint.
    ///
    /// - Parameter imageSize: Replaces that of the training.
    init(_ path: String, imageSize: Int?) throws {
        let checkpoint = try Checkpoint(reading: path)
        stored = try StoredModel(checkpoint)
        provenance = Provenance(path: path, header: checkpoint.header)
        var settings = stored.settings
        if let imageSize { settings.data.imageSize = imageSize }
        self.settings = settings
        geometry = Geometry(settings.model.representation, imageSize: settings.data.imageSize)
        if geometry.gridSize < 1 {
            let size = settings.data.imageSize
            throw EvaluationError(
                imageSize == nil
                    ? "\(path): damaged: its images of \(size) pixels are smaller than the model's "
                        + "receptive field of \(geometry.receptiveField); choose an older checkpoint"
                    : "--image-size: \(size) pixels are fewer than the model's receptive field of "
                        + "\(geometry.receptiveField); give at least that many",
                exitCode: imageSize == nil ? .badData : .usage)
        }
    }

    /// Whether attention and cell are trained.
    var isAttentive: Bool { stored.stage != .representation }

    /// T of the joint stage's training; the paper's 6 where the checkpoint does not say.
    var trainedGlimpses: Int {
        let paper = 6
        do {
            let config = try JSONDecoder().decode(
                TrainedGlimpses.self, from: Data(provenance.config.utf8))
            return config.stages?.joint?.glimpses ?? paper
        } catch {
            // Other programs' checkpoints may have other settings.
            return paper
        }
    }
}
