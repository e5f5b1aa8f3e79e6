import Layers
import Models
import Tensors

/// The gradient of a prediction's cross entropy with respect to the pixels, batch norm in inference
/// mode: what an attack on an image follows (paper, appendix D).
///
/// The locations of the learned policy are those that it chooses on the given pixels; being an
/// argmax they carry no gradient.
public final class InputGradient: PixelGradient {
    /// Images of one pass.
    public let imageCapacity: Int
    private let model: Saccader<Float>
    private let store: ParameterStore
    private let pool: ThreadPool
    private let workspace: Workspace
    private let representation: RepresentationNetwork<Float>.Buffers
    private let gradients: RepresentationNetwork<Float>.Gradients
    private let images: Tensor<Float>
    private let location: Saccader<Float>.LocationBuffers?
    private let runner: CellRunner<Float>?

    /// Plans for batches of at most `imageCapacity` images, of which a thread takes one at a time.
    ///
    /// - Parameters:
    ///   - store: Its gradients serve as scratch memory.
    ///   - glimpses: T of the learned policy; 0 leaves attention and cell out.
    public init(
        _ model: Saccader<Float>, store: ParameterStore, pool: ThreadPool, imageSize: Int,
        imageCapacity: Int, glimpses: Int
    ) {
        (self.model, self.store, self.pool) = (model, store, pool)
        self.imageCapacity = imageCapacity
        workspace = Workspace(
            imageCapacity: imageCapacity, shardCapacity: imageCapacity, keepsActivations: true)
        representation = model.representation.plan(imageSize: imageSize, in: workspace)
        if glimpses > 0 {
            let buffers = model.planLocation(representation, in: workspace)
            location = buffers
            runner = CellRunner(
                model.cell, features: buffers.features, glimpses: glimpses, samples: 1,
                in: workspace)
        } else {
            (location, runner) = (nil, nil)
        }
        images = Tensor(
            Shape(imageCapacity, imageSize, imageSize, 3), in: workspace.arena)
        gradients = model.representation.planBackward(representation, in: workspace)
        workspace.commit(threadCount: pool.threadCount)
    }

    public var byteCount: Int { workspace.byteCount }

    /// Predicts and, where labels are given, follows the cross entropy back to the pixels.
    ///
    /// - Parameters:
    ///   - pixels: Standardised, `[N, H, W, 3]`.
    ///   - labels: `[N]`, or nil where only predictions are wanted.
    public func callAsFunction(
        _ pixels: [Float], imageCount: Int, labels: [Int32]?, of target: AttackTarget
    ) throws -> [AttackedImage] {
        let pass = Pass(
            pool: pool, reducer: NoRanks(), store: store, workspace: workspace,
            shards: (0..<imageCount).map { $0..<($0 + 1) }, globalImageCount: imageCount)
        representation.images.load(pixels, pass: pass)
        try model.representation.forward(representation, mode: .inference, pass: pass)
        if target == .learned { try follow(pass) }
        let predictions = (0..<imageCount).map { prediction($0, of: target) }
        guard let labels else {
            return predictions.enumerated().map { image, prediction in
                AttackedImage(
                    prediction: prediction, locations: places(image, of: target), gradient: [])
            }
        }
        for image in 0..<imageCount {
            fillGradient(image, prediction: predictions[image], label: labels[image], of: target)
        }
        try model.representation.backward(
            representation, gradients, images: images, mode: .inference, pass: pass)
        let count = images.shape.locations * 3
        let values = images.elements(imageCount * count)
        return predictions.enumerated().map { image, prediction in
            AttackedImage(
                prediction: prediction, locations: places(image, of: target),
                gradient: Array(values[(image * count)..<((image + 1) * count)]))
        }
    }

    /// Lets the learned policy look.
    private func follow(_ pass: Pass) throws {
        guard let location, let runner else {
            preconditionFailure("the learned policy was planned without glimpses")
        }
        let locations = representation.logits.shape.locations
        try model.forwardLocation(location, mode: .inference, pass: pass)
        pass.forEachShard { _, images, scratch in
            for image in images {
                runner.run(image, store: store, scratch: scratch) { _, _, logits in
                    Softmax.argmax(logits, count: locations)
                }
            }
        }
    }

    private func places(_ image: Int, of target: AttackTarget) -> [Int] {
        guard target == .learned, let runner else {
            return Array(0..<representation.logits.shape.locations)
        }
        return UnsafeBufferPointer(
            start: runner.buffers.locations(image, 0), count: runner.buffers.glimpses
        ).map { Int($0) }
    }

    private func prediction(_ image: Int, of target: AttackTarget) -> [Float] {
        let (locations, classes) = (
            representation.logits.shape.locations, representation.logits.shape.channels
        )
        let logits = Array(
            UnsafeBufferPointer(
                start: representation.logits.row(image * locations), count: locations * classes))
        return AveragedLogits.prefixes(
            logits, classes: classes, locations: places(image, of: target)
        ).last ?? []
    }

    /// Writes the gradient of one image's logits.
    private func fillGradient(
        _ image: Int, prediction: [Float], label: Int32, of target: AttackTarget
    ) {
        let (locations, classes) = (
            representation.logits.shape.locations, representation.logits.shape.channels
        )
        let chosen = places(image, of: target)
        let rows = gradients.logits.row(image * locations)
        rows.update(repeating: 0, count: locations * classes)
        var row = prediction
        row.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return }
            Softmax.apply(start, count: classes)
        }
        row[Int(label)] -= 1
        for place in chosen {
            for index in 0..<classes {
                rows[place * classes + index] += row[index] / Float(chosen.count)
            }
        }
    }
}
