import Layers
import Tensors

/// Cross entropy of the softmax of the mean over all locations of the logits (eq. 4).
public struct MeanLogitsLoss<Element: StorageElement>: Sendable {
    private let logits: Tensor<Element>
    private let table: LossTable
    private let loss: ClassLoss
    private let prediction: Tensor<Float>

    /// Plans the loss of `logits`, `[N, h, w, c]`.
    public init(
        _ logits: Tensor<Element>, targets: ClassTargets = .plain, in workspace: Workspace
    ) {
        self.logits = logits
        let shape = logits.shape
        workspace.needScratch(shape.locations * shape.channels + shape.channels)
        table = LossTable(columns: 2, in: workspace)
        loss = ClassLoss(targets, classes: shape.channels, in: workspace)
        prediction = Tensor(Shape(shape.images, 1, 1, shape.channels), in: workspace.arena)
    }

    /// The loss over all ranks.
    ///
    /// - Parameter gradient: Overwritten with the logits' gradient, `[N, h, w, c]`.
    public func report(
        _ labels: [Int32], gradient: Tensor<Element>, pass: Pass
    ) throws -> LossReport {
        let (locations, classes) = (logits.shape.locations, logits.shape.channels)
        let total = try loss.total(labels, pass: pass)
        // Of every logit at every location: 1/(images·locations) of the mean's gradient.
        let weight = 1 / Float(total * Double(locations))
        pass.forEachShard { shard, images, scratch in
            let sums = table.cleared(shard: shard)
            let row = scratch + locations * classes
            for image in images {
                let mean = prediction.row(image)
                logits.mean(ofImage: image, into: mean, scratch: scratch)
                let label = Int(labels[image])
                row.update(from: mean, count: classes)
                let logSum = Softmax.apply(row, count: classes)
                sums[0] += loss.value(mean, label: label, logSum: logSum)
                sums[1] += Softmax.argmax(mean, count: classes) == label ? 1 : 0
                loss.differentiate(row, label: label)
                for index in 0..<classes { row[index] *= weight }
                for location in 0..<locations {
                    RowKernels.store(
                        row, count: classes, into: gradient.row(image * locations + location))
                }
            }
        }
        let sums = try table.sum(pass: pass)
        let count = Double(pass.globalImageCount)
        return LossReport(
            crossEntropy: sums[0] / total, accuracy: sums[1] / count, weight: total)
    }

    /// The averaged logits of a trace.
    public func trace(imageCount: Int) -> TracedArray {
        let classes = logits.shape.channels
        return TracedArray(
            "prediction", [imageCount, classes],
            .floats(prediction.elements(imageCount * classes)))
    }
}

extension Tensor where Element: StorageElement {
    /// The rows of one image, `[P, C]`; `scratch` holds them where storage is narrower.
    public func rows(
        ofImage image: Int, scratch: UnsafeMutablePointer<Float>
    ) -> UnsafeMutablePointer<Float> {
        Activation(final: self).rows(
            (image * shape.locations)..<((image + 1) * shape.locations), scratch: scratch)
    }

    /// The mean over all locations of one image, `[C]`.
    public func mean(
        ofImage image: Int, into mean: UnsafeMutablePointer<Float>,
        scratch: UnsafeMutablePointer<Float>
    ) {
        let (locations, channels) = (shape.locations, shape.channels)
        mean.update(repeating: 0, count: channels)
        RowKernels.addSums(
            rows(ofImage: image, scratch: scratch), rows: locations, channels: channels, to: mean)
        for index in 0..<channels { mean[index] /= Float(locations) }
    }

    /// Copies a batch's pixels into a network's input.
    public func load(_ pixels: [Float], pass: Pass) {
        let count = shape.locations * shape.channels
        precondition(
            pixels.count == pass.imageCount * count,
            "\(pixels.count) numbers are not \(pass.imageCount) images of \(count)")
        pixels.withUnsafeBufferPointer { source in
            guard let base = source.baseAddress else { return }
            pass.forEachShard { _, range, _ in
                RowKernels.store(
                    base + range.lowerBound * count, count: range.count * count,
                    into: pointer + range.lowerBound * count)
            }
        }
    }
}
