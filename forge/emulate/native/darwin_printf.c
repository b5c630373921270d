/* The entry points of the printf and scanf families on x86_64 (stdio.h, secure/_stdio.h, xlocale/_stdio.h).
 *
 * Variadic arguments and va_list are System V's on both systems there. arm64's are in darwin_variadic_arm64.c. */
#ifdef __x86_64__
#include "darwin_format.h"
#include "darwin_locale.h"

#include <stdlib.h>
#include <unistd.h>
#include <wchar.h>

/* Without a limit of its own: sprintf, whose caller vouches for the room. */
#define NO_LIMIT ((size_t)INT32_MAX)

DARWIN_EXPORT int forge_darwin_vsnprintf(char *b, size_t n, const char *f, va_list a) { return darwin_vsnprintf(b, n, f, a); }
DARWIN_EXPORT int forge_darwin_vsprintf(char *b, const char *f, va_list a) { return darwin_vsnprintf(b, NO_LIMIT, f, a); }
DARWIN_EXPORT int forge_darwin_vfprintf(FILE *s, const char *f, va_list a) { return darwin_vfprintf(s, f, a); }
DARWIN_EXPORT int forge_darwin_vprintf(const char *f, va_list a) { return darwin_vfprintf(stdout, f, a); }
DARWIN_EXPORT int forge_darwin_vasprintf(char **t, const char *f, va_list a) { return darwin_vasprintf(t, f, a); }
DARWIN_EXPORT int forge_darwin_vdprintf(int descriptor, const char *f, va_list a) {
    char *text;
    int length = darwin_vasprintf(&text, f, a);
    if (length >= 0) {
        ssize_t done = write(descriptor, text, (size_t)length);
        free(text);
        return done == length ? length : -1;
    }
    return length;
}
/* The object's size, and what _FORTIFY_SOURCE does about it. */
static int checked(char *b, size_t n, size_t room, const char *f, va_list a, const char *function) {
    if (n > room)
        darwin_fatal(function, "may write past the end of an object (detected by _FORTIFY_SOURCE)");
    return darwin_vsnprintf(b, n, f, a);
}
static int checked_whole(char *b, size_t room, const char *f, va_list a, const char *function) {
    size_t limit = room < NO_LIMIT ? room : NO_LIMIT;
    int length = darwin_vsnprintf(b, limit, f, a);
    if (length >= 0 && (size_t)length >= limit)
        darwin_fatal(function, "writes past the end of an object (detected by _FORTIFY_SOURCE)");
    return length;
}
DARWIN_EXPORT int forge_darwin___vsnprintf_chk(char *b, size_t n, int flag, size_t room, const char *f, va_list a) {
    (void)flag;
    return checked(b, n, room, f, a, "__vsnprintf_chk");
}
DARWIN_EXPORT int forge_darwin___vsprintf_chk(char *b, int flag, size_t room, const char *f, va_list a) {
    (void)flag;
    return checked_whole(b, room, f, a, "__vsprintf_chk");
}

#define VARIADIC(name, parameters, last, call) \
    DARWIN_EXPORT int forge_darwin_##name parameters { \
        va_list a; \
        va_start(a, last); \
        int result = call; \
        va_end(a); \
        return result; \
    }
VARIADIC(snprintf, (char *b, size_t n, const char *f, ...), f, darwin_vsnprintf(b, n, f, a))
VARIADIC(sprintf, (char *b, const char *f, ...), f, darwin_vsnprintf(b, NO_LIMIT, f, a))
VARIADIC(fprintf, (FILE * s, const char *f, ...), f, darwin_vfprintf(s, f, a))
VARIADIC(printf, (const char *f, ...), f, darwin_vfprintf(stdout, f, a))
VARIADIC(asprintf, (char **t, const char *f, ...), f, darwin_vasprintf(t, f, a))
VARIADIC(dprintf, (int d, const char *f, ...), f, forge_darwin_vdprintf(d, f, a))
VARIADIC(__snprintf_chk, (char *b, size_t n, int flag, size_t room, const char *f, ...), f,
         ((void)flag, checked(b, n, room, f, a, "__snprintf_chk")))
VARIADIC(__sprintf_chk, (char *b, int flag, size_t room, const char *f, ...), f,
         ((void)flag, checked_whole(b, room, f, a, "__sprintf_chk")))

/* With a locale. */
DARWIN_EXPORT int forge_darwin_vsnprintf_l(char *b, size_t n, locale_t l, const char *f, va_list a) { IN_LOCALE(l, darwin_vsnprintf(b, n, f, a)); }
DARWIN_EXPORT int forge_darwin_vsprintf_l(char *b, locale_t l, const char *f, va_list a) { IN_LOCALE(l, darwin_vsnprintf(b, NO_LIMIT, f, a)); }
DARWIN_EXPORT int forge_darwin_vfprintf_l(FILE *s, locale_t l, const char *f, va_list a) { IN_LOCALE(l, darwin_vfprintf(s, f, a)); }
DARWIN_EXPORT int forge_darwin_vprintf_l(locale_t l, const char *f, va_list a) { IN_LOCALE(l, darwin_vfprintf(stdout, f, a)); }
DARWIN_EXPORT int forge_darwin_vasprintf_l(char **t, locale_t l, const char *f, va_list a) { IN_LOCALE(l, darwin_vasprintf(t, f, a)); }
DARWIN_EXPORT int forge_darwin_vsscanf_l(const char *s, locale_t l, const char *f, va_list a) { IN_LOCALE(l, vsscanf(s, f, a)); }
DARWIN_EXPORT int forge_darwin_vfscanf_l(FILE *s, locale_t l, const char *f, va_list a) { IN_LOCALE(l, vfscanf(s, f, a)); }
VARIADIC(snprintf_l, (char *b, size_t n, locale_t l, const char *f, ...), f, forge_darwin_vsnprintf_l(b, n, l, f, a))
VARIADIC(sprintf_l, (char *b, locale_t l, const char *f, ...), f, forge_darwin_vsprintf_l(b, l, f, a))
VARIADIC(fprintf_l, (FILE * s, locale_t l, const char *f, ...), f, forge_darwin_vfprintf_l(s, l, f, a))
VARIADIC(printf_l, (locale_t l, const char *f, ...), f, forge_darwin_vprintf_l(l, f, a))
VARIADIC(asprintf_l, (char **t, locale_t l, const char *f, ...), f, forge_darwin_vasprintf_l(t, l, f, a))
VARIADIC(sscanf_l, (const char *s, locale_t l, const char *f, ...), f, forge_darwin_vsscanf_l(s, l, f, a))
VARIADIC(fscanf_l, (FILE * s, locale_t l, const char *f, ...), f, forge_darwin_vfscanf_l(s, l, f, a))
#endif
