/// What the command line says about a run.
public struct TrainingOptions: Sendable {
    let configurationPath: String?
    let overrides: [String]
    let output: String
    let stages: String
    let resume: String
    let initialWeights: String?
    let maximumSteps: Int?
    let threadCount: Int?
    let timeLimit: Double?
    let stallTimeout: Double
    let isQuiet: Bool
    /// Whether nothing is trained, so that no memory is taken for it.
    let onlyValidates: Bool
    /// Whether a checkpoint with arrays that somebody has edited is gone on from.
    let acceptsEdited: Bool
    /// The file with the latest figures for node_exporter.
    let prometheusPath: String?

    /// Takes the words of the command line.
    ///
    /// - Parameters:
    ///   - configurationPath: Nil: the demonstration.
    ///   - overrides: `key.path=value`.
    ///   - stages: Names separated by commas.
    ///   - resume: `auto`, `never` or the path of a checkpoint.
    ///   - initialWeights: The checkpoint that a new run begins with the weights of.
    ///   - maximumSteps: Of each stage.
    ///   - timeLimit: Seconds after which the run saves and stops.
    ///   - threadCount: Nil: this rank's share of the cores.
    ///   - stallTimeout: Seconds without progress after which the job ends.
    ///   - onlyValidates: Whether nothing is trained or written.
    ///   - acceptsEdited: Whether a checkpoint with edited arrays is gone on from.
    ///   - prometheusPath: Nil: no such file.
    public init(
        configurationPath: String?, overrides: [String], output: String, stages: String,
        resume: String, initialWeights: String? = nil, maximumSteps: Int?, threadCount: Int?,
        timeLimit: Double?,
        stallTimeout: Double, isQuiet: Bool, onlyValidates: Bool = false,
        acceptsEdited: Bool = false, prometheusPath: String? = nil
    ) {
        (self.configurationPath, self.overrides) = (configurationPath, overrides)
        (self.output, self.stages, self.resume) = (output, stages, resume)
        (self.maximumSteps, self.threadCount) = (maximumSteps, threadCount)
        (self.timeLimit, self.stallTimeout) = (timeLimit, stallTimeout)
        self.initialWeights = initialWeights
        (self.isQuiet, self.onlyValidates) = (isQuiet, onlyValidates)
        self.acceptsEdited = acceptsEdited
        self.prometheusPath = prometheusPath
    }
}
