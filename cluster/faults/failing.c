// Preloaded (LD_PRELOAD), it counts the calls that change files below FAULT_FOLDER, and those that close what was
// opened there, and lets one of them fail.
//
// FAULT_AT: the number of the call, from 1. FAULT_ERRNO: what the system says then. FAULT_STAYS: set where all
// later calls fail too, as on a full disk. FAULT_CLOSES: set where closings alone count. FAULT_COUNT: a file for the
// number of calls so far.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_int calls;
static _Thread_local int is_closing;

// Whether this call is to fail; errno is set then.
static int fails(const char *path) {
    const char *folder = getenv("FAULT_FOLDER");
    if (!folder || !path || strncmp(path, folder, strlen(folder)) != 0) return 0;
    if (getenv("FAULT_CLOSES") && !is_closing) return 0;
    int number = ++calls;
    const char *count = getenv("FAULT_COUNT");
    if (count) {
        FILE *file = fopen(count, "w");
        if (file) {
            fprintf(file, "%d\n", number);
            fclose(file);
        }
    }
    const char *at = getenv("FAULT_AT"), *error = getenv("FAULT_ERRNO");
    int chosen = at ? atoi(at) : 0;
    if (chosen == 0 || number < chosen || (number > chosen && !getenv("FAULT_STAYS"))) return 0;
    errno = error ? atoi(error) : EIO;
    return 1;
}

static int descriptor_fails(int descriptor) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return fails(path);
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int descriptor, const void *bytes, size_t count) {
    return descriptor_fails(descriptor) ? -1 : NEXT(write)(descriptor, bytes, count);
}
ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset) {
    return descriptor_fails(descriptor) ? -1 : NEXT(pwrite)(descriptor, bytes, count, offset);
}
ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t offset) {
    return descriptor_fails(descriptor) ? -1 : NEXT(pwrite64)(descriptor, bytes, count, offset);
}
ssize_t writev(int descriptor, const struct iovec *pieces, int count) {
    return descriptor_fails(descriptor) ? -1 : NEXT(writev)(descriptor, pieces, count);
}
int fsync(int descriptor) { return descriptor_fails(descriptor) ? -1 : NEXT(fsync)(descriptor); }
int fdatasync(int descriptor) {
    return descriptor_fails(descriptor) ? -1 : NEXT(fdatasync)(descriptor);
}
int ftruncate(int descriptor, off_t length) {
    return descriptor_fails(descriptor) ? -1 : NEXT(ftruncate)(descriptor, length);
}
int close(int descriptor) {
    // It is closed all the same, as Linux does.
    is_closing = 1;
    int fault = descriptor_fails(descriptor) ? errno : 0;
    is_closing = 0;
    int status = NEXT(close)(descriptor);
    if (fault) errno = fault;
    return fault ? -1 : status;
}
int unlink(const char *path) { return fails(path) ? -1 : NEXT(unlink)(path); }
int rmdir(const char *path) { return fails(path) ? -1 : NEXT(rmdir)(path); }
int rename(const char *from, const char *to) { return fails(to) ? -1 : NEXT(rename)(from, to); }
int symlink(const char *target, const char *link) {
    return fails(link) ? -1 : NEXT(symlink)(target, link);
}
int mkdir(const char *path, mode_t mode) { return fails(path) ? -1 : NEXT(mkdir)(path, mode); }
int open(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    if ((flags & O_CREAT) && fails(path)) return -1;
    return NEXT(open)(path, flags, mode);
}
// Relative to a folder that is open, unless the path is absolute.
int openat(int folder, const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    if ((flags & O_CREAT) && (path[0] == '/' || folder == AT_FDCWD ? fails(path) : descriptor_fails(folder))) return -1;
    return NEXT(openat)(folder, path, flags, mode);
}
