import CCommit

/// The commit that the program was built from.
public enum BuildCommit {
    /// The commit's first digits, where it is known: what the build was told, else what git had checked out,
    /// else what `git archive` wrote.
    public static let digits = digits(
        told: String(cString: commit_told_text()), head: String(cString: commit_head_text()),
        branch: String(cString: commit_branch_text()),
        ofBranch: String(cString: commit_of_branch_text()),
        archived: String(cString: commit_archived_text()))

    /// Chooses among what the files have; a branch counts while it is the one that is checked out.
    static func digits(
        told: String, head: String, branch: String, ofBranch: String, archived: String
    ) -> String? {
        if !told.isEmpty { return told }
        if head.isEmpty { return digits(archived) }
        return digits(head == "ref: \(branch)\n" ? ofBranch : head)
    }

    /// Nil where it is no commit.
    private static func digits(_ text: String) -> String? {
        let line = text.prefix { $0.isHexDigit }
        return line.count >= 40 ? String(line.prefix(12)) : nil
    }
}
