import Checkpoints
import Foundation
import TestSupport
import Testing
import Training

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

    /// A checkpoint of a fixture: public weights are imported first.
    static func checkpoint(_ name: String, _ folder: TemporaryFolder) throws -> String {
        if name == "dram" { return dram }
        guard name.hasSuffix("-timm") else { return try self.path(name) }
        let weights = try #require(
            Bundle.module.url(
                forResource: name, withExtension: "safetensors", subdirectory: "Fixtures"))
        let path = folder.path("\(name).h5")
        try WeightImport(
            weights.path, as: String(name.dropLast("-timm".count)), options: .init()
        ).write(to: path)
        return path
    }
}
