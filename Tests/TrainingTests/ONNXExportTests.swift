import Foundation
import ONNXMessages
import Safetensors
import SwiftProtobuf
import TestSupport
import Testing

@testable import Training

/// Graphs have all numbers of their checkpoint, bit for bit, and no loose ends. What they compute is
/// compared in onnxruntime by cluster/local/test-export.
@Suite(.serialized) struct ONNXExportTests {
    @Test(arguments: [
        ("residual", ["model", "classifier"]), ("classifier", ["model"]), ("dram", ["model"]),
        ("nasnet-timm", ["model"]), ("resnetv2-timm", ["model"]),
    ]) func graphsHoldTheCheckpoint(name: String, graphs: [String]) throws {
        let folder = try TemporaryFolder()
        let source = try Fixture.checkpoint(name, folder)
        _ = try ModelExport(source).write(to: folder.path("weights"))
        let files = try ModelExport(source).write(to: folder.path("onnx"), as: .onnx)
        #expect(
            files.map { ($0 as NSString).lastPathComponent }
                == ["README.md"] + graphs.reversed().map { "\($0).onnx" })
        let weights = try SafetensorsFile(folder.path("weights/model.safetensors"))
        for graph in graphs {
            let file = try Self.file(folder.path("onnx/\(graph).onnx"))
            #expect(file.opsetImport.map(\.version) == [17])
            let texts = file.metadataProps.map { ($0.key, $0.value) }
            #expect(texts.first { $0.0 == "config" }?.1 == weights.metadata["config"])
            try Self.expectNoLooseEnds(file.graph)
            let written = Dictionary(
                uniqueKeysWithValues: file.graph.initializer.map { ($0.name, $0) })
            var missing: [String] = []
            for array in weights.arrays {
                guard let tensor = written[array.name] else {
                    missing.append(array.name)
                    continue
                }
                let bits = try weights.floats(array).map(\.bitPattern)
                let isSame =
                    tensor.dims == array.shape.map(Int64.init)
                    && tensor.rawData == bits.withUnsafeBytes { Data($0) }
                #expect(isSame, "\(array.name)")
            }
            // The network without attention lacks what attention alone needs.
            #expect(missing.allSatisfy { graph == "classifier" && !$0.hasPrefix("representation") })
        }
    }

    @Test(arguments: [1, 3]) func theLoopIsUnrolled(glimpses: Int) throws {
        let folder = try TemporaryFolder()
        _ = try ModelExport(try Fixture.path("residual"))
            .write(to: folder.path("onnx"), as: .onnx, glimpses: glimpses)
        let graph = try Self.file(folder.path("onnx/model.onnx")).graph
        func count(_ operation: String) -> Int {
            graph.node.count { $0.opType == operation }
        }
        #expect(count("ArgMax") == glimpses)
        #expect(count("OneHot") == glimpses - 1)
        #expect(count("GatherND") == glimpses)
        // Equations 1 and 2 have a softmax each.
        #expect(count("Softmax") == 2 * glimpses)
        let kernels = graph.initializer.count { $0.dims.count == 4 }
        #expect(count("Conv") == kernels)
        let shapes = graph.output.map { output in
            (
                output.name,
                output.type.tensorType.shape.dim.map {
                    $0.dimParam.isEmpty ? "\($0.dimValue)" : $0.dimParam
                }
            )
        }
        let expected = [
            ("logits", ["N", "5"]), ("glimpse_logits", ["N", "\(glimpses)", "5"]),
            ("places", ["N", "\(glimpses)"]), ("windows", ["N", "\(glimpses)", "4"]),
        ]
        #expect(shapes.map(\.0) == expected.map(\.0))
        #expect(shapes.map(\.1) == expected.map(\.1))
        #expect(graph.input.map(\.name) == ["pixels"])
    }

    @Test(arguments: [
        ("residual", ["--format", "tflite"], 64, "'tflite'"),
        ("residual", ["--format", "onnx", "--glimpses", "0"], 64, "--glimpses is 0"),
        ("residual", ["--format", "onnx", "--glimpses", "1000"], 64, "takes 1 to"),
        ("residual", ["--glimpses", "2"], 64, "--format onnx"),
        ("classifier", ["--format", "onnx", "--glimpses", "2"], 64, "no learned policy"),
        ("dram", ["--format", "onnx", "--glimpses", "1000000"], 64, "takes 1 to"),
    ]) func whatCannotBeIsRefused(
        name: String, options: [String], status: Int32, word: String
    ) throws {
        let folder = try TemporaryFolder()
        let run = try CommandRun(
            "saccader-dist",
            ["export", try Fixture.checkpoint(name, folder), "--output", folder.path("no")]
                + options
        )
        #expect(run.status == status, "\(run.errors)")
        #expect(run.messages.count == 1, "\(run.errors)")
        #expect(run.errors.contains(word), "\(run.errors)")
        #expect(!FileManager.default.fileExists(atPath: folder.path("no")))
    }

    /// A written file.
    private static func file(_ path: String) throws -> Onnx_ModelProto {
        try Onnx_ModelProto(serializedBytes: Data(contentsOf: URL(fileURLWithPath: path)))
    }

    /// Every value is made once, before it is read, and every constant is read.
    private static func expectNoLooseEnds(_ graph: Onnx_GraphProto) throws {
        let constants = graph.initializer.map(\.name)
        var known = Set(constants + graph.input.map(\.name))
        #expect(known.count == constants.count + graph.input.count)
        for node in graph.node {
            #expect(known.isSuperset(of: node.input), "\(node.name): \(node.input)")
            #expect(known.isDisjoint(with: node.output), "\(node.name): \(node.output)")
            known.formUnion(node.output)
        }
        for output in graph.output { #expect(known.contains(output.name), "\(output.name)") }
        let read = Set(graph.node.flatMap(\.input)).union(graph.output.map(\.name))
        #expect(known.subtracting(read).filter { !$0.contains(":") } == [])
        #expect(graph.node.count == Set(graph.node.map(\.name)).count)
    }
}
