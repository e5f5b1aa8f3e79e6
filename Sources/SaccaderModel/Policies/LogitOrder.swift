import Tensors

/// The order of locations by their logits: the location stage's teacher and the "ordered logits"
/// policy of the comparison (Method: Policies).
public enum LogitOrder {
    /// How much each location is worth, `[P]`.
    ///
    /// - Parameters:
    ///   - logits: `[P, c]` of one image.
    ///   - order: The largest logit, or that of the class which the mean logits predict.
    ///   - scratch: c floats.
    static func metric(
        _ logits: UnsafePointer<Float>, locations: Int, classes: Int, order: TargetOrder,
        into metric: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
    ) {
        switch order {
        case .maxLogit:
            for location in 0..<locations {
                let row = logits + location * classes
                metric[location] = row[Softmax.argmax(row, count: classes)]
            }
        case .predictedClass:
            scratch.update(repeating: 0, count: classes)
            RowKernels.addSums(logits, rows: locations, channels: classes, to: scratch)
            let predicted = Softmax.argmax(scratch, count: classes)
            for location in 0..<locations {
                metric[location] = logits[location * classes + predicted]
            }
        }
    }

    /// The indices of the `most` largest values, largest first; of equal ones the lowest first.
    static func largest(_ most: Int, of values: UnsafePointer<Float>, count: Int) -> [Int] {
        let order = (0..<count).sorted {
            values[$0] != values[$1] ? values[$0] > values[$1] : $0 < $1
        }
        return Array(order.prefix(most))
    }

    /// The `most` locations of one image in order.
    ///
    /// - Parameter logits: `[P, c]`.
    public static func locations(
        _ logits: [Float], classes: Int, order: TargetOrder, most: Int
    ) -> [Int] {
        let locations = logits.count / classes
        var metric = [Float](repeating: 0, count: locations)
        var sums = [Float](repeating: 0, count: classes)
        return metric.withUnsafeMutableBufferPointer { metric in
            sums.withUnsafeMutableBufferPointer { sums in
                logits.withUnsafeBufferPointer { logits in
                    guard let source = logits.baseAddress, let target = metric.baseAddress,
                        let scratch = sums.baseAddress
                    else { return [] }
                    Self.metric(
                        source, locations: locations, classes: classes, order: order,
                        into: target, scratch: scratch)
                    return largest(most, of: target, count: locations)
                }
            }
        }
    }
}
