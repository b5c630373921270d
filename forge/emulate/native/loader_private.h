/* What the loader's C files share with each other and with Python, and nobody else calls. */
#ifndef FORGE_LOADER_PRIVATE_H
#define FORGE_LOADER_PRIVATE_H

#include "loader.h"

/* A record under construction on the stack; only async-signal-safe functions are used on it. What does not fit is
 * left out, never written past the end. */
struct forge_record {
    size_t used;
    char text[16384];
};

void forge_record_text(struct forge_record *record, const char *text);
void forge_record_json(struct forge_record *record, const char *text); /* as a JSON string, or null */
void forge_record_hex(struct forge_record *record, uintptr_t value);
void forge_record_number(struct forge_record *record, uintptr_t value);
void forge_record_write(struct forge_record *record, int fd);

/* ,"image":...,"symbol":...,"offset":... of a code address; nothing where no image holds it. */
void forge_record_place(struct forge_record *record, uintptr_t address);

_Noreturn void forge_loader_trap_from(const char *symbol, const char *library, const char *image, uintptr_t caller);
void forge_loader_announce(const struct forge_loader_image *image);

/* ---- called from Python ---- */
struct forge_trap_request {
    const char *symbol;
    const char *library;
    const char *image;
};

FORGE_LOADER_API const struct forge_loader_image *forge_loader_add_image(const struct forge_loader_image *image);
FORGE_LOADER_API void forge_loader_set_report_fd(int fd);
FORGE_LOADER_API int forge_loader_make_traps(const struct forge_trap_request *requests, size_t count, uintptr_t *made);
FORGE_LOADER_API int forge_loader_install_fault_handler(void);
FORGE_LOADER_API void forge_loader_apply_slide(uintptr_t base, const uint64_t *at, size_t count, uint64_t slide);
FORGE_LOADER_API void forge_loader_store(uintptr_t base, const uint64_t *at, const uint64_t *values, size_t count);
FORGE_LOADER_API int forge_loader_register_frames(void *frames);
FORGE_LOADER_API long forge_loader_tlv_register(const void *content, size_t content_size, size_t size,
                                                size_t alignment, size_t misalignment);
FORGE_LOADER_API void forge_loader_stub_binder(void);
FORGE_LOADER_API void forge_loader_tlv_get_addr(void); /* called by code, with a convention of its own */
FORGE_LOADER_API void forge_loader_set_program(int argc, const char **argv, const char **apple);
FORGE_LOADER_API void forge_loader_run_initialisers(const uintptr_t *functions, size_t count, uintptr_t header);
FORGE_LOADER_API void forge_loader_add_terminators(const uintptr_t *functions, size_t count);
FORGE_LOADER_API uintptr_t forge_loader_call_resolver(uintptr_t function);

typedef void *(*forge_loader_open_function)(const char *path, char *error, size_t error_size);
FORGE_LOADER_API void forge_loader_set_open(forge_loader_open_function function);
FORGE_LOADER_API int forge_loader_interpose(const void *in_python);

#endif
