// Linux system calls that glibc declares only under _GNU_SOURCE, which Swift's Glibc module does not define.
// No headers but the numbers: a header that is included here would make its types this module's and no longer Glibc's.
#include <asm/unistd.h>

extern long syscall(long number, ...);

/// renameat2(2) with RENAME_NOREPLACE: fails with EEXIST where `to` is taken.
static inline int linux_rename_noreplace(const char *from, const char *to) {
    return (int)syscall(__NR_renameat2, -100 /* AT_FDCWD */, from, -100, to, 1u /* RENAME_NOREPLACE */);
}

/// syncfs(2); reports failed write-back since Linux 5.8.
static inline int linux_syncfs(int descriptor) {
    return (int)syscall(__NR_syncfs, descriptor);
}

/// copy_file_range(2) at the current offsets of both files.
static inline long linux_copy_file_range(int from, int to, unsigned long count) {
    return syscall(__NR_copy_file_range, from, (void *)0, to, (void *)0, count, 0u);
}

/// pidfd_open(2), Linux 5.3; the descriptor is close-on-exec and readable once the process has ended.
static inline int linux_pidfd_open(int pid) {
    return (int)syscall(__NR_pidfd_open, pid, 0u);
}

/// pidfd_send_signal(2), Linux 5.1.
static inline int linux_pidfd_send_signal(int descriptor, int signal) {
    return (int)syscall(__NR_pidfd_send_signal, descriptor, signal, (void *)0, 0u);
}

/// memfd_create(2), close-on-exec.
static inline int linux_memfd_create(const char *name) {
    return (int)syscall(__NR_memfd_create, name, 1u /* MFD_CLOEXEC */);
}

/// setresuid(2) for the effective user of the calling thread alone; glibc's own changes every thread.
static inline int linux_set_effective_user(unsigned int user) {
    return (int)syscall(__NR_setresuid, -1, user, -1);
}
