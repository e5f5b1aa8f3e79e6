import Foundation

/// Exact counts of one policy over a set of images, for each number of glimpses: integers, so that
/// any division of the images among ranks, threads and batches gives the same.
public struct PolicyScore: Equatable, Sendable {
    /// Images whose class has the largest averaged logit, after 1, 2, … T glimpses.
    public private(set) var top1: [Int]
    /// Images whose class is among the five largest.
    public private(set) var top5: [Int]
    /// Σ over images of the pixels that the glimpses' windows cover.
    public private(set) var coveredPixels: [Int]
    /// Σ of their squares.
    public private(set) var coveredSquares: [Int]
    /// Glimpses, of the first T of all images, whose centre is near a known place.
    public private(set) var hits: [Int]
    /// How often the t-th glimpse went to each place, `[T, P]`.
    public private(set) var visits: [Int]
    /// Images looked at.
    public private(set) var imageCount = 0
    /// Images with known places.
    public private(set) var knownCount = 0

    private let pixelCount: Int
    private let placeCount: Int

    /// A hit's central pixel is at most this far from that of a known place, in the coordinate in
    /// which they differ more: 6 pixels in images of 64×64 as the demonstration's and in smaller
    /// ones, and in proportion more in larger ones.
    static func hitDistance(imageSize: Int) -> Double { 6 * max(1, Double(imageSize) / 64) }

    /// No images yet.
    ///
    /// - Parameter pixelCount: Of one image.
    public init(glimpses: Int, placeCount: Int, pixelCount: Int) {
        top1 = [Int](repeating: 0, count: glimpses)
        (top5, hits, coveredPixels, coveredSquares) = (top1, top1, top1, top1)
        visits = [Int](repeating: 0, count: glimpses * placeCount)
        (self.pixelCount, self.placeCount) = (pixelCount, placeCount)
    }

    /// Counts one image.
    mutating func add(_ sequence: ScoredSequence) {
        imageCount += 1
        knownCount += sequence.isKnown ? 1 : 0
        for t in sequence.places.indices {
            top1[t] += sequence.labelRanks[t] < 1 ? 1 : 0
            top5[t] += sequence.labelRanks[t] < 5 ? 1 : 0
            coveredPixels[t] += sequence.coveredPixels[t]
            coveredSquares[t] += sequence.coveredPixels[t] * sequence.coveredPixels[t]
            hits[t] += sequence.hits[t]
            visits[t * placeCount + sequence.places[t]] += 1
        }
    }

    /// All counts as one list, for a sum over ranks: each stays below 2⁵³ for up to 50 million
    /// images of 224² pixels of which a third is covered.
    var counts: [Int] {
        get {
            top1 + top5 + coveredPixels + coveredSquares + hits + visits + [imageCount, knownCount]
        }
        set {
            let t = top1.count
            precondition(newValue.count == 5 * t + visits.count + 2, "\(newValue.count) counts")
            top1 = Array(newValue[0..<t])
            top5 = Array(newValue[t..<(2 * t)])
            coveredPixels = Array(newValue[(2 * t)..<(3 * t)])
            coveredSquares = Array(newValue[(3 * t)..<(4 * t)])
            hits = Array(newValue[(4 * t)..<(5 * t)])
            visits = Array(newValue[(5 * t)..<(5 * t + visits.count)])
            imageCount = newValue[newValue.count - 2]
            knownCount = newValue[newValue.count - 1]
        }
    }
}

extension PolicyScore {
    private var images: Double { Double(max(1, imageCount)) }

    /// The part of images that are right after `glimpses` glimpses.
    public func accuracy(_ glimpses: Int) -> Double { Double(top1[glimpses - 1]) / images }

    /// The part with the class among the five largest.
    public func topFive(_ glimpses: Int) -> Double { Double(top5[glimpses - 1]) / images }

    /// The mean part of an image's pixels that was seen.
    public func meanCoverage(_ glimpses: Int) -> Double {
        Double(coveredPixels[glimpses - 1]) / images / Double(pixelCount)
    }

    /// The standard deviation of the coverage over images.
    public func coverageDeviation(_ glimpses: Int) -> Double {
        let mean = Double(coveredPixels[glimpses - 1]) / images
        let square = Double(coveredSquares[glimpses - 1]) / images
        return max(0, square - mean * mean).squareRoot() / Double(pixelCount)
    }

    /// The part of the first `glimpses` glimpses that are hits; nil where no places are known.
    public func hitRate(_ glimpses: Int) -> Double? {
        knownCount == 0 ? nil : Double(hits[glimpses - 1]) / Double(knownCount * glimpses)
    }

    /// How often the first `glimpses` glimpses went to each place, `[P]`.
    public func visits(_ glimpses: Int) -> [Int] {
        (0..<placeCount).map { place in
            (0..<glimpses).reduce(0) { $0 + visits[$1 * placeCount + place] }
        }
    }

    /// How widely the policy's first `glimpses` glimpses are spread over the places, all images
    /// together: e^H of the visits' distribution over the number of places, 1 for a uniform one,
    /// 1/P for a policy that always goes to one place.
    public func diversity(_ glimpses: Int) -> Double {
        let counts = visits(glimpses)
        let total = Double(max(1, counts.reduce(0, +)))
        let entropy = counts.reduce(0.0) { sum, count in
            let part = Double(count) / total
            return count == 0 ? sum : sum - part * log(part)
        }
        return exp(entropy) / Double(placeCount)
    }
}
