/// A request that cannot be met.
public struct RequestError: ProgramError {
    /// One line: what, where, what to do next.
    public let description: String
    /// How the program ends.
    public let exitCode: ExitCode

    /// Says it in one line.
    public init(_ description: String, exitCode: ExitCode = .usage) {
        (self.description, self.exitCode) = (description, exitCode)
    }
}
