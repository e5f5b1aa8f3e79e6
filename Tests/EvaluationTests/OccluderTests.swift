import Layers
import Models
import ResNetModel
import Tensors
import Testing

@testable import Evaluation
@testable import SaccaderModel
@testable import StoredModels
@testable import Terminal

/// What is taken out of images, against pixels worked out one by one.
@Suite struct OccluderTests {
    private let size: Int
    private let count: Int
    private let classifier: StoredModel
    private let geometry: Geometry
    private let images: [Float]

    init() {
        let (count, size) = (11, 33)
        (self.count, self.size) = (count, size)
        var settings = CheckpointSettings()
        settings.data.imageSize = size
        var model = ClassifierSettings()
        (model.classes, model.classifier.stemChannels) = (6, 4)
        (model.classifier.planes, model.classifier.blocks) = ([4], [1])
        model.classifier.strides = [1]
        settings.model[ClassifierFamily.self] = model
        let family = ClassifierFamily(model, imageSize: size)
        classifier = StoredModel(
            settings: settings, model: family,
            store: ParameterStore(layout: family.layout, seed: 5), stage: .classifier)
        var sizes = RepresentationConfiguration()
        (sizes.blocks, sizes.kernel3, sizes.strides, sizes.planes) = (
            [1, 1], [1, 1], [2, 2], [4, 4]
        )
        geometry = Geometry(sizes, imageSize: size)
        var random = CounterRandom(seed: 1, purpose: .scene)
        // A colour of its own for each image, so that the classifier tells them apart.
        images = (0..<count).flatMap { _ in
            let color = (0..<3).map { _ in Float.random(in: -40...40, using: &random) }
            return (0..<(size * size * 3)).map {
                color[$0 % 3] + Float.random(in: -2...2, using: &random)
            }
        }
    }

    private func logits(_ images: [Float]) throws -> [[Float]] {
        let viewer = try classifier.model.viewer(
            ViewPlan(
                store: classifier.store, pool: ThreadPool(threadCount: 1), imageCapacity: 16,
                shardSize: 8, glimpses: 0, policies: [:], seed: 0))
        return try viewer(
            ViewedImages(standardized: images, pixels: [], identifiers: Array(0..<count)),
            wantsMap: false
        ).compactMap(\.whole)
    }

    private func predictions(_ images: [Float]) throws -> [Int] {
        try logits(images).map { AveragedLogits.prediction($0) }
    }

    private func windows(_ places: [[Int]]) -> [[Window]] {
        places.map { $0.map { geometry.window(of: $0) } }
    }

    @Test func theWindowsOfTheFirstGlimpsesAreGone() throws {
        let places = (0..<count).map { image in
            (0..<4).map { (7 * image + 11 * $0) % geometry.locationCount }
        }
        let labels = try predictions(images)
        var scores = OcclusionScores(policies: [.learned: 1], glimpses: [1, 4])
        try Occluder(classifier, path: "").count(
            images, labels: labels.map(Int32.init), windows: [.learned: [windows(places)]],
            pool: ThreadPool(threadCount: 2), into: &scores)
        #expect(scores.intact.top1 == count && scores.intact.top5 == count)
        for (entry, glimpses) in [(0, 1), (1, 4)] {
            let right = try tally(places, glimpses, labels).top1
            #expect(scores.policies[.learned]?[0][entry].top1 == right)
            #expect(right > 0 && right < count, "the case tells nothing: \(right) of \(count)")
        }
    }

    /// What the classifier says where each pixel of the first windows is 0, worked out one by one.
    private func tally(
        _ places: [[Int]], _ glimpses: Int, _ labels: [Int]
    ) throws -> OcclusionScores.Tally {
        var expected = images
        for position in expected.indices {
            let (image, pixel) = (position / (size * size * 3), position / 3 % (size * size))
            let isSeen = places[image][..<glimpses].contains { place in
                let top = place / geometry.gridSize * geometry.stride
                let left = place % geometry.gridSize * geometry.stride
                return (0..<geometry.receptiveField).contains(pixel / size - top)
                    && (0..<geometry.receptiveField).contains(pixel % size - left)
            }
            if isSeen { expected[position] = 0 }
        }
        let ranks = zip(try logits(expected), labels).map {
            AveragedLogits.rank(of: $1, in: $0)
        }
        return .init(top1: ranks.count { $0 < 1 }, top5: ranks.count { $0 < 5 })
    }

