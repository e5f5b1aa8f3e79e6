/// An error that a user reads: its description is one line that says what is wrong, where, and what
/// to do next; its code is what the program ends with.
public protocol ProgramError: Error, CustomStringConvertible {
    /// How the program ends.
    var exitCode: ExitCode { get }
}
