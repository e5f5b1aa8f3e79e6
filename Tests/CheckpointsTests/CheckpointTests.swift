import Files
import Foundation
import TestSupport
import Testing

@testable import Checkpoints

@Suite(.serialized) struct CheckpointTests {
    private let header = CheckpointHeader(
        config: "{\"seed\": 1}", stage: "joint", step: 12, epoch: 2, samples: 99, seed: 1,
        worldSize: 3, program: "test", developmentAccuracy: 0.25,
        classes: [
            .background, KnownClass("n01", words: "tench, \"Tinca\" tinca"), KnownClass("été"),
            .none,
        ])
    private let numbers: [Float] = [1, -2.5, 3e-8, 4, 5, .greatestFiniteMagnitude]

    private func write(_ path: String) throws {
        try numbers.withUnsafeBufferPointer {
            try Checkpoint.write(
                to: path, header: header,
                arrays: [CheckpointArray("/model/a/b", shape: [2, 3], values: $0)])
        }
    }

    @Test func comesBackAsItWas() throws {
        let folder = try TemporaryFolder()
        try write(folder.path("c.h5"))
        let checkpoint = try Checkpoint(reading: folder.path("c.h5"))
        #expect(checkpoint.header == header)
        #expect(try checkpoint.floats("/model/a/b", shape: [2, 3]) == numbers)
        try checkpoint.verify()
        #expect(throws: CheckpointError.self) {
            try checkpoint.floats("/model/a/b", shape: [3, 2])
        }
        #expect(throws: CheckpointError.self) {
            try checkpoint.floats("/model/a/c", shape: [2, 3])
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["c.h5"])
    }

    /// ImageNet's list is longer than an attribute of fixed length may be.
    @Test func manyClassesComeBack() throws {
        let folder = try TemporaryFolder()
        var header = header
        header.classes = (0..<5000).map { KnownClass("n\($0)", words: "a word, and another \($0)") }
        try Checkpoint.write(to: folder.path("c.h5"), header: header, arrays: [])
        #expect(try Checkpoint(reading: folder.path("c.h5")).header.classes == header.classes)
    }

    @Test func aListThatIsNoneIsTold() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("c.h5")
        for text in ["", "[", "{}", "[1]", "[{\"words\": \"x\"}]"] {
            #expect {
                try KnownClass.list(json: text, path: path)
            } throws: {
                "\($0)".contains("attribute classes is no JSON list")
            }
        }
        #expect(
            try KnownClass.list(json: "[{\"name\": \"x\"}]", path: path) == [KnownClass("x")])
    }

    /// Whether the file is refused, and not only by chance of what HDF5 makes of it.
    private func isRefused(_ data: Data, _ path: String) throws -> Bool {
        try data.write(to: URL(fileURLWithPath: path))
        do {
            _ = try Checkpoint(reading: path)
            return false
        } catch CheckpointError.damaged {
            return true
        }
    }

    @Test func everyFlippedBitIsNoticed() throws {
        let folder = try TemporaryFolder()
        try write(folder.path("c.h5"))
        let data = try Data(contentsOf: URL(fileURLWithPath: folder.path("c.h5")))
        for offset in stride(from: 0, to: data.count, by: 7) {
            var damaged = data
            damaged[offset] ^= 1 << (offset % 8)
            #expect(try isRefused(damaged, folder.path("d.h5")), "byte \(offset)")
        }
    }

    @Test func everyCutIsNoticed() throws {
        let folder = try TemporaryFolder()
        try write(folder.path("c.h5"))
        let data = try Data(contentsOf: URL(fileURLWithPath: folder.path("c.h5")))
        let end = data.count - 40
        for length in Array(stride(from: 0, to: end, by: 97)) + Array((end + 1)..<data.count) {
            #expect(
                try isRefused(data.prefix(length), folder.path("e.h5")), "\(length) bytes")
        }
    }

    /// HDF5 cuts the seal off as soon as a program opens the file for writing: without a change all
    /// is there, and what a user has edited is told apart from damage.
    @Test func whatAnotherProgramHasOpenedIsToldApart() throws {
        let folder = try TemporaryFolder()
        try write(folder.path("c.h5"))
        let whole = try Data(contentsOf: URL(fileURLWithPath: folder.path("c.h5")))
        #expect(try Checkpoint(reading: folder.path("c.h5")).warning == nil)
        let path = folder.path("edited.h5")
        var data = whole.dropLast(40)
        try data.write(to: URL(fileURLWithPath: path))
        let opened = try Checkpoint(reading: path)
        try opened.verify()
        #expect(opened.warning?.contains("its arrays' checksums hold") == true)
        let place = try #require(data.range(of: numbers.withUnsafeBytes { Data($0) }))
        data[place.lowerBound + 3] = 0x40
        try data.write(to: URL(fileURLWithPath: path))
        #expect(throws: CheckpointError.edited(path: path, array: "/model/a/b")) {
            try Checkpoint(reading: path).verify()
        }
        let accepted = try Checkpoint(reading: path, acceptsEdited: true)
        try accepted.verify()
        #expect(accepted.warning?.contains("--accept-edited") == true)
        #expect(try accepted.floats("/model/a/b", shape: [2, 3])[0] == 4)
        // With its seal it is damage, whatever the user says.
        var damaged = whole
        damaged[place.lowerBound + 3] = 0x40
        try damaged.write(to: URL(fileURLWithPath: path))
        #expect(throws: CheckpointError.self) {
            try Checkpoint(reading: path, acceptsEdited: true)
        }
    }

    /// A run does not go on from the checkpoint before one that was edited, and what is named
    /// otherwise than the run names its checkpoints is not its own.
    @Test func anEditedCheckpointIsNotSetAside() throws {
        let folder = try TemporaryFolder()
        let checkpoints = CheckpointFolder(folder.path)
        let path = folder.path("joint-00000012.h5")
        try write(path)
        var data = try Data(contentsOf: URL(fileURLWithPath: path)).dropLast(40)
        let place = try #require(data.range(of: numbers.withUnsafeBytes { Data($0) }))
        data[place.lowerBound + 3] = 0x40
        try data.write(to: URL(fileURLWithPath: path))
        #expect(throws: CheckpointError.edited(path: path, array: "/model/a/b")) {
            _ = try checkpoints.newest(stages: ["joint"]) { _ in }
        }
        var warnings: [String] = []
        let taken = try checkpoints.newest(stages: ["joint"], acceptsEdited: true) {
            warnings.append($0)
        }
        #expect(taken != nil && warnings.count == 1)
        for name in ["joint-5.h5", "joint-+0000013.h5"] { try write(folder.path(name)) }
        #expect(try checkpoints.names(stages: ["joint"]) == ["joint-00000012.h5"])
    }

    /// A program that changes a file drops the seal; the datasets have checksums of their own.
    @Test func withoutASealTheDatasetsAreChecked() throws {
        let folder = try TemporaryFolder()
        try write(folder.path("c.h5"))
        // What such a program adds lies behind what was sealed.
        let file = try HDF5File.create(for: folder.path("unsealed.h5"))
        let sealed = try HDF5File.open(folder.path("c.h5"))
        for name in ["format", "config", "stage", "program"] {
            try file.writeAttribute(name, try #require(try sealed.text(name)))
        }
        for name in [
            "version", "step", "epoch", "samples", "seed", "worldSize", Checkpoint.sealedName,
        ] {
            try file.writeAttribute(name, try #require(try sealed.integer(name)))
        }
        try file.writeAttribute("developmentAccuracy", 0.25)
        let checksum = try #require(try sealed.text("fnv1a64", of: "/model/a/b"))
        try numbers.withUnsafeBufferPointer {
            try file.write(
                "/model/a/b", shape: [2, 3], floats: $0, attributes: ["fnv1a64": checksum])
        }
        try file.write("/batch/images", shape: [1], floats: [1])
        try file.image().write(to: folder.path("unsealed.h5"))
        let data = try Data(contentsOf: URL(fileURLWithPath: folder.path("unsealed.h5")))
        let unsealed = try Checkpoint(reading: folder.path("unsealed.h5"))
        try unsealed.verify()
        var expected = header
        expected.classes = nil
        #expect(unsealed.header == expected)
        let bytes = numbers.withUnsafeBytes { Data($0) }
        let place = try #require(data.range(of: bytes))
        for offset in 0..<bytes.count {
            var damaged = data
            damaged[place.lowerBound + offset] ^= 0x10
            try damaged.write(to: URL(fileURLWithPath: folder.path("d.h5")))
            #expect(throws: CheckpointError.self) {
                try Checkpoint(reading: folder.path("d.h5")).verify()
            }
        }
    }

    @Test func whatIsLeftOfAKilledProcessIsClearedAway() throws {
        let folder = try TemporaryFolder()
        let names = [
            "a.h5.saccader-123.tmp", "last.h5.saccader-77.tmp", "mine.tmp", "notes.2024.tmp",
            "a.saccader-x.tmp", "a.h5",
        ]
        for name in names {
            try Data("x".utf8).write(to: URL(fileURLWithPath: folder.path(name)))
        }
        try AtomicFile.removeLeftovers(in: folder.path)
        let left = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        #expect(left == ["a.h5", "a.saccader-x.tmp", "mine.tmp", "notes.2024.tmp"])
    }

    @Test func aFolderThatCannotBeReadIsNotEmpty() throws {
        let folder = try TemporaryFolder()
        let checkpoints = CheckpointFolder(folder.path("checkpoints"))
        #expect(try checkpoints.names(stages: ["joint"]) == [])
        // The superuser may read any folder, but not what is none.
        try Data().write(to: URL(fileURLWithPath: checkpoints.path))
        #expect(
            throws: CheckpointError.file(
                FileError(path: checkpoints.path, reason: "Not a directory"))
        ) { try checkpoints.newest(stages: ["joint"]) { _ in } }
    }

    @Test func aDamagedCheckpointIsSetAsideAndTheOneBeforeIsLast() throws {
        let folder = try TemporaryFolder()
        let checkpoints = CheckpointFolder(folder.path("checkpoints"))
        for step in [1, 2, 3] {
            let name = CheckpointFolder.name(stage: "joint", step: step)
            try FileManager.default.createDirectory(
                atPath: checkpoints.path, withIntermediateDirectories: true)
            try write("\(checkpoints.path)/\(name)")
            try AtomicFile.link("\(checkpoints.path)/last.h5", to: name)
        }
        let newest = "\(checkpoints.path)/joint-00000003.h5"
        var data = try Data(contentsOf: URL(fileURLWithPath: newest))
        data[data.count / 2] ^= 1
        try data.write(to: URL(fileURLWithPath: newest))
        var warnings: [String] = []
        let found = try checkpoints.newest(stages: ["joint"]) { warnings.append($0) }
        #expect(found?.file.path.hasSuffix("joint-00000002.h5") == true)
        #expect(warnings.count == 1 && warnings[0].contains("joint-00000003.h5.damaged"))
        let last = try FileManager.default.destinationOfSymbolicLink(
            atPath: "\(checkpoints.path)/last.h5")
        #expect(last == "joint-00000002.h5")
        #expect(FileManager.default.fileExists(atPath: "\(newest).damaged"))
    }

    /// Part of the file format: other programs may verify it.
    @Test func theChecksumIsFNV1aOverWords() {
        let numbers: [Float] = [1, -2.5]
        numbers.withUnsafeBufferPointer { #expect(Checksum.text($0) == "283327010ecb6fed") }
    }

    @Test func missingAndForeignFilesAreNamed() throws {
        let folder = try TemporaryFolder()
        #expect(throws: CheckpointError.missing(path: folder.path("no.h5"))) {
            try Checkpoint(reading: folder.path("no.h5"))
        }
        #expect(throws: CheckpointError.missing(path: folder.path("no.h5/last.h5"))) {
            try Checkpoint(reading: folder.path("no.h5/last.h5"))
        }
        for read in [{ _ = try Checkpoint(reading: $0) }, { _ = try HDF5File.open($0) }] {
            try write(folder.path("last.h5"))
            #expect(
                throws: CheckpointError.unreadable(
                    path: folder.path,
                    what: "is a folder; give a checkpoint such as \(folder.path)/last.h5")
            ) { try read(folder.path) }
        }
        try Data("hello".utf8).write(to: URL(fileURLWithPath: folder.path("text.h5")))
        #expect(throws: CheckpointError.self) { try Checkpoint(reading: folder.path("text.h5")) }
    }
}
