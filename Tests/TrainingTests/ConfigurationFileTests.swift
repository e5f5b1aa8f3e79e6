import Foundation
import TestSupport
import Testing

/// Files of settings in other dress.
@Suite(.serialized) struct ConfigurationFileTests {
    private let folder: TemporaryFolder
    private let configuration: String
    private let data: String

    init() throws {
        folder = try TemporaryFolder()
        configuration = try SmallRun.writeConfiguration(folder)
        data = folder.path("data")
        try SmallData.write(to: data)
    }

    private func validate(_ path: String, ranks: Int? = nil) throws -> CommandRun {
        try CommandRun(
            "saccader-dist",
            [
                "train", "--validate", "--quiet", "--config", path, "--set", "data.path=\(data)",
                "--threads", "1",
            ], ranks: ranks)
    }

    @Test(arguments: [String.Encoding.utf8, .utf16LittleEndian, .utf16BigEndian])
    func aByteOrderMarkSaysTheEncoding(encoding: String.Encoding) throws {
        let plain = try validate(configuration)
        #expect(plain.status == 0, "\(plain.errors)")
        let marked = try #require("\u{FEFF}\(SmallRun.configuration)".data(using: encoding))
        try marked.write(to: URL(fileURLWithPath: folder.path("marked.yaml")))
        let run = try validate(folder.path("marked.yaml"))
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output == plain.output)
    }

    @Test func aPipeIsReadOnceAndRefusedForSeveralRanks() throws {
        func run(_ script: String) throws -> CommandRun {
            try StartedCommand(
                "saccader-dist",
                [
                    "--set", "data.path=\(data)", "--threads", "1", "--validate", "--quiet",
                ],
                launcher: ["bash", "-c", script.replacing("FILE", with: configuration)]
            ).wait()
        }
        let plain = try validate(configuration)
        let process = try run("\"$0\" train --config <(cat FILE) \"$@\"")
        #expect(process.status == 0, "\(process.errors)")
        #expect(process.output == plain.output)
        let input = try run("cat FILE | \"$0\" train --config /dev/stdin \"$@\"")
        #expect(input.status == 0, "\(input.errors)")
        #expect(input.output == plain.output)
        let ranks = try run("mpirun -n 2 \"$0\" train --config <(cat FILE) \"$@\"")
        #expect(ranks.status == 64, "\(ranks.errors)")
        #expect(ranks.messages.count == 1, "\(ranks.errors)")
        #expect(ranks.errors.contains("a pipe, which only one process can read"))
    }

    @Test func whatCannotBeReadIsTold() throws {
        let missing = try validate(folder.path("none.yaml"))
        #expect(missing.status == 66)
        #expect(missing.errors.contains("none.yaml: no such configuration file"))
        let directory = try validate(folder.path)
        #expect(directory.status == 66)
        #expect(directory.errors.contains("cannot be read: Is a directory"))
        try Data([0x61, 0x3A, 0x20, 0xE9, 0x0A])
            .write(to: URL(fileURLWithPath: folder.path("latin1.yaml")))
        let latin = try validate(folder.path("latin1.yaml"))
        #expect(latin.status == 64)
        #expect(latin.errors.contains("is not text in UTF-8"))
    }
}
