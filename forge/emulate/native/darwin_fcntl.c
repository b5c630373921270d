/* fcntl.h, sys/ioctl.h, sys/file.h: flags of open and fcntl, locks, ioctl's requests.
 *
 * open, openat, fcntl and ioctl are variadic: on x86_64 both systems pass such arguments alike; the arm64 entry points
 * (darwin_variadic_arm64.c) call the `darwin_*` functions here. */
#include "darwin_fcntl.h"
#include "darwin_kqueue.h"
#include "darwin_stat.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <unistd.h>

int darwin_open_flags_to_host(int flags) {
    static const int pairs[][2] = {
        {DARWIN_O_NONBLOCK, O_NONBLOCK}, {DARWIN_O_APPEND, O_APPEND}, {DARWIN_O_ASYNC, O_ASYNC},
        {DARWIN_O_NOFOLLOW, O_NOFOLLOW}, {DARWIN_O_CREAT, O_CREAT}, {DARWIN_O_TRUNC, O_TRUNC},
        {DARWIN_O_EXCL, O_EXCL}, {DARWIN_O_NOCTTY, O_NOCTTY}, {DARWIN_O_DIRECTORY, O_DIRECTORY},
        {DARWIN_O_CLOEXEC, O_CLOEXEC}, {DARWIN_O_SYNC, O_SYNC}, {DARWIN_O_DSYNC, O_DSYNC},
        {DARWIN_O_NOFOLLOW_ANY, O_NOFOLLOW}, {DARWIN_O_SYMLINK, O_PATH | O_NOFOLLOW},
    };
    int host = flags & DARWIN_O_ACCMODE; /* O_RDONLY, O_WRONLY, O_RDWR: 0, 1, 2 on both */
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (flags & pairs[i][0])
            host |= pairs[i][1];
    return host;
}

/* What F_GETFL tells: the access mode and the flags that F_SETFL can change. */
static int open_flags_from_host(int host) {
    return (host & O_ACCMODE) | (host & O_NONBLOCK ? DARWIN_O_NONBLOCK : 0) | (host & O_APPEND ? DARWIN_O_APPEND : 0) |
           (host & O_ASYNC ? DARWIN_O_ASYNC : 0) | ((host & O_SYNC) == O_SYNC ? DARWIN_O_SYNC : 0) |
           ((host & O_SYNC) == O_DSYNC ? DARWIN_O_DSYNC : 0);
}

/* O_SHLOCK and O_EXLOCK take a flock while opening; a file that cannot be locked is closed again. */
static int lock_opened(int descriptor, int flags) {
    int kind = flags & DARWIN_O_EXLOCK ? LOCK_EX : flags & DARWIN_O_SHLOCK ? LOCK_SH : 0;
    if (descriptor < 0 || kind == 0 || flock(descriptor, kind | (flags & DARWIN_O_NONBLOCK ? LOCK_NB : 0)) == 0)
        return descriptor;
    int failure = errno;
    close(descriptor);
    errno = failure;
    return -1;
}
int darwin_open(int directory, const char *path, int flags, int mode) {
    int host = openat(darwin_directory_to_host(directory), path, darwin_open_flags_to_host(flags), mode);
    return lock_opened(host, flags);
}
DARWIN_EXPORT int forge_darwin_creat(const char *path, uint16_t mode) { return creat(path, mode); }

/* sys/fcntl.h: struct flock; lock types are 1, 2, 3 for read, unlock, write. */
struct darwin_flock {
    int64_t start, len;
    int32_t pid;
    int16_t type, whence;
};
_Static_assert(sizeof(struct darwin_flock) == 24, "struct flock (sys/fcntl.h)");

static int lock(int descriptor, int command, struct darwin_flock *wanted) {
    static const short to_host[] = {-1, F_RDLCK, F_UNLCK, F_WRLCK};
    if (wanted->type < DARWIN_F_RDLCK || wanted->type > DARWIN_F_WRLCK) {
        errno = EINVAL;
        return -1;
    }
    struct flock host = {.l_type = to_host[wanted->type], .l_whence = wanted->whence, .l_start = wanted->start,
                         .l_len = wanted->len, .l_pid = 0};
    int commands[] = {F_GETLK, F_SETLK, F_SETLKW};
    int result = fcntl(descriptor, commands[command - DARWIN_F_GETLK], &host);
    if (result == 0 && command == DARWIN_F_GETLK) {
        wanted->type = host.l_type == F_RDLCK   ? DARWIN_F_RDLCK
                       : host.l_type == F_WRLCK ? DARWIN_F_WRLCK
                                                : DARWIN_F_UNLCK;
        wanted->whence = host.l_whence;
        wanted->start = host.l_start;
        wanted->len = host.l_len;
        wanted->pid = host.l_pid;
    }
    return result;
}

/* sys/fcntl.h: F_PREALLOCATE's argument. */
struct darwin_fstore {
    uint32_t flags;
    int32_t posmode;
    int64_t offset, length, bytesalloc;
};
static int preallocate(int descriptor, struct darwin_fstore *store) {
    off_t end = store->posmode == DARWIN_F_PEOFPOSMODE ? lseek(descriptor, 0, SEEK_END) : 0;
    int result = end < 0 ? -1 : fallocate(descriptor, FALLOC_FL_KEEP_SIZE, end + store->offset, store->length);
    if (result == 0)
        store->bytesalloc = store->length;
    return result;
}

