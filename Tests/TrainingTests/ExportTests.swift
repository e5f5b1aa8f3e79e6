import Checkpoints
import Foundation
import Safetensors
import TestSupport
import Testing

@testable import Training

/// Checkpoints leave for PyTorch and come back with the same bits.
@Suite(.serialized) struct ExportTests {
    private static let fixtures = [
        "residual", "classifier", "dram", "nasnet-timm", "resnetv2-timm",
    ]

    @Test(arguments: fixtures) func everyFamilyComesBackWithTheSameBits(name: String) throws {
        let folder = try TemporaryFolder()
        let source = try Fixture.checkpoint(name, folder)
        let files = try ModelExport(source).write(to: folder.path("export"))
        #expect(
            files.map { ($0 as NSString).lastPathComponent } == [
                "saccader.py", "README.md", "model.safetensors",
            ])
        let weights = folder.path("export/model.safetensors")
        // The scale that the network expects, not always ImageNet's.
        let scale = name.hasSuffix("-timm") ? "[0.5, 0.5, 0.5]" : "[0.485, 0.456, 0.406]"
        #expect(try SafetensorsFile(weights).metadata["mean"] == scale)
        try ExportedImport(weights).write(to: folder.path("back.h5"))
        let (before, after) = (
            try Checkpoint(reading: source), try Checkpoint(reading: folder.path("back.h5"))
        )
        try after.verify()
        #expect(after.header.config == before.header.config)
        #expect(after.header.stage == before.header.stage)
        #expect(after.header.classes == before.header.classes)
        let names = before.file.datasets(under: "/model")
        #expect(after.file.datasets(under: "/model") == names)
        for name in names {
            let (old, new) = (
                try before.file.floats("/model/\(name)"), try after.file.floats("/model/\(name)")
            )
            #expect(old.map(\.bitPattern) == new.map(\.bitPattern), "\(name)")
        }
    }

    @Test func arraysHavePyTorchsNamesAndOrder() throws {
        let folder = try TemporaryFolder()
        let source = try Fixture.path("residual")
        _ = try ModelExport(source).write(to: folder.path("export"))
        let file = try SafetensorsFile(folder.path("export/model.safetensors"))
        let here = try HDF5File.open(source)
        let shape = try here.shape(of: "/model/representation/stem/conv/kernel")
        let array = try #require(
            file.arrays.first { $0.name == "representation.stem.conv.weight" })
        #expect(array.shape == [shape[3], shape[2], shape[0], shape[1]])
        let (there, kernel) = (
            try file.floats(array), try here.floats("/model/representation/stem/conv/kernel")
        )
        for o in 0..<shape[3] {
            for i in 0..<shape[2] {
                for tap in 0..<(shape[0] * shape[1]) {
                    #expect(
                        there[(o * shape[2] + i) * shape[0] * shape[1] + tap]
                            == kernel[(tap * shape[2] + i) * shape[3] + o])
                }
            }
        }
        #expect(file.arrays.contains { $0.name == "representation.stem.norm.running_var" })
        #expect(file.metadata["format"] == "pt")
        #expect(file.metadata["mean"] == "[0.485, 0.456, 0.406]")
        #expect(file.metadata["deviation"] == "[0.229, 0.224, 0.225]")
    }

    @Test func filesOfTheUserStay() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(
            atPath: folder.path("export"), withIntermediateDirectories: false)
        let card = folder.path("export/README.md")
        try "mine".write(toFile: card, atomically: false, encoding: .utf8)
        let run = try CommandRun(
            "saccader-dist",
            ["export", try Fixture.path("residual"), "--output", folder.path("export")])
        #expect(run.status == 73)
        #expect(run.messages.count == 1 && run.errors.contains("README.md: exists"))
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path("export"))
                == ["README.md"])
    }

    @Test(arguments: [
        (["config": "{\"model\": {\"classes\": 0}}"], "its config is impossible"),
        (["stage": "nothing"], "stage \"nothing\""), (["step": "x"], "step"),
        (["family": "dram"], "says it is of the family dram"),
        (["classes": "[{\"name\": \"a\"}]"], "names 1 classes"),
    ]) func changedMetadataIsRefused(change: [String: String], word: String) throws {
        let folder = try TemporaryFolder()
        let path = try Self.changed(folder) { _, metadata in metadata.merge(change) { $1 } }
        try Self.expectRefusal(path, word, folder)
    }

    @Test func changedArraysAreRefused() throws {
        let folder = try TemporaryFolder()
        typealias Array = SafetensorsImage.Array
        let changes: [(String, (inout [Array]) -> Void)] = [
            ("lacks cell.a", { $0.removeAll { $0.name == "cell.a" } }),
            ("has extra", { $0.append(Array("extra", shape: [1], values: [0])) }),
            (
                "found [1]",
                {
                    $0.removeAll { $0.name == "cell.a" }
                    $0.append(Array("cell.a", shape: [1], values: [0]))
                }
            ),
            (
                "not finite",
                { arrays in
                    let old = arrays.first { $0.name == "cell.a" }
                    arrays.removeAll { $0.name == "cell.a" }
                    let shape = old?.shape ?? []
                    arrays.append(
                        Array(
                            "cell.a", shape: shape,
                            values: .init(repeating: .nan, count: shape.reduce(1, *))))
                }
            ),
        ]
        for (word, change) in changes {
            let path = try Self.changed(folder) { arrays, _ in change(&arrays) }
            try Self.expectRefusal(path, word, folder)
        }
    }

    /// An exported file, changed.
    private static func changed(
        _ folder: TemporaryFolder,
        _ change: (inout [SafetensorsImage.Array], inout [String: String]) -> Void
    ) throws -> String {
        let export = folder.path("export-\(UUID().uuidString)")
        _ = try ModelExport(try Fixture.path("residual")).write(to: export)
        let file = try SafetensorsFile("\(export)/model.safetensors")
        var metadata = file.metadata
        var arrays = try file.arrays.map {
            SafetensorsImage.Array($0.name, shape: $0.shape, values: try file.floats($0))
        }
        change(&arrays, &metadata)
        let path = "\(export)/changed.safetensors"
        try SafetensorsImage(arrays, metadata: metadata).data.write(to: URL(fileURLWithPath: path))
        return path
    }

    private static func expectRefusal(
        _ path: String, _ word: String, _ folder: TemporaryFolder
    ) throws {
        let run = try CommandRun(
            "saccader-dist", ["import", path, "--output", folder.path("no.h5")])
        #expect(run.status == 65, "\(run.errors)")
        #expect(run.errors.contains(word), "\(run.errors)")
        #expect(run.messages.count == 1)
        #expect(!FileManager.default.fileExists(atPath: folder.path("no.h5")))
    }
}
