/* sys/stat.h, dirent.h, sys/mount.h, sys/statvfs.h: what the system says of files, in Darwin's layouts.
 *
 * The layout is the one with 64-bit inode numbers: the only one on iOS, and `$INODE64` on macOS for x86_64. */
#include "darwin_stat.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* sys/types.h: dev_t is 32 bits, major in the upper 8. */
static int32_t device(dev_t host) { return (int32_t)((major(host) & 0xffu) << 24 | (minor(host) & 0xffffffu)); }

void darwin_stat_from_host(const struct stat *host, struct darwin_stat *out) {
    memset(out, 0, sizeof *out);
    out->dev = device(host->st_dev);
    out->mode = (uint16_t)host->st_mode; /* S_IF* and permission bits are the same numbers */
    out->nlink = (uint16_t)(host->st_nlink > UINT16_MAX ? UINT16_MAX : host->st_nlink);
    out->ino = host->st_ino;
    out->uid = host->st_uid;
    out->gid = host->st_gid;
    out->rdev = device(host->st_rdev);
    out->atimespec = host->st_atim;
    out->mtimespec = host->st_mtim;
    out->ctimespec = host->st_ctim;
    out->birthtimespec = host->st_ctim; /* stat(2) of Linux tells no birth time; this is the nearest bound */
    out->size = host->st_size;
    out->blocks = host->st_blocks; /* both in 512 bytes */
    out->blksize = (int32_t)host->st_blksize;
}

static int give(int result, const struct stat *host, struct darwin_stat *out) {
    if (result == 0)
        darwin_stat_from_host(host, out);
    return result;
}
DARWIN_EXPORT int forge_darwin_stat(const char *path, struct darwin_stat *out) {
    struct stat host;
    return give(stat(path, &host), &host, out);
}
DARWIN_EXPORT int forge_darwin_lstat(const char *path, struct darwin_stat *out) {
    struct stat host;
    return give(lstat(path, &host), &host, out);
}
DARWIN_EXPORT int forge_darwin_fstat(int descriptor, struct darwin_stat *out) {
    struct stat host;
    return give(fstat(descriptor, &host), &host, out);
}

int darwin_directory_to_host(int descriptor) { return descriptor == DARWIN_AT_FDCWD ? AT_FDCWD : descriptor; }

/* sys/fcntl.h's AT_ flags. */
int darwin_at_flags_to_host(int flags) {
    int host = 0;
    if (flags & DARWIN_AT_EACCESS)
        host |= AT_EACCESS;
    if (flags & DARWIN_AT_SYMLINK_NOFOLLOW)
        host |= AT_SYMLINK_NOFOLLOW;
    if (flags & DARWIN_AT_SYMLINK_FOLLOW)
        host |= AT_SYMLINK_FOLLOW;
    if (flags & DARWIN_AT_REMOVEDIR)
        host |= AT_REMOVEDIR;
    return host;
}
DARWIN_EXPORT int forge_darwin_fstatat(int directory, const char *path, struct darwin_stat *out, int flags) {
    struct stat host;
    int result = fstatat(darwin_directory_to_host(directory), path, &host, darwin_at_flags_to_host(flags));
    return give(result, &host, out);
}
DARWIN_EXPORT int forge_darwin_fchmodat(int directory, const char *path, mode_t mode, int flags) {
    return fchmodat(darwin_directory_to_host(directory), path, mode, darwin_at_flags_to_host(flags));
}
DARWIN_EXPORT int forge_darwin_fchownat(int directory, const char *path, uid_t user, gid_t group, int flags) {
    return fchownat(darwin_directory_to_host(directory), path, user, group, darwin_at_flags_to_host(flags));
}
DARWIN_EXPORT int forge_darwin_mkdirat(int directory, const char *path, uint16_t mode) {
    return mkdirat(darwin_directory_to_host(directory), path, mode);
}
DARWIN_EXPORT int forge_darwin_unlinkat(int directory, const char *path, int flags) {
    return unlinkat(darwin_directory_to_host(directory), path, darwin_at_flags_to_host(flags));
}
DARWIN_EXPORT int forge_darwin_renameat(int from, const char *old, int to, const char *new) {
    return renameat(darwin_directory_to_host(from), old, darwin_directory_to_host(to), new);
}
DARWIN_EXPORT int forge_darwin_linkat(int from, const char *old, int to, const char *new, int flags) {
    return linkat(darwin_directory_to_host(from), old, darwin_directory_to_host(to), new,
                  darwin_at_flags_to_host(flags));
}
DARWIN_EXPORT int forge_darwin_symlinkat(const char *text, int directory, const char *path) {
    return symlinkat(text, darwin_directory_to_host(directory), path);
}
DARWIN_EXPORT ssize_t forge_darwin_readlinkat(int directory, const char *path, char *buffer, size_t size) {
    return readlinkat(darwin_directory_to_host(directory), path, buffer, size);
}
DARWIN_EXPORT int forge_darwin_faccessat(int directory, const char *path, int mode, int flags) {
    return faccessat(darwin_directory_to_host(directory), path, mode, darwin_at_flags_to_host(flags));
}