/* F_GETPATH: the file's path into a buffer of MAXPATHLEN (1024) bytes. */
static int path_of(int descriptor, char *buffer) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    char path[1024];
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) {
        errno = EBADF;
        return -1;
    }
    path[length] = '\0';
    memcpy(buffer, path, (size_t)length + 1);
    return 0;
}

int darwin_fcntl(int descriptor, int command, intptr_t argument) {
    switch (command) {
    case DARWIN_F_DUPFD: return darwin_copied_descriptor(descriptor, fcntl(descriptor, F_DUPFD, (int)argument));
    case DARWIN_F_DUPFD_CLOEXEC:
        return darwin_copied_descriptor(descriptor, fcntl(descriptor, F_DUPFD_CLOEXEC, (int)argument));
    case DARWIN_F_GETFD: return fcntl(descriptor, F_GETFD);
    case DARWIN_F_SETFD: return fcntl(descriptor, F_SETFD, (int)argument);
    case DARWIN_F_GETFL: {
        int host = fcntl(descriptor, F_GETFL);
        return host < 0 ? host : open_flags_from_host(host);
    }
    case DARWIN_F_SETFL: return fcntl(descriptor, F_SETFL, darwin_open_flags_to_host((int)argument));
    case DARWIN_F_GETOWN: return fcntl(descriptor, F_GETOWN);
    case DARWIN_F_SETOWN: return fcntl(descriptor, F_SETOWN, (int)argument);
    case DARWIN_F_GETLK:
    case DARWIN_F_SETLK:
    case DARWIN_F_SETLKW: return lock(descriptor, command, (struct darwin_flock *)argument);
    case DARWIN_F_PREALLOCATE: return preallocate(descriptor, (struct darwin_fstore *)argument);
    case DARWIN_F_GETPATH: return path_of(descriptor, (char *)argument);
    case DARWIN_F_FULLFSYNC:
    case DARWIN_F_BARRIERFSYNC: return fsync(descriptor);
    /* Advice about caching: to follow none of it is within the contract. */
    case DARWIN_F_RDADVISE:
    case DARWIN_F_RDAHEAD:
    case DARWIN_F_NOCACHE: return fcntl(descriptor, F_GETFD) < 0 ? -1 : 0;
    default: errno = EINVAL; return -1;
    }
}

int darwin_ioctl(int descriptor, unsigned long request, void *argument) {
    switch ((uint32_t)request) {
    case DARWIN_FIOCLEX: return ioctl(descriptor, FIOCLEX);
    case DARWIN_FIONCLEX: return ioctl(descriptor, FIONCLEX);
    case DARWIN_FIONREAD: return ioctl(descriptor, FIONREAD, argument);
    case DARWIN_FIONBIO: return ioctl(descriptor, FIONBIO, argument);
    case DARWIN_FIOASYNC: return ioctl(descriptor, FIOASYNC, argument);
    /* struct winsize is four shorts on both. */
    case DARWIN_TIOCGWINSZ: return ioctl(descriptor, TIOCGWINSZ, argument);
    case DARWIN_TIOCSWINSZ: return ioctl(descriptor, TIOCSWINSZ, argument);
    case DARWIN_TIOCGPGRP: return ioctl(descriptor, TIOCGPGRP, argument);
    case DARWIN_TIOCSPGRP: return ioctl(descriptor, TIOCSPGRP, argument);
    case DARWIN_TIOCOUTQ: return ioctl(descriptor, TIOCOUTQ, argument);
    case DARWIN_TIOCSCTTY: return ioctl(descriptor, TIOCSCTTY, 0);
    case DARWIN_TIOCNOTTY: return ioctl(descriptor, TIOCNOTTY);
    default: errno = ENOTTY; return -1;
    }
}

#ifdef __x86_64__
DARWIN_EXPORT int forge_darwin_open(const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    int mode = flags & DARWIN_O_CREAT ? va_arg(arguments, int) : 0;
    va_end(arguments);
    return darwin_open(DARWIN_AT_FDCWD, path, flags, mode);
}
DARWIN_EXPORT int forge_darwin_openat(int directory, const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    int mode = flags & DARWIN_O_CREAT ? va_arg(arguments, int) : 0;
    va_end(arguments);
    return darwin_open(directory, path, flags, mode);
}
DARWIN_EXPORT int forge_darwin_fcntl(int descriptor, int command, ...) {
    va_list arguments;
    va_start(arguments, command);
    intptr_t argument = va_arg(arguments, intptr_t);
    va_end(arguments);
    return darwin_fcntl(descriptor, command, argument);
}
DARWIN_EXPORT int forge_darwin_ioctl(int descriptor, unsigned long request, ...) {
    va_list arguments;
    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    return darwin_ioctl(descriptor, request, argument);
}
#endif

/* unistd.h: whence SEEK_HOLE and SEEK_DATA are 3 and 4; Linux's are 4 and 3. */
DARWIN_EXPORT int64_t forge_darwin_lseek(int descriptor, int64_t offset, int whence) {
    int host = whence == DARWIN_SEEK_HOLE ? SEEK_HOLE : whence == DARWIN_SEEK_DATA ? SEEK_DATA : whence;
    return lseek(descriptor, offset, host);
}
