import Foundation

/// A run of one process, without MPI.
public struct SoloCommunicator: Communicator {
    /// Creates the rank.
    public init() {}
    /// The only rank: 0.
    public var rank: Int { 0 }
    /// One rank.
    public var size: Int { 1 }
    /// There is nobody to hear.
    public var heartbeat: Heartbeat? { nil }
    /// Leaves the values: there is nothing to add.
    public func sum(_ values: UnsafeMutableBufferPointer<Float>) {}
    /// Leaves the values: there is nothing to add.
    public func sum(_ values: UnsafeMutableBufferPointer<Double>) {}
    /// Leaves the values: there is nothing to add.
    public func beginSum(_ values: UnsafeMutableBufferPointer<Float>) {}
    /// Takes no time: no sum was begun.
    public func finishSums() -> Double { 0 }
    /// Returns at once: there is nobody to wait for.
    public func barrier() {}
    /// Ends this process.
    public func abort(exitCode: Int32) -> Never { exit(exitCode) }
    /// Does nothing: there are no ranks to leave.
    public func finish() {}
}
