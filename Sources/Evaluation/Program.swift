/// The program itself.
public enum Program {
    /// Written into checkpoints and shown by `--version`.
    public static let version = "0.2.0"

    /// What `--version` shows: the version, with the commit where it is known.
    ///
    /// - Parameter commit: The first digits of the commit that the program was built from; only the
    ///   executables know it, so that another commit compiles little anew.
    public static func description(commit: String?) -> String {
        commit.map { "\(version) (\($0))" } ?? version
    }
}
