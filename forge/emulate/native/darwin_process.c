/* sys/wait.h, spawn.h, pwd.h, grp.h, unistd.h, syslog.h: processes and users. */
#include "darwin_common.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

void darwin_rusage_from_host(const struct rusage *host, void *out);

/* A status is 0x7f in its low byte where the process was stopped, with the signal above it; a signal that ended it in
 * the low seven bits, 0x80 with a core. The signals' numbers are Darwin's; continued is stopped by SIGCONT. */
static int status_from_host(int host) {
    if (WIFSTOPPED(host))
        return darwin_signal_from_host(WSTOPSIG(host)) << 8 | 0x7f;
    if (WIFCONTINUED(host))
        return DARWIN_SIGCONT << 8 | 0x7f;
    if (WIFSIGNALED(host))
        return darwin_signal_from_host(WTERMSIG(host)) | (WCOREDUMP(host) ? 0x80 : 0);
    return host;
}
static int wait_options(int options) {
    return (options & DARWIN_WNOHANG ? WNOHANG : 0) | (options & DARWIN_WUNTRACED ? WUNTRACED : 0) |
           (options & DARWIN_WCONTINUED ? WCONTINUED : 0);
}
DARWIN_EXPORT pid_t forge_darwin_wait4(pid_t process, int *status, int options, void *usage) {
    int host_status;
    struct rusage host_usage;
    pid_t done = wait4(process, &host_status, wait_options(options), usage != NULL ? &host_usage : NULL);
    if (done > 0 && status != NULL)
        *status = status_from_host(host_status);
    if (done > 0 && usage != NULL)
        darwin_rusage_from_host(&host_usage, usage);
    return done;
}
DARWIN_EXPORT pid_t forge_darwin_waitpid(pid_t process, int *status, int options) {
    return forge_darwin_wait4(process, status, options, NULL);
}
DARWIN_EXPORT pid_t forge_darwin_wait3(int *status, int options, void *usage) {
    return forge_darwin_wait4(-1, status, options, usage);
}
DARWIN_EXPORT pid_t forge_darwin_wait(int *status) { return forge_darwin_wait4(-1, status, 0, NULL); }

/* sys/resource.h: PRIO_PROCESS to PRIO_USER are 0 to 2 on both. */
DARWIN_EXPORT int forge_darwin_getpriority(int which, unsigned who) { return getpriority((__priority_which_t)which, who); }
DARWIN_EXPORT int forge_darwin_setpriority(int which, unsigned who, int priority) {
    return setpriority((__priority_which_t)which, who, priority);
}

