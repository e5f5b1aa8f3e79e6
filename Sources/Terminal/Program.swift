import Foundation

/// The program itself.
public enum Program {
    /// Written into checkpoints and shown by `--version`.
    public static let version = "0.2.0"

    /// The command line's words after the program's name, as a user's paths are meant.
    ///
    /// - Throws: Where there is no /proc, from which they are read: the program would do something
    ///   else than it was asked to.
    public static func words() throws(RequestError) -> [String] {
        guard let name = CommandLine.arguments.first, !name.isEmpty,
            access("/proc/self/cmdline", R_OK) == 0
        else {
            throw RequestError(
                "/proc is not mounted, from which the command line is read: mount it (mount -t proc "
                    + "proc /proc)", exitCode: .internalError)
        }
        return UserPath.arguments(Array(CommandLine.arguments.dropFirst()))
    }
}
