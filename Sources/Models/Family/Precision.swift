/// The number format in which activations are stored and matrices multiplied.
///
/// Weights, statistics, weight gradients, losses and sums are `Float` in either case.
public enum Precision: String, Codable, CaseIterable, Sendable {
    /// 24 bits of precision everywhere.
    case float32
    /// 8 bits for what is stored between layers and for the operands of products.
    case bfloat16

    /// Bytes of a number that is stored between layers.
    public var byteCount: Int { self == .bfloat16 ? 2 : 4 }
}
