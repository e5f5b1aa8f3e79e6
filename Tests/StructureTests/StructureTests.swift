import Foundation
import Testing

/// What the sources must not hold, file by file. Which module imports which is the manifest's business:
/// cluster/local/test builds so that an import of what it does not name is an error.
@Suite struct StructureTests {
    private static let sources = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Sources").path

    private static func files() throws -> [(name: String, text: String)] {
        let names = try FileManager.default.subpathsOfDirectory(atPath: sources)
        return try names.filter { $0.hasSuffix(".swift") }.map {
            ($0, try String(contentsOfFile: "\(sources)/\($0)", encoding: .utf8))
        }
    }

    /// The modules that others are built on, which know nothing of these.
    @Test(
        arguments: [
            "Tensors": [], "Configuration": ["Yams"], "Safetensors": [], "Files": [],
            "Checkpoints": ["CHDF5", "Files"], "Terminal": ["CCommit"], "Layers": ["Tensors"],
        ] as [String: [String]])
    func modulesAtTheBottomImportNothingElse(module: String, imports: [String]) throws {
        let allowed = Set(
            imports + ["Foundation", "FoundationEssentials", "Dispatch", "Synchronization"])
        let files = try Self.files().filter { $0.name.hasPrefix("\(module)/") }
        #expect(!files.isEmpty)
        for (name, text) in files {
            for line in text.split(separator: "\n") where line.hasPrefix("import ") {
                let imported = String(line.dropFirst(7))
                // Tensors alone has C libraries of its own.
                let isOwn = module == "Tensors" && imported.hasPrefix("C")
                #expect(isOwn || allowed.contains(imported), "\(name) imports \(imported)")
            }
        }
    }

    /// What writes to a terminal or log anywhere else would end the program where nobody listens, or
    /// lose a result without a word.
    @Test func oneFileWritesToStandardErrorAndOutput() throws {
        for (name, text) in try Self.files() where !name.hasSuffix("/Console.swift") {
            #expect(!text.contains("FileHandle.standard"), "\(name)")
            #expect(text.firstMatch(of: /(^|[^.\w])(print|debugPrint)\(/) == nil, "\(name)")
            #expect(text.firstMatch(of: /\.write\(Data\(/) == nil, "\(name)")
        }
    }

    @Test func nothingEndsTheProgramInPassing() throws {
        // Written apart, so that this file does not find itself.
        let words = ["try" + "!", "as" + "!", "fatal" + "Error(", "unsafe" + "Downcast"]
        // One file does, for mistakes in the program that builds without preconditions let pass.
        for (name, text) in try Self.files() where !name.hasSuffix("/Contract.swift") {
            for word in words { #expect(!text.contains(word), "\(name) has \(word)") }
        }
    }

    /// Foundation's threads say nothing where the system does not start them, and its folder of a path
    /// of one letter ends the program.
    @Test func whatFoundationDoesWorseIsNotUsed() throws {
        for (name, text) in try Self.files() {
            #expect(!text.contains("NSString).deletingLast" + "PathComponent"), "\(name)")
            // A class of this name is something else.
            #expect(text.firstMatch(of: /[^.\w]Thread( \{ |\(block|\.detach)/) == nil, "\(name)")
        }
    }

    @Test func filesStayShort() throws {
        // What is generated nobody reads.
        for (name, text) in try Self.files() where !name.hasSuffix(".pb.swift") {
            #expect(text.split(separator: "\n").count <= 400, "\(name)")
        }
    }
}
