/// What can go wrong in a run besides its configuration, data and files.
public enum TrainingError: Error, CustomStringConvertible {
    /// The file given with `--config` is not there.
    case missingConfiguration(path: String)
    /// The run was asked to stop, and has saved what it did.
    case stopped(reason: String, checkpoint: String)
    /// Nothing has moved on for too long, or a rank is gone.
    case rankLost(String)
    /// There are not enough images for the ranks.
    case moreRanksThanImages(ranks: Int, images: Int, what: String)
    /// A loss or gradient is infinite or not a number, first in the given rank's images; without
    /// a rank only in the sum over all.
    case notFinite(stage: String, step: Int, what: String, rank: Int?, images: [String])
    /// An image's label is beyond the model's classes.
    case tooManyClasses(found: Int, model: Int)

    /// The rank that has more to say of it than the others; nil: all have the same.
    public var rank: Int? {
        if case .notFinite(_, _, _, let rank, _) = self { rank } else { nil }
    }

    private static func list(_ images: [String]) -> String {
        guard !images.isEmpty else { return "" }
        let more = images.count - 8
        return " in " + images.prefix(8).joined(separator: ", ")
            + (more > 0 ? " and \(more) more images" : "")
    }

    /// One line: what, where, what to do next.
    public var description: String {
        switch self {
        case .missingConfiguration(let path):
            "\(path): no such configuration file; give --config a YAML file, or leave it out for "
                + "the demonstration"
        case .stopped(let reason, let checkpoint):
            "\(reason); saved \(checkpoint): run the same command again to go on"
        case .rankLost(let description):
            description
        case .moreRanksThanImages(let ranks, let images, let what):
            "\(ranks) ranks, but only \(images) images in \(what); start at most \(images) ranks"
        case .notFinite(let stage, let step, let what, let rank, let images):
            "stage \(stage), step \(step): \(what) is not finite, "
                + (rank.map { "first on rank \($0)" + Self.list(images) }
                    ?? "though what each rank adds to it is: the sum, or the weight decay, is too "
                    + "large")
                + "; the last checkpoint is intact: lower "
                + "stages.\(stage).learningRate and run again"
        case .tooManyClasses(let found, let model):
            "the data has labels up to \(found - 1), but model.classes is \(model); leave it out, "
                + "or set model.classes=\(found)"
        }
    }
}
