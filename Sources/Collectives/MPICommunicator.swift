import CMPI
import Foundation

/// The ranks that mpirun started.
public final class MPICommunicator: Communicator, @unchecked Sendable {
    public let rank: Int
    public let size: Int
    private let communicator: MPI_Comm

    /// Joins the run that this process was started in: MPI's under a launcher, alone otherwise.
    ///
    /// Launchers tell their processes the size of the run in the environment; without one of these
    /// variables MPI is not even initialised, so the program runs where no MPI daemon can.
    public static func launch() throws(CollectiveError) -> any Communicator {
        let launchers = ["OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK"]
        let environment = ProcessInfo.processInfo.environment
        guard launchers.contains(where: { environment[$0] != nil }) else {
            return SoloCommunicator()
        }
        return try MPICommunicator()
    }

    private init() throws(CollectiveError) {
        var provided: Int32 = 0
        // Serialized: one thread at a time calls, not always the main one.
        try Self.check(
            MPI_Init_thread(nil, nil, Int32(MPI_THREAD_SERIALIZED), &provided), "starting MPI")
        var duplicate = saccader_no_communicator()
        try Self.check(MPI_Comm_dup(saccader_world(), &duplicate), "duplicating the communicator")
        guard let duplicate else { throw CollectiveError(description: "MPI gave no communicator") }
        communicator = duplicate
        try Self.check(
            MPI_Comm_set_errhandler(duplicate, saccader_errors_return()), "setting MPI's errors")
        var (rank, size) = (Int32(0), Int32(0))
        try Self.check(MPI_Comm_rank(duplicate, &rank), "asking for the rank")
        try Self.check(MPI_Comm_size(duplicate, &size), "asking for the size")
        (self.rank, self.size) = (Int(rank), Int(size))
    }

