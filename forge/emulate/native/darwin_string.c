/* string.h, strings.h, stdlib.h: functions that glibc has not, or has with other arguments. */
#include "darwin_common.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* string.h: memset_pattern4, 8, 16: fills length bytes with a repeated pattern, the last one cut. */
static void fill(void *target, const void *pattern, size_t width, size_t length) {
    char *out = target;
    for (; length >= width; length -= width, out += width)
        memcpy(out, pattern, width);
    memcpy(out, pattern, length);
}
DARWIN_EXPORT void forge_darwin_memset_pattern4(void *b, const void *p, size_t n) { fill(b, p, 4, n); }
DARWIN_EXPORT void forge_darwin_memset_pattern8(void *b, const void *p, size_t n) { fill(b, p, 8, n); }
DARWIN_EXPORT void forge_darwin_memset_pattern16(void *b, const void *p, size_t n) { fill(b, p, 16, n); }

/* The compiler's name for bzero. */
DARWIN_EXPORT void forge_darwin___bzero(void *target, size_t length) { memset(target, 0, length); }

/* string.h: copies what fits and always ends it; returns the length of the source. */
DARWIN_EXPORT size_t forge_darwin_strlcpy(char *target, const char *source, size_t size) {
    size_t length = strlen(source);
    if (size > 0) {
        size_t kept = length < size ? length : size - 1;
        memcpy(target, source, kept);
        target[kept] = '\0';
    }
    return length;
}

/* string.h: appends likewise; returns the length it tried to make. */
DARWIN_EXPORT size_t forge_darwin_strlcat(char *target, const char *source, size_t size) {
    size_t used = strnlen(target, size);
    return used == size ? size + strlen(source) : used + forge_darwin_strlcpy(target + used, source, size - used);
}

/* string.h: strstr within the first length characters. */
DARWIN_EXPORT char *forge_darwin_strnstr(const char *text, const char *wanted, size_t length) {
    size_t size = strlen(wanted), room = strnlen(text, length);
    return size == 0 ? (char *)text : memmem(text, room, wanted, size);
}

/* string.h: comparison in a time that does not depend on the contents. */
DARWIN_EXPORT int forge_darwin_timingsafe_bcmp(const void *one, const void *other, size_t length) {
    const volatile unsigned char *a = one, *b = other;
    unsigned char difference = 0;
    for (size_t i = 0; i < length; i++)
        difference |= a[i] ^ b[i];
    return difference != 0;
}

/* string.h (C11 annex K): memset that is not optimised away; errno_t result. */
DARWIN_EXPORT int forge_darwin_memset_s(void *target, size_t room, int value, size_t length) {
    if (target == NULL || room > INT64_MAX || length > INT64_MAX)
        return DARWIN_EINVAL;
    size_t n = length < room ? length : room;
    memset(target, value, n);
    __asm__ volatile("" : : "r"(target) : "memory");
    return length > room ? DARWIN_EOVERFLOW : 0;
}

/* stdlib.h: the context comes before the comparison, and the comparison gets it first; glibc has both last. */
struct ordering {
    void *context;
    int (*compare)(void *, const void *, const void *);
};
static int compare(const void *one, const void *other, void *ordering) {
    const struct ordering *o = ordering;
    return o->compare(o->context, one, other);
}
DARWIN_EXPORT void forge_darwin_qsort_r(void *base, size_t count, size_t width, void *context,
                                        int (*function)(void *, const void *, const void *)) {
    struct ordering ordering = {context, function};
    qsort_r(base, count, width, compare, &ordering);
}

/* The comparison is a block (Block ABI: its function gets the block itself first). */
struct block {
    void *isa;
    int flags, reserved;
    int (*invoke)(void *, const void *, const void *);
};
DARWIN_EXPORT void forge_darwin_qsort_b(void *base, size_t count, size_t width, struct block *block) {
    forge_darwin_qsort_r(base, count, width, block, block->invoke);
}

/* stdlib.h: a stable sort; BSD's merges. Returns -1 with errno where it has no memory or the width is too small. */
DARWIN_EXPORT int forge_darwin_mergesort(void *base, size_t count, size_t width,
                                         int (*order)(const void *, const void *)) {
    if (width < sizeof(void *) / 2) {
        errno = EINVAL;
        return -1;
    }
    char *scratch = malloc(count > 0 ? count * width : 1), *from = base, *to = scratch;
    if (scratch == NULL)
        return -1;
    for (size_t run = 1; run < count; run *= 2) {
        for (size_t start = 0; start < count; start += 2 * run) {
            size_t left = start, middle = start + run < count ? start + run : count;
            size_t right = middle, end = start + 2 * run < count ? start + 2 * run : count;
            for (size_t out = start; out < end; out++) {
                int take_left = right >= end || (left < middle && order(from + left * width, from + right * width) <= 0);
                memcpy(to + out * width, from + (take_left ? left++ : right++) * width, width);
            }
        }
        char *other = from;
        from = to;
        to = other;
    }
    if (from != base)
        memcpy(base, from, count * width);
    free(scratch);
    return 0;
}

/* stdlib.h: realloc that frees the old block where there is no new one. */
DARWIN_EXPORT void *forge_darwin_reallocf(void *old, size_t size) {
    void *made = realloc(old, size);
    if (made == NULL && size != 0)
        free(old);
    return made;
}

/* stdlib.h: a number within limits, or 0 and what is wrong with it (OpenBSD's). */
DARWIN_EXPORT long long forge_darwin_strtonum(const char *text, long long low, long long high, const char **error) {
    char *end;
    int saved = errno;
    const char *wrong = NULL;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (low > high || end == text || *end != '\0')
        wrong = "invalid";
    else if (value < low || (errno == ERANGE && value < 0))
        wrong = "too small";
    else if (value > high || errno == ERANGE)
        wrong = "too large";
    if (error != NULL)
        *error = wrong;
    errno = wrong == NULL ? saved : *wrong == 'i' ? EINVAL : ERANGE;
    return wrong == NULL ? value : 0;
}

/* stdlib.h: the program's short name; the loader's host has one too. */
DARWIN_EXPORT const char *forge_darwin_getprogname(void) { return program_invocation_short_name; }
DARWIN_EXPORT void forge_darwin_setprogname(const char *name) {
    const char *slash = strrchr(name, '/');
    program_invocation_short_name = (char *)(slash != NULL ? slash + 1 : name);
}

/* stdlib.h: at exit; glibc's own is in the static part of the library, which dlsym does not see. */
extern int __cxa_atexit(void (*)(void *), void *, void *);
static void call_plain(void *function) { ((void (*)(void))function)(); }
DARWIN_EXPORT int forge_darwin_atexit(void (*function)(void)) {
    return __cxa_atexit(call_plain, (void *)function, NULL);
}
DARWIN_EXPORT int forge_darwin_at_quick_exit(void (*function)(void)) { return at_quick_exit(function); }

/* sys/param.h's MAXPATHLEN and PATH_MAX are 1024 on Darwin, and buffers have that size: realpath must not write more
 * (unistd.h; stdlib.h). */
enum { DARWIN_PATH_MAX = 1024 };
DARWIN_EXPORT char *forge_darwin_realpath(const char *path, char *resolved) {
    char *made = realpath(path, NULL);
    if (made == NULL || resolved == NULL)
        return made;
    size_t length = strlen(made);
    if (length >= DARWIN_PATH_MAX) {
        free(made);
        errno = ENAMETOOLONG;
        return NULL;
    }
    memcpy(resolved, made, length + 1);
    free(made);
    return resolved;
}