/* sys/stat.h: UTIME_NOW and UTIME_OMIT are -1 and -2. */
static const struct timespec *times_to_host(const struct timespec *times, struct timespec *host) {
    if (times == NULL)
        return NULL;
    for (int i = 0; i < 2; i++) {
        host[i] = times[i];
        if (times[i].tv_nsec == DARWIN_UTIME_NOW)
            host[i].tv_nsec = UTIME_NOW;
        else if (times[i].tv_nsec == DARWIN_UTIME_OMIT)
            host[i].tv_nsec = UTIME_OMIT;
    }
    return host;
}
DARWIN_EXPORT int forge_darwin_utimensat(int directory, const char *path, const struct timespec *times, int flags) {
    struct timespec host[2];
    return utimensat(darwin_directory_to_host(directory), path, times_to_host(times, host),
                     darwin_at_flags_to_host(flags));
}
DARWIN_EXPORT int forge_darwin_futimens(int descriptor, const struct timespec *times) {
    struct timespec host[2];
    return futimens(descriptor, times_to_host(times, host));
}

/* sys/dirent.h: one entry, with room for the longest name. DT_ types are the same numbers. */
struct darwin_dirent {
    uint64_t ino, seekoff;
    uint16_t reclen, namlen;
    uint8_t type;
    char name[1024];
};
_Static_assert(offsetof(struct darwin_dirent, name) == 21, "struct dirent.d_name (sys/dirent.h)");
_Static_assert(sizeof(struct darwin_dirent) == 1048, "struct dirent");

static void dirent_from_host(const struct dirent *host, struct darwin_dirent *out) {
    size_t length = strlen(host->d_name);
    out->ino = host->d_ino;
    out->seekoff = (uint64_t)host->d_off;
    out->namlen = (uint16_t)length;
    out->reclen = (uint16_t)((offsetof(struct darwin_dirent, name) + length + 1 + 7) & ~7u);
    out->type = host->d_type;
    memcpy(out->name, host->d_name, length + 1);
}

/* A stream's current entry lives as long as the stream: POSIX lets only the next readdir of the same stream change it.
 */
struct stream {
    DIR *host;
    struct darwin_dirent entry;
};
static struct stream *open_stream(DIR *host) {
    if (host == NULL)
        return NULL;
    struct stream *made = malloc(sizeof *made);
    if (made == NULL)
        closedir(host);
    else
        made->host = host;
    return made;
}
DARWIN_EXPORT struct stream *forge_darwin_opendir(const char *path) { return open_stream(opendir(path)); }
DARWIN_EXPORT struct stream *forge_darwin_fdopendir(int descriptor) { return open_stream(fdopendir(descriptor)); }
DARWIN_EXPORT int forge_darwin_closedir(struct stream *stream) {
    int result = closedir(stream->host);
    free(stream);
    return result;
}
DARWIN_EXPORT int forge_darwin_dirfd(struct stream *stream) { return dirfd(stream->host); }
DARWIN_EXPORT void forge_darwin_rewinddir(struct stream *stream) { rewinddir(stream->host); }
DARWIN_EXPORT long forge_darwin_telldir(struct stream *stream) { return telldir(stream->host); }
DARWIN_EXPORT void forge_darwin_seekdir(struct stream *stream, long place) { seekdir(stream->host, place); }
DARWIN_EXPORT struct darwin_dirent *forge_darwin_readdir(struct stream *stream) {
    struct dirent *host = readdir(stream->host);
    if (host == NULL)
        return NULL;
    dirent_from_host(host, &stream->entry);
    return &stream->entry;
}
/* The entry into the caller's own room; the result is an errno number. */
DARWIN_EXPORT int forge_darwin_readdir_r(struct stream *stream, struct darwin_dirent *entry,
                                         struct darwin_dirent **result) {
    int before = errno;
    errno = 0;
    struct dirent *host = readdir(stream->host);
    int failure = host == NULL ? darwin_errno_from_host(errno) : 0;
    errno = before;
    *result = NULL;
    if (host != NULL) {
        dirent_from_host(host, entry);
        *result = entry;
    }
    return failure;
}

