import TestSupport
import Testing

/// The all-reduce under mpirun.
@Suite(.serialized) struct SumTests {
    @Test(arguments: [1, 2, 3, 4, 6, 8]) func ranksAddAlongATree(ranks: Int) throws {
        let run = try CommandRun("rank-probe", [], ranks: ranks)
        #expect(run.status == 0, "\(run.errors)")
        let lines = run.output.split(separator: "\n").map { $0.split(separator: " ") }
        #expect(lines.count == 11 * ranks)
        for line in lines where line[1] == "counts" {
            #expect(line[2] == "\(ranks)" && line[3] == "\(ranks * (ranks - 1) / 2)")
        }
        // Sums that were begun go on beside others, to the same bits.
        #expect(lines.filter { $0[1] == "begun" && $0[2] == "equal" }.count == ranks)
        for line in lines where line[1] != "counts" && line[1] != "begun" {
            // Only a power of two has the tree's shape; others agree up to rounding.
            if ranks & (ranks - 1) == 0 { #expect(line[2] == "equal", "\(line)") }
            let difference = try #require(Double(line[3]))
            #expect(difference < 1e-6)
        }
    }
}
