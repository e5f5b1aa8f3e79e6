#pragma once

/// The commit that the build was told of (SACCADER_COMMIT); empty: it was not.
const char *commit_told_text(void);
/// git's HEAD as it was when this was compiled: `ref: ` and a branch, or a commit; empty without git.
const char *commit_head_text(void);
/// The name of the branch whose file `commit_of_branch_text` is.
const char *commit_branch_text(void);
/// The file of that branch, its commit; empty where git keeps it elsewhere.
const char *commit_of_branch_text(void);
/// What `git archive` has written of the commit, or its placeholder.
const char *commit_archived_text(void);
