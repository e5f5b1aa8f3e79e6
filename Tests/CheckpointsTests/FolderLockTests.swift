import Foundation
import TestSupport
import Testing

@testable import Checkpoints

/// Who has a folder, and what deleting the lock or the folder does to it.
@Suite(.serialized) struct FolderLockTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func claim(_ path: String) throws -> FolderLock {
        try FolderLock.claim(path, patience: 0) { Issue.record("\($0)") }
    }

    /// The folder is locked too: another run does not come in where somebody deleted the file.
    @Test func aDeletedFileLetsNobodyIn() throws {
        let lock = try claim(folder.path)
        #expect(lock.state == .held)
        unlink(folder.path(".lock"))
        #expect(lock.state == .gone)
        #expect(throws: CheckpointError.inUse(folder: folder.path, holder: "a process unknown")) {
            _ = try claim(folder.path)
        }
        #expect(!FileManager.default.fileExists(atPath: folder.path(".lock")))
        withExtendedLifetime(lock) {}
    }

    /// As another host does that sees no locks: whose text is there has the folder.
    @Test func aFileThatAnotherHasSignedIsTaken() throws {
        do {
            let lock = try claim(folder.path)
            try Data("elsewhere 12 ab\n".utf8).write(to: URL(fileURLWithPath: folder.path(".lock")))
            #expect(lock.state == .taken(holder: "process 12 on elsewhere"))
        }
        // It is the other's, and stays.
        #expect(FileManager.default.fileExists(atPath: folder.path(".lock")))
        // What a process that was killed has left holds up nobody.
        #expect(try claim(folder.path).state == .held)
        #expect(!FileManager.default.fileExists(atPath: folder.path(".lock")))
    }

    @Test func aFolderInThePlaceOfTheClaimedOneIsAnother() throws {
        let path = folder.path("run")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        let first = try claim(path)
        #expect(rename(path, folder.path("moved")) == 0)
        #expect(first.state == .gone)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        #expect(first.state == .gone)
        let second = try claim(path)
        #expect(second.state == .held && first.state != .held)
        #expect(throws: CheckpointError.self) { _ = try claim(folder.path("moved")) }
    }

    @Test(arguments: [
        ("", ""), ("/", "/"), ("d", ""), (".", ""), ("d/", ""), ("/d", "/"), ("a/b", "a"),
        ("a/b/", "a"), ("/a/b", "/a"), ("../é", ".."),
    ])
    func aPathHasAFolder(path: String, folder: String) {
        #expect(path.parentFolder == folder)
    }
}
