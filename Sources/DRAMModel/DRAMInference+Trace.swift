import Layers
import Models
import Tensors

extension DRAMInference {
    /// Looks at images along the learned policy and keeps every named activation, for `trace`.
    public func trace(
        _ images: [Float], imageCount: Int, glimpses: Int
    ) throws -> [TracedArray] {
        var context: [TracedArray] = []
        /// The rows of all images by name, step after step.
        var arrays: [String: [[[Float]]]] = [:]
        var corners: [[Int32]] = Array(repeating: [], count: imageCount)
        try run(images, imageCount: imageCount, glimpses: glimpses, policy: .learned) {
            step, glimpse, places in
            var rows = step.rows(imageCount: imageCount)
            let resolutions =
                glimpse < 0
                ? geometry.sides.count : model.configuration.dram.classificationResolutions
            let windows = windows(images, places, resolutions: resolutions)
            if glimpse < 0 {
                rows["mean"] = step.state.mean?.rows(imageCount: imageCount)
                context = rows.map { name, rows in
                    array("context/\(name)", [imageCount, rows[0].count], rows)
                }
                context.append(array("context/glimpse", [imageCount] + windowShape, windows))
                return
            }
            rows["logits"] = step.state.logits?.rows(imageCount: imageCount)
            // The place is the mean itself.
            rows["mean"] = places.map { [$0.y, $0.x] }
            rows["location"] = rows["mean"]
            rows["glimpse"] = windows
            for (name, rows) in rows { arrays[name, default: []].append(rows) }
            for (image, place) in places.enumerated() {
                let corner = geometry.corner(of: place)
                corners[image] += [Int32(corner.row), Int32(corner.column)]
            }
        }
        let steps = arrays.map { name, steps in
            let shape = name == "glimpse" ? windowShape : [steps[0][0].count]
            let rows = (0..<imageCount).flatMap { image in steps.map { $0[image] } }
            return array(name, [imageCount, glimpses] + shape, rows)
        }
        return context + steps + [
            TracedArray(
                "dram/window", [imageCount, glimpses, 2], .integers(corners.flatMap { $0 }))
        ]
    }

    private var windowShape: [Int] {
        let size = geometry.glimpseSize
        return [size, size, GlimpseCut.channels * geometry.sides.count]
    }

    private func array(_ name: String, _ shape: [Int], _ rows: [[Float]]) -> TracedArray {
        TracedArray("dram/\(name)", shape, .floats(rows.flatMap { $0 }))
    }

    /// What the glimpse network saw of each image.
    private func windows(
        _ images: [Float], _ places: [Place], resolutions: Int
    ) -> [[Float]] {
        let cut = GlimpseCut(geometry: geometry)
        let pixels = geometry.imageSize * geometry.imageSize * 3
        return places.enumerated().map { image, place in
            [Float](unsafeUninitializedCapacity: cut.count) { window, count in
                count = cut.count
                images.withUnsafeBufferPointer { source in
                    guard let base = source.baseAddress, let target = window.baseAddress
                    else { return }
                    cut(base + image * pixels, at: place, resolutions: resolutions, into: target)
                }
            }
        }
    }
}

extension DRAM.Step {
    /// The rows of what every step leaves behind, by name.
    fileprivate func rows(imageCount: Int) -> [String: [[Float]]] {
        var rows = [
            "features": features.rows(imageCount: imageCount),
            "classificationOutput": state.classification.output.rows(imageCount: imageCount),
        ]
        rows["locationOutput"] = state.location?.output.rows(imageCount: imageCount)
        return rows
    }
}
