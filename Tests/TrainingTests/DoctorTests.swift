import Foundation
import TestSupport
import Testing

/// The doctor's lines: what was found, and what to do about it.
@Suite(.serialized) struct DoctorTests {
    private static let subjects = [
        "mpirun", "user", "slots", "binding", "threads", "matrices", "shared memory", "disk",
        "HDF5", "clock", "network",
    ]

    private func lines(_ run: CommandRun) -> [String] {
        run.output.split(separator: "\n").map(String.init)
    }

    @Test func eachThingHasOneLine() throws {
        let folder = try TemporaryFolder()
        let run = try CommandRun("saccader-dist", ["doctor", "--output", folder.path("runs")])
        let lines = lines(run)
        #expect(lines.count == Self.subjects.count, "\(run.output)")
        for (line, subject) in zip(lines, Self.subjects) {
            #expect(line.dropFirst(5).hasPrefix(subject), "\(line)")
            #expect(["ok   ", "note ", "BAD  "].contains(String(line.prefix(5))), "\(line)")
        }
        #expect(lines[0].hasPrefix("ok   mpirun         two ranks start and add up in "))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path("runs")) == [])
    }

    @Test func ranksLookTogetherAndOneOfAHostSpeaks() throws {
        let folder = try TemporaryFolder()
        let run = try CommandRun(
            "saccader-dist", ["doctor", "--output", folder.path("runs")], ranks: 3)
        #expect(run.status == 0, "\(run.errors)")
        #expect(lines(run).count == Self.subjects.count, "\(run.output)")
        #expect(run.output.contains(" mpirun         3 ranks add up 17 MB in "), "\(run.output)")
    }

    @Test func whatIsWrongComesWithItsRemedy() throws {
        let folder = try TemporaryFolder()
        try Data().write(to: URL(fileURLWithPath: folder.path("file")))
        let run = try CommandRun(
            "saccader-dist", ["doctor", "--output", folder.path("file/runs")],
            environment: [
                "PATH": "/nowhere", "OMPI_ALLOW_RUN_AS_ROOT": "0", "OPENBLAS_NUM_THREADS": "7",
            ])
        #expect(run.status == 1 && run.errors.isEmpty, "\(run.errors)")
        let lines = lines(run)
        func expect(_ start: String, _ remedy: String) {
            let line = lines.first { $0.hasPrefix(start) }
            #expect(line?.contains(remedy) == true, "\(start): \(run.output)")
        }
        expect("BAD  mpirun", "install openmpi-bin")
        if geteuid() == 0 { expect("BAD  user", "export OMPI_ALLOW_RUN_AS_ROOT=1") }
        expect("note threads", "export OPENBLAS_NUM_THREADS=1")
        expect("BAD  disk", "choose another --output")
    }
}
