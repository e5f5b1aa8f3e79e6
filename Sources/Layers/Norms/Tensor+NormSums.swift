import Tensors

extension Tensor where Element: StorageElement {
    /// Gathers from a gradient the sums that norms need whose outputs it is the gradient of: for a
    /// value with several readers, or a sum of several values, where no one sink sees the end.
    public func gatherNormSums(_ targets: [GradientSink<Element>.NormTarget], pass: Pass) {
        pass.forEachShard { shard, images, _ in
            for target in targets { target.norm.clearGradientSums(shard: shard) }
            pass.forEachChunk(of: images, locations: shape.locations) { rows in
                for target in targets {
                    GradientKernels.addNormSums(
                        row(rows.lowerBound),
                        norm: GradientKernels.NormSums(
                            raw: target.raw.row(rows.lowerBound),
                            mean: target.norm.mean.pointer,
                            sums: target.norm.gradientSums(shard: shard)),
                        rows: rows.count, channels: shape.channels)
                }
            }
        }
    }
}
