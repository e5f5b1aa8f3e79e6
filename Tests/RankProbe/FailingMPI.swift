import CMPI
import Foundation
import Synchronization

/// In the place of MPI's own functions of these names: lets one call fail while something is still
/// to be received, and counts what is called afterwards.
enum FailingMPI {
    /// Whether the next look at what is under way fails.
    static let isDue = Atomic<Bool>(false)
    /// Calls after that.
    static let laterCalls = Atomic<Int>(0)
    /// Where something is to be received, once a call has failed.
    static let target = Atomic<UInt>(0)
    static let count = Atomic<Int>(0)
    /// What the memory holds that nothing has been received in.
    static let pattern: UInt8 = 0x5A
    static let hasFailed = Atomic<Bool>(false)

    /// Takes what others send, and sends nothing, for some seconds.
    static func take(for seconds: Double) {
        let end = Date() + seconds
        var isThere: Int32 = 0
        while Date() < end {
            PMPI_Iprobe(-1, -1, saccader_world(), &isThere, saccader_ignore_status())
            usleep(1000)
        }
    }

    /// Whether the memory that MPI may still write into is as it was; freed, it would be what the C
    /// library makes of it where MALLOC_PERTURB_ is set.
    static var isUntouched: Bool {
        guard let start = UnsafePointer<UInt8>(bitPattern: target.load(ordering: .relaxed)) else {
            return false
        }
        return UnsafeBufferPointer(start: start, count: count.load(ordering: .relaxed))
            .allSatisfy { $0 == pattern }
    }
}

@_cdecl("MPI_Irecv")
func receive(
    _ bytes: UnsafeMutableRawPointer?, _ count: Int32, _ type: MPI_Datatype?, _ source: Int32,
    _ tag: Int32, _ communicator: MPI_Comm?, _ request: UnsafeMutablePointer<MPI_Request?>?
) -> Int32 {
    if FailingMPI.hasFailed.load(ordering: .relaxed) {
        FailingMPI.laterCalls.add(1, ordering: .relaxed)
    }
    if FailingMPI.isDue.load(ordering: .relaxed), let bytes {
        FailingMPI.target.store(UInt(bitPattern: bytes), ordering: .relaxed)
        FailingMPI.count.store(Int(count), ordering: .relaxed)
        memset(bytes, Int32(FailingMPI.pattern), Int(count))
    }
    return PMPI_Irecv(bytes, count, type, source, tag, communicator, request)
}

@_cdecl("MPI_Testall")
func test(
    _ count: Int32, _ requests: UnsafeMutablePointer<MPI_Request?>?,
    _ isDone: UnsafeMutablePointer<Int32>?, _ statuses: UnsafeMutablePointer<MPI_Status>?
) -> Int32 {
    if FailingMPI.hasFailed.load(ordering: .relaxed) {
        FailingMPI.laterCalls.add(1, ordering: .relaxed)
    }
    if FailingMPI.target.load(ordering: .relaxed) != 0,
        FailingMPI.isDue.exchange(false, ordering: .relaxed)
    {
        FailingMPI.hasFailed.store(true, ordering: .relaxed)
        return MPI_ERR_OTHER
    }
    return PMPI_Testall(count, requests, isDone, statuses)
}
