import Checkpoints
import Configuration
import Images
import StoredModels

/// What a run's logits stand for, and which of them each of the data's classes has.
struct RunClasses {
    /// The classes, in the order of the logits.
    let classes: [KnownClass]
    /// The logit of each of the data's classes.
    let labels: [Int32]
    /// What the user should know, a line each.
    let warnings: [String]
    /// What was left to the program: one line, or nil.
    let choice: String?

    /// A run that begins takes the data's classes in their order; one that goes on keeps those of
    /// its checkpoint, to which the data's are matched by name.
    ///
    /// - Parameter count: `model.classes`; nil where nobody gave it.
    init(
        of data: ImageDataset, _ configuration: RunConfiguration, count: Int?,
        start: ResumePoint?
    ) throws {
        let background = configuration.data.backgroundClass
        guard let start else {
            let labelCount = data.classes.count + (background ? 1 : 0)
            if let count, labelCount > count {
                throw TrainingError.tooManyClasses(found: labelCount, model: count)
            }
            classes = try KnownClass.logits(
                of: data, background: background, count: count ?? labelCount)
            labels = data.classes.indices.map { Int32($0 + (background ? 1 : 0)) }
            let with = background ? " with the background" : ""
            choice =
                count == nil
                ? "model.classes is left out: \(labelCount), as many as the data has\(with)" : nil
            let spare = (count ?? labelCount) - labelCount
            warnings =
                spare > 0
                ? [
                    "model.classes is \(labelCount + spare), but \(configuration.data.path) has "
                        + "\(labelCount) classes\(with): \(spare) logits stand for none; leave "
                        + "model.classes out to have as many as the data"
                ] : []
            return
        }
        let path = start.checkpoint.file.path
        let stored = try start.classCount()
        if let count, count != stored {
            throw ConfigurationError(
                key: "model.classes",
                "is \(count), but \(path) has \(stored): leave it out to go on with those, or train "
                    + "on other classes with --init-from \(path) and another --output")
        }
        let match = try ClassMatch(
            start.checkpoint.header.classes, classCount: stored, background: background, of: path,
            with: data, at: configuration.data.path)
        (classes, labels, warnings) = (match.classes, match.labels, match.warnings)
        choice = count == nil ? "model.classes is left out: \(stored), as \(path) has" : nil
    }
}
