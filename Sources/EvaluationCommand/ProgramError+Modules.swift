import Checkpoints
import Configuration
import Images
import Terminal

extension ConfigurationError: ProgramError {
    public var exitCode: ExitCode { .usage }
}

extension CheckpointError: ProgramError {
    public var exitCode: ExitCode {
        switch self {
        case .missing, .unreadable: .missingInput
        case .damaged, .misfit, .edited: .badData
        case .unwritable, .inUse: .cannotWrite
        case .inputOutput: .inputOutput
        }
    }
}

extension ImagesError: ProgramError {
    public var exitCode: ExitCode {
        switch self {
        case .missingFolder, .noImages, .noPictures, .emptySubset, .missing: .missingInput
        case .unknownClass, .unreadable, .resource, .damaged, .duplicate, .notIndexed,
            .undecodable:
            .badData
        case .inputOutput, .forbidden: .inputOutput
        case .unwritable, .notOurs, .occupied: .cannotWrite
        }
    }
}

extension ExitCode {
    /// What an error ends the program with: one that says nothing of it is our mistake.
    public init(of error: any Error) {
        self = (error as? any ProgramError)?.exitCode ?? .internalError
    }
}