    private static func check(_ status: Int32, _ what: String) throws(CollectiveError) {
        guard status != MPI_SUCCESS else { return }
        var text = [CChar](repeating: 0, count: Int(MPI_MAX_ERROR_STRING) + 1)
        var length: Int32 = 0
        MPI_Error_string(status, &text, &length)
        let reason = String(
            decoding: text.prefix(Int(length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        throw CollectiveError(description: "\(what) failed: \(reason)")
    }

    public func barrier() throws(CollectiveError) {
        try Self.check(MPI_Barrier(communicator), "waiting for the other ranks")
    }

    public func abort(exitCode: Int32) -> Never {
        MPI_Abort(communicator, exitCode)
        exit(exitCode)
    }

    public func finish() throws(CollectiveError) {
        try Self.check(MPI_Finalize(), "ending MPI")
    }

    public func sum(_ values: UnsafeMutableBufferPointer<Float>) throws(CollectiveError) {
        try treeSum(values)
    }

    public func sum(_ values: UnsafeMutableBufferPointer<Double>) throws(CollectiveError) {
        try treeSum(values)
    }

    // MARK: - The tree

    /// Bytes below which one message per level is faster than halves.
    private static let smallByteCount = 16_384
    /// Bytes that are summed at a time: what arrives then lies in memory that is used again, not in
    /// fresh pages, and partly still in cache.
    private static let pieceByteCount = 1 << 22

    /// The largest power of two that is not above the number of ranks.
    private var treeWidth: Int {
        var width = 1
        while width * 2 <= size { width *= 2 }
        return width
    }

    /// Sums piece by piece; each number's tree is the same however the vector is cut.
    private func treeSum<Number: BinaryFloatingPoint & BitwiseCopyable>(
        _ values: UnsafeMutableBufferPointer<Number>
    ) throws(CollectiveError) {
        guard size > 1, let base = values.baseAddress, values.count > 0 else { return }
        let step = min(values.count, Self.pieceByteCount / MemoryLayout<Number>.stride)
        let room = UnsafeMutablePointer<Number>.allocate(capacity: step)
        defer { room.deallocate() }
        var first = 0
        while first < values.count {
            try treeSum(base + first, min(step, values.count - first), room)
            first += step
        }
    }

    /// Ranks beyond the tree's width first give their values to rank − width and get the sum at
    /// the end; the others add up along the tree.
    private func treeSum<Number: BinaryFloatingPoint & BitwiseCopyable>(
        _ base: UnsafeMutablePointer<Number>, _ count: Int, _ room: UnsafeMutablePointer<Number>
    ) throws(CollectiveError) {
        let width = treeWidth
        if rank >= width {
            try exchange(base, count, room, 0, with: rank - width)
            try exchange(base, 0, base, count, with: rank - width)
            return
        }
        let hasGuest = rank + width < size
        if hasGuest {
            try exchange(base, 0, room, count, with: rank + width)
            for index in 0..<count { base[index] += room[index] }
        }
        if count * MemoryLayout<Number>.stride <= Self.smallByteCount {
            try doubling(base, count, width, room)
        } else {
            try halving(base, 0..<count, 1, width, room)
        }
        if hasGuest { try exchange(base, count, base, 0, with: rank + width) }
    }

    /// Recursive doubling: at each level both partners send all they have and add.
    private func doubling<Number: BinaryFloatingPoint & BitwiseCopyable>(
        _ base: UnsafeMutablePointer<Number>, _ count: Int, _ width: Int,
        _ room: UnsafeMutablePointer<Number>
    ) throws(CollectiveError) {
        var distance = 1
        while distance < width {
            try exchange(base, count, room, count, with: rank ^ distance)
            for index in 0..<count { base[index] += room[index] }
            distance *= 2
        }
    }

    /// Recursive halving, nearest partner first: each partner adds one half of what both have,
    /// goes on with it, and gets the other half's sum on the way back.
    ///
    /// Every element is added along the same tree as in doubling, but only 2·count numbers travel.
    private func halving<Number: BinaryFloatingPoint & BitwiseCopyable>(
        _ base: UnsafeMutablePointer<Number>, _ range: Range<Int>, _ distance: Int, _ width: Int,
        _ room: UnsafeMutablePointer<Number>
    ) throws(CollectiveError) {
        guard distance < width else { return }
        let partner = rank ^ distance
        let middle = range.lowerBound + range.count / 2
        let lower = range.lowerBound..<middle
        let upper = middle..<range.upperBound
        let (mine, theirs) = rank < partner ? (lower, upper) : (upper, lower)
        try exchange(
            base + theirs.lowerBound, theirs.count, room, mine.count, with: partner)
        let target = base + mine.lowerBound
        for index in 0..<mine.count { target[index] += room[index] }
        try halving(base, mine, distance * 2, width, room)
        try exchange(
            base + mine.lowerBound, mine.count, base + theirs.lowerBound, theirs.count,
            with: partner)
    }

    /// Sends and receives at the same time; a piece fits MPI's 32-bit counts.
    private func exchange<Number: BitwiseCopyable>(
        _ send: UnsafeMutablePointer<Number>, _ sendCount: Int,
        _ receive: UnsafeMutablePointer<Number>, _ receiveCount: Int, with partner: Int
    ) throws(CollectiveError) {
        let stride = MemoryLayout<Number>.stride
        if sendCount > 0 && receiveCount > 0 {
            try Self.check(
                MPI_Sendrecv(
                    send, Int32(sendCount * stride), saccader_byte(), Int32(partner), 0,
                    receive, Int32(receiveCount * stride), saccader_byte(), Int32(partner), 0,
                    communicator, saccader_ignore_status()),
                "exchanging with rank \(partner)")
        } else if sendCount > 0 {
            try Self.check(
                MPI_Send(
                    send, Int32(sendCount * stride), saccader_byte(), Int32(partner), 0,
                    communicator), "sending to rank \(partner)")
        } else if receiveCount > 0 {
            try Self.check(
                MPI_Recv(
                    receive, Int32(receiveCount * stride), saccader_byte(), Int32(partner), 0,
                    communicator, saccader_ignore_status()),
                "receiving from rank \(partner)")
        }
    }
}
