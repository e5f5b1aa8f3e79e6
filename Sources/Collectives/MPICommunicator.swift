import CMPI
import Foundation

/// The ranks that mpirun started.
public final class MPICommunicator: Communicator {
    private let turn: MPITurn
    private let line: MPILine
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
        turn = MPITurn()
        var provided: Int32 = 0
        try turn.call("starting MPI") {
            MPI_Init_thread(nil, nil, Int32(MPI_THREAD_SERIALIZED), &provided)
        }
        line = try MPILine(turn)
        background = BackgroundSum(try MPILine(turn))
        heartbeat = line.size > 1 ? try Heartbeat(turn) : nil
    }

    public var rank: Int { line.rank }
    public var size: Int { line.size }

    public func barrier() throws(CollectiveError) { try line.barrier() }

    public func abort(exitCode: Int32) -> Never { line.abort(exitCode: exitCode) }

    public func finish() throws(CollectiveError) {
        try turn.call("ending MPI") { MPI_Finalize() }
    }

    public func sum(_ values: UnsafeMutableBufferPointer<Float>) throws(CollectiveError) {
        try line.treeSum(values)
    }

    public func sum(_ values: UnsafeMutableBufferPointer<Double>) throws(CollectiveError) {
        try line.treeSum(values)
    }

    public func beginSum(_ values: UnsafeMutableBufferPointer<Float>) {
        if size > 1 { background.add(values) }
    }

    public func finishSums() throws(CollectiveError) -> Double { try background.finish() }
}