    @Test func countsTravelBetweenRanks() {
        var scores = OcclusionScores(policies: [.random: 2, .learned: 1], glimpses: [1, 2])
        scores.counts = Array(1...14)
        #expect(scores.intact == OcclusionScores.Tally(top1: 1, top5: 2))
        #expect(
            scores.policies[.learned]
                == [[.init(top1: 3, top5: 4), .init(top1: 5, top5: 6)]])
        #expect(scores.policies[.random]?[0].last == OcclusionScores.Tally(top1: 9, top5: 10))
        #expect(scores.policies[.random]?[1].last == OcclusionScores.Tally(top1: 13, top5: 14))
        #expect(scores.counts == Array(1...14))
    }

    @Test func drawsBecomeMeanAndSampleDeviation() throws {
        var scores = Scores()
        scores.imageCount = 10
        var score = PolicyScore(glimpses: 1, placeCount: 9, pixelCount: 81)
        score.counts = score.counts.map { _ in 1 }
        scores.policies = [.random: [score, score, score]]
        var occlusion = OcclusionScores(policies: [.random: 3], glimpses: [1])
        occlusion.intact = .init(top1: 9, top5: 10)
        occlusion.policies[.random] = [2, 4, 9].map { [.init(top1: $0, top5: 10)] }
        scores.occlusion = occlusion
        let one = try #require(Occlusion([scores], classifier: "c")?.policies["random"]?.first)
        #expect(one.repeats == 3 && one.top1Count == 15 && one.top5Count == 30)
        #expect(abs(one.top1 - 0.5) < 1e-12 && abs(one.drop - 0.4) < 1e-12)
        #expect(abs((one.deviation?.top1 ?? 0) - 0.13.squareRoot()) < 1e-12)
        // Of two checkpoints the deviation is that of their means, 0.5 and 0.7.
        var other = scores
        other.occlusion?.policies[.random] = [6, 7, 8].map { [.init(top1: $0, top5: 10)] }
        let both = try #require(
            Occlusion([scores, other], classifier: "c")?.policies["random"]?.first)
        #expect(both.repeats == 6 && abs(both.top1 - 0.6) < 1e-12)
        #expect(abs((both.deviation?.top1 ?? 0) - 0.02.squareRoot()) < 1e-12)
    }

    @Test func everyDrawIsJudgedAndAPolicyThatStaysKeepsItsTally() throws {
        let stays = [[Int]](repeating: [3, 3, 3, 3], count: count)
        let moves = (0..<count).map { image in
            (0..<4).map { (7 * image + 11 * $0) % geometry.locationCount }
        }
        // Labels of which some are right at first and others later.
        let labels = (0..<count).map { $0 % 6 }
        var scores = OcclusionScores(policies: [.center: 1, .random: 2], glimpses: [1, 2, 4])
        try Occluder(classifier, path: "").count(
            images, labels: labels.map(Int32.init),
            windows: [.center: [windows(stays)], .random: [windows(moves), windows(stays)]],
            pool: ThreadPool(threadCount: 1), into: &scores)
        let kept = [OcclusionScores.Tally](repeating: try tally(stays, 1, labels), count: 3)
        #expect(scores.policies[.center] == [kept])
        #expect(
            scores.policies[.random] == [try [1, 2, 4].map { try tally(moves, $0, labels) }, kept])
    }

    @Test func anotherClassifierIsRefused() throws {
        var other = classifier.settings
        other.data.centralCropMargin += 1
        #expect(throws: RequestError.self) {
            try Occluder(classifier, path: "c.h5").requireLikeness(
                other, classifier.model, classes: nil, of: "s.h5")
        }
        try Occluder(classifier, path: "c.h5").requireLikeness(
            classifier.settings, classifier.model, classes: nil, of: "s.h5")
    }
}
