/// Sums over all ranks, for layers that need one inside a pass (synchronised batch norm).
///
/// The trainer fills it from its communicator; a program without ranks uses `NoRanks`.
public protocol SumReducer: Sendable {
    /// Replaces each number by its sum over the ranks, with the same bits on every rank.
    func sum(_ values: UnsafeMutableBufferPointer<Double>) throws
    /// Hears that the pass will not write a part of the flat gradients again: their sum over the
    /// ranks can go on beside the rest of the pass. Whoever sums no gradients ignores it.
    func complete(_ gradients: Range<Int>)
}

extension SumReducer {
    /// Does nothing.
    public func complete(_ gradients: Range<Int>) {}
}

/// The sum over a single process: nothing to add.
public struct NoRanks: SumReducer {
    /// Creates the reducer of a single process.
    public init() {}
    /// Leaves the values as they are.
    public func sum(_ values: UnsafeMutableBufferPointer<Double>) {}
}
