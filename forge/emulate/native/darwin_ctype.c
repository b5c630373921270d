/* ctype.h, _ctype.h, runetype.h: Darwin's inline functions look into `_DefaultRuneLocale`, or call `__maskrune`.
 *
 * The "C" locale's table has types for ASCII alone; 128 to 255 have none (Libc, locale/table.c). Characters beyond are
 * asked of glibc's wide functions, in the locale that is set. */
#include "darwin_common.h"

#include <stdlib.h>
#include <string.h>
#include <wctype.h>

struct rune_range {
    int32_t count;
    void *ranges;
};
struct rune_locale {
    char magic[8], encoding[32];
    void *sgetrune, *sputrune;
    int32_t invalid;
    uint32_t type[256];
    int32_t lower[256], upper[256];
    struct rune_range extended_type, extended_lower, extended_upper;
    void *variable;
    int32_t variable_size, class_count;
    void *classes;
};
_Static_assert(offsetof(struct rune_locale, type) == 60, "_RuneLocale.__runetype (runetype.h)");
_Static_assert(offsetof(struct rune_locale, lower) == 1084, "_RuneLocale.__maplower");
_Static_assert(sizeof(struct rune_locale) == 3208, "_RuneLocale");

DARWIN_EXPORT struct rune_locale forge_darwin__DefaultRuneLocale;
DARWIN_EXPORT struct rune_locale *forge_darwin__CurrentRuneLocale = &forge_darwin__DefaultRuneLocale;

static int is_upper(int c) { return c >= 'A' && c <= 'Z'; }
static int is_lower(int c) { return c >= 'a' && c <= 'z'; }
static int is_digit(int c) { return c >= '0' && c <= '9'; }

/* An ASCII character's type, from ISO C's definitions; the low bits are a digit's value, as in Libc's table. */
static uint32_t ascii_type(int c) {
    uint32_t type = 0;
    int letter = (c | 0x20) - 'a';
    if (c < ' ' || c == 0x7f)
        type |= DARWIN_CTYPE_C;
    if (c == ' ' || (c >= '\t' && c <= '\r'))
        type |= DARWIN_CTYPE_S;
    if (c == ' ' || c == '\t')
        type |= DARWIN_CTYPE_B;
    if (c >= ' ' && c < 0x7f)
        type |= DARWIN_CTYPE_R;
    if (c > ' ' && c < 0x7f)
        type |= DARWIN_CTYPE_G | (is_upper(c) || is_lower(c) || is_digit(c) ? 0u : DARWIN_CTYPE_P);
    if (is_upper(c) || is_lower(c))
        type |= DARWIN_CTYPE_A | (is_upper(c) ? DARWIN_CTYPE_U : DARWIN_CTYPE_L);
    if (is_digit(c))
        type |= DARWIN_CTYPE_D | DARWIN_CTYPE_X | (uint32_t)(c - '0');
    if ((is_upper(c) || is_lower(c)) && letter < 6)
        type |= DARWIN_CTYPE_X | (uint32_t)(letter + 10);
    return type;
}

__attribute__((constructor)) static void fill_table(void) {
    struct rune_locale *table = &forge_darwin__DefaultRuneLocale;
    memcpy(table->magic, "RuneMagA", sizeof table->magic);
    strcpy(table->encoding, "NONE");
    table->invalid = 0xfffd;
    for (int c = 0; c < 256; c++) {
        table->type[c] = c < 128 ? ascii_type(c) : 0;
        table->lower[c] = is_upper(c) ? c + 32 : c;
        table->upper[c] = is_lower(c) ? c - 32 : c;
    }
}

static uint32_t wide_type(int c) {
    uint32_t type = 0;
    wint_t w = (wint_t)c;
    type |= iswalpha(w) ? DARWIN_CTYPE_A : 0u;
    type |= iswcntrl(w) ? DARWIN_CTYPE_C : 0u;
    type |= iswgraph(w) ? DARWIN_CTYPE_G : 0u;
    type |= iswlower(w) ? DARWIN_CTYPE_L : 0u;
    type |= iswpunct(w) ? DARWIN_CTYPE_P : 0u;
    type |= iswspace(w) ? DARWIN_CTYPE_S : 0u;
    type |= iswupper(w) ? DARWIN_CTYPE_U : 0u;
    type |= iswblank(w) ? DARWIN_CTYPE_B : 0u;
    type |= iswprint(w) ? DARWIN_CTYPE_R : 0u;
    return type;
}

