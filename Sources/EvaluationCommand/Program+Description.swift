import Tensors
import Terminal

extension Program {
    /// What `--version` shows: the version, the commit where it is known, and what multiplies
    /// matrices.
    ///
    /// - Parameter commit: The first digits of the commit that the program was built from; only the
    ///   executables know it, so that another commit compiles little anew.
    public static func description(commit: String?) -> String {
        "\(version) (\(commit.map { "\($0); " } ?? "")\(MatrixMultiply.backEnds))"
    }
}
