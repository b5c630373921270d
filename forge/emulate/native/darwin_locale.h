/* A locale for the length of one call. */
#ifndef FORGE_DARWIN_LOCALE_H
#define FORGE_DARWIN_LOCALE_H

#include "darwin_common.h"

#include <locale.h>

/* The "C" locale for NULL, as xlocale(3) says; else the locale itself. */
locale_t darwin_locale(locale_t locale);

/* Returns what an expression gives with this thread's locale set to another. */
#define IN_LOCALE(locale, expression) \
    do { \
        locale_t before_ = uselocale(darwin_locale(locale)); \
        __auto_type result_ = (expression); \
        uselocale(before_); \
        return result_; \
    } while (0)

#endif
