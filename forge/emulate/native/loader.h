/* The loader's C half: what must run without Python, and what Darwin's own loader functions ask about images.
 *
 * Python (forge.emulate.runtime) reads, checks and maps Mach-O files; it hands each finished image over here.
 * Images are never unloaded, as dyld does not unload what has thread locals, so pointers from here stay good.
 * Every function may be called from any thread; those marked "signal-safe" also from a signal handler.
 */
#ifndef FORGE_LOADER_H
#define FORGE_LOADER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define FORGE_LOADER_API __attribute__((visibility("default")))

/* struct nlist_64 of mach-o/nlist.h. */
struct forge_nlist {
    uint32_t name;        /* bytes into the string table */
    uint8_t type;
    uint8_t section;
    uint16_t description;
    uint64_t value;       /* unslid address */
};

enum forge_loader_export_kind { FORGE_EXPORT_PLAIN = 0, FORGE_EXPORT_THREAD_LOCAL = 1 };

/* A name that an image exports; the list of an image is sorted by name (strcmp). */
struct forge_loader_export {
    const char *name;     /* as on disk, with Darwin's leading underscore */
    uintptr_t address;    /* for a thread local: of its descriptor */
    uintptr_t kind;       /* enum forge_loader_export_kind */
};

/* An image that is mapped, bound and protected. A pointer to it is also its dlopen handle. */
struct forge_loader_image {
    const char *path;                            /* real path */
    const char *install_name;                    /* LC_ID_DYLIB's, or NULL */
    uintptr_t base;                              /* the mach_header_64 in memory */
    size_t size;                                 /* bytes of address space, from base */
    intptr_t slide;                              /* base minus the address that the file was linked for */
    const struct forge_nlist *symbols;           /* the symbol table in mapped memory, or NULL */
    size_t symbol_count;
    const char *strings;
    size_t strings_size;
    const struct forge_loader_export *exports;
    size_t export_count;
    const struct forge_loader_image *const *dependencies; /* images only; system libraries are not listed */
    size_t dependency_count;
    size_t code_at;                              /* the executable segment: bytes from base, and its size */
    size_t code_size;
};

/* ---- images (loader_image.c) ---- */

/* How many images are loaded, and one of them in load order; signal-safe. NULL past the end. */
FORGE_LOADER_API size_t forge_loader_image_count(void);
FORGE_LOADER_API const struct forge_loader_image *forge_loader_image_get(size_t index);

/* The image whose address space holds addr, or NULL; signal-safe. */
FORGE_LOADER_API const struct forge_loader_image *forge_loader_find_image(const void *addr);

/* The symbol that starts nearest before addr, from the image's symbol table or else its exports: the name as on disk
 * (with the underscore) and where it starts; NULL when there is none. Signal-safe, linear in the symbol table. */
FORGE_LOADER_API const char *forge_loader_find_symbol(const struct forge_loader_image *image, const void *addr,
                                                      uintptr_t *start);

/* Have a function called for each image, those there already and each one added later, before its initialisers run
 * (what _dyld_register_func_for_add_image needs). At most 64; -1 when there is no room. */
typedef void (*forge_loader_image_function)(const void *header, intptr_t slide);
FORGE_LOADER_API int forge_loader_on_add(forge_loader_image_function function);

/* ---- dlopen and its family for Mach-O files (loader_dl.c) ---- */

/* Load a Mach-O file, or find it loaded: its handle, or NULL and forge_loader_dlerror says why. mode is not read:
 * everything is bound at once, and every image is global as under Darwin's default. */
FORGE_LOADER_API void *forge_loader_dlopen(const char *path, int mode);

/* Call what calls back into Python, from code that may run in a sub-interpreter, without the GIL, or while an exception
 * is set. -1: there is no memory for a thread state. */
int forge_loader_call_python(void (*function)(void *), void *argument);

/* The address of a symbol (without the underscore) in an image or what it depends on, breadth first; NULL when there
 * is none. A thread local's address is that of the calling thread. */
FORGE_LOADER_API void *forge_loader_dlsym(void *handle, const char *name);

/* The same over all images in load order (RTLD_DEFAULT), without the system's libraries. */
FORGE_LOADER_API void *forge_loader_dlsym_any(const char *name);

/* Images stay; 0 for a handle of the loader's, else -1. */
FORGE_LOADER_API int forge_loader_dlclose(void *handle);

/* Whether a handle is the loader's. */
FORGE_LOADER_API int forge_loader_is_handle(const void *handle);

/* The calling thread's last error from these functions, or NULL; asking clears it. */
FORGE_LOADER_API char *forge_loader_dlerror(void);

/* Whether a file begins as a Mach-O or fat file does. */
FORGE_LOADER_API int forge_loader_is_macho(const char *path);

/* ---- thread locals (loader_tlv.c) ---- */

/* _tlv_atexit of Darwin: run function(object) when the calling thread ends, last registered first. */
FORGE_LOADER_API void forge_loader_tlv_atexit(void (*function)(void *), void *object);

/* ---- the commpage (darwin_commpage.c) ---- */

/* Whether Darwin's commpage is in its place: 0, or the error (errno's) that kept it from there. */
FORGE_LOADER_API int forge_loader_commpage(void);

/* ---- records (loader_record.c) ---- */

/* Where machine-readable records go, one JSON object a line: a file descriptor, or -1. */
FORGE_LOADER_API int forge_loader_report_fd(void);

/* Report a function that nobody provides and abort; what trap stubs call. Darwin's shim may call it too. */
FORGE_LOADER_API _Noreturn void forge_loader_trap(const char *symbol, const char *library, const char *image);

#endif
