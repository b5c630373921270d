/* locale.h, xlocale.h, langinfo.h: categories by Darwin's numbers; NULL as a locale is the "C" locale.
 *
 * Darwin's xlocale functions take a locale everywhere; glibc has few of them, so the thread's own is set for the call. */
#include "darwin_locale.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>
#include <wctype.h>

static const int CATEGORIES[] = {LC_ALL, LC_COLLATE, LC_CTYPE, LC_MONETARY, LC_NUMERIC, LC_TIME, LC_MESSAGES};
_Static_assert(DARWIN_LC_MESSAGES == 6, "the table's order");

DARWIN_EXPORT char *forge_darwin_setlocale(int category, const char *name) {
    return category >= 0 && category <= DARWIN_LC_MESSAGES ? setlocale(CATEGORIES[category], name) : NULL;
}
DARWIN_EXPORT locale_t forge_darwin_newlocale(int mask, const char *name, locale_t base) {
    static const int masks[][2] = {
        {DARWIN_LC_COLLATE_MASK, LC_COLLATE_MASK}, {DARWIN_LC_CTYPE_MASK, LC_CTYPE_MASK},
        {DARWIN_LC_MESSAGES_MASK, LC_MESSAGES_MASK}, {DARWIN_LC_MONETARY_MASK, LC_MONETARY_MASK},
        {DARWIN_LC_NUMERIC_MASK, LC_NUMERIC_MASK}, {DARWIN_LC_TIME_MASK, LC_TIME_MASK},
    };
    int host = 0;
    for (size_t i = 0; i < sizeof masks / sizeof *masks; i++)
        if (mask & masks[i][0])
            host |= masks[i][1];
    /* A NULL name means "C" on Darwin (newlocale(3)); other categories of the new locale are "C" on both. */
    return newlocale(host, name != NULL ? name : "C", base);
}
DARWIN_EXPORT int forge_darwin_freelocale(locale_t locale) {
    if (locale != NULL && locale != LC_GLOBAL_LOCALE)
        freelocale(locale);
    return 0; /* int on Darwin, void on Linux */
}
/* LC_GLOBAL_LOCALE is -1 on both; NULL asks and changes nothing, on both. */
_Static_assert(sizeof(locale_t) == 8, "a pointer");
DARWIN_EXPORT locale_t forge_darwin_uselocale(locale_t locale) { return uselocale(locale); }
DARWIN_EXPORT locale_t forge_darwin_duplocale(locale_t locale) { return duplocale(darwin_locale(locale)); }
DARWIN_EXPORT const char *forge_darwin_querylocale(int mask, locale_t locale) {
    static const int by_bit[] = {LC_COLLATE, LC_CTYPE, LC_MESSAGES, LC_MONETARY, LC_NUMERIC, LC_TIME};
    int bit = __builtin_ffs(mask & 0x3f) - 1;
    return bit < 0 ? NULL : nl_langinfo_l(_NL_LOCALE_NAME(by_bit[bit]), darwin_locale(locale));
}

