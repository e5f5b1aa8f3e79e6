import CMPI
import Foundation

/// Signs of life around a ring: each rank sends them to the next one and hears those of the one
/// before.
///
/// It serves as long as the ranks do not share a folder: where one is stopped, the next one
/// knows. Signs neither wait nor hang, as a thread that watches others must not get stuck itself.
public final class Heartbeat: @unchecked Sendable {
    /// The rank that this one hears.
    public let before: Int
    private let channel: MPIChannel
    private let lock = NSLock()
    // All below belongs to whoever holds the lock.
    private let message: UnsafeMutablePointer<UInt8>
    private let scratch: UnsafeMutablePointer<UInt8>
    private var sending: MPI_Request?
    private var isEnding = false
    private var hasSentLast = false
    private var hasHeardLast = false
    private var host: String?

    /// Bytes of a sign: whether it is the last one, and the host's name, ended by zeros.
    private static let byteCount = 256

    /// Opens the ring; all ranks do so together.
    init(_ lock: MPILock) throws(CollectiveError) {
        channel = try MPIChannel(lock)
        before = (channel.rank + channel.size - 1) % channel.size
        (message, scratch) = (
            .allocate(capacity: Self.byteCount), .allocate(capacity: Self.byteCount)
        )
        message.initialize(repeating: 0, count: Self.byteCount)
        scratch.initialize(repeating: 0, count: Self.byteCount)
        let name = Array(ProcessInfo.processInfo.hostName.utf8.prefix(Self.byteCount - 2))
        (message + 1).update(from: name, count: name.count)
    }

    deinit {
        message.deallocate()
        scratch.deallocate()
    }

    /// The host of the rank before this one; nil where it has given no sign yet.
    public var hostBefore: String? {
        lock.lock()
        defer { lock.unlock() }
        return host
    }

    /// Gives a sign, unless the last one has not gone off yet.
    public func beat() throws(CollectiveError) {
        lock.lock()
        defer { lock.unlock() }
        if !isEnding { _ = try send() }
    }

    /// Whether the rank before this one has given a sign since this was asked last.
    public func hears() throws(CollectiveError) -> Bool {
        lock.lock()
        defer { lock.unlock() }
        return try receive()
    }

    /// Ends the ring, of which nothing stays under way; all ranks call this, and wait.
    public func end() throws(CollectiveError) {
        while try !isOver() { usleep(500) }
    }

    private func isOver() throws(CollectiveError) -> Bool {
        lock.lock()
        defer { lock.unlock() }
        _ = try receive()
        isEnding = true
        if !hasSentLast, try hasGone() {
            message[0] = 1
            hasSentLast = try send()
        }
        let isIdle = try hasGone()
        return hasSentLast && isIdle && hasHeardLast
    }

    private func hasGone() throws(CollectiveError) -> Bool {
        if sending != nil, try channel.isDone(&sending) { sending = nil }
        return sending == nil
    }

    private func send() throws(CollectiveError) -> Bool {
        guard try hasGone() else { return false }
        sending = try channel.beginSending(
            message, Self.byteCount, to: (channel.rank + 1) % channel.size)
        return sending != nil
    }

    private func receive() throws(CollectiveError) -> Bool {
        var hasHeard = false
        while !hasHeardLast, try channel.receiveArrived(scratch, Self.byteCount, from: before) {
            hasHeard = true
            hasHeardLast = scratch[0] == 1
            let name = UnsafeBufferPointer(start: scratch + 1, count: Self.byteCount - 1)
            host = String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)
        }
        return hasHeard
    }
}
