import Tensors

/// The mean over all locations of an image.
public enum AveragePooling {
    /// Asks the workspace for what forward and backward need for `channels` channels.
    public static func plan(channels: Int, in workspace: Workspace) {
        workspace.needScratch((workspace.chunkRows + 1) * channels)
    }

    /// `output = mean over (i, j) of input`, `[N, 1, 1, C]`.
    public static func forward<Element: StorageElement>(
        _ input: Activation<Element>, into output: Tensor<Element>, pass: Pass
    ) {
        let (locations, channels) = (input.shape.locations, input.shape.channels)
        pass.forEachShard { _, images, scratch in
            let values = scratch + channels
            for image in images {
                scratch.update(repeating: 0, count: channels)
                pass.forEachChunk(of: image..<(image + 1), locations: locations) { rows in
                    RowKernels.addSums(
                        input.rows(rows, scratch: values), rows: rows.count, channels: channels,
                        to: scratch)
                }
                for channel in 0..<channels { scratch[channel] /= Float(locations) }
                RowKernels.store(scratch, count: channels, into: output.row(image))
            }
        }
    }

    /// Spreads each image's gradient evenly over its locations.
    ///
    /// - Parameters:
    ///   - outputGradient: `[N, 1, 1, C]`.
    ///   - locations: H·W of the input.
    ///   - sink: Takes the input's gradient, `[N, H, W, C]`.
    public static func backward<Element: StorageElement>(
        _ outputGradient: Tensor<Element>, locations: Int, sink: GradientSink<Element>,
        pass: Pass
    ) {
        let channels = outputGradient.shape.channels
        pass.forEachShard { shard, images, scratch in
            sink.begin(shard: shard)
            let values = scratch + channels
            for image in images {
                let upstream = Activation(final: outputGradient).rows(
                    image..<(image + 1), scratch: scratch)
                pass.forEachChunk(of: image..<(image + 1), locations: locations) { rows in
                    for row in 0..<rows.count {
                        for channel in 0..<channels {
                            values[row * channels + channel] =
                                upstream[channel] / Float(locations)
                        }
                    }
                    sink.finish(values, rows: rows, shard: shard)
                }
            }
        }
    }
}
