import Foundation
import TestSupport
import Testing

@testable import Host

/// Quotas of control groups, in folders made up as the kernel lays them out.
@Suite struct CPUQuotaTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func write(_ text: String, to path: String) throws {
        let url = URL(fileURLWithPath: folder.path(path))
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try text.write(to: url, atomically: true, encoding: .utf8)
    }

    private func cores(_ groups: String) -> Double? {
        CPUQuota.cores(ControlGroups(lines: groups, root: folder.path("")))
    }

    @Test func theSmallestQuotaOfAllGroupsAboveHolds() throws {
        try write("150000 100000\n", to: "pod/cpu.max")
        try write("max 100000\n", to: "pod/one/cpu.max")
        try write("20000 10000\n", to: "pod/two/cpu.max")
        try write("50000 100000\n", to: "pod/half/cpu.max")
        #expect(cores("0::/pod/one\n") == 1.5)
        #expect(cores("0::/pod/two\n") == 1.5)
        #expect(cores("0::/pod/half\n") == 0.5)
        #expect(cores("0::/other\n") == nil)
    }

    @Test func versionOneHasATreeForProcessors() throws {
        try write("-1\n", to: "cpu/cpu.cfs_quota_us")
        try write("100000\n", to: "cpu/cpu.cfs_period_us")
        try write("200000\n", to: "cpu/docker/1/cpu.cfs_quota_us")
        try write("100000\n", to: "cpu/docker/1/cpu.cfs_period_us")
        #expect(cores("5:cpu,cpuacct:/docker/1\n4:memory:/docker/1\n0::/\n") == 2)
        #expect(cores("5:cpu,cpuacct:/\n") == nil)
    }

    @Test func aContainerSeesItsOwnGroupAtTheRoot() throws {
        try write("100000 100000\n", to: "cpu.max")
        #expect(cores("0::/kubepods/unseen\n") == 1)
        #expect(cores("") == nil)
    }
}
