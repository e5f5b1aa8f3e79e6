/// What the command line says about a run.
public struct TrainingOptions: Sendable {
    let configurationPath: String?
    let overrides: [String]
    let output: String
    let stages: String
    let resume: String
    let maximumSteps: Int?
    let threadCount: Int?
    let timeLimit: Double?
    let stallTimeout: Double
    let isQuiet: Bool

    /// Takes the words of the command line.
    ///
    /// - Parameters:
    ///   - configurationPath: Nil: the demonstration.
    ///   - overrides: `key.path=value`.
    ///   - stages: Names separated by commas.
    ///   - resume: `auto`, `never` or the path of a checkpoint.
    ///   - maximumSteps: Of each stage.
    ///   - timeLimit: Seconds after which the run saves and stops.
    ///   - threadCount: Nil: this rank's share of the cores.
    ///   - stallTimeout: Seconds without progress after which the job ends.
    public init(
        configurationPath: String?, overrides: [String], output: String, stages: String,
        resume: String, maximumSteps: Int?, threadCount: Int?, timeLimit: Double?,
        stallTimeout: Double, isQuiet: Bool
    ) {
        (self.configurationPath, self.overrides) = (configurationPath, overrides)
        (self.output, self.stages, self.resume) = (output, stages, resume)
        (self.maximumSteps, self.threadCount) = (maximumSteps, threadCount)
        (self.timeLimit, self.stallTimeout) = (timeLimit, stallTimeout)
        self.isQuiet = isQuiet
    }
}
