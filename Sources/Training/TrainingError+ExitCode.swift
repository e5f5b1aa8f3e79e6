import Terminal

extension TrainingError: ProgramError {
    /// How a rank ends that has crashed.
    static let rankLostExitCode = ExitCode.rankLost.rawValue

    /// How a run ends that was asked to stop.
    static let stoppedExitCode = ExitCode.stopped.rawValue

    /// The exit code that the error ends the program with.
    public var exitCode: ExitCode {
        switch self {
        case .stopped: .stopped
        case .rankLost: .rankLost
        case .missingConfiguration: .missingInput
        case .moreRanksThanImages: .usage
        case .tooManyClasses: .badData
        case .notFinite: .internalError
        }
    }
}
