/* dlfcn.h, mach-o/dyld.h, mach-o/getsect.h, crt_externs.h: what code asks the dynamic linker.
 *
 * Mach-O files and images are the loader's (loader.h). Darwin's own libraries are the binding tables, which Python
 * reads: `forge_darwin_set_lookup` gives the way to ask them. A host library is never handed out. */
#include "darwin_common.h"
#include "loader.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Asks the tables: the address of a symbol (with its underscore) of one install name, or of any library for NULL. */
typedef void *(*darwin_lookup)(const char *install_name, const char *symbol);
static darwin_lookup lookup;
DARWIN_EXPORT void forge_darwin_set_lookup(darwin_lookup function) { lookup = function; }

struct question {
    const char *install_name, *symbol;
    void *answer;
};
static void call_lookup(void *argument) {
    struct question *question = argument;
    question->answer = lookup(question->install_name, question->symbol);
}
static void *ask(const char *install_name, const char *symbol) {
    struct question question = {install_name, symbol, NULL};
    return lookup != NULL && forge_loader_call_python(call_lookup, &question) == 0 ? question.answer : NULL;
}

void *darwin_own_handle(void) {
    static void *handle;
    void *seen = __atomic_load_n(&handle, __ATOMIC_ACQUIRE);
    if (seen == NULL) {
        Dl_info info;
        if (dladdr((void *)darwin_own_handle, &info) != 0)
            seen = dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD);
        __atomic_store_n(&handle, seen, __ATOMIC_RELEASE);
    }
    return seen;
}

static _Thread_local char error[600];
static _Thread_local int has_error;
static void fail(const char *format, const char *one, const char *two) {
    snprintf(error, sizeof error, format, one, two);
    has_error = 1;
}
/* dlfcn.h: the text of the last failure, once. */
DARWIN_EXPORT char *forge_darwin_dlerror(void) {
    if (has_error) {
        has_error = 0;
        return error;
    }
    return forge_loader_dlerror();
}

