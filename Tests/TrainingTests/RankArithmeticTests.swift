import Foundation
import Models
import TestSupport
import Testing

@testable import Training

@Suite(.serialized) struct RankArithmeticTests {
    private func rank(_ library: String, _ host: String, fast: Bool = true) -> RankArithmetic.Rank {
        RankArithmetic.Rank(library: library, hasFastBFloat16: fast, host: host)
    }

    @Test func ranksThatMultiplyOtherwiseAreNamed() {
        let alike = RankArithmetic([rank("A", "n1"), rank("A", "n2")])
        #expect(alike.warning == nil)
        #expect(Precision.bfloat16.agreed(alike) == .bfloat16)
        #expect(Precision.bfloat16.warning(alike) == nil)
        let mixed = RankArithmetic([
            rank("A", "n1"), rank("A", "n1"), rank("B", "n2", fast: false), rank("A", "n3"),
        ])
        #expect(
            mixed.warning?.hasPrefix(
                "not all ranks multiply alike: ranks 0 to 1, 3 on n1, n3 with A; "
                    + "rank 2 on n2 with B; ") == true)
        #expect(Precision.bfloat16.agreed(mixed) == .float32)
        #expect(Precision.float32.warning(mixed) == nil)
        #expect(
            Precision.bfloat16.warning(mixed)?.hasSuffix(
                "which rank 2 on n2 has not (B); going on in float32, all ranks alike") == true)
    }

    @Test func aRunOnUnlikeHostsSaysSoOnce() throws {
        let folder = try TemporaryFolder()
        let configuration = try SmallRun.writeConfiguration(folder)
        try SmallData.write(to: folder.path("data"))
        let other =
            "[ $OMPI_COMM_WORLD_RANK != 1 ] || export SACCADER_GEMM=openblas "
            + "OPENBLAS_CORETYPE=Nehalem; exec \"$0\" \"$@\""
        func train(_ launcher: [String], ranks: Int?) throws -> CommandRun {
            try StartedCommand(
                "saccader-dist",
                [
                    "train", "--config", configuration, "--set", "data.path=\(folder.path("data"))",
                    "--output", folder.path("run\(launcher.count)"), "--threads", "1", "--quiet",
                    "--max-steps", "2", "--precision", "bfloat16", "--stages", "representation",
                ], ranks: ranks, launcher: launcher
            ).wait()
        }
        let mixed = try train(["mpirun", "-n", "2", "bash", "-c", other], ranks: nil)
        #expect(mixed.status == 0, "\(mixed.errors)")
        let host = ProcessInfo.processInfo.hostName
        #expect(mixed.messages.count == 2, "\(mixed.errors)")
        #expect(
            mixed.messages.first?.contains("not all ranks multiply alike: rank 0 on \(host) with ")
                == true, "\(mixed.messages)")
        #expect(
            mixed.messages.first?.contains("; rank 1 on \(host) with OpenBLAS Nehalem; ") == true,
            "\(mixed.messages)")
        #expect(
            mixed.messages.last?.contains("; going on in float32, all ranks alike") == true,
            "\(mixed.messages)")
        let alike = try train(["mpirun"], ranks: 2)
        #expect(alike.status == 0, "\(alike.errors)")
        #expect(!alike.errors.contains("not all ranks multiply alike"))
    }
}
