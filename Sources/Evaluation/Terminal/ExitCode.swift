import Checkpoints
import Configuration
import Images

/// The exit codes of both programs (sysexits).
public enum ExitCode: Int32, Sendable {
    /// Bad usage or configuration.
    case usage = 64
    /// Bad data or checkpoint.
    case badData = 65
    /// Input missing.
    case missingInput = 66
    /// Our mistake.
    case internalError = 70
    /// Output cannot be written.
    case cannotWrite = 73
    /// Reading or writing failed.
    case inputOutput = 74
    /// Stopped by a signal or the time limit after saving a checkpoint: run again to go on.
    case stopped = 75
    /// A rank was lost or stuck.
    case rankLost = 76

    /// The code that an error of the rooms up to this one ends with; nil for others.
    public init?(of error: any Error) {
        switch error {
        case is ConfigurationError:
            self = .usage
        case is LogitsError:
            self = .badData
        case let error as EvaluationError:
            self = error.exitCode
        case let error as CheckpointError:
            switch error {
            case .missing, .unreadable: self = .missingInput
            case .damaged, .misfit, .edited: self = .badData
            case .unwritable, .inUse: self = .cannotWrite
            case .inputOutput: self = .inputOutput
            }
        case let error as ImagesError:
            switch error {
            case .missingFolder, .noImages, .noPictures, .emptySubset, .missing:
                self = .missingInput
            case .unknownClass, .unreadable, .resource, .damaged, .duplicate, .notIndexed,
                .undecodable:
                self = .badData
            case .inputOutput, .forbidden: self = .inputOutput
            case .unwritable, .notOurs, .occupied: self = .cannotWrite
            }
        default:
            return nil
        }
    }
}

/// A request that cannot be met with the given model and images.
public struct EvaluationError: Error, CustomStringConvertible {
    /// One line: what, where, what to do next.
    public let description: String
    /// How the program ends.
    public let exitCode: ExitCode

    /// Says it in one line.
    public init(_ description: String, exitCode: ExitCode = .usage) {
        (self.description, self.exitCode) = (description, exitCode)
    }

    /// A word of the command line that is none of those which it may be.
    static func unknown(
        _ word: String, _ option: String, _ what: String, among words: [String]
    ) -> EvaluationError {
        let hint = EditDistance.nearest(to: word, among: words).map { ", did you mean \($0)?" }
        return EvaluationError(
            "\(option): \"\(word)\" is \(what)\(hint ?? ";") choose from "
                + words.joined(separator: ","))
    }
}
