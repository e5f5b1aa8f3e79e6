import Tensors

/// The sum of two branches of a cell, each of which may be left out, image by image (drop path).
public enum BranchSum {
    /// The factor of a branch for each image: 1, or 0 where it is left out and 1/keep elsewhere.
    public typealias Factor = @Sendable (_ image: Int) -> Float

    /// Asks the workspace for what the sum needs for `channels` channels.
    public static func plan(channels: Int, in workspace: Workspace) {
        workspace.needScratch(2 * workspace.chunkRows * channels)
    }

    /// `output = left + right`, `[N, H, W, C]`.
    ///
    /// - Parameter factors: Of the branches; nil: 1 everywhere.
    public static func forward<Element: StorageElement>(
        _ branches: [Activation<Element>], factors: [Factor?], into output: Tensor<Element>,
        pass: Pass
    ) {
        let (channels, locations) = (output.shape.channels, output.shape.locations)
        pass.forEachShard { _, images, scratch in
            let other = scratch + pass.workspace.chunkRows * channels
            for image in images {
                pass.forEachChunk(of: image..<(image + 1), locations: locations) { rows in
                    let count = rows.count * channels
                    for (index, branch) in branches.enumerated() {
                        let target = index == 0 ? scratch : other
                        RowKernels.apply(
                            branch.raw.row(rows.lowerBound), affine: branch.deferred?.affine,
                            rectify: false, rows: rows.count, channels: channels, into: target)
                        if let factor = factors[index] {
                            let value = factor(image)
                            for place in 0..<count { target[place] *= value }
                        }
                    }
                    GradientKernels.add(other, to: scratch, count: count)
                    RowKernels.store(scratch, count: count, into: output.row(rows.lowerBound))
                }
            }
        }
    }

    /// A branch's gradient where it has factors: `result = factor · gradient`.
    public static func backward<Element: StorageElement>(
        _ gradient: Tensor<Element>, factor: Factor, into result: Tensor<Element>, pass: Pass
    ) {
        let (channels, locations) = (result.shape.channels, result.shape.locations)
        pass.forEachShard { _, images, scratch in
            for image in images {
                let value = factor(image)
                pass.forEachChunk(of: image..<(image + 1), locations: locations) { rows in
                    let count = rows.count * channels
                    RowKernels.apply(
                        gradient.row(rows.lowerBound), affine: nil, rectify: false,
                        rows: rows.count, channels: channels, into: scratch)
                    for place in 0..<count { scratch[place] *= value }
                    RowKernels.store(scratch, count: count, into: result.row(rows.lowerBound))
                }
            }
        }
    }

    /// Hands the gradient of a branch that is a value itself to the value's sink.
    public static func pass<Element: StorageElement>(
        _ gradient: Tensor<Element>, to sink: GradientSink<Element>, pass: Pass
    ) {
        let (channels, locations) = (gradient.shape.channels, gradient.shape.locations)
        pass.forEachShard { shard, images, scratch in
            sink.begin(shard: shard)
            pass.forEachChunk(of: images, locations: locations) { rows in
                RowKernels.apply(
                    gradient.row(rows.lowerBound), affine: nil, rectify: false,
                    rows: rows.count, channels: channels, into: scratch)
                sink.finish(scratch, rows: rows, shard: shard)
            }
        }
    }
}
