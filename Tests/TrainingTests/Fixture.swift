import Checkpoints
import Foundation

/// A file that an independent implementation wrote (Fixtures/README.md).
enum Fixture {
    static func path(_ name: String) throws -> String {
        let url = Bundle.module.url(
            forResource: name, withExtension: "h5", subdirectory: "Fixtures")
        guard let url else { throw CheckpointError.missing(path: name) }
        return url.path
    }
}
