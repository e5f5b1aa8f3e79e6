import TestSupport
import Testing

/// The all-reduce under mpirun.
@Suite(.serialized) struct SumTests {
    /// After an error in a sum MPI may still write into what it was given: nothing of it is freed, and
    /// no further call moves on what is under way. Of three ranks the last one receives into the
    /// caller's own numbers.
    @Test(arguments: [(2, "vector"), (3, "counts")])
    func memoryOutlivesAnError(ranks: Int, what: String) throws {
        let run = try CommandRun(
            "rank-probe", [what], ranks: ranks, environment: ["MALLOC_PERTURB_": "165"])
        #expect(run.status != 0, "\(run.errors)")
        let lines = run.output.split(separator: "\n").map(String.init)
        try #require(lines.count == 4, "\(run.output)\(run.errors)")
        #expect(lines[0] == "untouched true")
        #expect(lines[1] == "calls 0")
        for line in lines[2...] { #expect(line.contains(" failed: MPI_ERR_OTHER"), "\(line)") }
    }

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
