import Foundation
import TestSupport
import Testing

@testable import Host

/// Limits of control groups, in folders made up as the kernel lays them out.
@Suite struct MemoryLimitTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func write(_ text: String, to path: String) throws {
        let url = URL(fileURLWithPath: folder.path(path))
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try text.write(to: url, atomically: true, encoding: .utf8)
    }

    private func limit(_ groups: String) -> Int {
        MemoryLimit.byteCount(
            physical: 1000, groups: ControlGroups(lines: groups, root: folder.path("")))
    }

    @Test func aJobsLimitHoldsForItsSteps() throws {
        try write("max\n", to: "memory.max")
        try write("600\n", to: "slurm/job_1/memory.max")
        try write("max\n", to: "slurm/job_1/step_0/memory.max")
        #expect(limit("0::/slurm/job_1/step_0\n") == 600)
        #expect(limit("0::/slurm/job_2\n") == 1000)
    }

    @Test func versionOneHasATreeForMemory() throws {
        try write("9223372036854771712\n", to: "memory/memory.limit_in_bytes")
        try write("400\n", to: "memory/docker/1/memory.limit_in_bytes")
        try write("300\n", to: "docker/2/memory.max")
        #expect(limit("5:cpu,cpuacct:/docker/1\n4:memory:/docker/1\n0::/\n") == 400)
    }

    @Test func aContainerSeesItsOwnGroupAtTheRoot() throws {
        try write("500\n", to: "memory.max")
        #expect(limit("0::/kubepods/unseen\n") == 500)
        #expect(limit("") == 1000)
    }
}