locale_t darwin_locale(locale_t locale) {
    static locale_t c;
    if (locale != NULL)
        return locale;
    locale_t seen = __atomic_load_n(&c, __ATOMIC_ACQUIRE);
    if (seen == NULL) {
        locale_t made = newlocale(LC_ALL_MASK, "C", NULL);
        if (__atomic_compare_exchange_n(&c, &seen, made, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
            seen = made;
        else
            freelocale(made);
    }
    return seen;
}

/* struct lconv: the same members in another order after the first ten (locale.h). */
struct darwin_lconv {
    char *strings[10];
    char small[14];
};
_Static_assert(sizeof(struct darwin_lconv) == 96, "struct lconv");
static struct darwin_lconv *lconv_from_host(const struct lconv *host) {
    static _Thread_local struct darwin_lconv out;
    out = (struct darwin_lconv){
        {host->decimal_point, host->thousands_sep, host->grouping, host->int_curr_symbol, host->currency_symbol,
         host->mon_decimal_point, host->mon_thousands_sep, host->mon_grouping, host->positive_sign, host->negative_sign},
        {host->int_frac_digits, host->frac_digits, host->p_cs_precedes, host->p_sep_by_space, host->n_cs_precedes,
         host->n_sep_by_space, host->p_sign_posn, host->n_sign_posn, host->int_p_cs_precedes,
         /* Linux has int_p_sep_by_space before int_n_cs_precedes. */
         host->int_n_cs_precedes, host->int_p_sep_by_space, host->int_n_sep_by_space, host->int_p_sign_posn,
         host->int_n_sign_posn},
    };
    return &out;
}
DARWIN_EXPORT struct darwin_lconv *forge_darwin_localeconv(void) { return lconv_from_host(localeconv()); }
DARWIN_EXPORT struct darwin_lconv *forge_darwin_localeconv_l(locale_t locale) {
    IN_LOCALE(locale, lconv_from_host(localeconv()));
}

/* _langinfo.h: items 0 to 57. */
static nl_item item_to_host(int item) {
    if (item >= DARWIN_DAY_1 && item <= DARWIN_DAY_7)
        return DAY_1 + (item - DARWIN_DAY_1);
    if (item >= DARWIN_ABDAY_1 && item <= DARWIN_ABDAY_7)
        return ABDAY_1 + (item - DARWIN_ABDAY_1);
    if (item >= DARWIN_MON_1 && item <= DARWIN_MON_12)
        return MON_1 + (item - DARWIN_MON_1);
    if (item >= DARWIN_ABMON_1 && item <= DARWIN_ABMON_12)
        return ABMON_1 + (item - DARWIN_ABMON_1);
    switch (item) {
    case DARWIN_CODESET: return CODESET;
    case DARWIN_D_T_FMT: return D_T_FMT;
    case DARWIN_D_FMT: return D_FMT;
    case DARWIN_T_FMT: return T_FMT;
    case DARWIN_T_FMT_AMPM: return T_FMT_AMPM;
    case DARWIN_AM_STR: return AM_STR;
    case DARWIN_PM_STR: return PM_STR;
    case DARWIN_ERA: return ERA;
    case DARWIN_ERA_D_FMT: return ERA_D_FMT;
    case DARWIN_ERA_D_T_FMT: return ERA_D_T_FMT;
    case DARWIN_ERA_T_FMT: return ERA_T_FMT;
    case DARWIN_ALT_DIGITS: return ALT_DIGITS;
    case DARWIN_RADIXCHAR: return RADIXCHAR;
    case DARWIN_THOUSEP: return THOUSEP;
    case DARWIN_YESEXPR: return YESEXPR;
    case DARWIN_NOEXPR: return NOEXPR;
    case DARWIN_CRNCYSTR: return CRNCYSTR;
    default: return -1;
    }
}
DARWIN_EXPORT char *forge_darwin_nl_langinfo(int item) {
    nl_item host = item_to_host(item);
    return host < 0 ? "" : nl_langinfo(host);
}
DARWIN_EXPORT char *forge_darwin_nl_langinfo_l(int item, locale_t locale) {
    nl_item host = item_to_host(item);
    return host < 0 ? "" : nl_langinfo_l(host, darwin_locale(locale));
}

/* MB_CUR_MAX is a function on Darwin. */
DARWIN_EXPORT int forge_darwin____mb_cur_max(void) { return (int)MB_CUR_MAX; }
DARWIN_EXPORT int forge_darwin____mb_cur_max_l(locale_t locale) { IN_LOCALE(locale, (int)MB_CUR_MAX); }
/* MB_CUR_MAX's variable, for code that reads it: UTF-8's longest, which is no less than any other locale's. */
DARWIN_EXPORT int forge_darwin___mb_cur_max = 6;

/* xlocale.h: what glibc has with a locale needs only "C" for NULL. */
#define WITH(type, name, parameters, call) \
    DARWIN_EXPORT type forge_darwin_##name parameters { \
        locale_t l = darwin_locale(locale); \
        return call; \
    }
WITH(double, strtod_l, (const char *s, char **end, locale_t locale), strtod_l(s, end, l))
WITH(float, strtof_l, (const char *s, char **end, locale_t locale), strtof_l(s, end, l))
#ifdef __x86_64__
WITH(long double, strtold_l, (const char *s, char **end, locale_t locale), strtold_l(s, end, l))
#else
WITH(double, strtold_l, (const char *s, char **end, locale_t locale), strtod_l(s, end, l))
#endif
WITH(long, strtol_l, (const char *s, char **end, int base, locale_t locale), strtol_l(s, end, base, l))
WITH(long long, strtoll_l, (const char *s, char **end, int base, locale_t locale), strtoll_l(s, end, base, l))
WITH(unsigned long, strtoul_l, (const char *s, char **end, int base, locale_t locale), strtoul_l(s, end, base, l))
WITH(unsigned long long, strtoull_l, (const char *s, char **end, int base, locale_t locale), strtoull_l(s, end, base, l))
WITH(int, strcoll_l, (const char *a, const char *b, locale_t locale), strcoll_l(a, b, l))
WITH(size_t, strxfrm_l, (char *to, const char *from, size_t n, locale_t locale), strxfrm_l(to, from, n, l))
WITH(int, strcasecmp_l, (const char *a, const char *b, locale_t locale), strcasecmp_l(a, b, l))
WITH(int, strncasecmp_l, (const char *a, const char *b, size_t n, locale_t locale), strncasecmp_l(a, b, n, l))
WITH(int, wcscoll_l, (const wchar_t *a, const wchar_t *b, locale_t locale), wcscoll_l(a, b, l))
WITH(size_t, wcsxfrm_l, (wchar_t * to, const wchar_t *from, size_t n, locale_t locale), wcsxfrm_l(to, from, n, l))
WITH(size_t, strftime_l, (char *to, size_t n, const char *format, const struct tm *time, locale_t locale),
     strftime_l(to, n, format, time, l))
WITH(size_t, wcsftime_l, (wchar_t * to, size_t n, const wchar_t *format, const struct tm *time, locale_t locale),
     wcsftime_l(to, n, format, time, l))
WITH(wint_t, towlower_l, (wint_t c, locale_t locale), towlower_l(c, l))
WITH(wint_t, towupper_l, (wint_t c, locale_t locale), towupper_l(c, l))

/* What glibc has without one is called with the thread's locale set. */
#define AROUND(type, name, parameters, call) \
    DARWIN_EXPORT type forge_darwin_##name##_l parameters { IN_LOCALE(locale, call); }
AROUND(wint_t, btowc, (int c, locale_t locale), btowc(c))
AROUND(int, wctob, (wint_t c, locale_t locale), wctob(c))
AROUND(size_t, mbrlen, (const char *s, size_t n, mbstate_t *state, locale_t locale), mbrlen(s, n, state))
AROUND(size_t, mbrtowc, (wchar_t * w, const char *s, size_t n, mbstate_t *state, locale_t locale), mbrtowc(w, s, n, state))
AROUND(size_t, mbsnrtowcs, (wchar_t * w, const char **s, size_t n, size_t k, mbstate_t *state, locale_t locale),
       mbsnrtowcs(w, s, n, k, state))
AROUND(size_t, mbsrtowcs, (wchar_t * w, const char **s, size_t n, mbstate_t *state, locale_t locale), mbsrtowcs(w, s, n, state))
AROUND(int, mblen, (const char *s, size_t n, locale_t locale), mblen(s, n))
AROUND(int, mbtowc, (wchar_t * w, const char *s, size_t n, locale_t locale), mbtowc(w, s, n))
AROUND(int, mbsinit, (const mbstate_t *state, locale_t locale), mbsinit(state))
AROUND(size_t, mbstowcs, (wchar_t * w, const char *s, size_t n, locale_t locale), mbstowcs(w, s, n))
AROUND(size_t, wcrtomb, (char *s, wchar_t w, mbstate_t *state, locale_t locale), wcrtomb(s, w, state))
AROUND(int, wctomb, (char *s, wchar_t w, locale_t locale), wctomb(s, w))
AROUND(size_t, wcsnrtombs, (char *s, const wchar_t **w, size_t n, size_t k, mbstate_t *state, locale_t locale),
       wcsnrtombs(s, w, n, k, state))
AROUND(size_t, wcsrtombs, (char *s, const wchar_t **w, size_t n, mbstate_t *state, locale_t locale), wcsrtombs(s, w, n, state))
AROUND(size_t, wcstombs, (char *s, const wchar_t *w, size_t n, locale_t locale), wcstombs(s, w, n))
AROUND(double, atof, (const char *s, locale_t locale), atof(s))
AROUND(int, atoi, (const char *s, locale_t locale), atoi(s))
AROUND(long, atol, (const char *s, locale_t locale), atol(s))
AROUND(int, wcwidth, (wchar_t c, locale_t locale), wcwidth(c))

/* wchar.h, wctype.h: mbstate_t is 128 bytes on Darwin and 8 on Linux, so glibc's fits; wint_t is int on Darwin and WEOF
 * is -1 on both. wctype_t is a 32-bit mask on Darwin and a pointer's width on Linux. */
_Static_assert(sizeof(mbstate_t) <= 128, "mbstate_t (sys/_types.h)");
_Static_assert(sizeof(wchar_t) == 4 && WEOF == (wint_t)-1, "wchar_t");
static const struct {
    const char *name;
    uint32_t mask;
} CLASSES[] = {
    {"alnum", DARWIN_CTYPE_A | DARWIN_CTYPE_D}, {"alpha", DARWIN_CTYPE_A}, {"blank", DARWIN_CTYPE_B},
    {"cntrl", DARWIN_CTYPE_C}, {"digit", DARWIN_CTYPE_D}, {"graph", DARWIN_CTYPE_G}, {"lower", DARWIN_CTYPE_L},
    {"print", DARWIN_CTYPE_R}, {"punct", DARWIN_CTYPE_P}, {"space", DARWIN_CTYPE_S}, {"upper", DARWIN_CTYPE_U},
    {"xdigit", DARWIN_CTYPE_X},
};
DARWIN_EXPORT uint32_t forge_darwin_wctype(const char *name) {
    for (size_t i = 0; i < sizeof CLASSES / sizeof *CLASSES; i++)
        if (strcmp(CLASSES[i].name, name) == 0)
            return CLASSES[i].mask;
    return 0;
}
extern int forge_darwin___istype(int, unsigned long);
DARWIN_EXPORT int forge_darwin_iswctype(int c, uint32_t class) { return forge_darwin___istype(c, class); }
DARWIN_EXPORT int forge_darwin_iswctype_l(int c, uint32_t class, locale_t locale) {
    IN_LOCALE(locale, forge_darwin___istype(c, class));
}
