/* The table of loaded images. It only grows, and readers take no lock: a signal handler may be one. */
#define _GNU_SOURCE
#include "loader_private.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 256, CHUNKS = 256 }; /* 65,536 images; chunks never move */
enum { N_STAB = 0xe0, N_TYPE = 0x0e, N_SECT = 0x0e, N_ABS = 0x02 }; /* mach-o/nlist.h */

static struct forge_loader_image *chunks[CHUNKS];
static atomic_size_t image_count;
static pthread_mutex_t adding = PTHREAD_MUTEX_INITIALIZER;
static forge_loader_image_function functions[64];
static size_t function_count;

size_t forge_loader_image_count(void) { return atomic_load_explicit(&image_count, memory_order_acquire); }

static const struct forge_loader_image *image_at(size_t index) { return &chunks[index / CHUNK][index % CHUNK]; }

const struct forge_loader_image *forge_loader_image_get(size_t index) {
    return index < forge_loader_image_count() ? image_at(index) : NULL;
}

const struct forge_loader_image *forge_loader_add_image(const struct forge_loader_image *image) {
    const struct forge_loader_image *made = NULL;
    pthread_mutex_lock(&adding);
    size_t index = image_count;
    if (index < (size_t)CHUNK * CHUNKS) {
        struct forge_loader_image **chunk = &chunks[index / CHUNK];
        if (!*chunk)
            *chunk = calloc(CHUNK, sizeof **chunk);
        if (*chunk) {
            (*chunk)[index % CHUNK] = *image;
            made = &(*chunk)[index % CHUNK];
            atomic_store_explicit(&image_count, index + 1, memory_order_release);
        }
    }
    pthread_mutex_unlock(&adding);
    if (made)
        forge_loader_announce(made);
    return made;
}

void forge_loader_announce(const struct forge_loader_image *image) {
    forge_loader_image_function wanted[64];
    pthread_mutex_lock(&adding);
    size_t count = function_count;
    memcpy(wanted, functions, count * sizeof *wanted);
    pthread_mutex_unlock(&adding);
    for (size_t i = 0; i < count; i++)
        wanted[i]((const void *)image->base, image->slide);
}

int forge_loader_on_add(forge_loader_image_function function) {
    pthread_mutex_lock(&adding);
    size_t images = image_count;
    int room = function_count < sizeof functions / sizeof *functions;
    if (room)
        functions[function_count++] = function;
    pthread_mutex_unlock(&adding);
    for (size_t i = 0; room && i < images; i++)
        function((const void *)image_at(i)->base, image_at(i)->slide);
    return room ? 0 : -1;
}

const struct forge_loader_image *forge_loader_find_image(const void *addr) {
    size_t count = forge_loader_image_count();
    for (size_t i = 0; i < count; i++) {
        const struct forge_loader_image *image = image_at(i);
        if ((uintptr_t)addr - image->base < image->size)
            return image;
    }
    return NULL;
}

const char *forge_loader_find_symbol(const struct forge_loader_image *image, const void *addr, uintptr_t *start) {
    const char *best = NULL;
    uintptr_t best_at = image->base;
    for (size_t i = 0; i < image->symbol_count; i++) {
        const struct forge_nlist *symbol = &image->symbols[i];
        uintptr_t at = (uintptr_t)symbol->value + (uintptr_t)image->slide;
        if (symbol->type & N_STAB || (symbol->type & N_TYPE) != N_SECT || symbol->name >= image->strings_size)
            continue;
        if (at <= (uintptr_t)addr && at >= best_at) {
            best = image->strings + symbol->name;
            best_at = at;
        }
    }
    for (size_t i = 0; i < image->export_count; i++) {
        const struct forge_loader_export *export = &image->exports[i];
        if (export->address <= (uintptr_t)addr && export->address >= best_at + (best != NULL)) {
            best = export->name;
            best_at = export->address;
        }
    }
    if (best)
        *start = best_at;
    return best;
}