/* spawn.h: both objects are pointers on Darwin. Of the flags these five exist on Linux too. */
static int spawn_flags(int flags) {
    return (flags & DARWIN_POSIX_SPAWN_RESETIDS ? POSIX_SPAWN_RESETIDS : 0) |
           (flags & DARWIN_POSIX_SPAWN_SETPGROUP ? POSIX_SPAWN_SETPGROUP : 0) |
           (flags & DARWIN_POSIX_SPAWN_SETSIGDEF ? POSIX_SPAWN_SETSIGDEF : 0) |
           (flags & DARWIN_POSIX_SPAWN_SETSIGMASK ? POSIX_SPAWN_SETSIGMASK : 0);
}
struct spawn_attributes {
    posix_spawnattr_t host;
    short flags;
};
DARWIN_EXPORT int forge_darwin_posix_spawnattr_init(struct spawn_attributes **out) {
    *out = calloc(1, sizeof **out);
    return *out == NULL ? DARWIN_ENOMEM : darwin_errno_from_host(posix_spawnattr_init(&(*out)->host));
}
DARWIN_EXPORT int forge_darwin_posix_spawnattr_destroy(struct spawn_attributes **attributes) {
    posix_spawnattr_destroy(&(*attributes)->host);
    free(*attributes);
    *attributes = NULL;
    return 0;
}
DARWIN_EXPORT int forge_darwin_posix_spawnattr_setflags(struct spawn_attributes **attributes, short flags) {
    if (flags & (DARWIN_POSIX_SPAWN_SETEXEC | DARWIN_POSIX_SPAWN_START_SUSPENDED))
        return DARWIN_EINVAL;
    (*attributes)->flags = flags;
    return darwin_errno_from_host(posix_spawnattr_setflags(&(*attributes)->host, (short)spawn_flags(flags)));
}
DARWIN_EXPORT int forge_darwin_posix_spawnattr_getflags(struct spawn_attributes *const *attributes, short *flags) {
    *flags = (*attributes)->flags;
    return 0;
}
DARWIN_EXPORT int forge_darwin_posix_spawnattr_setpgroup(struct spawn_attributes **attributes, pid_t group) {
    return darwin_errno_from_host(posix_spawnattr_setpgroup(&(*attributes)->host, group));
}
static sigset_t spawn_mask(uint32_t mask) {
    sigset_t host;
    sigemptyset(&host);
    for (int i = 1; i < 32; i++)
        if (mask >> (i - 1) & 1 && darwin_signal_to_host(i) > 0)
            sigaddset(&host, darwin_signal_to_host(i));
    return host;
}
DARWIN_EXPORT int forge_darwin_posix_spawnattr_setsigmask(struct spawn_attributes **attributes, const uint32_t *mask) {
    sigset_t host = spawn_mask(*mask);
    return darwin_errno_from_host(posix_spawnattr_setsigmask(&(*attributes)->host, &host));
}
DARWIN_EXPORT int forge_darwin_posix_spawnattr_setsigdefault(struct spawn_attributes **attributes, const uint32_t *mask) {
    sigset_t host = spawn_mask(*mask);
    return darwin_errno_from_host(posix_spawnattr_setsigdefault(&(*attributes)->host, &host));
}
DARWIN_EXPORT int forge_darwin_posix_spawn_file_actions_init(posix_spawn_file_actions_t **out) {
    *out = malloc(sizeof **out);
    return *out == NULL ? DARWIN_ENOMEM : darwin_errno_from_host(posix_spawn_file_actions_init(*out));
}
DARWIN_EXPORT int forge_darwin_posix_spawn_file_actions_destroy(posix_spawn_file_actions_t **actions) {
    posix_spawn_file_actions_destroy(*actions);
    free(*actions);
    *actions = NULL;
    return 0;
}
DARWIN_EXPORT int forge_darwin_posix_spawn_file_actions_addclose(posix_spawn_file_actions_t **actions, int descriptor) {
    return darwin_errno_from_host(posix_spawn_file_actions_addclose(*actions, descriptor));
}
DARWIN_EXPORT int forge_darwin_posix_spawn_file_actions_adddup2(posix_spawn_file_actions_t **actions, int from, int to) {
    return darwin_errno_from_host(posix_spawn_file_actions_adddup2(*actions, from, to));
}
DARWIN_EXPORT int forge_darwin_posix_spawn_file_actions_addopen(posix_spawn_file_actions_t **actions, int descriptor,
                                                                const char *path, int flags, uint16_t mode) {
    return darwin_errno_from_host(
        posix_spawn_file_actions_addopen(*actions, descriptor, path, darwin_open_flags_to_host(flags), mode));
}
static int spawn(int (*function)(pid_t *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *,
                                 char *const *, char *const *),
                 pid_t *process, const char *path, posix_spawn_file_actions_t *const *actions,
                 struct spawn_attributes *const *attributes, char *const *arguments, char *const *environment) {
    return darwin_errno_from_host(function(process, path, actions != NULL ? *actions : NULL,
                                           attributes != NULL && *attributes != NULL ? &(*attributes)->host : NULL,
                                           arguments, environment));
}
DARWIN_EXPORT int forge_darwin_posix_spawn(pid_t *process, const char *path, posix_spawn_file_actions_t *const *actions,
                                           struct spawn_attributes *const *attributes, char *const *arguments,
                                           char *const *environment) {
    return spawn(posix_spawn, process, path, actions, attributes, arguments, environment);
}
DARWIN_EXPORT int forge_darwin_posix_spawnp(pid_t *process, const char *path, posix_spawn_file_actions_t *const *actions,
                                            struct spawn_attributes *const *attributes, char *const *arguments,
                                            char *const *environment) {
    return spawn(posix_spawnp, process, path, actions, attributes, arguments, environment);
}

