import Models
import Tensors

extension Policy {
    /// The places of one image in order.
    ///
    /// - Parameters:
    ///   - view: What the model made of the image.
    ///   - image: Its pixels, `[H, W, 3]` on the scale [0, 1].
    ///   - identifier: The image's number, which keys the random policy.
    ///   - draw: Which of several independent draws of the random policy.
    func locations<Element: StorageElement>(
        _ view: Inference<Element>.Output, image: [Float], imageSize: Int, geometry: Geometry,
        classes: Int, most: Int, seed: UInt64, identifier: Int, draw: Int = 0
    ) -> [Int] {
        switch self {
        case .learned:
            return Array(view.learned.prefix(most))
        case .random:
            var random = CounterRandom(
                seed: seed, purpose: .randomPolicy, stream: UInt64(draw),
                index: UInt64(identifier))
            return random.order(of: geometry.locationCount, most: most)
        case .orderedLogits:
            return LogitOrder.locations(
                view.logits, classes: classes, order: .predictedClass, most: most)
        case .sobelMean, .sobelVariance:
            return Sobel.locations(
                image, size: imageSize, geometry: geometry,
                statistic: self == .sobelMean ? .mean : .variance, most: most)
        case .center:
            let middle = (geometry.gridSize - 1) / 2
            return [Int](repeating: middle * geometry.gridSize + middle, count: most)
        }
    }
}
