import Tensors

/// Packed weights that stay, for layers that run again and again with the same weights.
///
/// Layers pack their weights each time they run, into one place that all share. While memory is
/// lent to this, each layer's weights are packed once and lie there, as far as there is room.
public final class KeptWeights: @unchecked Sendable {
    private struct Key: Hashable {
        let parameter: Int
        let isTransposed: Bool
    }

    private var memory: UnsafeMutableRawBufferPointer?
    private var usedCount = 0
    private var places: [Key: UnsafeMutableRawPointer] = [:]
    private static let alignment = 64

    init() {}

    /// Keeps weights in `memory` from now on, beginning with none.
    public func start(in memory: UnsafeMutableRawBufferPointer) {
        stop()
        self.memory = memory
    }

    /// Keeps none any more.
    public func stop() {
        memory = nil
        usedCount = 0
        places = [:]
    }

    /// Where weights lie or may be packed, and whether they are there already; nil: nowhere.
    func place(
        of parameter: Parameter, transposed: Bool, byteCount: Int
    ) -> (storage: UnsafeMutableRawPointer, isFilled: Bool)? {
        guard let memory, let base = memory.baseAddress else { return nil }
        let key = Key(parameter: parameter.index, isTransposed: transposed)
        if let place = places[key] { return (place, true) }
        let address = Int(bitPattern: base) + usedCount
        let start = usedCount + (-address & (Self.alignment - 1))
        guard start + byteCount <= memory.count else { return nil }
        usedCount = start + byteCount
        let place = base + start
        places[key] = place
        return (place, false)
    }
}
