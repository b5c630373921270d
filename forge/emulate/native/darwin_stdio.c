/* stdio.h: the streams as variables, and functions whose arguments or buffers differ. FILE itself stays glibc's.
 *
 * Macros that look into FILE (putc_unlocked's __sputc) are not served: `__swbuf` and `__srget` are in no table. */
#include "darwin_common.h"

#include <errno.h>
#include <printf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

DARWIN_EXPORT FILE *forge_darwin___stdinp;
DARWIN_EXPORT FILE *forge_darwin___stdoutp;
DARWIN_EXPORT FILE *forge_darwin___stderrp;
__attribute__((constructor)) static void open_streams(void) {
    forge_darwin___stdinp = stdin;
    forge_darwin___stdoutp = stdout;
    forge_darwin___stderrp = stderr;
}

/* A caller's buffer is Darwin's BUFSIZ, 1,024 bytes; glibc would use 8,192 of it. */
DARWIN_EXPORT void forge_darwin_setbuf(FILE *stream, char *buffer) {
    setvbuf(stream, buffer, buffer != NULL ? _IOFBF : _IONBF, DARWIN_BUFSIZ);
}

/* fpos_t is an offset of 8 bytes; glibc's carries a conversion state too. */
DARWIN_EXPORT int forge_darwin_fgetpos(FILE *stream, int64_t *position) {
    off_t here = ftello(stream);
    if (here < 0)
        return -1;
    *position = here;
    return 0;
}
DARWIN_EXPORT int forge_darwin_fsetpos(FILE *stream, const int64_t *position) {
    return fseeko(stream, *position, SEEK_SET);
}

/* A line without its end's NUL, valid until the next one of this thread. */
DARWIN_EXPORT char *forge_darwin_fgetln(FILE *stream, size_t *length) {
    static _Thread_local char *line;
    static _Thread_local size_t room;
    ssize_t done = getline(&line, &room, stream);
    *length = done < 0 ? 0 : (size_t)done;
    return done < 0 ? NULL : line;
}

/* A stream of the caller's functions: their lengths and results are int, the position is 64 bits. */
struct functions {
    void *cookie;
    int (*read)(void *, char *, int);
    int (*write)(void *, const char *, int);
    int64_t (*seek)(void *, int64_t, int);
    int (*close)(void *);
};
static ssize_t call_read(void *f, char *buffer, size_t size) {
    struct functions *own = f;
    return own->read(own->cookie, buffer, size > INT32_MAX ? INT32_MAX : (int)size);
}
static ssize_t call_write(void *f, const char *buffer, size_t size) {
    struct functions *own = f;
    int done = own->write(own->cookie, buffer, size > INT32_MAX ? INT32_MAX : (int)size);
    return done < 0 ? 0 : done; /* glibc's contract: 0 is the error */
}
static int call_seek(void *f, off64_t *position, int whence) {
    struct functions *own = f;
    int64_t made = own->seek(own->cookie, *position, whence);
    if (made < 0)
        return -1;
    *position = made;
    return 0;
}
static int call_close(void *f) {
    struct functions *own = f;
    int result = own->close != NULL ? own->close(own->cookie) : 0;
    free(own);
    return result;
}
DARWIN_EXPORT FILE *forge_darwin_funopen(const void *cookie, int (*read)(void *, char *, int),
                                         int (*write)(void *, const char *, int), int64_t (*seek)(void *, int64_t, int),
                                         int (*close)(void *)) {
    if (read == NULL && write == NULL) {
        errno = EINVAL;
        return NULL;
    }
    struct functions *own = malloc(sizeof *own);
    if (own == NULL)
        return NULL;
    *own = (struct functions){(void *)cookie, read, write, seek, close};
    cookie_io_functions_t host = {read != NULL ? call_read : NULL, write != NULL ? call_write : NULL,
                                  seek != NULL ? call_seek : NULL, call_close};
    FILE *stream = fopencookie(own, read == NULL ? "w" : write == NULL ? "r" : "r+", host);
    if (stream == NULL)
        free(own);
    return stream;
}

/* Whether two arguments of printf are passed alike: signs, and pointers to what, make no difference. */
static int passed_alike(int one, int other) {
    const int width = PA_FLAG_LONG | PA_FLAG_LONG_LONG;
    int a = one & ~PA_FLAG_MASK, b = other & ~PA_FLAG_MASK;
    int pointers = (one & PA_FLAG_PTR) || a == PA_POINTER || a == PA_STRING || a == PA_WSTRING;
    int too = (other & PA_FLAG_PTR) || b == PA_POINTER || b == PA_STRING || b == PA_WSTRING;
    if (pointers || too)
        return pointers && too;
    if (a == PA_DOUBLE || b == PA_DOUBLE)
        return a == b && (one & PA_FLAG_LONG_DOUBLE) == (other & PA_FLAG_LONG_DOUBLE);
    return !(one & width) == !(other & width);
}

/* stdio.h: a format that came from outside, if it takes the same arguments as the program's own. */
DARWIN_EXPORT const char *forge_darwin_fmtcheck(const char *suspect, const char *known) {
    enum { MOST = 64 };
    int theirs[MOST], ours[MOST];
    if (suspect == NULL)
        return known;
    size_t count = parse_printf_format(suspect, MOST, theirs);
    if (count > MOST || count != parse_printf_format(known, MOST, ours))
        return known;
    for (size_t i = 0; i < count; i++)
        if (!passed_alike(theirs[i], ours[i]))
            return known;
    return suspect;
}
