/* errno: Darwin's numbers (sys/errno.h) beside glibc's.
 *
 * Darwin's `errno` is `*__error()`. That cell is this thread's own and holds Darwin's number. glibc's errno is what the
 * host's functions write. The two are kept in step without a hook in every function: when Darwin code has been shown
 * its cell, glibc's errno is set to UNTOUCHED, a number that nothing returns. As long as it is still there, the cell is
 * the newer of the two (and may have been written by the caller); any other value is a later failure of a host
 * function, and is translated when the cell is asked for next. Host code that reads errno itself (CPython's
 * PyErr_SetFromErrno) is reached through adapters that publish the cell first. */
#include "darwin_common.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Numbers that one side alone has, as the other side sees them: outside both systems' own ranges. */
enum { HOST_ONLY = 1000, DARWIN_ONLY = 2000, UNTOUCHED = -0x0DA12717 };

static const struct {
    short host, darwin;
} NUMBERS[] = {
    {EDEADLK, DARWIN_EDEADLK}, {EAGAIN, DARWIN_EAGAIN}, {EINPROGRESS, DARWIN_EINPROGRESS},
    {EALREADY, DARWIN_EALREADY}, {ENOTSOCK, DARWIN_ENOTSOCK}, {EDESTADDRREQ, DARWIN_EDESTADDRREQ},
    {EMSGSIZE, DARWIN_EMSGSIZE}, {EPROTOTYPE, DARWIN_EPROTOTYPE}, {ENOPROTOOPT, DARWIN_ENOPROTOOPT},
    {EPROTONOSUPPORT, DARWIN_EPROTONOSUPPORT}, {ESOCKTNOSUPPORT, DARWIN_ESOCKTNOSUPPORT},
    {EPFNOSUPPORT, DARWIN_EPFNOSUPPORT}, {EAFNOSUPPORT, DARWIN_EAFNOSUPPORT}, {EADDRINUSE, DARWIN_EADDRINUSE},
    {EADDRNOTAVAIL, DARWIN_EADDRNOTAVAIL}, {ENETDOWN, DARWIN_ENETDOWN}, {ENETUNREACH, DARWIN_ENETUNREACH},
    {ENETRESET, DARWIN_ENETRESET}, {ECONNABORTED, DARWIN_ECONNABORTED}, {ECONNRESET, DARWIN_ECONNRESET},
    {ENOBUFS, DARWIN_ENOBUFS}, {EISCONN, DARWIN_EISCONN}, {ENOTCONN, DARWIN_ENOTCONN}, {ESHUTDOWN, DARWIN_ESHUTDOWN},
    {ETOOMANYREFS, DARWIN_ETOOMANYREFS}, {ETIMEDOUT, DARWIN_ETIMEDOUT}, {ECONNREFUSED, DARWIN_ECONNREFUSED},
    {ELOOP, DARWIN_ELOOP}, {ENAMETOOLONG, DARWIN_ENAMETOOLONG}, {EHOSTDOWN, DARWIN_EHOSTDOWN},
    {EHOSTUNREACH, DARWIN_EHOSTUNREACH}, {ENOTEMPTY, DARWIN_ENOTEMPTY}, {EUSERS, DARWIN_EUSERS},
    {EDQUOT, DARWIN_EDQUOT}, {ESTALE, DARWIN_ESTALE}, {EREMOTE, DARWIN_EREMOTE}, {ENOLCK, DARWIN_ENOLCK},
    {ENOSYS, DARWIN_ENOSYS}, {EOVERFLOW, DARWIN_EOVERFLOW}, {ECANCELED, DARWIN_ECANCELED}, {EIDRM, DARWIN_EIDRM},
    {ENOMSG, DARWIN_ENOMSG}, {EILSEQ, DARWIN_EILSEQ}, {EBADMSG, DARWIN_EBADMSG}, {EMULTIHOP, DARWIN_EMULTIHOP},
    {ENODATA, DARWIN_ENODATA}, {ENOLINK, DARWIN_ENOLINK}, {ENOSR, DARWIN_ENOSR}, {ENOSTR, DARWIN_ENOSTR},
    {EPROTO, DARWIN_EPROTO}, {ETIME, DARWIN_ETIME}, {ENOTRECOVERABLE, DARWIN_ENOTRECOVERABLE},
    {EOWNERDEAD, DARWIN_EOWNERDEAD},
    /* Linux has one number for both; sockets, which Darwin gives EOPNOTSUPP, fail with it more often than files do. */
    {EOPNOTSUPP, DARWIN_EOPNOTSUPP},
};
enum { COUNT = sizeof NUMBERS / sizeof *NUMBERS };

/* 1 to 34 are Version 7's and the same on both, but for 11 and 35, which 4.2BSD and System V gave to each other. */
static int is_common(int number) { return number > 0 && number <= DARWIN_ERANGE && number != EAGAIN; }

