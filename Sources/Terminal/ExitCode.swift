/// The exit codes of both programs (sysexits).
public enum ExitCode: Int32, Sendable {
    /// Bad usage or configuration.
    case usage = 64
    /// Bad data or checkpoint.
    case badData = 65
    /// Input missing.
    case missingInput = 66
    /// The program itself is wrong.
    case internalError = 70
    /// Output cannot be written.
    case cannotWrite = 73
    /// Reading or writing failed.
    case inputOutput = 74
    /// Stopped by a signal or the time limit after saving a checkpoint: run again to go on.
    case stopped = 75
    /// A rank was lost or stuck.
    case rankLost = 76
}
