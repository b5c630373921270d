/* dlopen, dlsym, dlclose and dlerror that know Mach-O images, and their way into CPython.
 *
 * CPython imports extension modules and opens ctypes libraries with these four functions. Their entries in its global
 * offset table (and in _ctypes') are set to the functions here: Mach-O files go to the loader, anything else to
 * glibc. So the whole of CPython's own import machinery applies: both kinds of init functions, sub-interpreters,
 * names of init functions, error texts.
 */
#define _GNU_SOURCE
#include "loader_private.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static forge_loader_open_function open_image;

enum { MAX_ERROR = 4096 };

/* A thread's last error. Not a __thread variable: the shim's are in the static TLS block, which is small. */
struct error {
    int pending;
    char text[MAX_ERROR];
    char told[MAX_ERROR];
};

static pthread_key_t error_key;
static pthread_once_t error_once = PTHREAD_ONCE_INIT;

static void make_error_key(void) {
    if (pthread_key_create(&error_key, free))
        abort();
}

static struct error *last_error(void) {
    pthread_once(&error_once, make_error_key);
    return pthread_getspecific(error_key);
}

static void fail(const char *text) {
    struct error *error = last_error();
    if (!error) {
        error = calloc(1, sizeof *error);
        if (!error || pthread_setspecific(error_key, error))
            abort();
    }
    snprintf(error->text, sizeof error->text, "%s", text);
    error->pending = 1;
}

static void forget_error(void) {
    struct error *error = last_error();
    if (error)
        error->pending = 0;
}

char *forge_loader_dlerror(void) {
    struct error *error = last_error();
    if (!error || !error->pending)
        return NULL;
    error->pending = 0;
    memcpy(error->told, error->text, sizeof error->told);
    return error->told;
}

void forge_loader_set_open(forge_loader_open_function function) { open_image = function; }

int forge_loader_is_macho(const char *path) {
    static const unsigned char magics[][4] = {
        {0xcf, 0xfa, 0xed, 0xfe}, {0xce, 0xfa, 0xed, 0xfe}, {0xfe, 0xed, 0xfa, 0xcf},
        {0xfe, 0xed, 0xfa, 0xce}, {0xca, 0xfe, 0xba, 0xbe}, {0xca, 0xfe, 0xba, 0xbf},
    };
    unsigned char found[4] = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return 0;
    ssize_t size = read(fd, found, sizeof found);
    close(fd);
    for (size_t i = 0; size == sizeof found && i < sizeof magics / sizeof *magics; i++)
        if (!memcmp(found, magics[i], sizeof found))
            return 1;
    return 0;
}

int forge_loader_is_handle(const void *handle) {
    size_t count = forge_loader_image_count();
    for (size_t i = 0; i < count; i++)
        if (forge_loader_image_get(i) == handle)
            return 1;
    return 0;
}

/* The Python functions needed to call the loader, which lives in the main interpreter, from another one. Opaque
 * pointers, looked up by name: this file is compiled without Python's headers. */
static struct {
    void *(*current)(void);
    void *(*mine)(void);
    void *(*interpreter_of)(void *);
    void *(*main_interpreter)(void);
    void *(*new_state)(void *);
    void *(*save)(void);
    void (*restore)(void *);
    void (*clear)(void *);
    void (*delete_current)(void);
    int (*ensure)(void);
    void (*release)(int);
    void (*fetch_exception)(void **, void **, void **);
    void (*restore_exception)(void *, void *, void *);
} py;

static void *wanted(const char *name, int *missing) {
    void *found = dlsym(RTLD_DEFAULT, name);
    *missing |= !found;
    return found;
}

