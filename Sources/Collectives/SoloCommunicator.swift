import Foundation

/// A run of one process, without MPI.
public struct SoloCommunicator: Communicator {
    /// Creates it.
    public init() {}
    /// 0.
    public var rank: Int { 0 }
    /// 1.
    public var size: Int { 1 }
    /// There is nobody to hear.
    public var heartbeat: Heartbeat? { nil }
    /// Nothing to add.
    public func sum(_ values: UnsafeMutableBufferPointer<Float>) {}
    /// Nothing to add.
    public func sum(_ values: UnsafeMutableBufferPointer<Double>) {}
    /// Nothing to add.
    public func beginSum(_ values: UnsafeMutableBufferPointer<Float>) {}
    /// Nothing was begun.
    public func finishSums() -> Double { 0 }
    /// Nobody to wait for.
    public func barrier() {}
    /// Ends this process.
    public func abort(exitCode: Int32) -> Never { exit(exitCode) }
    /// Nothing to leave.
    public func finish() {}
}
