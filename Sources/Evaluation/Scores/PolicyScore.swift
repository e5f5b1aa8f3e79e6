/// Exact counts of one policy over a set of images, for each number of glimpses.
public struct PolicyScore: Equatable, Sendable {
    /// Images whose class has the largest averaged logit, after 1, 2, … T glimpses.
    public var top1: [Int]
    /// Images whose class is among the five largest.
    public var top5: [Int]
    /// Σ and Σ² of the part of an image's pixels that the glimpses' windows cover.
    public var coverage: [Double]
    /// Σ of squares.
    public var coverageSquares: [Double]
    /// Glimpses, of the first T of all images, whose centre is near a known place.
    public var hits: [Int]
    /// Images looked at.
    public var imageCount = 0
    /// Images with known places.
    public var knownCount = 0

    /// A hit's central pixel is at most this far from that of a known place, in the coordinate in
    /// which they differ more.
    public static let hitDistance = 6

    /// No images yet.
    public init(glimpses: Int) {
        top1 = [Int](repeating: 0, count: glimpses)
        top5 = top1
        hits = top1
        coverage = [Double](repeating: 0, count: glimpses)
        coverageSquares = coverage
    }

    /// The part of images that are right after `glimpses` glimpses.
    public func accuracy(_ glimpses: Int) -> Double {
        Double(top1[glimpses - 1]) / Double(max(1, imageCount))
    }

    /// The part with the class among the five largest.
    public func topFive(_ glimpses: Int) -> Double {
        Double(top5[glimpses - 1]) / Double(max(1, imageCount))
    }

    /// The mean part of an image that was seen.
    public func meanCoverage(_ glimpses: Int) -> Double {
        coverage[glimpses - 1] / Double(max(1, imageCount))
    }

    /// Its standard deviation over images.
    public func coverageDeviation(_ glimpses: Int) -> Double {
        let count = Double(max(1, imageCount))
        let mean = coverage[glimpses - 1] / count
        return max(0, coverageSquares[glimpses - 1] / count - mean * mean).squareRoot()
    }

    /// The part of the first `glimpses` glimpses that are hits; nil where no places are known.
    public func hitRate(_ glimpses: Int) -> Double? {
        knownCount == 0 ? nil : Double(hits[glimpses - 1]) / Double(knownCount * glimpses)
    }
}
