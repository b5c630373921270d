/* Compiler runtime that libgcc has not: thread locals of GCC's emulation, overflow checks, the CPU's model. */
#include "darwin_common.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* LLVM's compiler-rt: a product, and whether it overflowed. */
DARWIN_EXPORT int64_t forge_darwin___mulodi4(int64_t one, int64_t other, int *overflow) {
    int64_t product;
    *overflow = __builtin_mul_overflow(one, other, &product);
    return product;
}
/* By halves: for the builtin on 128 bits clang calls this very function, and libgcc has none. */
DARWIN_EXPORT __int128 forge_darwin___muloti4(__int128 one, __int128 other, int *overflow) {
    typedef unsigned __int128 wide;
    wide x = one < 0 ? -(wide)one : (wide)one, y = other < 0 ? -(wide)other : (wide)other;
    uint64_t x_high = (uint64_t)(x >> 64), y_high = (uint64_t)(y >> 64);
    int negative = (one < 0) != (other < 0);
    /* Unless both high halves are there, which is too much at once, one of these products is nothing. */
    wide middle = (wide)x_high * (uint64_t)y + (wide)(uint64_t)x * y_high;
    wide low = (wide)(uint64_t)x * (uint64_t)y, size = low + (middle << 64);
    wide largest = ((wide)1 << 127) - !negative;
    *overflow = (x_high != 0 && y_high != 0) || middle >> 64 != 0 || size < low || size > largest;
    return (__int128)((wide)one * (wide)other);
}

/* __emutls_get_address: libgcc's GCC-emulated thread locals, which gfortran uses on Darwin. The control object is
 * {size, alignment, index, template}; the index is given out here, from 1. */
struct control {
    uintptr_t size, alignment, index;
    void *template;
};
struct table {
    uintptr_t count;
    void *values[];
};
static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static uintptr_t indices;
static void free_table(void *pointer) {
    struct table *table = pointer;
    for (uintptr_t i = 0; i < table->count; i++)
        free(table->values[i]);
    free(table);
}
static void make_key(void) { pthread_key_create(&key, free_table); }

DARWIN_EXPORT void *forge_darwin___emutls_get_address(struct control *control) {
    uintptr_t index = __atomic_load_n(&control->index, __ATOMIC_ACQUIRE);
    pthread_once(&once, make_key);
    if (index == 0) {
        uintptr_t fresh = __atomic_add_fetch(&indices, 1, __ATOMIC_ACQ_REL);
        index = __atomic_compare_exchange_n(&control->index, &index, fresh, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE) ? fresh : index;
    }
    struct table *table = pthread_getspecific(key);
    if (table == NULL || table->count < index) {
        uintptr_t count = index + 32, old = table != NULL ? table->count : 0;
        table = realloc(table, sizeof *table + count * sizeof(void *));
        if (table == NULL)
            darwin_fatal("__emutls_get_address", "no memory");
        memset(table->values + old, 0, (count - old) * sizeof(void *));
        table->count = count;
        pthread_setspecific(key, table);
    }
    if (table->values[index - 1] == NULL) {
        size_t alignment = control->alignment < sizeof(void *) ? sizeof(void *) : control->alignment;
        void *made;
        if (posix_memalign(&made, alignment, control->size) != 0)
            darwin_fatal("__emutls_get_address", "no memory");
        if (control->template != NULL)
            memcpy(made, control->template, control->size);
        else
            memset(made, 0, control->size);
        table->values[index - 1] = made;
    }
    return table->values[index - 1];
}

#ifdef __x86_64__
/* __cpu_model and __cpu_features2: what __builtin_cpu_supports reads; the same layout in GCC's and LLVM's runtimes. */
struct cpu_model {
    unsigned vendor, type, subtype, features;
};
extern struct cpu_model __cpu_model;
extern int __cpu_indicator_init(void);
DARWIN_EXPORT struct cpu_model forge_darwin___cpu_model;
__attribute__((constructor)) static void know_cpu(void) {
    __cpu_indicator_init();
    forge_darwin___cpu_model = __cpu_model;
}
DARWIN_EXPORT int forge_darwin___cpu_indicator_init(void) { return 0; }
#endif
