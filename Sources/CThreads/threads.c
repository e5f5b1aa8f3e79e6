#define _GNU_SOURCE
#include "threads.h"
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>
#include <sys/syscall.h>

// Large enough for a kernel of 65,536 processors.
static unsigned long mask[1024];
static long length;

// OpenMP's library binds the process to one core where OMP_PROC_BIND asks for it, as soon as it is
// loaded: what the launcher gave is known only before the libraries' constructors run.
static void remember(void) {
    length = syscall(SYS_sched_getaffinity, 0, sizeof mask, mask);
}

__attribute__((section(".preinit_array"), used)) static void (*const first)(void) = remember;

int saccader_use_starting_cores(void) {
    if (length <= 0) {
        errno = ENOSYS;
        return -1;
    }
    return (int)syscall(SYS_sched_setaffinity, 0, length, mask);
}

void saccader_name_thread(const char *name) { pthread_setname_np(pthread_self(), name); }
