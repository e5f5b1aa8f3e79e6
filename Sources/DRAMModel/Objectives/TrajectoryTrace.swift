import Layers
import Models
import Tensors

/// Arrays of trajectories for a trace: rows are image·S + sample in memory, samples come first in
/// the array.
struct TrajectoryTrace {
    let samples: Int
    let imageCount: Int

    /// `width` numbers of each trajectory, `[S, B, width]`.
    func values(width: Int, row: (Int) -> UnsafeMutablePointer<Float>) -> [Float] {
        (0..<samples).flatMap { sample in
            (0..<imageCount).flatMap { image in
                Array(UnsafeBufferPointer(start: row(image * samples + sample), count: width))
            }
        }
    }

    /// One tensor a glimpse, `[N, 1, 1, C]`, as `[S, B, T, C]`.
    func array<Element: StorageElement>(
        _ path: String, _ tensors: [Tensor<Element>]
    ) -> TracedArray {
        let width = tensors.first?.shape.channels ?? 0
        let rows = tensors.map { Activation(final: $0).values(imageCount: samples * imageCount) }
        var values: [Float] = []
        for sample in 0..<samples {
            for image in 0..<imageCount {
                let first = (image * samples + sample) * width
                for row in rows { values += row[first..<(first + width)] }
            }
        }
        return TracedArray(path, [samples, imageCount, tensors.count, width], .floats(values))
    }

    /// A tensor that is the same for all samples of an image, `[N, 1, 1, C]`, as `[B, C]`.
    func shared<Element: StorageElement>(_ path: String, _ tensor: Tensor<Element>) -> TracedArray {
        let width = tensor.shape.channels
        let rows = Activation(final: tensor).values(imageCount: samples * imageCount)
        let values = (0..<imageCount).flatMap { image in
            rows[(image * samples * width)..<((image * samples + 1) * width)]
        }
        return TracedArray(path, [imageCount, width], .floats(values))
    }
}

extension Unrolled {
    /// The steps' arrays of a trace.
    func trace(imageCount: Int) -> [TracedArray] {
        let trace = TrajectoryTrace(samples: samples, imageCount: imageCount)
        let glimpses = Array(steps.dropFirst(contextCount))
        let geometry = model.geometry
        let places = trace.values(width: 2 * self.glimpses) { self.places.row($0 * self.glimpses) }
        let corners = stride(from: 0, to: places.count, by: 2).flatMap { index in
            let corner = geometry.corner(of: Place(y: places[index], x: places[index + 1]))
            return [Int32(corner.row), Int32(corner.column)]
        }
        var arrays = [
            trace.array("dram/features", glimpses.map(\.features)),
            trace.array("dram/classificationOutput", glimpses.map(\.state.classification.output)),
            trace.array("dram/logits", logits),
            TracedArray(
                "dram/window", [samples, imageCount, self.glimpses, 2], .integers(corners)),
        ]
        if let last = logits.last {
            let values = trace.array("", [last]).values
            arrays.append(
                TracedArray("prediction", [samples, imageCount, last.shape.channels], values))
        }
        let locations = glimpses.compactMap(\.state.location)
        guard !locations.isEmpty, let context = steps.first, let location = context.state.location,
            let mean = context.state.mean
        else { return arrays }
        arrays += [
            trace.array("dram/locationOutput", locations.map(\.output)),
            trace.array("dram/mean", steps.dropLast().compactMap(\.state.mean)),
            trace.shared("dram/context/features", context.features),
            trace.shared("dram/context/classificationOutput", context.state.classification.output),
            trace.shared("dram/context/locationOutput", location.output),
            trace.shared("dram/context/mean", mean),
        ]
        return arrays
    }
}