/* A handle of one of Darwin's own libraries: its install name, kept for the life of the process. */
enum { LIBRARIES = 64 };
static char *libraries[LIBRARIES];
static char *library_handle(const char *install_name) {
    for (int i = 0; i < LIBRARIES; i++) {
        char *seen = __atomic_load_n(&libraries[i], __ATOMIC_ACQUIRE);
        if (seen == NULL) {
            char *made = strdup(install_name);
            if (__atomic_compare_exchange_n(&libraries[i], &seen, made, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
                return made;
            free(made);
        }
        if (strcmp(seen, install_name) == 0)
            return seen;
    }
    return NULL;
}
static int is_library(const void *handle) {
    for (int i = 0; i < LIBRARIES; i++)
        if (handle != NULL && __atomic_load_n(&libraries[i], __ATOMIC_ACQUIRE) == handle)
            return 1;
    return 0;
}

/* The pseudo-handles of dlfcn.h. */
#define DARWIN_RTLD_NEXT ((void *)-1)
#define DARWIN_RTLD_DEFAULT ((void *)-2)
#define DARWIN_RTLD_SELF ((void *)-3)
#define DARWIN_RTLD_MAIN_ONLY ((void *)-5)

/* The empty name: a library that the tables know answers it with something that is not NULL. */
static int is_known(const char *path) { return ask(path, "") != NULL; }

DARWIN_EXPORT void *forge_darwin_dlopen(const char *path, int mode) {
    if (path == NULL)
        return DARWIN_RTLD_MAIN_ONLY;
    /* A name without a directory is looked for in /usr/lib (dlopen(3), DYLD_FALLBACK_LIBRARY_PATH). */
    char leaf[256] = "";
    if (strchr(path, '/') == NULL && snprintf(leaf, sizeof leaf, "/usr/lib/%s", path) >= (int)sizeof leaf)
        leaf[0] = '\0';
    const char *known = is_known(path) ? path : leaf[0] != '\0' && is_known(leaf) ? leaf : NULL;
    if (known != NULL) {
        char *handle = library_handle(known);
        if (handle == NULL)
            fail("dlopen(%s): too many libraries are open%s", path, "");
        return handle;
    }
    has_error = 0;
    return forge_loader_dlopen(path, mode);
}
DARWIN_EXPORT int forge_darwin_dlopen_preflight(const char *path) { return is_known(path) || forge_loader_is_macho(path); }
DARWIN_EXPORT int forge_darwin_dlclose(void *handle) {
    if (handle == DARWIN_RTLD_MAIN_ONLY || is_library(handle))
        return 0;
    return forge_loader_dlclose(handle);
}
DARWIN_EXPORT void *forge_darwin_dlsym(void *handle, const char *name) {
    char symbol[512];
    void *found = NULL;
    if (snprintf(symbol, sizeof symbol, "_%s", name) >= (int)sizeof symbol) {
        fail("dlsym(): the name is too long%s%s", "", "");
        return NULL;
    }
    has_error = 0;
    if (is_library(handle)) {
        found = ask(handle, symbol);
    } else if (handle == DARWIN_RTLD_NEXT || handle == DARWIN_RTLD_DEFAULT || handle == DARWIN_RTLD_SELF ||
               handle == DARWIN_RTLD_MAIN_ONLY) {
        /* What comes after an image cannot be told from before it here, so NEXT looks at the system's libraries. */
        if (handle != DARWIN_RTLD_NEXT)
            found = forge_loader_dlsym_any(name);
        if (found == NULL)
            found = ask(NULL, symbol);
    } else {
        found = forge_loader_dlsym(handle, name);
        if (found == NULL && forge_loader_is_handle(handle))
            found = ask(NULL, symbol); /* a handle's search goes on in the libraries that the image depends on */
    }
    if (found == NULL)
        fail("dlsym(%s): symbol not found%s", name, "");
    else
        forge_loader_dlerror(); /* a miss in the images that the tables made good is no error */
    return found;
}

/* dlfcn.h: Dl_info; a symbol's name is without its underscore. Host code has an answer from glibc. */
struct darwin_dl_info {
    const char *fname;
    void *fbase;
    const char *sname;
    void *saddr;
};
DARWIN_EXPORT int forge_darwin_dladdr(const void *address, struct darwin_dl_info *out) {
    const struct forge_loader_image *image = forge_loader_find_image(address);
    if (image == NULL) {
        Dl_info host;
        if (dladdr(address, &host) == 0)
            return 0;
        *out = (struct darwin_dl_info){host.dli_fname, host.dli_fbase, host.dli_sname, host.dli_saddr};
        return 1;
    }
    uintptr_t start = 0;
    const char *name = forge_loader_find_symbol(image, address, &start);
    *out = (struct darwin_dl_info){image->path, (void *)image->base, name != NULL && *name == '_' ? name + 1 : name,
                                   name != NULL ? (void *)start : NULL};
    return 1;
}

/* mach-o/dyld.h: the images, by number. */
DARWIN_EXPORT uint32_t forge_darwin__dyld_image_count(void) { return (uint32_t)forge_loader_image_count(); }
DARWIN_EXPORT const void *forge_darwin__dyld_get_image_header(uint32_t index) {
    const struct forge_loader_image *image = forge_loader_image_get(index);
    return image != NULL ? (const void *)image->base : NULL;
}
DARWIN_EXPORT intptr_t forge_darwin__dyld_get_image_vmaddr_slide(uint32_t index) {
    const struct forge_loader_image *image = forge_loader_image_get(index);
    return image != NULL ? image->slide : 0;
}
DARWIN_EXPORT const char *forge_darwin__dyld_get_image_name(uint32_t index) {
    const struct forge_loader_image *image = forge_loader_image_get(index);
    return image != NULL ? image->path : NULL;
}
/* Under their own names, too: ctypes.util asks the process for them by dlsym(3) when it is imported (CPython 3.14). */
DARWIN_EXPORT uint32_t _dyld_image_count(void) { return forge_darwin__dyld_image_count(); }
DARWIN_EXPORT const char *_dyld_get_image_name(uint32_t index) { return forge_darwin__dyld_get_image_name(index); }
DARWIN_EXPORT void forge_darwin__dyld_register_func_for_add_image(forge_loader_image_function function) {
    if (forge_loader_on_add(function) != 0)
        darwin_fatal("_dyld_register_func_for_add_image", "no room for one more function");
}
/* Images are never removed. */
DARWIN_EXPORT void forge_darwin__dyld_register_func_for_remove_image(forge_loader_image_function function) {
    (void)function;
}
/* Apple's own libraries are no files but parts of the shared cache, which is how ctypes.util finds them; here it holds
 * those that the tables know. */
DARWIN_EXPORT int forge_darwin__dyld_shared_cache_contains_path(const char *path) { return is_known(path); }
DARWIN_EXPORT int forge_darwin__NSGetExecutablePath(char *buffer, uint32_t *size) {
    char path[4096];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path);
    if (length < 0)
        return -1;
    if (*size < (uint32_t)length + 1) {
        *size = (uint32_t)length + 1;
        return -1;
    }
    memcpy(buffer, path, (size_t)length);
    buffer[length] = '\0';
    return 0;
}
/* A version that was linked against, or runs: not known of any library. */
DARWIN_EXPORT int32_t forge_darwin_NSVersionOfLinkTimeLibrary(const char *name) {
    (void)name;
    return -1;
}
DARWIN_EXPORT int32_t forge_darwin_NSVersionOfRunTimeLibrary(const char *name) {
    (void)name;
    return -1;
}
/* A lazy pointer is bound when an image is loaded, so this is never reached. */
DARWIN_EXPORT _Noreturn void forge_darwin_dyld_stub_binder(void) {
    darwin_fatal("dyld_stub_binder", "a lazy pointer was not bound at load");
}

/* What `if (@available(iOS 17, *))` calls: {platform, version 0xMMMMmmpp} pairs. The emulated system is as new as any
 * that is asked for, as functions that are not there trap by name. */
DARWIN_EXPORT int forge_darwin__availability_version_check(uint32_t count, const void *versions) {
    (void)count, (void)versions;
    return 1;
}
DARWIN_EXPORT int32_t forge_darwin___isPlatformVersionAtLeast(uint32_t platform, uint32_t major, uint32_t minor,
                                                              uint32_t patch) {
    (void)platform, (void)major, (void)minor, (void)patch;
    return 1;
}
DARWIN_EXPORT int32_t forge_darwin___isOSVersionAtLeast(int32_t major, int32_t minor, int32_t patch) {
    (void)major, (void)minor, (void)patch;
    return 1;
}

/* crt_externs.h */
extern char **environ;
DARWIN_EXPORT char ***forge_darwin__NSGetEnviron(void) { return &environ; }
static int argument_count = 1;
static char *no_arguments[] = {"python", NULL};
static char **arguments = no_arguments;
/* The interpreter's own arguments, for the loader to set. */
DARWIN_EXPORT void forge_darwin_set_arguments(int count, char **values) {
    argument_count = count;
    arguments = values;
}
DARWIN_EXPORT int *forge_darwin__NSGetArgc(void) { return &argument_count; }
DARWIN_EXPORT char ***forge_darwin__NSGetArgv(void) { return &arguments; }
DARWIN_EXPORT char **forge_darwin__NSGetProgname(void) { return &program_invocation_short_name; }

/* mach-o/getsect.h: a section's data in a loaded 64-bit image, from its load commands (mach-o/loader.h). */
struct darwin_header {
    uint32_t magic, cputype, cpusubtype, filetype, ncmds, sizeofcmds, flags, reserved;
};
struct darwin_segment {
    uint32_t cmd, cmdsize;
    char segname[16];
    uint64_t vmaddr, vmsize, fileoff, filesize;
    int32_t maxprot, initprot;
    uint32_t nsects, flags;
};
struct darwin_section {
    char sectname[16], segname[16];
    uint64_t addr, size;
    uint32_t offset, align, reloff, nreloc, flags, reserved1, reserved2, reserved3;
};
_Static_assert(sizeof(struct darwin_header) == 32, "struct mach_header_64");
_Static_assert(sizeof(struct darwin_segment) == 72, "struct segment_command_64");
_Static_assert(sizeof(struct darwin_section) == 80, "struct section_64");
enum { LC_SEGMENT_64 = 0x19 };

static const struct darwin_segment *next_segment(const struct darwin_header *header, const char **command, uint32_t *left) {
    for (; *left > 0; --*left) {
        const struct darwin_segment *segment = (const void *)*command;
        *command += segment->cmdsize;
        if (segment->cmd == LC_SEGMENT_64) {
            --*left;
            return segment;
        }
    }
    (void)header;
    return NULL;
}
static intptr_t slide_of(const struct darwin_header *header) {
    const char *command = (const char *)(header + 1);
    uint32_t left = header->ncmds;
    for (const struct darwin_segment *s; (s = next_segment(header, &command, &left)) != NULL;)
        if (strncmp(s->segname, "__TEXT", 16) == 0)
            return (intptr_t)((uintptr_t)header - s->vmaddr);
    return 0;
}
DARWIN_EXPORT uint8_t *forge_darwin_getsectiondata(const struct darwin_header *header, const char *segment_name,
                                                   const char *section_name, unsigned long *size) {
    const char *command = (const char *)(header + 1);
    uint32_t left = header->ncmds;
    for (const struct darwin_segment *s; (s = next_segment(header, &command, &left)) != NULL;) {
        const struct darwin_section *section = (const void *)(s + 1);
        for (uint32_t i = 0; i < s->nsects && strncmp(s->segname, segment_name, 16) == 0; i++)
            if (strncmp(section[i].sectname, section_name, 16) == 0) {
                *size = section[i].size;
                return (uint8_t *)(section[i].addr + (uintptr_t)slide_of(header));
            }
    }
    *size = 0;
    return NULL;
}
DARWIN_EXPORT uint8_t *forge_darwin_getsegmentdata(const struct darwin_header *header, const char *name,
                                                   unsigned long *size) {
    const char *command = (const char *)(header + 1);
    uint32_t left = header->ncmds;
    for (const struct darwin_segment *s; (s = next_segment(header, &command, &left)) != NULL;)
        if (strncmp(s->segname, name, 16) == 0) {
            *size = s->vmsize;
            return (uint8_t *)(s->vmaddr + (uintptr_t)slide_of(header));
        }
    *size = 0;
    return NULL;
}

/* CFBundle.h: a bundle without a version. */
DARWIN_EXPORT uint32_t forge_darwin_CFBundleGetVersionNumber(const void *bundle) {
    (void)bundle;
    return 0;
}
