import Checkpoints
import Foundation

/// A file that an independent implementation wrote (Fixtures/README.md).
enum Fixture {
    /// The DRAM's, which its own tests keep.
    static let dram = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("DRAMModelTests/Fixtures/dram.h5").path

    static func path(_ name: String) throws -> String {
        let url = Bundle.module.url(
            forResource: name, withExtension: "h5", subdirectory: "Fixtures")
        guard let url else { throw CheckpointError.missing(path: name) }
        return url.path
    }
}