/* pwd.h: struct passwd has when to change the password, a class and when it expires besides. */
struct darwin_passwd {
    char *name, *passwd;
    uint32_t uid, gid;
    int64_t change;
    char *class, *gecos, *dir, *shell;
    int64_t expire;
};
_Static_assert(sizeof(struct darwin_passwd) == 72, "struct passwd (pwd.h)");
static struct darwin_passwd *passwd_from_host(const struct passwd *host, struct darwin_passwd *out) {
    *out = (struct darwin_passwd){host->pw_name, host->pw_passwd, host->pw_uid, host->pw_gid, 0, "",
                                  host->pw_gecos, host->pw_dir, host->pw_shell, 0};
    return out;
}
static struct darwin_passwd *give_passwd(const struct passwd *host) {
    static _Thread_local struct darwin_passwd out;
    return host != NULL ? passwd_from_host(host, &out) : NULL;
}
DARWIN_EXPORT struct darwin_passwd *forge_darwin_getpwuid(uid_t user) { return give_passwd(getpwuid(user)); }
DARWIN_EXPORT struct darwin_passwd *forge_darwin_getpwnam(const char *name) { return give_passwd(getpwnam(name)); }
DARWIN_EXPORT struct darwin_passwd *forge_darwin_getpwent(void) { return give_passwd(getpwent()); }
static int give_passwd_r(int failure, const struct passwd *found, struct darwin_passwd *out,
                         struct darwin_passwd **result) {
    *result = failure == 0 && found != NULL ? passwd_from_host(found, out) : NULL;
    return darwin_errno_from_host(failure);
}
DARWIN_EXPORT int forge_darwin_getpwuid_r(uid_t user, struct darwin_passwd *out, char *buffer, size_t size,
                                          struct darwin_passwd **result) {
    struct passwd host, *found = NULL;
    int failure = getpwuid_r(user, &host, buffer, size, &found);
    return give_passwd_r(failure, found, out, result);
}
DARWIN_EXPORT int forge_darwin_getpwnam_r(const char *name, struct darwin_passwd *out, char *buffer, size_t size,
                                          struct darwin_passwd **result) {
    struct passwd host, *found = NULL;
    int failure = getpwnam_r(name, &host, buffer, size, &found);
    return give_passwd_r(failure, found, out, result);
}

/* stdlib.h: the flags are open's. */
DARWIN_EXPORT int forge_darwin_mkostemp(char *path, int flags) { return mkostemp(path, darwin_open_flags_to_host(flags)); }
DARWIN_EXPORT int forge_darwin_mkostemps(char *path, int suffix, int flags) {
    return mkostemps(path, suffix, darwin_open_flags_to_host(flags));
}

/* uuid/uuid.h: random ones, of RFC 9562's version 4; those of a time (version 1) without the machine's address. */
extern void forge_darwin_arc4random_buf(void *, size_t);
DARWIN_EXPORT void forge_darwin_uuid_generate_random(uint8_t *out) {
    forge_darwin_arc4random_buf(out, 16);
    out[6] = (out[6] & 0x0f) | 0x40;
    out[8] = (out[8] & 0x3f) | 0x80;
}
DARWIN_EXPORT void forge_darwin_uuid_generate_time(uint8_t *out) {
    struct timeval now;
    gettimeofday(&now, NULL);
    /* 100 ns since 1582-10-15. */
    uint64_t time = (uint64_t)now.tv_sec * 10000000u + (uint64_t)now.tv_usec * 10u + 0x01b21dd213814000u;
    forge_darwin_arc4random_buf(out, 16);
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(time >> (24 - 8 * i));
    out[4] = (uint8_t)(time >> 40);
    out[5] = (uint8_t)(time >> 32);
    out[6] = (uint8_t)(0x10 | (time >> 56 & 0x0f));
    out[7] = (uint8_t)(time >> 48);
    out[8] = (out[8] & 0x3f) | 0x80;
    out[10] |= 1; /* the bit of an address that no machine has */
}

/* unistd.h's syscall: Darwin's numbers. Of them the thread's own number alone (372, thread_selfid) is asked for. */
enum { DARWIN_SYS_thread_selfid = 372 };
long darwin_syscall(int number) {
    if (number == DARWIN_SYS_thread_selfid)
        return syscall(SYS_gettid);
    errno = ENOSYS;
    return -1;
}
#ifdef __x86_64__
DARWIN_EXPORT int forge_darwin_syscall(int number, ...) { return (int)darwin_syscall(number); }
#endif
