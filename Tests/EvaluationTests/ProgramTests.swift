import EvaluationCommand
import Tensors
import Terminal
import TestSupport
import Testing

@testable import BuildCommit

/// The commit that `--version` names.
@Suite struct ProgramTests {
    private static let digits = "0123456789abcdef0123456789abcdef01234567"
    private static let other = "fedcba9876543210fedcba9876543210fedcba98"

    private func commit(
        told: String = "", head: String = "", branch: String = "", ofBranch: String = "",
        archived: String = "$Format:\("%H")$\n"
    ) -> String? {
        BuildCommit.digits(
            told: told, head: head, branch: branch, ofBranch: ofBranch, archived: archived)
    }

    @Test func itIsWhatGitHasCheckedOut() {
        let (digits, other) = (Self.digits, Self.other)
        #expect(commit() == nil)
        #expect(commit(head: "\(digits)\n") == "0123456789ab")
        let head = "ref: refs/heads/main\n"
        #expect(
            commit(head: head, branch: "refs/heads/main", ofBranch: "\(digits)\n") == "0123456789ab"
        )
        // Another branch than the one that the package's settings speak of, or one that is packed.
        #expect(commit(head: head, branch: "refs/heads/b", ofBranch: "\(digits)\n") == nil)
        #expect(commit(head: head, branch: "refs/heads/main") == nil)
        #expect(commit(archived: "\(other)\n") == "fedcba987654")
        #expect(commit(head: "\(digits)\n", archived: "\(other)\n") == "0123456789ab")
        #expect(commit(told: "abc-changed", head: "\(digits)\n") == "abc-changed")
    }

    @Test(arguments: ["saccader-dist", "saccader-eval"])
    func bothProgramsNameIt(program: String) throws {
        let run = try CommandRun(program, ["--version"])
        #expect(run.output == "\(Program.description(commit: BuildCommit.digits))\n")
        #expect(run.output.hasPrefix("0.2.0 ("))
        #expect(run.output.contains(MatrixMultiply.backEnds))
    }
}
