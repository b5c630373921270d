/* Accelerate's BLAS (vecLib/blas_new.h): functions with a complex result, which Apple's put where their first argument
 * points to, and gfortran's return in registers. All other arguments are pointers, so one adapter serves both sizes of
 * integers; each has a place for the function that it calls, which runtime/system.py fills before it is bound. */
#include "darwin_common.h"

#include <complex.h>

/* In the order of runtime/accelerate.py's ADAPTED: 32-bit integers, then 64-bit ones. */
DARWIN_EXPORT void *forge_darwin_accelerate_functions[8];

#define DOT(name, type, slot)                                                                                          \
    DARWIN_EXPORT void forge_darwin_##name(type *result, const void *n, const void *x, const void *x_step,             \
                                           const void *y, const void *y_step) {                                        \
        type (*function)(const void *, const void *, const void *, const void *, const void *) =                       \
            forge_darwin_accelerate_functions[slot];                                                                   \
        *result = function(n, x, x_step, y, y_step);                                                                   \
    }

DOT(cdotc_lp64, float complex, 0)
DOT(cdotu_lp64, float complex, 1)
DOT(zdotc_lp64, double complex, 2)
DOT(zdotu_lp64, double complex, 3)
DOT(cdotc_ilp64, float complex, 4)
DOT(cdotu_ilp64, float complex, 5)
DOT(zdotc_ilp64, double complex, 6)
DOT(zdotu_ilp64, double complex, 7)
