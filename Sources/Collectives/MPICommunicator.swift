import CMPI
import Foundation

/// The ranks that mpirun started.
public final class MPICommunicator: Communicator {
    private let lock: MPILock
    private let channel: MPIChannel
    private let background: BackgroundSum
    public let heartbeat: Heartbeat?

    /// Joins the run that this process was started in: MPI's under a launcher, alone otherwise.
    ///
    /// Launchers tell their processes the size of the run in the environment; without one of these
    /// variables MPI is not even initialised, so the program runs where no MPI daemon can.
    ///
    /// - Throws: `LoneProcess` where a launcher has started several that do not know each other.
    public static func launch() throws -> any Communicator {
        let launchers = ["OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK"]
        let environment = ProcessInfo.processInfo.environment
        guard launchers.contains(where: { environment[$0] != nil }) else {
            if let error = LoneProcess(environment) { throw error }
            return SoloCommunicator()
        }
        let communicator = try MPICommunicator()
        if communicator.size == 1, let error = LoneProcess(environment) { throw error }
        return communicator
    }

    private init() throws(CollectiveError) {
        lock = MPILock()
        var provided: Int32 = 0
        try lock.call("starting MPI") {
            MPI_Init_thread(nil, nil, Int32(MPI_THREAD_SERIALIZED), &provided)
        }
        channel = try MPIChannel(lock)
        background = BackgroundSum(try MPIChannel(lock))
        heartbeat = channel.size > 1 ? try Heartbeat(lock) : nil
    }

    public var rank: Int { channel.rank }
    public var size: Int { channel.size }

    public func barrier() throws(CollectiveError) { try channel.barrier() }

    public func abort(exitCode: Int32) -> Never { channel.abort(exitCode: exitCode) }

    public func finish() throws(CollectiveError) {
        try lock.call("ending MPI") { MPI_Finalize() }
    }

    public func sum(_ values: UnsafeMutableBufferPointer<Float>) throws(CollectiveError) {
        try channel.treeSum(values)
    }

    public func sum(_ values: UnsafeMutableBufferPointer<Double>) throws(CollectiveError) {
        try channel.treeSum(values)
    }

    public func beginSum(_ values: UnsafeMutableBufferPointer<Float>) {
        if size > 1 { background.add(values) }
    }

    public func finishSums() throws(CollectiveError) -> Double { try background.finish() }
}
