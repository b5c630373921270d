/* The printf family (stdio.h, printf(3)): glibc does the work, but for what it writes otherwise:
 *
 *   %p     "0x0" for NULL, where glibc writes "(nil)"
 *   %f ... "nan" whatever its sign, where glibc writes "-nan"
 *   %D %O %U   "ld", "lo", "lu"
 *   L      on arm64, where long double is double, nothing
 *
 * A format with none of these goes to glibc whole. Others are done conversion by conversion; those with numbered
 * arguments (`%1$s`) go to glibc whole too. */
#include "darwin_format.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

/* One conversion of a format: "%-+ #0'" flags, width, precision, length, letter. */
struct conversion {
    char text[64];   /* as glibc is to get it, with '*' where the format has it */
    int stars;
    int longs;       /* -2 for hh, -1 for h, 1 for l, 2 for ll, q, j, z, t */
    int long_double; /* L */
    char letter;
};

/* Reads the conversion at *at (a '%'); 0 if it is none that this file understands. */
static int read_conversion(const char **at, struct conversion *out) {
    const char *p = *at + 1;
    size_t used = 0;
    *out = (struct conversion){.stars = 0};
    out->text[used++] = '%';
    for (; *p != '\0' && strchr("-+ #0'.*123456789", *p) != NULL; p++) {
        out->stars += *p == '*';
        if (used >= sizeof out->text - 4)
            return 0;
        out->text[used++] = *p;
    }
    if (*p == '$')
        return 0;
    for (; *p != '\0' && strchr("hlqjztL", *p) != NULL; p++) {
        out->longs = *p == 'h' ? out->longs - 1 : *p == 'l' ? out->longs + 1 : *p == 'L' ? out->longs : 2;
        out->long_double |= *p == 'L';
    }
    if (*p == '\0' || strchr("diouxXcCsSpnDOUaAeEfFgGm%", *p) == NULL)
        return 0;
    out->letter = *p;
    if (strchr("DOU", *p) != NULL) {
        out->longs = 1;
        out->letter = *p == 'D' ? 'd' : *p == 'O' ? 'o' : 'u';
    }
    int is_float = strchr("aAeEfFgG", out->letter) != NULL;
#ifdef __aarch64__
    out->long_double = 0;
#endif
    const char *length = is_float && out->long_double ? "L" : is_float || out->letter == '%' ? ""
                         : out->longs >= 2 ? "ll" : out->longs == 1 ? "l" : out->longs == -1 ? "h"
                         : out->longs <= -2 ? "hh" : "";
    used += (size_t)snprintf(out->text + used, sizeof out->text - used, "%s%c", length, out->letter);
    *at = p + 1;
    return used < sizeof out->text;
}

/* Whether glibc writes every conversion of a format as Darwin does. */
static int is_plain(const char *format) {
    int special = 0;
    for (const char *p = strchr(format, '%'); p != NULL; p = strchr(p, '%')) {
        struct conversion c;
        const char *start = p;
        if (!read_conversion(&p, &c))
            return 1; /* not understood, or numbered arguments: glibc's */
        special |= strchr("paAeEfFgG", c.letter) != NULL || memchr(start, 'D', (size_t)(p - start)) != NULL ||
                   memchr(start, 'O', (size_t)(p - start)) != NULL || memchr(start, 'U', (size_t)(p - start)) != NULL;
    }
    return !special;
}

/* Text that grows. */
struct buffer {
    char *text;
    size_t length, room;
};
static int reserve(struct buffer *b, size_t more) {
    if (b->length + more + 1 <= b->room)
        return 0;
    size_t room = b->room * 2 + more + 64;
    char *made = realloc(b->text, room);
    if (made == NULL)
        return -1;
    b->text = made;
    b->room = room;
    return 0;
}
static int append(struct buffer *b, const char *text, size_t length) {
    if (reserve(b, length) != 0)
        return -1;
    memcpy(b->text + b->length, text, length);
    b->length += length;
    b->text[b->length] = '\0';
    return 0;
}

/* Writes one conversion's argument with glibc, given its stars. */
#define WRITE(b, c, stars, value) \
    (__extension__({ \
        int done_ = -1; \
        __auto_type value_ = (value); /* once: it takes an argument off the list */ \
        for (int pass_ = 0; pass_ < 2; pass_++) { \
            size_t room_ = (b)->room - (b)->length; \
            char *at_ = (b)->text + (b)->length; \
            done_ = (c)->stars == 0   ? snprintf(at_, room_, (c)->text, value_) \
                    : (c)->stars == 1 ? snprintf(at_, room_, (c)->text, (stars)[0], value_) \
                                      : snprintf(at_, room_, (c)->text, (stars)[0], (stars)[1], value_); \
            if (done_ < 0 || (size_t)done_ < room_ || reserve(b, (size_t)done_) != 0) \
                break; \
        } \
        if (done_ > 0) \
            (b)->length += (size_t)done_; \
        done_ < 0 ? -1 : 0; \
    }))

