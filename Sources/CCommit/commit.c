// What is embedded here is a dependency of this file alone: another commit compiles it anew and links, nothing more.
#include "commit.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

#ifndef SACCADER_COMMIT
#define SACCADER_COMMIT ""
#endif
#ifndef SACCADER_BRANCH
#define SACCADER_BRANCH ""
#endif

static const char head[] = {
#ifdef SACCADER_HEAD_FILE
#if __has_embed(SACCADER_HEAD_FILE)
#embed SACCADER_HEAD_FILE suffix(,)
#endif
#endif
    0};

static const char of_branch[] = {
#ifdef SACCADER_BRANCH_FILE
#if __has_embed(SACCADER_BRANCH_FILE)
#embed SACCADER_BRANCH_FILE suffix(,)
#endif
#endif
    0};

static const char archived[] = {
#embed "archive.txt" suffix(,)
    0};

const char *commit_told_text(void) { return SACCADER_COMMIT; }
const char *commit_head_text(void) { return head; }
const char *commit_branch_text(void) { return SACCADER_BRANCH; }
const char *commit_of_branch_text(void) { return of_branch; }
const char *commit_archived_text(void) { return archived; }
