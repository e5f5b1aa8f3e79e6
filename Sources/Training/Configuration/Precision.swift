import Collectives
import Tensors

/// The number format in which activations are stored and matrices multiplied.
///
/// Weights, statistics, weight gradients, losses and sums are `Float` in either case.
public enum Precision: String, Codable, CaseIterable, Sendable {
    /// 24 bits of precision everywhere.
    case float32
    /// 8 bits for what is stored between layers and for the operands of products.
    case bfloat16

    /// What the run uses: `bfloat16` only where every rank's processor and library have fast
    /// products of it.
    func agreed(_ communicator: any Communicator) throws -> Precision {
        let lacking = self == .bfloat16 && !MatrixMultiply.hasFastBFloat16 ? 1 : 0
        return try communicator.sum([lacking])[0] > 0 ? .float32 : self
    }

    /// What to tell when `agreed` is not what was asked for; else nil.
    func warning(agreed: Precision) -> String? {
        guard self != agreed else { return nil }
        return "precision: bfloat16 is fast only with oneDNN on a processor with AVX512-BF16 or "
            + "AMX, which not all ranks have (here: \(MatrixMultiply.libraryDescription)); "
            + "going on in float32"
    }
}
