import Families
import Foundation
import Models
import Terminal

/// What an evaluation came to: the content of `results.json`.
public struct EvaluationReport: Codable, Equatable, Sendable {
    /// Sample standard deviations (n − 1) over checkpoints or, of a single checkpoint, over the
    /// random policy's draws.
    public struct Deviation: Codable, Equatable, Sendable {
        /// The deviation of the top-1 accuracy.
        public let top1: Double
        /// The deviation of the top-5 accuracy.
        public let top5: Double
        /// The deviation of the mean coverage; left out without attention.
        public var coverage: Double?
        /// The deviation of the diversity.
        public var diversity: Double?
        /// The deviation of the part of hits.
        public var hits: Double?
    }

    /// One policy after one number of glimpses.
    public struct Entry: Codable, Equatable, Sendable {
        /// T.
        public let glimpses: Int
        /// Measurements that the counts add up: checkpoints × draws. The parts are their means.
        public let repeats: Int
        /// Images whose class has the largest averaged logit.
        public let top1Count: Int
        /// The part of images that are right.
        public let top1: Double
        /// Images whose class is among the five largest.
        public let top5Count: Int
        /// The part of all images.
        public let top5: Double
        /// The mean part of an image's pixels inside the union of the windows.
        public let coverage: Double
        /// The standard deviation of the coverage over images.
        public let coverageDeviation: Double
        /// e^H of the visits' distribution over places, divided by the number of places: 1 where
        /// all places are visited alike.
        public let diversity: Double
        /// The part of glimpses whose centre is near a known place; left out where none is known.
        public let hits: Double?
        /// Left out for a single measurement.
        public let deviation: Deviation?
    }

    /// The network without attention: the mean of all logits.
    public struct MeanLogits: Codable, Equatable, Sendable {
        /// Images that are right.
        public let top1Count: Int
        /// The part of all images.
        public let top1: Double
        /// Images whose class is among the five largest.
        public let top5Count: Int
        /// The part of all images.
        public let top5: Double
        /// Left out for a single checkpoint.
        public let deviation: Deviation?
    }

    /// One checkpoint, where it comes from and what it came to alone.
    public struct CheckpointPart: Codable, Equatable, Sendable {
        /// The checkpoint's origin.
        public let provenance: Provenance
        /// The figures without attention; left out where the model has nothing of the kind.
        public let meanLogits: MeanLogits?
        /// The figures by policy.
        public let policies: [String: [Entry]]
        /// The figures without the policies' windows, if a classifier was asked.
        public var occlusion: Occlusion?
    }

    /// The checkpoint's path; of several the first one's.
    public let checkpoint: String
    /// The family of its model.
    public let family: String
    /// The stage in which it was written.
    public let stage: String
    /// Steps of that stage.
    public let step: Int
    /// The data folder.
    public let data: String
    /// The subset.
    public let split: String
    /// Images looked at, each once.
    public let images: Int
    /// Classes, with the background where the model has one.
    public let classes: Int
    /// The side of the images that the model saw, in pixels.
    public let imageSize: Int
    /// This program's version.
    public let program: String
    /// The number of glimpses of the joint stage's training, or the largest evaluated below it:
    /// that of the last line.
    public let headlineGlimpses: Int
    /// Images of the whole subset, of which `images` were looked at.
    public var subsetImages: Int?
    /// What the model was shown of an image: `crop` or `whole`.
    public var resize: String?
    /// The margin of the central crop.
    public var centralCropMargin: Int?
    /// How often the random policy was drawn; left out without it.
    public var draws: Int?
    /// The figures without attention of all checkpoints together; left out where there is no such thing.
    public let meanLogits: MeanLogits?
    /// The figures by policy, all checkpoints together.
    public let policies: [String: [Entry]]
    /// Each checkpoint.
    public let checkpoints: [CheckpointPart]
    /// The policies where they have seen as much as the learned one; empty without it.
    public var equalCoverage: [EqualCoverage] = []

    /// What a classifier says of the images without the policies' windows, all checkpoints
    /// together; nil unless one was asked.
    public var occlusion: Occlusion?

    /// What the figures of coverage leave out; nil: nothing.
    public var coverageNote: String?

    /// Where the last line's prediction fails.
    public var classification: Classification?

    /// The predictions under attack, if one was asked for.
    public var robustness: Robustness?

    /// JSON with sorted keys.
    public func json(isPretty: Bool = false) throws -> String {
        try JSONText.of(self, isPretty: isPretty)
    }

    /// The policy that the last line tells of: the learned one, or nil for the mean of all logits;
    /// the first of all where there are no such logits.
    public var headlinePolicy: Policy? {
        if policies[Policy.learned.rawValue] != nil { return .learned }
        return meanLogits == nil ? Policy.allCases.first { policies[$0.rawValue] != nil } : nil
    }

    /// What the prediction without a choice of glimpses is called.
    var wholeTitle: String {
        let takesGlimpses = Families.family(named: family)?.stages.contains { stage in
            Families.family(named: family)?.policies(after: stage.stage).isEmpty == false
        }
        return takesGlimpses == false ? "whole images" : "mean of all logits"
    }

    /// What plots and tables call the model.
    var familyTitle: String { Families.family(named: family)?.title ?? family }

    /// The entry of a policy after a number of glimpses.
    func entry(_ policy: Policy, _ glimpses: Int) -> Entry? {
        policies[policy.rawValue]?.first { $0.glimpses == glimpses }
    }
}