static int find_python(void) {
    int missing = 0;
    py.current = (void *(*)(void))dlsym(RTLD_DEFAULT, "PyThreadState_GetUnchecked");
    if (!py.current) /* its name before 3.13 */
        py.current = (void *(*)(void))wanted("_PyThreadState_UncheckedGet", &missing);
    py.mine = (void *(*)(void))wanted("PyGILState_GetThisThreadState", &missing);
    py.interpreter_of = (void *(*)(void *))wanted("PyThreadState_GetInterpreter", &missing);
    py.main_interpreter = (void *(*)(void))wanted("PyInterpreterState_Main", &missing);
    py.new_state = (void *(*)(void *))wanted("PyThreadState_New", &missing);
    py.save = (void *(*)(void))wanted("PyEval_SaveThread", &missing);
    py.restore = (void (*)(void *))wanted("PyEval_RestoreThread", &missing);
    py.clear = (void (*)(void *))wanted("PyThreadState_Clear", &missing);
    py.delete_current = (void (*)(void))wanted("PyThreadState_DeleteCurrent", &missing);
    py.ensure = (int (*)(void))wanted("PyGILState_Ensure", &missing);
    py.release = (void (*)(int))wanted("PyGILState_Release", &missing);
    py.fetch_exception = (void (*)(void **, void **, void **))wanted("PyErr_Fetch", &missing);
    py.restore_exception = (void (*)(void *, void *, void *))wanted("PyErr_Restore", &missing);
    return missing ? -1 : 0;
}

/* In a thread of the main interpreter's, or of none yet. Who calls may have an exception set (libc++abi opens a library
 * while it ends a catch clause), which the Python code must neither see nor lose. */
static void call_here(void (*function)(void *), void *argument) {
    void *type, *value, *traceback;
    int held = py.ensure();
    py.fetch_exception(&type, &value, &traceback);
    function(argument);
    py.restore_exception(type, value, traceback);
    py.release(held);
}

/* ctypes' callbacks take the thread's current interpreter, whose GIL and allocator are not the main one's when that is
 * a sub-interpreter; so a thread state of the main one is put in place. */
int forge_loader_call_python(void (*function)(void *), void *argument) {
    if (!py.restore_exception && find_python())
        return -1;
    void *state = py.current(), *known = state ? state : py.mine();
    if (!known || py.interpreter_of(known) == py.main_interpreter()) {
        call_here(function, argument);
        return 0;
    }
    if (state)
        py.save();
    void *fresh = py.new_state(py.main_interpreter());
    if (fresh) {
        py.restore(fresh);
        function(argument);
        py.clear(fresh);
        py.delete_current();
    }
    if (state)
        py.restore(state);
    return fresh ? 0 : -1;
}

struct open_call {
    const char *path;
    char *text;
    size_t size;
    void *handle;
};

static void call_open(void *argument) {
    struct open_call *call = argument;
    call->handle = open_image(call->path, call->text, call->size);
}

void *forge_loader_dlopen(const char *path, int mode) {
    char text[MAX_ERROR] = "";
    (void)mode;
    if (!open_image) {
        fail("no Mach-O file can be loaded while Python starts or ends");
        return NULL;
    }
    struct open_call call = {path, text, sizeof text, NULL};
    if (forge_loader_call_python(call_open, &call))
        snprintf(text, sizeof text, "no memory for a thread state");
    if (!call.handle)
        fail(text[0] ? text : "the loader failed without a reason");
    return call.handle;
}

