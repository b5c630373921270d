/* Variadic functions on arm64, where Apple's convention is its own (Apple, "Writing ARM64 code for Apple platforms"):
 * every variadic argument lies on the stack in a slot of eight bytes, and va_list is a plain pointer to them.
 *
 * An entry point is a jump that puts the stack pointer, which is the first variadic argument's address, behind the
 * named arguments. What it jumps to makes Linux's va_list of it: one whose register areas are exhausted, so that it
 * walks the stack (AAPCS64, "Variable argument lists"). Functions that take a va_list get the pointer itself. */
#ifdef __aarch64__
#include "darwin_fcntl.h"
#include "darwin_format.h"
#include "darwin_locale.h"
#include "darwin_stat.h"
#include "darwin_variadic_arm64.h"

#include <errno.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

/* stdio.h */
#define NO_LIMIT ((size_t)INT32_MAX)
static int print_descriptor(int descriptor, const char *f, va_list a) {
    char *text;
    int length = darwin_vasprintf(&text, f, a);
    if (length < 0)
        return length;
    ssize_t done = write(descriptor, text, (size_t)length);
    free(text);
    return done == length ? length : -1;
}
static int checked(char *b, size_t n, size_t room, const char *f, va_list a) {
    if (n > room)
        darwin_fatal("__snprintf_chk", "may write past the end of an object (detected by _FORTIFY_SOURCE)");
    return darwin_vsnprintf(b, n, f, a);
}
static int checked_whole(char *b, size_t room, const char *f, va_list a) {
    size_t limit = room < NO_LIMIT ? room : NO_LIMIT;
    int length = darwin_vsnprintf(b, limit, f, a);
    if (length >= 0 && (size_t)length >= limit)
        darwin_fatal("__sprintf_chk", "writes past the end of an object (detected by _FORTIFY_SOURCE)");
    return length;
}
VARIADIC(int, printf, 1, (const char *f, char *slots), darwin_vfprintf(stdout, f, a))
VARIADIC(int, fprintf, 2, (FILE * s, const char *f, char *slots), darwin_vfprintf(s, f, a))
VARIADIC(int, sprintf, 2, (char *b, const char *f, char *slots), darwin_vsnprintf(b, NO_LIMIT, f, a))
VARIADIC(int, snprintf, 3, (char *b, size_t n, const char *f, char *slots), darwin_vsnprintf(b, n, f, a))
VARIADIC(int, asprintf, 2, (char **t, const char *f, char *slots), darwin_vasprintf(t, f, a))
VARIADIC(int, dprintf, 2, (int d, const char *f, char *slots), print_descriptor(d, f, a))
VARIADIC(int, __snprintf_chk, 5, (char *b, size_t n, int flag, size_t room, const char *f, char *slots),
         ((void)flag, checked(b, n, room, f, a)))
VARIADIC(int, __sprintf_chk, 4, (char *b, int flag, size_t room, const char *f, char *slots),
         ((void)flag, checked_whole(b, room, f, a)))
LISTED(int, vprintf, (const char *f, char *slots), darwin_vfprintf(stdout, f, a))
LISTED(int, vfprintf, (FILE * s, const char *f, char *slots), darwin_vfprintf(s, f, a))
LISTED(int, vsprintf, (char *b, const char *f, char *slots), darwin_vsnprintf(b, NO_LIMIT, f, a))
LISTED(int, vsnprintf, (char *b, size_t n, const char *f, char *slots), darwin_vsnprintf(b, n, f, a))
LISTED(int, vasprintf, (char **t, const char *f, char *slots), darwin_vasprintf(t, f, a))
LISTED(int, vdprintf, (int d, const char *f, char *slots), print_descriptor(d, f, a))
LISTED(int, __vsnprintf_chk, (char *b, size_t n, int flag, size_t room, const char *f, char *slots),
       ((void)flag, checked(b, n, room, f, a)))
LISTED(int, __vsprintf_chk, (char *b, int flag, size_t room, const char *f, char *slots),
       ((void)flag, checked_whole(b, room, f, a)))

/* scanf's %Lf stores a double: long double is one. What glibc is given has no L before a floating conversion. */
static char *without_long_double(const char *format) {
    char *made = malloc(strlen(format) + 1), *out = made;
    if (made == NULL)
        darwin_fatal("scanf", "no memory");
    for (const char *p = format; *p != '\0';) {
        *out++ = *p;
        if (*p++ != '%')
            continue;
        while (*p != '\0' && strchr("*'0123456789", *p) != NULL)
            *out++ = *p++;
        if (*p == 'L' && p[1] != '\0' && strchr("aAeEfFgG", p[1]) != NULL) {
            *out++ = 'l';
            p++;
        }
        if (*p == '%')
            *out++ = *p++;
    }
    *out = '\0';
    return made;
}
static int scan_text(const char *text, const char *f, va_list a) {
    char *format = without_long_double(f);
    int result = vsscanf(text, format, a);
    free(format);
    return result;
}
static int scan_stream(FILE *stream, const char *f, va_list a) {
    char *format = without_long_double(f);
    int result = vfscanf(stream, format, a);
    free(format);
    return result;
}
VARIADIC(int, sscanf, 2, (const char *s, const char *f, char *slots), scan_text(s, f, a))
VARIADIC(int, fscanf, 2, (FILE * s, const char *f, char *slots), scan_stream(s, f, a))
VARIADIC(int, scanf, 1, (const char *f, char *slots), scan_stream(stdin, f, a))
LISTED(int, vsscanf, (const char *s, const char *f, char *slots), scan_text(s, f, a))
LISTED(int, vfscanf, (FILE * s, const char *f, char *slots), scan_stream(s, f, a))
LISTED(int, vscanf, (const char *f, char *slots), scan_stream(stdin, f, a))