/* Replaces the letter, so that a text or another number is written in the same field. */
static struct conversion with_letter(const struct conversion *c, const char *letters) {
    struct conversion other = *c;
    size_t end = strlen(other.text) - 1;
    while (end > 1 && strchr("hlL", other.text[end - 1]) != NULL)
        end--;
    strcpy(other.text + end, letters);
    return other;
}
/* A zero flag and a precision mean nothing to "nan". */
static struct conversion for_nan(const struct conversion *c) {
    struct conversion other = with_letter(c, "s");
    char *out = other.text + 1;
    for (const char *in = other.text + 1; *in != '\0'; in++)
        if (!(*in == '0' && (in == other.text + 1 || strchr("-+ #'0", in[-1]) != NULL)) && strchr("#'+ ", *in) == NULL)
            *out++ = *in;
    *out = '\0';
    char *dot = strchr(other.text, '.');
    if (dot != NULL && other.stars == 0)
        strcpy(dot, "s");
    return other;
}

/* Not a number has no sign, whatever the flags ask for (FreeBSD's vfprintf, which Darwin's is). */
static int write_nan(struct buffer *b, const struct conversion *c, const int *stars) {
    struct conversion other = for_nan(c);
    const char *text = strchr("AEFG", c->letter) != NULL ? "NAN" : "nan";
    if (other.stars == 2 || (other.stars == 1 && strstr(c->text, ".*") != NULL)) {
        /* The precision is left out: only the width, if it was a star, remains. */
        char *dot = strchr(other.text, '.');
        if (dot != NULL)
            strcpy(dot, "s");
        other.stars--;
    }
    return WRITE(b, &other, stars, text);
}

static int write_one(struct buffer *b, const struct conversion *c, va_list *arguments) {
    int stars[2] = {0, 0};
    for (int i = 0; i < c->stars && i < 2; i++)
        stars[i] = va_arg(*arguments, int);
    switch (c->letter) {
    case '%': return append(b, "%", 1);
    case 'm': return WRITE(b, c, stars, 0);
    case 'p': {
        void *value = va_arg(*arguments, void *);
        struct conversion null = with_letter(c, "s");
        return value == NULL ? WRITE(b, &null, stars, "0x0") : WRITE(b, c, stars, value);
    }
    case 'n': {
        void *where = va_arg(*arguments, void *);
        if (c->longs >= 2)
            *(long long *)where = (long long)b->length;
        else if (c->longs == 1)
            *(long *)where = (long)b->length;
        else if (c->longs == -1)
            *(short *)where = (short)b->length;
        else if (c->longs <= -2)
            *(signed char *)where = (signed char)b->length;
        else
            *(int *)where = (int)b->length;
        return 0;
    }
    case 's':
    case 'S': return WRITE(b, c, stars, va_arg(*arguments, void *));
    case 'c':
        if (c->longs == 1)
            return WRITE(b, c, stars, va_arg(*arguments, wint_t));
        return WRITE(b, c, stars, va_arg(*arguments, int));
    case 'C': return WRITE(b, c, stars, va_arg(*arguments, wint_t));
    case 'a': case 'A': case 'e': case 'E': case 'f': case 'F': case 'g': case 'G':
        if (c->long_double) {
            long double value = va_arg(*arguments, long double);
            return isnan(value) ? write_nan(b, c, stars) : WRITE(b, c, stars, value);
        } else {
            double value = va_arg(*arguments, double);
            return isnan(value) ? write_nan(b, c, stars) : WRITE(b, c, stars, value);
        }
    default: /* integers */
        if (c->longs >= 2)
            return WRITE(b, c, stars, va_arg(*arguments, long long));
        if (c->longs == 1)
            return WRITE(b, c, stars, va_arg(*arguments, long));
        return WRITE(b, c, stars, va_arg(*arguments, int));
    }
}

int darwin_vasprintf(char **text, const char *format, va_list arguments) {
    if (is_plain(format))
        return vasprintf(text, format, arguments);
    struct buffer b = {NULL, 0, 0};
    va_list own;
    va_copy(own, arguments);
    int failed = reserve(&b, strlen(format));
    if (!failed)
        b.text[0] = '\0';
    for (const char *p = format; !failed && *p != '\0';) {
        const char *next = strchrnul(p, '%');
        if (next != p) {
            failed = append(&b, p, (size_t)(next - p));
            p = next;
            continue;
        }
        struct conversion c;
        read_conversion(&p, &c); /* is_plain has read every one of them */
        failed = write_one(&b, &c, &own);
    }
    va_end(own);
    if (failed) {
        free(b.text);
        *text = NULL;
        return -1;
    }
    *text = b.text;
    return (int)b.length;
}
int darwin_vsnprintf(char *buffer, size_t size, const char *format, va_list arguments) {
    if (is_plain(format))
        return vsnprintf(buffer, size, format, arguments);
    char *text;
    int length = darwin_vasprintf(&text, format, arguments);
    if (length < 0)
        return length;
    if (size > 0) {
        size_t kept = (size_t)length < size ? (size_t)length : size - 1;
        memcpy(buffer, text, kept);
        buffer[kept] = '\0';
    }
    free(text);
    return length;
}
int darwin_vfprintf(FILE *stream, const char *format, va_list arguments) {
    if (is_plain(format))
        return vfprintf(stream, format, arguments);
    char *text;
    int length = darwin_vasprintf(&text, format, arguments);
    if (length < 0)
        return length;
    size_t done = fwrite(text, 1, (size_t)length, stream);
    free(text);
    return done == (size_t)length ? length : -1;
}
