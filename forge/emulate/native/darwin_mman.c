/* sys/mman.h: flags of mappings. Protection bits are the same numbers. */
#include "darwin_common.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/stat.h>

DARWIN_EXPORT void *forge_darwin_mmap(void *address, size_t length, int protection, int flags, int descriptor,
                                      int64_t offset) {
    /* MAP_SHARED, MAP_PRIVATE, MAP_FIXED are 1, 2, 16 on both. MAP_JIT, MAP_NOCACHE and the like ask for nothing here. */
    int host = flags & (DARWIN_MAP_SHARED | DARWIN_MAP_PRIVATE | DARWIN_MAP_FIXED);
    if (flags & DARWIN_MAP_ANON) {
        host |= MAP_ANONYMOUS;
        descriptor = -1; /* Darwin takes a Mach VM tag there */
    }
    if (flags & DARWIN_MAP_NORESERVE)
        host |= MAP_NORESERVE;
    return mmap(address, length, protection, host, descriptor, offset);
}

/* Advice 0 to 4 is POSIX's. Darwin's MADV_DONTNEED keeps the contents; Linux's throws them away, so it is not given. */
DARWIN_EXPORT int forge_darwin_madvise(void *address, size_t length, int advice) {
    switch (advice) {
    case DARWIN_MADV_NORMAL: return madvise(address, length, MADV_NORMAL);
    case DARWIN_MADV_RANDOM: return madvise(address, length, MADV_RANDOM);
    case DARWIN_MADV_SEQUENTIAL: return madvise(address, length, MADV_SEQUENTIAL);
    case DARWIN_MADV_WILLNEED: return madvise(address, length, MADV_WILLNEED);
    case DARWIN_MADV_FREE:
    case DARWIN_MADV_FREE_REUSABLE: return madvise(address, length, MADV_FREE);
    case DARWIN_MADV_DONTNEED:
    case DARWIN_MADV_ZERO_WIRED_PAGES:
    case DARWIN_MADV_FREE_REUSE:
    case DARWIN_MADV_CAN_REUSE:
    case DARWIN_MADV_PAGEOUT: return madvise(address, length, MADV_NORMAL);
    default: errno = EINVAL; return -1;
    }
}
DARWIN_EXPORT int forge_darwin_posix_madvise(void *address, size_t length, int advice) {
    return forge_darwin_madvise(address, length, advice) == 0 ? 0 : darwin_errno_from_host(errno);
}
DARWIN_EXPORT int forge_darwin_msync(void *address, size_t length, int flags) {
    int host = (flags & DARWIN_MS_ASYNC ? MS_ASYNC : 0) | (flags & DARWIN_MS_INVALIDATE ? MS_INVALIDATE : 0) |
               (flags & DARWIN_MS_SYNC ? MS_SYNC : 0);
    return msync(address, length, host);
}

/* shm_open is variadic (sys/mman.h). The object's name is one path component of at most 31 characters (PSHMNAMLEN). */
int darwin_shm_open(const char *name, int flags, int mode) {
    size_t length = 0;
    while (name[length] != '\0')
        length++;
    if (length > 31) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return shm_open(name, darwin_open_flags_to_host(flags), (mode_t)mode);
}
#ifdef __x86_64__
DARWIN_EXPORT int forge_darwin_shm_open(const char *name, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    int mode = flags & DARWIN_O_CREAT ? va_arg(arguments, int) : 0;
    va_end(arguments);
    return darwin_shm_open(name, flags, mode);
}
#endif
DARWIN_EXPORT int forge_darwin_shm_unlink(const char *name) { return shm_unlink(name); }
