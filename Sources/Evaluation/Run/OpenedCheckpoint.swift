import Checkpoints
import Families
import Host
import Models
import StoredModels
import Terminal

/// A checkpoint that is ready to be evaluated.
struct OpenedCheckpoint {
    let stored: StoredModel
    let settings: CheckpointSettings
    /// The model on the images that it is evaluated on.
    let model: any ModelFamily
    let provenance: Provenance
    /// What the logits stand for, in their order; nil in files of before there were names.
    let classes: [KnownClass]?
    /// What to tell of a file that another program has opened for writing; else nil.
    let warning: String?

    /// Loads a checkpoint.
    ///
    /// - Parameters:
    ///   - imageSize: Replaces that of the training.
    ///   - centralCropMargin: The same.
    ///   - acceptsEdited: Whether the user has said that arrays were edited.
    init(
        _ path: String, imageSize: Int? = nil, centralCropMargin: Int? = nil,
        acceptsEdited: Bool = false
    ) throws {
        let checkpoint = try Checkpoint(reading: path, acceptsEdited: acceptsEdited)
        warning = checkpoint.warning
        stored = try StoredModel(checkpoint)
        classes = try stored.classes(of: checkpoint)
        provenance = Provenance(path: path, header: checkpoint.header)
        var settings = stored.settings
        if let imageSize {
            settings.data.imageSize = imageSize
            if let problem = settings.model.problem(of: stored.family, imageSize: imageSize) {
                let words = problem.key == "data.imageSize" ? "" : "\(problem.key) "
                throw RequestError("--image-size: \(words)\(problem.message)")
            }
        }
        if let centralCropMargin { settings.data.centralCropMargin = centralCropMargin }
        self.settings = settings
        model = settings.model.model(of: stored.family, imageSize: settings.data.imageSize)
    }

    /// Refuses a batch of which one layer's values alone are larger than the host's memory.
    func requireMemory(images: Int) throws(RequestError) {
        let layer = model.largestLayer
        let problem = HostMemory.problem(
            images: images, imageSize: layer.side, channels: layer.channels)
        guard let problem else { return }
        throw RequestError(
            "--batch-size: \(problem); give fewer, or a smaller --image-size")
    }
}
