/* What -D_FORTIFY_SOURCE and -fstack-protector call (secure/_string.h, secure/_stdio.h).
 *
 * Each `__*_chk` takes the size of the object written to, (size_t)-1 where the compiler does not know it, and stops the
 * program before it is overrun. The printf family's is in darwin_stdio.c. */
#include "darwin_common.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

/* _stack_chk_guard: any number that is hard to guess; it only has to stay the same. */
DARWIN_EXPORT uintptr_t forge_darwin___stack_chk_guard = 0x595e9fbd94fda766u;
DARWIN_EXPORT _Noreturn void forge_darwin___stack_chk_fail(void) {
    darwin_fatal("__stack_chk_fail", "a function wrote over its stack frame's end");
}

/* assert.h */
DARWIN_EXPORT _Noreturn void forge_darwin___assert_rtn(const char *function, const char *file, int line,
                                                       const char *expression) {
    if (function == (const char *)-1)
        fprintf(stderr, "Assertion failed: (%s), file %s, line %d.\n", expression, file, line);
    else
        fprintf(stderr, "Assertion failed: (%s), function %s, file %s, line %d.\n", expression, function, file, line);
    abort();
}

static void check(const char *function, size_t wanted, size_t room) {
    if (wanted > room)
        darwin_fatal(function, "writes past the end of an object (detected by _FORTIFY_SOURCE)");
}

DARWIN_EXPORT void *forge_darwin___memcpy_chk(void *t, const void *s, size_t n, size_t room) {
    check("__memcpy_chk", n, room);
    return memcpy(t, s, n);
}
DARWIN_EXPORT void *forge_darwin___memmove_chk(void *t, const void *s, size_t n, size_t room) {
    check("__memmove_chk", n, room);
    return memmove(t, s, n);
}
DARWIN_EXPORT void *forge_darwin___memset_chk(void *t, int c, size_t n, size_t room) {
    check("__memset_chk", n, room);
    return memset(t, c, n);
}
DARWIN_EXPORT void *forge_darwin___memccpy_chk(void *t, const void *s, int c, size_t n, size_t room) {
    const char *stop = memchr(s, c, n);
    check("__memccpy_chk", stop != NULL ? (size_t)(stop - (const char *)s) + 1 : n, room);
    return memccpy(t, s, c, n);
}
DARWIN_EXPORT char *forge_darwin___strcpy_chk(char *t, const char *s, size_t room) {
    size_t n = strlen(s) + 1;
    check("__strcpy_chk", n, room);
    return memcpy(t, s, n);
}
DARWIN_EXPORT char *forge_darwin___stpcpy_chk(char *t, const char *s, size_t room) {
    size_t n = strlen(s) + 1;
    check("__stpcpy_chk", n, room);
    return (char *)memcpy(t, s, n) + n - 1;
}
DARWIN_EXPORT char *forge_darwin___strncpy_chk(char *t, const char *s, size_t n, size_t room) {
    check("__strncpy_chk", n, room);
    forge_darwin___memset_chk(t, 0, n, room);
    memcpy(t, s, strnlen(s, n));
    return t;
}
DARWIN_EXPORT char *forge_darwin___stpncpy_chk(char *t, const char *s, size_t n, size_t room) {
    forge_darwin___strncpy_chk(t, s, n, room);
    return t + strnlen(s, n);
}
DARWIN_EXPORT char *forge_darwin___strcat_chk(char *t, const char *s, size_t room) {
    size_t used = strlen(t), n = strlen(s) + 1;
    check("__strcat_chk", used + n, room);
    memcpy(t + used, s, n);
    return t;
}
DARWIN_EXPORT char *forge_darwin___strncat_chk(char *t, const char *s, size_t n, size_t room) {
    size_t used = strlen(t), added = strnlen(s, n);
    check("__strncat_chk", used + added + 1, room);
    memcpy(t + used, s, added);
    t[used + added] = '\0';
    return t;
}
extern size_t forge_darwin_strlcpy(char *, const char *, size_t);
extern size_t forge_darwin_strlcat(char *, const char *, size_t);
DARWIN_EXPORT size_t forge_darwin___strlcpy_chk(char *t, const char *s, size_t size, size_t room) {
    check("__strlcpy_chk", size, room);
    return forge_darwin_strlcpy(t, s, size);
}
DARWIN_EXPORT size_t forge_darwin___strlcat_chk(char *t, const char *s, size_t size, size_t room) {
    check("__strlcat_chk", size, room);
    return forge_darwin_strlcat(t, s, size);
}
