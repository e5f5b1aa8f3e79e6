import Checkpoints
import Dispatch
import Synchronization

/// Writes checkpoints on a thread of its own, from a copy, while training goes on.
///
/// The folder is touched on that thread alone.
final class CheckpointWriter: @unchecked Sendable {
    private let folder: RunFolder
    private let queue = DispatchQueue(label: "checkpoints")
    private let failure = Mutex<CheckpointError?>(nil)

    /// Writes into `folder`, which nothing else uses from now on.
    init(_ folder: RunFolder) { self.folder = folder }

    /// A copy of arrays that goes on changing.
    private final class Snapshot: @unchecked Sendable {
        private let memory: UnsafeMutableBufferPointer<Float>
        let arrays: [CheckpointArray]

        init(_ arrays: [CheckpointArray]) {
            let memory = UnsafeMutableBufferPointer<Float>.allocate(
                capacity: arrays.reduce(0) { $0 + $1.values.count })
            var first = 0
            self.arrays = arrays.map { array in
                let part = first..<first + array.values.count
                first = part.upperBound
                let copy = UnsafeMutableBufferPointer(rebasing: memory[part])
                _ = copy.initialize(from: array.values)
                return CheckpointArray(
                    array.path, shape: array.shape, values: UnsafeBufferPointer(copy))
            }
            self.memory = memory
        }

        deinit { memory.deallocate() }
    }

    /// Copies the arrays and goes on; waits only where the one before is still being written.
    func submit(_ header: CheckpointHeader, arrays: [CheckpointArray]) {
        queue.sync {}
        let snapshot = Snapshot(arrays)
        queue.async { [self] in
            do throws(CheckpointError) {
                try folder.save(header, arrays: snapshot.arrays)
                // Whole again: an earlier failure has no consequence any more.
                failure.withLock { $0 = nil }
            } catch {
                failure.withLock { $0 = error }
            }
        }
    }

    /// What went wrong since this was asked last.
    func takeFailure() -> CheckpointError? {
        failure.withLock { failure in
            defer { failure = nil }
            return failure
        }
    }

    /// Reads the checkpoint written last back from the disk and checks it.
    func verifyNewest() throws(CheckpointError) {
        let result = queue.sync { () -> Result<Void, CheckpointError> in
            do throws(CheckpointError) { return .success(try folder.verifyNewest()) } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    /// Waits until all is on the disk.
    func finish() throws(CheckpointError) {
        queue.sync {}
        if let failure = takeFailure() { throw failure }
    }
}
