import Tensors

extension Activation {
    /// `result = relu(self + residual)`, the residual cropped by `crop` pixels on each side; this is a
    /// raw value with its norm deferred. A sum of final values is `Tensor.add`.
    public func addRectified(
        _ residual: (activation: Activation, crop: Int), into result: Tensor<Element>, pass: Pass
    ) {
        guard let affine = deferred?.affine else {
            preconditionFailure("a residual sum normalises its main path")
        }
        let (source, crop) = residual
        let (height, width) = (shape.height, shape.width)
        pass.forEachShard { _, images, _ in
            // Without a crop the rows of both lie alike, and an image is one run.
            let (runs, runRows) = crop == 0 ? (1, height * width) : (height, width)
            for image in images {
                for run in 0..<runs {
                    let row = (image * runs + run) * runRows
                    let sourceRow =
                        crop == 0
                        ? row
                        : (image * source.shape.height + run + crop) * source.shape.width + crop
                    SumKernels.addRectified(
                        raw.row(row), affine: affine,
                        residual: source.raw.row(sourceRow),
                        residualAffine: source.deferred?.affine,
                        rectifyResidual: source.deferred?.rectified ?? false,
                        rows: runRows, channels: shape.channels, into: result.row(row))
                }
            }
        }
    }
}
