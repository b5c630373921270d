/* Entry points of Apple's convention for variadic functions on arm64; darwin_variadic_arm64.c says how they work. */
#ifndef DARWIN_VARIADIC_ARM64_H
#define DARWIN_VARIADIC_ARM64_H

#include "darwin_common.h"

#include <stdarg.h>
#include <string.h>

/* AAPCS64, "Variable argument lists". */
struct aapcs64_va_list {
    void *stack, *general_top, *vector_top;
    int general_offset, vector_offset;
};
_Static_assert(sizeof(struct aapcs64_va_list) == sizeof(va_list), "va_list (AAPCS64)");

static inline void make_list(va_list *out, char *slots) {
    struct aapcs64_va_list list = {slots, slots, slots, 0, 0};
    memcpy(out, &list, sizeof list);
}

/* An entry point with a number of named arguments in x0 and on; `slots` is the one after them. */
#define ENTRY(name, named) \
    __asm__(".text\n\t.globl forge_darwin_" #name "\n\t.type forge_darwin_" #name ", %function\nforge_darwin_" #name \
            ":\n\tmov x" #named ", sp\n\tb variadic_" #name "\n\t.size forge_darwin_" #name ", .-forge_darwin_" #name "\n");
#define TARGET __attribute__((used, visibility("hidden")))
#define VARIADIC(type, name, named, parameters, call) \
    ENTRY(name, named) \
    TARGET type variadic_##name parameters { \
        va_list a; \
        make_list(&a, slots); \
        return call; \
    }
#define LISTED(type, name, parameters, call) \
    DARWIN_EXPORT type forge_darwin_##name parameters { \
        va_list a; \
        make_list(&a, slots); \
        return call; \
    }

#endif