int darwin_errno_from_host(int number) {
    if (number <= 0 || is_common(number))
        return number;
    for (int i = 0; i < COUNT; i++)
        if (NUMBERS[i].host == number)
            return NUMBERS[i].darwin;
    return number > DARWIN_ONLY ? number - DARWIN_ONLY : number + HOST_ONLY;
}

int darwin_errno_to_host(int number) {
    if (number <= 0 || is_common(number))
        return number;
    for (int i = 0; i < COUNT; i++)
        if (NUMBERS[i].darwin == number)
            return NUMBERS[i].host;
    if (number == DARWIN_ENOTSUP)
        return EOPNOTSUPP;
    if (number == DARWIN_ENOATTR)
        return ENODATA; /* what Linux's extended attributes say */
    return number > HOST_ONLY ? number - HOST_ONLY : number + DARWIN_ONLY;
}

static _Thread_local int cell;

/* errno.h: where this thread's errno is. */
DARWIN_EXPORT int *forge_darwin___error(void) {
    int number = errno;
    if (number != UNTOUCHED) {
        cell = darwin_errno_from_host(number);
        errno = UNTOUCHED;
    }
    return &cell;
}

void darwin_errno_publish(void) {
    if (errno == UNTOUCHED)
        errno = darwin_errno_to_host(cell);
}

/* For the loader: makes glibc's errno readable again where host code reads it. */
DARWIN_EXPORT void forge_darwin_errno_publish(void) { darwin_errno_publish(); }

/* The texts of the numbers that Linux has no name for (sys/errno.h's comments). */
static const char *own_text(int number) {
    switch (number) {
    case DARWIN_ENOTSUP: return "Operation not supported";
    case DARWIN_EOPNOTSUPP: return "Operation not supported on socket";
    case DARWIN_EPROCLIM: return "Too many processes";
    case DARWIN_EBADRPC: return "RPC struct is bad";
    case DARWIN_ERPCMISMATCH: return "RPC version wrong";
    case DARWIN_EPROGUNAVAIL: return "RPC prog. not avail";
    case DARWIN_EPROGMISMATCH: return "Program version wrong";
    case DARWIN_EPROCUNAVAIL: return "Bad procedure for program";
    case DARWIN_EFTYPE: return "Inappropriate file type or format";
    case DARWIN_EAUTH: return "Authentication error";
    case DARWIN_ENEEDAUTH: return "Need authenticator";
    case DARWIN_EPWROFF: return "Device power is off";
    case DARWIN_EDEVERR: return "Device error";
    case DARWIN_EBADEXEC: return "Bad executable (or shared library)";
    case DARWIN_EBADARCH: return "Bad CPU type in executable";
    case DARWIN_ESHLIBVERS: return "Shared library version mismatch";
    case DARWIN_EBADMACHO: return "Malformed Mach-o file";
    case DARWIN_ENOATTR: return "Attribute not found";
    case DARWIN_ENOPOLICY: return "Policy not found";
    case DARWIN_EQFULL: return "Interface output queue is full";
    default: return NULL;
    }
}

/* Writes the text of a Darwin number; 0, or DARWIN_EINVAL where there is none. */
static int describe(int number, char *text, size_t size) {
    const char *own = own_text(number);
    if (own != NULL) {
        snprintf(text, size, "%s", own);
        return 0;
    }
    int host = darwin_errno_to_host(number);
    if (number < 0 || host > DARWIN_ONLY || strerrordesc_np(host) == NULL) {
        snprintf(text, size, "Unknown error: %d", number);
        return DARWIN_EINVAL;
    }
    snprintf(text, size, "%s", number == 0 ? "Undefined error: 0" : strerrordesc_np(host));
    return 0;
}

/* string.h: the text of a Darwin number; valid until this thread's next call. */
DARWIN_EXPORT char *forge_darwin_strerror(int number) {
    static _Thread_local char text[128];
    if (describe(number, text, sizeof text) != 0)
        errno = EINVAL;
    return text;
}

/* string.h, POSIX's form: the text into a buffer; returns EINVAL or ERANGE rather than setting errno. */
DARWIN_EXPORT int forge_darwin_strerror_r(int number, char *buffer, size_t size) {
    char text[128];
    int result = describe(number, text, sizeof text);
    if (size > 0)
        snprintf(buffer, size, "%s", text);
    return strlen(text) >= size ? DARWIN_ERANGE : result;
}

/* stdio.h: a name and errno's text on standard error. */
DARWIN_EXPORT void forge_darwin_perror(const char *name) {
    char text[128];
    describe(*forge_darwin___error(), text, sizeof text);
    fprintf(stderr, "%s%s%s\n", name && *name ? name : "", name && *name ? ": " : "", text);
}

void darwin_fatal(const char *function, const char *what) {
    char line[512];
    int length = snprintf(line, sizeof line, "forge emulate: %s: %s\n", function, what);
    /* write, not stdio: the caller may hold stdio's locks, or have broken the heap. */
    if (length > 0 && write(STDERR_FILENO, line, (size_t)length < sizeof line ? (size_t)length : sizeof line - 1) < 0)
        abort();
    abort();
}
