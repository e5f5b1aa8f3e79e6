import Foundation
import TestSupport
import Testing

/// What a container is built from, and what its scripts do in a cluster of containers.
@Suite(.serialized) struct ContainerTests {
    private let folder: TemporaryFolder
    private let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../..").standardized.path

    init() throws { folder = try TemporaryFolder() }

    /// Builds of another folder break the build; history, runs and data are large.
    @Test func theBuilderGetsTheSourcesAlone() throws {
        let rules = try String(contentsOfFile: "\(root)/.dockerignore", encoding: .utf8)
            .split(separator: "\n").filter { !$0.hasPrefix("#") }
        #expect(rules.first == "*")
        #expect(
            rules.dropFirst().sorted() == [
                "!Configs", "!LICENSE", "!NOTICE", "!Package.resolved", "!Package.swift",
                "!README.md", "!Sources", "!Tests", "!cluster",
            ])
    }

    private func command(_ name: String, _ text: String) throws {
        let path = folder.path(name)
        try "#!/bin/bash\n\(text)\n".write(toFile: path, atomically: false, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    }

    /// Starts the launcher's script; an mpirun of the test's own ends with one code after the other.
    private func launch(_ codes: [String], after words: String = "") throws -> StartedCommand {
        try "localhost slots=2\n".write(
            toFile: folder.path("hosts"), atomically: false, encoding: .utf8)
        try codes.joined(separator: "\n").write(
            toFile: folder.path("codes"), atomically: false, encoding: .utf8)
        try command(
            "mpirun",
            """
            \(words)
            echo started >>\(folder.path("starts"))
            code=$(head -n 1 \(folder.path("codes")))
            sed -i 1d \(folder.path("codes"))
            exit $code
            """)
        let search = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        return try StartedCommand(
            "saccader-dist", [],
            launcher: ["\(root)/cluster/kubernetes/launch", folder.path("hosts")],
            environment: [
                "PATH": "\(folder.path):\(search)", "SACCADER_PAUSE": "0",
                "SACCADER_BIN": URL(fileURLWithPath: CommandRun.path("saccader-dist"))
                    .deletingLastPathComponent().path,
            ])
    }

    private func starts() throws -> Int {
        try String(contentsOfFile: folder.path("starts"), encoding: .utf8)
            .split(separator: "\n").count
    }

    @Test func theLauncherGoesOnAfterALostWorkerAndEndsAtAnError() throws {
        let lost = try launch(["76", "75", "76", "0"]).wait()
        #expect(lost.status == 0, "\(lost.errors)")
        #expect(try starts() == 4)
        #expect(lost.errors.contains("exit code 76; going on from the newest checkpoint"))
        #expect(lost.errors.contains("kubectl delete pod"))
    }

    @Test(arguments: [["64"], ["65"], Array(repeating: "76", count: 6)])
    func theLauncherDoesNotTryForEver(codes: [String]) throws {
        let run = try launch(codes + ["0"]).wait()
        #expect("\(run.status)" == codes[0], "\(run.errors)")
        #expect(try starts() == codes.count)
    }

    @Test func theLauncherWhosePodEndsSaves() throws {
        let started = try launch(
            ["0"],
            after:
                "trap 'exit 75' USR1; touch \(folder.path("up")); for i in $(seq 600); do sleep 0.1; done"
        )
        try Waiting.until("an mpirun") {
            FileManager.default.fileExists(atPath: folder.path("up"))
        }
        kill(started.identifier, SIGTERM)
        #expect(try started.wait().status == 75)
        #expect(!FileManager.default.fileExists(atPath: folder.path("starts")))
    }

    /// Needs a process namespace of its own, as in a pod: it asks every rank that it sees.
    @Test(.enabled(if: geteuid() == 0)) func aWorkerThatIsStoppedHasItsRanksSave() throws {
        let configuration = try SmallRun.writeConfiguration(folder)
        let data = folder.path("data")
        try SmallData.write(to: data)
        let output = folder.path("run")
        try command(
            "pod",
            """
            "$@" &
            until [ "$(wc -l <\(output)/metrics.jsonl 2>/dev/null || echo 0)" -ge 5 ]; do
                kill -0 $! || exit 1
                sleep 0.05
            done
            \(root)/cluster/kubernetes/save || exit 1
            wait $!
            """)
        let run = try StartedCommand(
            "saccader-dist",
            [
                "train", "--config", configuration, "--set", "data.path=\(data)", "--output",
                output,
                "--threads", "1", "--quiet", "--set", "stages.representation.epochs=1000",
            ],
            launcher: ["unshare", "--pid", "--fork", "--mount-proc", folder.path("pod")]
        ).wait()
        #expect(run.status == 75, "\(run.errors)")
        #expect(run.errors.contains("stopped by a signal; saved "), "\(run.errors)")
    }
}
