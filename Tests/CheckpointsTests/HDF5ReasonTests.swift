import Foundation
import TestSupport
import Testing

@testable import Checkpoints

@Suite(.serialized) struct HDF5ReasonTests {
    private func message(_ body: () throws -> Void) -> String {
        do {
            try body()
            return "no error"
        } catch { return "\(error)" }
    }

    /// What the library says is the reason, not a guess.
    @Test func aNameGivenTwiceIsNoLackOfMemory() throws {
        let file = try HDF5File.create(for: "made.h5")
        try file.write("/a/b", shape: [2], floats: [1, 2])
        let text = message { try file.write("/a/b", shape: [2], floats: [1, 2]) }
        #expect(text.contains("made.h5") && text.contains("/a/b"), "\(text)")
        #expect(text.contains("HDF5 says: name already exists"), "\(text)")
        #expect(!text.contains("memory"), "\(text)")
    }

    @Test func aFileOfSomethingElseHasHDF5sReason() throws {
        let folder = try TemporaryFolder()
        try Data(repeating: 7, count: 5000).write(to: URL(fileURLWithPath: folder.path("c.h5")))
        let text = message { _ = try HDF5File.open(folder.path("c.h5")) }
        #expect(text.contains("HDF5 says: file signature not found"), "\(text)")
    }
}
