import Foundation

/// One block of memory for all buffers of a step, laid out once when the shapes are known.
///
/// Use: reserve and release in the order in which the step will use its buffers, then `commit`.
/// A released place is given to later reservations, so buffers whose uses do not overlap in time
/// share memory. A step then allocates nothing.
public final class Arena: @unchecked Sendable {
    /// A place in the arena.
    public struct Region: Equatable, Sendable {
        let offset: Int
        let byteCount: Int
    }

    /// Every region starts on a cache line and a vector boundary.
    static let alignment = 64
    /// Where the system has pages larger than 4 KiB, they are this large.
    private static let hugePage = 2 << 20

    private var holes: [Region] = []
    /// The arena's size in bytes: the most that was reserved at one time, holes included.
    public private(set) var byteCount = 0
    private var memory: UnsafeMutableRawPointer?

    /// Creates an empty plan.
    public init() {}

    deinit { memory?.deallocate() }

    /// Finds a place for a buffer of `byteCount` bytes (first fit).
    public func reserve(byteCount requested: Int) -> Region {
        precondition(memory == nil, "an arena is planned before it is committed")
        let size = max(1, requested + Self.alignment - 1) / Self.alignment * Self.alignment
        if let index = holes.firstIndex(where: { $0.byteCount >= size }) {
            let hole = holes.remove(at: index)
            if hole.byteCount > size {
                holes.insert(
                    Region(offset: hole.offset + size, byteCount: hole.byteCount - size),
                    at: index)
            }
            return Region(offset: hole.offset, byteCount: size)
        }
        if let last = holes.last, last.offset + last.byteCount == byteCount {
            holes.removeLast()
            byteCount = last.offset + size
            return Region(offset: last.offset, byteCount: size)
        }
        defer { byteCount += size }
        return Region(offset: byteCount, byteCount: size)
    }

    /// Gives a place back to later reservations.
    public func release(_ region: Region) {
        let index = holes.firstIndex { $0.offset > region.offset } ?? holes.count
        holes.insert(region, at: index)
        merge(at: index)
        if index > 0 { merge(at: index - 1) }
    }

    private func merge(at index: Int) {
        guard index + 1 < holes.count else { return }
        let (left, right) = (holes[index], holes[index + 1])
        precondition(left.offset + left.byteCount <= right.offset, "a region was released twice")
        guard left.offset + left.byteCount == right.offset else { return }
        holes[index] = Region(
            offset: left.offset, byteCount: left.byteCount + right.byteCount)
        holes.remove(at: index + 1)
    }

    /// Allocates the planned memory, zero-filled; the plan is closed.
    public func commit() {
        precondition(memory == nil, "an arena is committed once")
        let size = max(byteCount, Self.alignment)
        let isLarge = size >= Self.hugePage
        let block = UnsafeMutableRawPointer.allocate(
            byteCount: size, alignment: isLarge ? Self.hugePage : Self.alignment)
        // A hint: without huge pages everything works, with more misses of the page table's cache.
        if isLarge { madvise(block, size, MADV_HUGEPAGE) }
        block.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        memory = block
    }

    func pointer<Element>(
        to region: Region, as type: Element.Type
    ) -> UnsafeMutablePointer<Element> {
        guard let memory else {
            preconditionFailure("an arena is committed before its buffers are used")
        }
        return (memory + region.offset).assumingMemoryBound(to: Element.self)
    }
}
