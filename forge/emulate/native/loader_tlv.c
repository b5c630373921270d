/* Thread locals of Mach-O images: memory a thread and image, made at first use.
 *
 * Code calls the first word of a descriptor {thunk, key, offset} with the descriptor's address in the first argument
 * register and gets the variable's address. dyld's _tlv_get_addr (dyld/threadLocalHelpers.s) keeps every register but
 * the result's, and compilers count on it (LLVM: CSR_64_TLS_Darwin, CSR_Darwin_AArch64_TLS), so the thunk is assembly.
 */
#define _GNU_SOURCE
#include "loader_private.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct tlv_template {
    const char *content;  /* initialised part */
    size_t content_size;
    size_t size;          /* with the zero-filled part */
    size_t alignment;
    size_t misalignment;  /* the template's address modulo alignment, which variables' own alignment counts on */
};

struct tlv_block {
    void *memory; /* what to free */
    char *start;  /* where offset 0 lies; NULL until used. The thunk reads it. */
};

struct tlv_table {
    long capacity; /* the thunk reads it */
    struct tlv_block blocks[];
};

enum { CHUNK = 256, CHUNKS = 256 };

static struct tlv_template *templates[CHUNKS];
static atomic_long template_count;
static pthread_mutex_t registering = PTHREAD_MUTEX_INITIALIZER;
static pthread_key_t table_key;
static pthread_once_t table_once = PTHREAD_ONCE_INIT;

/* initial-exec: found at a fixed offset of the thread register, without a call that would change registers. */
__attribute__((tls_model("initial-exec"), visibility("hidden"), used)) __thread struct tlv_table *forge_tlv_table;

/* Bytes that xsave needs for everything that the thunk's slow path keeps; 0 where the CPU or kernel has no xsave. */
__attribute__((visibility("hidden"), used)) size_t forge_tlv_save_size;

_Noreturn static void out_of_memory(void) {
    static const char text[] = "forge: no memory for thread locals\n";
    if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
        _exit(134);
    abort();
}

/* A thread ends. C++ destructors of thread locals have run: glibc calls them before keys' destructors. */
static void free_table(void *pointer) {
    struct tlv_table *table = pointer;
    for (long i = 0; i < table->capacity; i++)
        free(table->blocks[i].memory);
    free(table);
    forge_tlv_table = NULL;
}

static void make_key(void) {
    if (pthread_key_create(&table_key, free_table))
        out_of_memory();
}

long forge_loader_tlv_register(const void *content, size_t content_size, size_t size, size_t alignment,
                               size_t misalignment) {
    long key = -1;
    pthread_mutex_lock(&registering);
    long index = template_count;
    if (index < (long)CHUNK * CHUNKS) {
        struct tlv_template **chunk = &templates[index / CHUNK];
        if (!*chunk)
            *chunk = calloc(CHUNK, sizeof **chunk);
        if (*chunk) {
            (*chunk)[index % CHUNK] = (struct tlv_template){content, content_size, size, alignment, misalignment};
            atomic_store_explicit(&template_count, index + 1, memory_order_release);
            key = index;
        }
    }
    pthread_mutex_unlock(&registering);
    return key;
}

static struct tlv_table *grown(struct tlv_table *table, long key) {
    long old = table ? table->capacity : 0;
    long wanted = key + 16;
    struct tlv_table *made = realloc(table, sizeof *made + (size_t)wanted * sizeof *made->blocks);
    if (!made)
        out_of_memory();
    memset(made->blocks + old, 0, (size_t)(wanted - old) * sizeof *made->blocks);
    made->capacity = wanted;
    pthread_once(&table_once, make_key);
    forge_tlv_table = made;
    if (pthread_setspecific(table_key, made))
        out_of_memory();
    return made;
}

/* The thunk's slow path: make the calling thread's memory for an image. Returns where offset 0 lies. */
__attribute__((visibility("hidden"), used)) char *forge_tlv_allocate(long key) {
    struct tlv_table *table = forge_tlv_table;
    if (!table || table->capacity <= key)
        table = grown(table, key);
    struct tlv_block *block = &table->blocks[key];
    if (!block->start) {
        const struct tlv_template *template = &templates[key / CHUNK][key % CHUNK];
        size_t size = template->misalignment + template->size;
        void *memory;
        if (posix_memalign(&memory, template->alignment, size ? size : 1))
            out_of_memory();
        char *start = (char *)memory + template->misalignment;
        if (template->content_size)
            memcpy(start, template->content, template->content_size);
        memset(start + template->content_size, 0, template->size - template->content_size);
        block->memory = memory;
        block->start = start;
    }
    return block->start;
}

extern int __cxa_thread_atexit_impl(void (*)(void *), void *, void *);
extern void *__dso_handle __attribute__((visibility("hidden")));

void forge_loader_tlv_atexit(void (*function)(void *), void *object) {
    if (__cxa_thread_atexit_impl(function, object, &__dso_handle))
        out_of_memory();
}
