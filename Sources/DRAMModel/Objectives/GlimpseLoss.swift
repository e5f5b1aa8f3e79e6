import Foundation
import Layers
import Models
import Tensors

/// The cross entropy of the glimpses' logits: of the last glimpse, or the mean over all.
struct GlimpseLoss<Element: StorageElement>: Sendable {
    /// The logits of each glimpse, `[N, 1, 1, c]`.
    let logits: [Tensor<Element>]
    let samples: Int
    /// The glimpses whose logits count.
    let classified: Range<Int>
    private let loss: ClassLoss

    /// Plans the loss of trajectories of `samples` to an image.
    init(
        _ logits: [Tensor<Element>], settings: DRAMStageSettings, targets: ClassTargets,
        in workspace: Workspace
    ) {
        self.logits = logits
        samples = settings.samples
        classified = Self.glimpses(settings.classification, of: logits.count)
        let classes = logits.first?.shape.channels ?? 0
        workspace.needScratch(2 * classes)
        loss = ClassLoss(targets, classes: classes, in: workspace)
    }

    /// The glimpses that are meant.
    static func glimpses(_ choice: DRAMStageSettings.Glimpses, of count: Int) -> Range<Int> {
        choice == .last ? (count - 1)..<count : 0..<count
    }

    var classes: Int { logits.first?.shape.channels ?? 0 }

    /// The logits of one trajectory after one glimpse, `[c]`.
    func row(
        _ row: Int, _ glimpse: Int, scratch: UnsafeMutablePointer<Float>
    ) -> UnsafeMutablePointer<Float> {
        Activation(final: logits[glimpse]).rows(row..<(row + 1), scratch: scratch)
    }

    /// Whether the largest logit of a glimpse is the label's.
    func isRight(
        _ row: Int, _ glimpse: Int, label: Int, scratch: UnsafeMutablePointer<Float>
    ) -> Bool {
        Softmax.argmax(self.row(row, glimpse, scratch: scratch), count: classes) == label
    }

    /// The probability that a glimpse gives the label.
    ///
    /// - Parameter scratch: 2·c floats.
    func probability(
        _ row: Int, _ glimpse: Int, label: Int, scratch: UnsafeMutablePointer<Float>
    ) -> Float {
        let values = scratch + classes
        values.update(from: self.row(row, glimpse, scratch: scratch), count: classes)
        Softmax.apply(values, count: classes)
        return values[label]
    }

    /// The mean over the glimpses that count of one trajectory's cross entropy.
    ///
    /// - Parameter scratch: 2·c floats.
    func crossEntropy(
        _ row: Int, label: Int, scratch: UnsafeMutablePointer<Float>
    ) -> Double {
        var sum = 0.0
        for glimpse in classified {
            let (logits, values) = (self.row(row, glimpse, scratch: scratch), scratch + classes)
            values.update(from: logits, count: classes)
            let logSum = Softmax.apply(values, count: classes)
            sum += loss.value(logits, label: label, logSum: logSum)
        }
        return sum / Double(classified.count)
    }

    /// Σ w_y over the images of all ranks.
    ///
    /// - Parameter pass: Over the images.
    func total(_ labels: [Int32], pass: Pass) throws -> Double {
        try loss.total(labels, pass: pass)
    }

    /// Writes the gradients of the logits that count, of the mean over all images and samples.
    ///
    /// - Parameter pass: Over the trajectories.
    func backward(
        _ labels: [Int32], _ report: LossReport, into gradients: [Tensor<Element>?], pass: Pass
    ) {
        let trajectories =
            report.weight.map { $0 * Double(samples) } ?? Double(pass.globalImageCount)
        let weight = 1 / Float(trajectories * Double(classified.count))
        pass.forEachShard { _, rows, scratch in
            let values = scratch + classes
            for glimpse in classified {
                guard let gradient = gradients[glimpse] else { continue }
                for row in rows {
                    values.update(from: self.row(row, glimpse, scratch: scratch), count: classes)
                    Softmax.apply(values, count: classes)
                    loss.differentiate(values, label: Int(labels[row / samples]))
                    for index in 0..<classes { values[index] *= weight }
                    RowKernels.store(values, count: classes, into: gradient.row(row))
                }
            }
        }
    }
}
