/* Closures of a libffi that is linked into the library: on arm64 in mapped copies of its page of trampolines. */
#include <ffi.h>
#include <stdint.h>
#include <stdlib.h>

struct pair {
    double one;
    int64_t other;
};

static void scale(ffi_cif *cif, void *result, void **arguments, void *by) {
    (void)cif;
    struct pair *pair = arguments[0];
    *(struct pair *)result = (struct pair){pair->one * *(float *)arguments[1], pair->other + *(int *)by};
}

typedef struct pair (*scaling)(struct pair, float);

/* How many of as many closures answer wrongly; all of them live at once, and are made twice. -1: one cannot be had. */
__attribute__((visibility("default"))) int wrong_closures(int count) {
    static ffi_type *members[] = {&ffi_type_double, &ffi_type_sint64, NULL};
    static ffi_type type = {0, 0, FFI_TYPE_STRUCT, members};
    static ffi_type *kinds[] = {&type, &ffi_type_float};
    static ffi_cif cif;
    ffi_closure **closures = calloc(count, sizeof *closures);
    scaling *calls = calloc(count, sizeof *calls);
    int *by = calloc(count, sizeof *by), wrong = 0;
    if (ffi_prep_cif(&cif, FFI_DEFAULT_ABI, 2, &type, kinds) != FFI_OK)
        return -1;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < count; i++) {
            void *code = NULL;
            by[i] = i + round;
            closures[i] = ffi_closure_alloc(sizeof **closures, &code);
            if (closures[i] == NULL || ffi_prep_closure_loc(closures[i], &cif, scale, &by[i], code) != FFI_OK)
                return -1;
            calls[i] = (scaling)code;
        }
        for (int i = 0; i < count; i++) {
            struct pair made = calls[i]((struct pair){1.5 * i, -i}, 2.0f);
            wrong += made.one != 3.0 * i || made.other != round;
        }
        for (int i = 0; i < count; i++)
            ffi_closure_free(closures[i]);
    }
    free(by);
    free(calls);
    free(closures);
    return wrong;
}
