import Evaluation

extension TrainingError {
    /// The exit code that the error ends the program with.
    public var exitCode: ExitCode {
        switch self {
        case .missingConfiguration: .missingInput
        case .moreRanksThanImages: .usage
        case .tooManyClasses: .badData
        case .notFinite: .internalError
        }
    }
}
