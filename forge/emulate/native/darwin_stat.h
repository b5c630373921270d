/* sys/stat.h's struct stat, which CPython's C API hands on too (_Py_fstat). */
#ifndef FORGE_DARWIN_STAT_H
#define FORGE_DARWIN_STAT_H

#include "darwin_common.h"

#include <sys/stat.h>
#include <time.h>

struct darwin_stat {
    int32_t dev;
    uint16_t mode, nlink;
    uint64_t ino;
    uint32_t uid, gid;
    int32_t rdev;
    struct timespec atimespec, mtimespec, ctimespec, birthtimespec;
    int64_t size, blocks;
    int32_t blksize;
    uint32_t flags, gen;
    int32_t lspare;
    int64_t qspare[2];
};
_Static_assert(sizeof(struct darwin_stat) == 144, "struct stat (sys/stat.h, 64-bit inodes)");
_Static_assert(offsetof(struct darwin_stat, atimespec) == 32, "struct stat.st_atimespec");
_Static_assert(offsetof(struct darwin_stat, size) == 96, "struct stat.st_size");
_Static_assert(offsetof(struct darwin_stat, blksize) == 112, "struct stat.st_blksize");

void darwin_stat_from_host(const struct stat *host, struct darwin_stat *out);

/* AT_FDCWD and the AT_ flags (sys/fcntl.h). */
int darwin_directory_to_host(int descriptor);
int darwin_at_flags_to_host(int flags);

#endif
