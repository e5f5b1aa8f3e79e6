/// The program itself.
public enum Program {
    /// Written into checkpoints and shown by `--version`.
    public static let version = "0.2.0"
}
