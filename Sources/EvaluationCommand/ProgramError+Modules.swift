import Checkpoints
import Configuration
import Files
import Images
import Terminal

extension ConfigurationError: ProgramError {
    public var exitCode: ExitCode { .usage }
}

extension FileError: ProgramError {
    public var exitCode: ExitCode { isOfDisk ? .inputOutput : .cannotWrite }
}

extension CheckpointError: ProgramError {
    public var exitCode: ExitCode {
        switch self {
        case .missing, .unreadable: .missingInput
        case .damaged, .misfit, .edited: .badData
        case .inUse: .cannotWrite
        case .file(let error): error.exitCode
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
        case .notOurs, .occupied: .cannotWrite
        case .file(let error): error.exitCode
        }
    }
}

extension ExitCode {
    /// What an error ends the program with: one that says nothing of it is our mistake.
    public init(of error: any Error) {
        self = (error as? any ProgramError)?.exitCode ?? .internalError
    }
}
