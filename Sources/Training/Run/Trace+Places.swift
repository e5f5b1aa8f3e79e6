import Checkpoints
import Models
import Terminal

extension Trace {
    /// The images that patches are cut out of, `[B, S, S, 3]`; empty where they are the images.
    func patchImages(_ model: any ModelFamily, imageCount: Int) throws -> [Float] {
        let size = model.viewedImageSize
        guard size != model.imageSize else { return [] }
        let shape = try batch.shape(of: "/batch/patchImages")
        guard shape == [imageCount, size, size, 3] else {
            throw CheckpointError.damaged(
                path: batch.path,
                what: "/batch/patchImages has shape \(shape), the configuration asks for "
                    + "[\(imageCount), \(size), \(size), 3]")
        }
        return try batch.floats("/batch/patchImages")
    }

    /// The places of a grid that a batch gives, `[B, T]`, for a model in inference mode.
    func locations(
        _ model: any ModelFamily, _ family: any ModelFamily.Type, _ imageCount: Int
    ) throws -> [Int32] {
        guard let stage = family.inferenceStage,
            let given = model.givenPlaces(stage, settings: configuration.stages[stage]),
            given.samples == nil, batch.contains("/batch/locations")
        else {
            throw RequestError(
                "--places batch: wants /batch/locations and an objective that goes to them: leave "
                    + "it out", exitCode: .badData)
        }
        guard case .fixed(let places) = try glimpses(given, imageCount: imageCount) else {
            throw RequestError(
                "--places batch: /batch/locations are no places of a grid", exitCode: .badData)
        }
        return places
    }
}