/* _ctype.h: a character's type bits, for characters outside ASCII (the inline functions look the others up). */
DARWIN_EXPORT unsigned long forge_darwin____runetype(int c) {
    return c >= 0 && c < 128 ? forge_darwin__DefaultRuneLocale.type[c] : c < 0 ? 0 : wide_type(c);
}
DARWIN_EXPORT unsigned long forge_darwin____runetype_l(int c, void *locale) {
    (void)locale;
    return forge_darwin____runetype(c);
}
DARWIN_EXPORT int forge_darwin___maskrune(int c, unsigned long mask) {
    return (int)(forge_darwin____runetype(c) & (uint32_t)mask);
}
DARWIN_EXPORT int forge_darwin___maskrune_l(int c, unsigned long mask, void *locale) {
    (void)locale;
    return forge_darwin___maskrune(c, mask);
}
DARWIN_EXPORT int forge_darwin___istype(int c, unsigned long mask) { return forge_darwin___maskrune(c, mask) != 0; }
DARWIN_EXPORT int forge_darwin___istype_l(int c, unsigned long mask, void *locale) {
    (void)locale;
    return forge_darwin___maskrune(c, mask) != 0;
}
/* The same for single bytes only: what is not 0 to 255 has no type. */
DARWIN_EXPORT int forge_darwin___isctype(int c, unsigned long mask) {
    return c >= 0 && c < 256 && (forge_darwin__DefaultRuneLocale.type[c] & mask) != 0;
}
DARWIN_EXPORT int forge_darwin___tolower(int c) {
    return c >= 0 && c < 128 ? forge_darwin__DefaultRuneLocale.lower[c] : c < 0 ? c : (int)towlower((wint_t)c);
}
DARWIN_EXPORT int forge_darwin___toupper(int c) {
    return c >= 0 && c < 128 ? forge_darwin__DefaultRuneLocale.upper[c] : c < 0 ? c : (int)towupper((wint_t)c);
}
DARWIN_EXPORT int forge_darwin___tolower_l(int c, void *locale) {
    (void)locale;
    return forge_darwin___tolower(c);
}
DARWIN_EXPORT int forge_darwin___toupper_l(int c, void *locale) {
    (void)locale;
    return forge_darwin___toupper(c);
}
DARWIN_EXPORT int forge_darwin_digittoint(int c) {
    return c >= 0 && c < 128 ? (int)(forge_darwin__DefaultRuneLocale.type[c] & 0xff) : 0;
}

/* ctype.h's functions themselves, where a call is not inlined: any int is allowed, glibc's index a table. */
#define CLASS(name, mask) \
    DARWIN_EXPORT int forge_darwin_##name(int c) { return forge_darwin___istype(c, mask); }
CLASS(isalnum, DARWIN_CTYPE_A | DARWIN_CTYPE_D)
CLASS(isalpha, DARWIN_CTYPE_A)
CLASS(isblank, DARWIN_CTYPE_B)
CLASS(iscntrl, DARWIN_CTYPE_C)
CLASS(isgraph, DARWIN_CTYPE_G)
CLASS(islower, DARWIN_CTYPE_L)
CLASS(isprint, DARWIN_CTYPE_R)
CLASS(ispunct, DARWIN_CTYPE_P)
CLASS(isspace, DARWIN_CTYPE_S)
CLASS(isupper, DARWIN_CTYPE_U)
DARWIN_EXPORT int forge_darwin_isdigit(int c) { return is_digit(c); }
DARWIN_EXPORT int forge_darwin_isxdigit(int c) { return forge_darwin___isctype(c, DARWIN_CTYPE_X); }
DARWIN_EXPORT int forge_darwin_isascii(int c) { return (c & ~0x7f) == 0; }
