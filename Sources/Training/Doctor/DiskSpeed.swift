import Checkpoints
import Files
import Foundation

/// How fast a folder takes a checkpoint.
struct DiskSpeed {
    let megabytesPerSecond: Double
    /// One small write until it is on the disk.
    let synchronizeSeconds: Double

    private static let floatCount = 16 << 20

    /// Writes 64 MB as a checkpoint does, reads it back and compares; leaves nothing behind.
    init(folder: String) throws {
        let path = "\(folder)/.doctor-\(getpid()).h5"
        defer { unlink(path) }
        let numbers = (0..<Self.floatCount).map { Float($0 & 0xFFFF) }
        let header = CheckpointHeader(
            config: "{}", stage: "doctor", step: 0, epoch: 0, samples: 0, seed: 0, worldSize: 1,
            program: "doctor")
        let (_, seconds) = try Stopwatch.time {
            try numbers.withUnsafeBufferPointer {
                try Checkpoint.write(
                    to: path, header: header,
                    arrays: [CheckpointArray("/model/a", shape: [numbers.count], values: $0)])
            }
        }
        try Checkpoint(reading: path).verify()
        megabytesPerSecond = Double(4 * Self.floatCount) / 1e6 / seconds
        let small = "\(folder)/.doctor-\(getpid())"
        defer { unlink(small) }
        (_, synchronizeSeconds) = try Stopwatch.time {
            try AtomicFile.write(small, text: "doctor\n")
        }
    }
}
