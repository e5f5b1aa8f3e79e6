import Foundation
import Testing

/// The house as the sources show it: imports point down only, and nothing ends the program but
/// the executables.
@Suite struct StructureTests {
    /// What each room may import of this package.
    private static let graph: [String: Set<String>] = [
        "Tensors": ["CProcessor", "CThreads", "CWindows", "CProducts", "COpenBLAS", "ConeDNN"],
        "Configuration": [],
        "Collectives": ["CMPI", "Tensors"],
        "Checkpoints": ["CHDF5"],
        "Images": ["Tensors", "CTurboJPEG", "CPNG", "CWebP", "CZlib"],
        "Layers": ["Tensors"],
        "Models": ["Layers", "Tensors"],
        "SaccaderModel": ["Models", "Layers", "Tensors"],
        "ResNetModel": ["Models", "Layers", "Tensors"],
        "Families": [
            "SaccaderModel", "ResNetModel", "DRAMModel", "GlimpseModel", "Models", "Layers",
            "Tensors",
        ],
        "GlimpseModel": ["ResNetModel", "Models", "Layers", "Tensors"],
        "DRAMModel": ["Models", "Layers", "Tensors"],
        "Evaluation": [
            "Families", "Models", "Layers", "Tensors", "Images", "Checkpoints", "Configuration",
            "CCairo", "CPNG",
        ],
        "Training": [
            "Evaluation", "Families", "Models", "Layers", "Tensors", "Images", "Checkpoints",
            "Configuration", "Collectives", "Safetensors", "EventMessages", "ONNXGraphs",
        ],
        "ONNXGraphs": [
            "ONNXMessages", "SaccaderModel", "ResNetModel", "DRAMModel", "GlimpseModel", "Models",
            "Tensors",
        ],
        "ONNXMessages": [],
        "Safetensors": [],
        "EventMessages": [],
        "EvaluationCommand": ["Evaluation", "Images", "Models"],
        "BuildCommit": ["CCommit"],
        "saccader-dist": [
            "BuildCommit",
            "Training", "Evaluation", "EvaluationCommand", "Collectives", "Families", "Images",
            "Models",
        ],
        "saccader-eval": ["BuildCommit", "Evaluation", "EvaluationCommand"],
    ]
    private static let outside: Set<String> = [
        "Foundation", "FoundationEssentials", "Dispatch", "Synchronization", "ArgumentParser",
        "Yams",
        "SwiftProtobuf",
    ]

    private static let sources = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Sources").path

    private func files(_ room: String) throws -> [(name: String, text: String)] {
        let folder = "\(Self.sources)/\(room)"
        let names = try FileManager.default.subpathsOfDirectory(atPath: folder)
        return try names.filter { $0.hasSuffix(".swift") }.map {
            ("\(room)/\($0)", try String(contentsOfFile: "\(folder)/\($0)", encoding: .utf8))
        }
    }

    @Test func everyRoomIsListed() throws {
        let rooms = try FileManager.default.contentsOfDirectory(atPath: Self.sources)
        let own = rooms.filter { $0.first != "C" || Self.graph[$0] != nil }
        #expect(Set(own) == Set(Self.graph.keys))
    }

    @Test(arguments: graph.keys.sorted()) func importsPointDown(room: String) throws {
        let allowed = (Self.graph[room] ?? []).union(Self.outside)
        let files = try files(room)
        #expect(!files.isEmpty)
        for (name, text) in files {
            for line in text.split(separator: "\n") where line.hasPrefix("import ") {
                let module = String(line.dropFirst(7))
                #expect(allowed.contains(module), "\(name) imports \(module)")
            }
        }
    }

    /// What writes to a terminal or log anywhere else would end the program where nobody listens, or
    /// lose a result without a word.
    @Test func oneFileWritesToStandardErrorAndOutput() throws {
        for room in Self.graph.keys {
            for (name, text) in try files(room) where !name.hasSuffix("/Console.swift") {
                #expect(!text.contains("FileHandle.standard"), "\(name)")
                #expect(text.firstMatch(of: /(^|[^.\w])(print|debugPrint)\(/) == nil, "\(name)")
                #expect(text.firstMatch(of: /\.write\(Data\(/) == nil, "\(name)")
            }
        }
    }

    @Test func nothingEndsTheProgramInPassing() throws {
        // Written apart, so that this file does not find itself.
        let words = ["try" + "!", "as" + "!", "fatal" + "Error(", "unsafe" + "Downcast"]
        for room in Self.graph.keys {
            // One file does, for mistakes in the program that builds without preconditions let pass.
            for (name, text) in try files(room) where !name.hasSuffix("/Contract.swift") {
                for word in words { #expect(!text.contains(word), "\(name) has \(word)") }
            }
        }
    }

    @Test func filesStayShort() throws {
        for room in Self.graph.keys {
            // What is generated nobody reads.
            for (name, text) in try files(room) where !name.hasSuffix(".pb.swift") {
                #expect(text.split(separator: "\n").count <= 400, "\(name)")
            }
        }
    }
}