/* sys/mount.h: struct statfs. What Linux does not tell (who mounted it, from where) is empty. */
struct darwin_statfs {
    uint32_t bsize;
    int32_t iosize;
    uint64_t blocks, bfree, bavail, files, ffree;
    int32_t fsid[2];
    uint32_t owner, type, flags, fssubtype;
    char fstypename[16], mntonname[1024], mntfromname[1024];
    uint32_t flags_ext, reserved[7];
};
_Static_assert(sizeof(struct darwin_statfs) == 2168, "struct statfs (sys/mount.h)");
_Static_assert(offsetof(struct darwin_statfs, mntonname) == 88, "struct statfs.f_mntonname");

static uint32_t mount_flags(long host) {
    return (host & ST_RDONLY ? DARWIN_MNT_RDONLY : 0u) | (host & ST_NOSUID ? DARWIN_MNT_NOSUID : 0u) |
           (host & ST_NOEXEC ? DARWIN_MNT_NOEXEC : 0u);
}
static int give_statfs(int result, const struct statfs *host, struct darwin_statfs *out) {
    if (result == 0) {
        memset(out, 0, sizeof *out);
        out->bsize = (uint32_t)host->f_bsize;
        out->iosize = (int32_t)host->f_bsize;
        out->blocks = host->f_blocks;
        out->bfree = host->f_bfree;
        out->bavail = host->f_bavail;
        out->files = host->f_files;
        out->ffree = host->f_ffree;
        memcpy(out->fsid, &host->f_fsid, sizeof out->fsid);
        out->type = (uint32_t)host->f_type;
        out->flags = mount_flags(host->f_flags);
    }
    return result;
}
DARWIN_EXPORT int forge_darwin_statfs(const char *path, struct darwin_statfs *out) {
    struct statfs host;
    return give_statfs(statfs(path, &host), &host, out);
}
DARWIN_EXPORT int forge_darwin_fstatfs(int descriptor, struct darwin_statfs *out) {
    struct statfs host;
    return give_statfs(fstatfs(descriptor, &host), &host, out);
}

/* sys/statvfs.h: block and file counts are 32 bits wide. */
struct darwin_statvfs {
    uint64_t bsize, frsize;
    uint32_t blocks, bfree, bavail, files, ffree, favail;
    uint64_t fsid, flag, namemax;
};
_Static_assert(sizeof(struct darwin_statvfs) == 64, "struct statvfs (sys/statvfs.h)");
static uint32_t narrow(uint64_t count) { return count > UINT32_MAX ? UINT32_MAX : (uint32_t)count; }
static int give_statvfs(int result, const struct statvfs *host, struct darwin_statvfs *out) {
    if (result == 0)
        *out = (struct darwin_statvfs){
            .bsize = host->f_bsize, .frsize = host->f_frsize, .blocks = narrow(host->f_blocks),
            .bfree = narrow(host->f_bfree), .bavail = narrow(host->f_bavail), .files = narrow(host->f_files),
            .ffree = narrow(host->f_ffree), .favail = narrow(host->f_favail), .fsid = host->f_fsid,
            .flag = (host->f_flag & ST_RDONLY ? DARWIN_ST_RDONLY : 0u) |
                    (host->f_flag & ST_NOSUID ? DARWIN_ST_NOSUID : 0u),
            .namemax = host->f_namemax,
        };
    return result;
}
DARWIN_EXPORT int forge_darwin_statvfs(const char *path, struct darwin_statvfs *out) {
    struct statvfs host;
    return give_statvfs(statvfs(path, &host), &host, out);
}
DARWIN_EXPORT int forge_darwin_fstatvfs(int descriptor, struct darwin_statvfs *out) {
    struct statvfs host;
    return give_statvfs(fstatvfs(descriptor, &host), &host, out);
}

/* sys/stat.h: file flags (UF_IMMUTABLE and others) are no property of Linux's files. */
DARWIN_EXPORT int forge_darwin_chflags(const char *path, uint32_t flags) {
    if (access(path, F_OK) != 0 || flags == 0)
        return access(path, F_OK);
    errno = EOPNOTSUPP;
    return -1;
}