static const struct forge_loader_export *find_export(const struct forge_loader_image *image, const char *name) {
    size_t low = 0, high = image->export_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const char *there = image->exports[middle].name;
        /* Mach-O names have an underscore that C names have not. */
        int order = there[0] == '_' ? strcmp(there + 1, name) : (there[0] < '_' ? -1 : 1);
        if (order == 0)
            return &image->exports[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static void *address_of(const struct forge_loader_export *export) {
    if (export->kind != FORGE_EXPORT_THREAD_LOCAL)
        return (void *)export->address;
    void *(*const *descriptor)(const void *) = (void *(*const *)(const void *))export->address;
    return (*descriptor)(descriptor);
}

void *forge_loader_dlsym_any(const char *name) {
    size_t count = forge_loader_image_count();
    for (size_t i = 0; i < count; i++) {
        const struct forge_loader_export *export = find_export(forge_loader_image_get(i), name);
        if (export)
            return address_of(export);
    }
    return NULL;
}

void *forge_loader_dlsym(void *handle, const char *name) {
    size_t count = forge_loader_image_count(), used = 1;
    const struct forge_loader_image **queue = malloc((count + 1) * sizeof *queue);
    const struct forge_loader_export *export = NULL;
    if (!queue) {
        fail("no memory");
        return NULL;
    }
    queue[0] = handle;
    for (size_t i = 0; i < used && !(export = find_export(queue[i], name)); i++) {
        for (size_t k = 0; k < queue[i]->dependency_count; k++) {
            const struct forge_loader_image *dependency = queue[i]->dependencies[k];
            size_t seen = 0;
            while (seen < used && queue[seen] != dependency)
                seen++;
            if (seen == used && used <= count)
                queue[used++] = dependency;
        }
    }
    free(queue);
    if (export)
        return address_of(export);
    char text[MAX_ERROR];
    const char *path = ((const struct forge_loader_image *)handle)->path;
    snprintf(text, sizeof text, "%.2000s: symbol not found: %.1000s", path, name);
    fail(text);
    return NULL;
}

int forge_loader_dlclose(void *handle) { return forge_loader_is_handle(handle) ? 0 : -1; }

/* ---- CPython's calls ---- */

static const void *python_code;
static int interpose(void);

static void *hooked_dlopen(const char *path, int mode) {
    forget_error();
    if (path && forge_loader_is_macho(path))
        return forge_loader_dlopen(path, mode);
    void *handle = dlopen(path, mode);
    interpose(); /* it may have been _ctypes */
    return handle;
}

static void *hooked_dlsym(void *handle, const char *name) {
    forget_error();
    return forge_loader_is_handle(handle) ? forge_loader_dlsym(handle, name) : dlsym(handle, name);
}

static int hooked_dlclose(void *handle) {
    return forge_loader_is_handle(handle) ? 0 : dlclose(handle);
}

static char *hooked_dlerror(void) {
    char *mine = forge_loader_dlerror();
    char *theirs = dlerror();
    return mine ? mine : theirs;
}

/* ctypes hands a function's errno on (use_errno): it is to be the host's number. Where errno is, _ctypes may ask once,
 * before the call, so what is hooked is libffi's ffi_call. Null where libffi is linked into _ctypes.
 * Weak, for the loader is whole without Darwin's interface. */
void forge_darwin_errno_publish(void) __attribute__((weak));
static void (*real_ffi_call)(void *, void (*)(void), void *, void **);
static void hooked_ffi_call(void *interface, void (*function)(void), void *result, void **arguments) {
    real_ffi_call(interface, function, result, arguments);
    if (forge_darwin_errno_publish)
        forge_darwin_errno_publish();
}
static uintptr_t find_ffi_call(void) {
    static const char *const names[] = {"libffi.so.8", "libffi.so.7"};
    for (size_t i = 0; i < 2 && !real_ffi_call; i++) {
        void *library = dlopen(names[i], RTLD_LAZY | RTLD_NOLOAD);
        if (library)
            *(void **)&real_ffi_call = dlsym(library, "ffi_call");
    }
    return real_ffi_call ? (uintptr_t)hooked_ffi_call : 0;
}

static uintptr_t replacement(const char *name) {
    if (!strcmp(name, "ffi_call"))
        return find_ffi_call();
    if (!strcmp(name, "dlopen"))
        return (uintptr_t)hooked_dlopen;
    if (!strcmp(name, "dlsym"))
        return (uintptr_t)hooked_dlsym;
    if (!strcmp(name, "dlclose"))
        return (uintptr_t)hooked_dlclose;
    if (!strcmp(name, "dlerror"))
        return (uintptr_t)hooked_dlerror;
    return 0;
}

static int is_code_pointer(unsigned long type) {
#if defined(__x86_64__)
    return type == R_X86_64_JUMP_SLOT || type == R_X86_64_GLOB_DAT || type == R_X86_64_64;
#else
    return type == R_AARCH64_JUMP_SLOT || type == R_AARCH64_GLOB_DAT || type == R_AARCH64_ABS64;
#endif
}

struct elf_object {
    uintptr_t base;
    const ElfW(Sym) *symbols;
    const char *strings;
    uintptr_t relro, relro_end; /* made read-only by ld.so after relocation */
};

static int set_slot(const struct elf_object *object, uintptr_t *slot, uintptr_t value) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), first = (uintptr_t)slot & -page;
    int guarded = (uintptr_t)slot >= object->relro && (uintptr_t)slot < object->relro_end;
    if (*slot == value)
        return 0;
    if (guarded && mprotect((void *)first, page, PROT_READ | PROT_WRITE))
        return -1;
    *slot = value;
    return guarded ? mprotect((void *)first, page, PROT_READ) : 0;
}

