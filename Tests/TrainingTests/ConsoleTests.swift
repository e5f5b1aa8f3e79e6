import Checkpoints
import Foundation
import TestSupport
import Testing

/// What is said may be lost, what was asked for may not; and neither lands in another file.
@Suite(.serialized) final class ConsoleTests {
    private let folder: TemporaryFolder
    private let train: [String]
    private let output: String

    init() throws {
        folder = try TemporaryFolder()
        output = folder.path("run")
        let data = folder.path("data")
        try SmallData.write(to: data)
        train = [
            "train", "--config", try SmallRun.writeConfiguration(folder), "--set",
            "data.path=\(data)", "--output", output, "--threads", "1", "--stages",
            "representation",
        ]
    }

    /// Starts a program with its descriptors redirected as a shell does it.
    private func start(
        _ program: String, _ arguments: [String], _ redirection: String
    ) throws -> StartedCommand {
        try StartedCommand(
            program, arguments,
            launcher: ["bash", "-c", "set -o pipefail; \"$0\" \"$@\" \(redirection)"])
    }

    @Test(arguments: [
        "2>/dev/full", "0<&- 1>&- 2>&-", "2>&-", "1>/dev/full", "2> >(exec true)",
        "2>&1 | head -c 1",
    ])
    func trainingGoesOnWhereNobodyListens(redirection: String) throws {
        let run = try start("saccader-dist", train + ["--max-steps", "6"], redirection).wait()
        #expect(run.status == 0, "\(redirection): \(run.errors)")
        try Checkpoint(reading: "\(output)/checkpoints/representation-00000006.h5").verify()
        #expect(try SmallRun.metrics(output).filter { $0["loss"] != nil }.count == 6)
    }

    /// The first file that is opened gets the number of the first descriptor that is closed.
    @Test func wordsThatNobodyHearsLandInNoFile() throws {
        let started = try start(
            "saccader-dist", train + ["--set", "stages.representation.epochs=1000"],
            "0<&- 1>&- 2>&- & run=$!; trap 'kill -TERM $run' TERM; wait $run; wait $run")
        try Waiting.lines(7, in: output)
        let lock = try String(contentsOfFile: "\(output)/.lock", encoding: .utf8)
        #expect(lock.split(whereSeparator: \.isWhitespace).count == 3, "\(lock)")
        kill(started.identifier, SIGTERM)
        #expect(try started.wait().status == 75)
        // Each line of the log is one.
        #expect(try SmallRun.metrics(output).count >= 7)
    }

    @Test func aResultThatCannotBeWrittenIsAnError() throws {
        let checkpoint = "\(output)/checkpoints/last.h5"
        #expect(try CommandRun("saccader-dist", train + ["--max-steps", "2"]).status == 0)
        let data = folder.path("data")
        let commands: [(String, [String])] = [
            ("saccader-dist", ["inspect", checkpoint, "--json"]),
            ("saccader-dist", train + ["--validate", "--quiet"]),
            ("saccader-dist", ["--help"]),
            ("saccader-dist", ["train", "--help"]),
            ("saccader-dist", ["--version"]),
            ("saccader-eval", [checkpoint, "--data", data, "--limit", "2", "--quiet"]),
            ("saccader-dist", ["eval", checkpoint, "--data", data, "--limit", "2", "--json"]),
            ("saccader-dist", ["bench", "gemm"]),
        ]
        for (program, arguments) in commands {
            let what = ([program] + arguments.prefix(2)).joined(separator: " ")
            for redirection in [">/dev/full", ">&-"] {
                let run = try start(program, arguments, redirection).wait()
                #expect(run.status == 74, "\(what) \(redirection): \(run.errors)")
                #expect(
                    run.messages.count { $0.contains(": standard output: cannot be written: ") }
                        == 1, "\(what) \(redirection): \(run.errors)")
            }
            let head = try start(program, arguments, "| head -c 1").wait()
            #expect(head.status == 0, "\(what): \(head.errors)")
            #expect(head.messages.isEmpty, "\(what): \(head.errors)")
            #expect(head.output.utf8.count == 1)
        }
    }
}