/* wchar.h: std::to_wstring's. An L before a floating conversion is dropped here too. */
static int print_wide(wchar_t *b, size_t n, const wchar_t *f, va_list a) {
    wchar_t *made = malloc((wcslen(f) + 1) * sizeof *made), *out = made;
    if (made == NULL)
        darwin_fatal("swprintf", "no memory");
    for (const wchar_t *p = f; *p != L'\0';) {
        *out++ = *p;
        if (*p++ != L'%')
            continue;
        while (*p != L'\0' && wcschr(L"-+ #0'.*123456789", *p) != NULL)
            *out++ = *p++;
        if (*p == L'L')
            p++;
        if (*p == L'%')
            *out++ = *p++;
    }
    *out = L'\0';
    int result = vswprintf(b, n, made, a);
    free(made);
    return result;
}
VARIADIC(int, swprintf, 3, (wchar_t * b, size_t n, const wchar_t *f, char *slots), print_wide(b, n, f, a))
LISTED(int, vswprintf, (wchar_t * b, size_t n, const wchar_t *f, char *slots), print_wide(b, n, f, a))

/* xlocale/_stdio.h */
static int print_in(char *b, size_t n, locale_t l, const char *f, va_list a) { IN_LOCALE(l, darwin_vsnprintf(b, n, f, a)); }
static int print_stream_in(FILE *s, locale_t l, const char *f, va_list a) { IN_LOCALE(l, darwin_vfprintf(s, f, a)); }
static int print_new_in(char **t, locale_t l, const char *f, va_list a) { IN_LOCALE(l, darwin_vasprintf(t, f, a)); }
static int scan_in(const char *s, locale_t l, const char *f, va_list a) { IN_LOCALE(l, scan_text(s, f, a)); }
static int scan_stream_in(FILE *s, locale_t l, const char *f, va_list a) { IN_LOCALE(l, scan_stream(s, f, a)); }
VARIADIC(int, snprintf_l, 4, (char *b, size_t n, locale_t l, const char *f, char *slots), print_in(b, n, l, f, a))
VARIADIC(int, sprintf_l, 3, (char *b, locale_t l, const char *f, char *slots), print_in(b, NO_LIMIT, l, f, a))
VARIADIC(int, fprintf_l, 3, (FILE * s, locale_t l, const char *f, char *slots), print_stream_in(s, l, f, a))
VARIADIC(int, printf_l, 2, (locale_t l, const char *f, char *slots), print_stream_in(stdout, l, f, a))
VARIADIC(int, asprintf_l, 3, (char **t, locale_t l, const char *f, char *slots), print_new_in(t, l, f, a))
VARIADIC(int, sscanf_l, 3, (const char *s, locale_t l, const char *f, char *slots), scan_in(s, l, f, a))
VARIADIC(int, fscanf_l, 3, (FILE * s, locale_t l, const char *f, char *slots), scan_stream_in(s, l, f, a))
LISTED(int, vsnprintf_l, (char *b, size_t n, locale_t l, const char *f, char *slots), print_in(b, n, l, f, a))
LISTED(int, vsprintf_l, (char *b, locale_t l, const char *f, char *slots), print_in(b, NO_LIMIT, l, f, a))
LISTED(int, vfprintf_l, (FILE * s, locale_t l, const char *f, char *slots), print_stream_in(s, l, f, a))
LISTED(int, vprintf_l, (locale_t l, const char *f, char *slots), print_stream_in(stdout, l, f, a))
LISTED(int, vasprintf_l, (char **t, locale_t l, const char *f, char *slots), print_new_in(t, l, f, a))
LISTED(int, vsscanf_l, (const char *s, locale_t l, const char *f, char *slots), scan_in(s, l, f, a))
LISTED(int, vfscanf_l, (FILE * s, locale_t l, const char *f, char *slots), scan_stream_in(s, l, f, a))

/* Those that take one value at most need no va_list. */
#define SLOT(type, index) (*(type *)(void *)(slots + 8 * (index)))
#define DIRECT(type, name, named, parameters, call) \
    ENTRY(name, named) \
    TARGET type variadic_##name parameters { return call; }
int darwin_shm_open(const char *, int, int);
sem_t *darwin_sem_open(const char *, int, int, unsigned);
long darwin_syscall(int);
#define MODE(flags) ((flags) & DARWIN_O_CREAT ? SLOT(int, 0) : 0)
DIRECT(int, open, 2, (const char *path, int flags, char *slots), darwin_open(DARWIN_AT_FDCWD, path, flags, MODE(flags)))
DIRECT(int, openat, 3, (int d, const char *path, int flags, char *slots), darwin_open(d, path, flags, MODE(flags)))
DIRECT(int, fcntl, 2, (int d, int command, char *slots), darwin_fcntl(d, command, SLOT(intptr_t, 0)))
DIRECT(int, ioctl, 2, (int d, unsigned long request, char *slots), darwin_ioctl(d, request, SLOT(void *, 0)))
DIRECT(int, shm_open, 2, (const char *name, int flags, char *slots), darwin_shm_open(name, flags, MODE(flags)))
DIRECT(sem_t *, sem_open, 2, (const char *name, int flags, char *slots),
       darwin_sem_open(name, flags, MODE(flags), flags & DARWIN_O_CREAT ? SLOT(unsigned, 1) : 0))
DIRECT(int, syscall, 1, (int number, char *slots), ((void)slots, (int)darwin_syscall(number)))
#endif