static int patch(const struct elf_object *object, const ElfW(Rela) *relocations, size_t count) {
    for (size_t i = 0; i < count; i++) {
        unsigned long symbol = ELF64_R_SYM(relocations[i].r_info);
        if (!symbol || !is_code_pointer(ELF64_R_TYPE(relocations[i].r_info)))
            continue;
        uintptr_t value = replacement(object->strings + object->symbols[symbol].st_name);
        if (value && set_slot(object, (uintptr_t *)(object->base + relocations[i].r_offset), value))
            return -1;
    }
    return 0;
}

/* Whether an ELF object is one whose calls are to be ours: CPython itself (the program or libpython) or _ctypes. */
static int is_python(const struct dl_phdr_info *info) {
    const char *slash = strrchr(info->dlpi_name, '/');
    if (slash && !strncmp(slash + 1, "_ctypes.", 8))
        return 1;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        if (header->p_type == PT_LOAD && (uintptr_t)python_code - (info->dlpi_addr + header->p_vaddr) < header->p_memsz)
            return 1;
    }
    return 0;
}

static int patch_object(struct dl_phdr_info *info, size_t size, void *failed) {
    struct elf_object object = {.base = info->dlpi_addr};
    const ElfW(Dyn) *dynamic = NULL;
    uintptr_t tables[2] = {0, 0};
    size_t sizes[2] = {0, 0};
    (void)size;
    if (!is_python(info))
        return 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        if (header->p_type == PT_DYNAMIC)
            dynamic = (const ElfW(Dyn) *)(object.base + header->p_vaddr);
        if (header->p_type == PT_GNU_RELRO) {
            object.relro = object.base + header->p_vaddr;
            object.relro_end = object.relro + header->p_memsz;
        }
    }
    for (; dynamic && dynamic->d_tag != DT_NULL; dynamic++) {
        uintptr_t value = dynamic->d_un.d_ptr;
        switch (dynamic->d_tag) {
        case DT_SYMTAB: object.symbols = (const ElfW(Sym) *)value; break;
        case DT_STRTAB: object.strings = (const char *)value; break;
        case DT_RELA: tables[0] = value; break;
        case DT_RELASZ: sizes[0] = value; break;
        case DT_JMPREL: tables[1] = value; break;
        case DT_PLTRELSZ: sizes[1] = value; break;
        default: break;
        }
    }
    for (int i = 0; i < 2 && object.symbols && object.strings; i++)
        if (tables[i] && patch(&object, (const ElfW(Rela) *)tables[i], sizes[i] / sizeof(ElfW(Rela))))
            *(int *)failed = 1;
    return 0;
}

static int interpose(void) {
    int failed = 0;
    dl_iterate_phdr(patch_object, &failed);
    return failed ? -1 : 0;
}

/* Make CPython use the functions above; in_python is any function of its. 0, or -1 where that cannot be done. */
int forge_loader_interpose(const void *in_python) {
    python_code = in_python;
    return find_python() ? -1 : interpose();
}
