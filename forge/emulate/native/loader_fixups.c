/* Fixups in bulk, stubs for what nobody provides, unwind tables, initialisers: the steps of a load that write or run.
 *
 * Offsets come checked from Python; nothing here is given numbers that a file chose unchecked.
 */
#define _GNU_SOURCE
#include "loader_private.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* memcpy, for a slot need not be aligned. */
void forge_loader_apply_slide(uintptr_t base, const uint64_t *at, size_t count, uint64_t slide) {
    for (size_t i = 0; i < count; i++) {
        uint64_t value;
        memcpy(&value, (const void *)(base + at[i]), sizeof value);
        value += slide;
        memcpy((void *)(base + at[i]), &value, sizeof value);
    }
}

void forge_loader_store(uintptr_t base, const uint64_t *at, const uint64_t *values, size_t count) {
    for (size_t i = 0; i < count; i++)
        memcpy((void *)(base + at[i]), &values[i], sizeof *values);
}

#define STUB_SIZE 32

static _Noreturn void trapped(const struct forge_trap_request *request) {
    /* A stub jumps here, so this is where its caller would have gone on. */
    uintptr_t caller = (uintptr_t)__builtin_return_address(0);
    forge_loader_trap_from(request->symbol, request->library, request->image, caller);
}

static void write_stub(unsigned char *at, const struct forge_trap_request *request) {
    uintptr_t argument = (uintptr_t)request, target = (uintptr_t)trapped;
#if defined(__x86_64__)
    static const unsigned char code[] = {
        0x48, 0xbf, 0, 0, 0, 0, 0, 0, 0, 0, /* movabs $request, %rdi */
        0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, /* movabs $trapped, %rax */
        0xff, 0xe0,                         /* jmp *%rax */
    };
    memcpy(at, code, sizeof code);
    memcpy(at + 2, &argument, sizeof argument);
    memcpy(at + 12, &target, sizeof target);
#elif defined(__aarch64__)
    static const uint32_t code[] = {
        0x58000080, /* ldr x0, .+16 */
        0x580000b0, /* ldr x16, .+20 */
        0xd61f0200, /* br x16 */
        0xd503201f, /* nop */
    };
    memcpy(at, code, sizeof code);
    memcpy(at + 16, &argument, sizeof argument);
    memcpy(at + 24, &target, sizeof target);
#else
#error "Mach-O code runs on x86_64 and aarch64 only"
#endif
}

/* One mapping for all traps of a load: written first, executable afterwards, never both. */
int forge_loader_make_traps(const struct forge_trap_request *requests, size_t count, uintptr_t *made) {
    if (!count)
        return 0;
    struct forge_trap_request *kept = malloc(count * sizeof *kept);
    size_t page = (size_t)sysconf(_SC_PAGESIZE), size = (count * STUB_SIZE + page - 1) / page * page;
    unsigned char *stubs = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (!kept || stubs == MAP_FAILED)
        goto fail;
    for (size_t i = 0; i < count; i++) {
        kept[i].symbol = strdup(requests[i].symbol);
        kept[i].library = requests[i].library ? strdup(requests[i].library) : NULL;
        kept[i].image = strdup(requests[i].image);
        write_stub(stubs + i * STUB_SIZE, &kept[i]);
        made[i] = (uintptr_t)(stubs + i * STUB_SIZE);
    }
    if (mprotect(stubs, size, PROT_READ | PROT_EXEC))
        goto fail;
    __builtin___clear_cache((char *)stubs, (char *)stubs + size);
    return 0;
fail:
    if (stubs != MAP_FAILED)
        munmap(stubs, size);
    free(kept);
    return -1;
}

/* libgcc's, looked up by name: a second copy of the unwinder linked in here would not see frames that the process's
 * own unwinder knows, nor the other way round. */
int forge_loader_register_frames(void *frames) {
    void (*add)(void *) = (void (*)(void *))dlsym(RTLD_DEFAULT, "__register_frame");
    if (!add)
        return -1;
    add(frames);
    return 0;
}

/* dyld's struct ProgramVars (dyld_priv.h), the fifth argument of an initialiser. */
struct program_vars {
    const void *header;
    int *argc;
    const char ***argv;
    char ***environment;
    const char **name;
};

static int program_argc;
static const char **program_argv;
static const char **program_apple;
static const char *program_name = "";

/* What _NSGetArgv answers; weak, for the loader is whole without Darwin's interface. */
void forge_darwin_set_arguments(int count, char **values) __attribute__((weak));
void forge_loader_set_program(int argc, const char **argv, const char **apple) {
    if (forge_darwin_set_arguments)
        forge_darwin_set_arguments(argc, (char **)argv);
    program_argc = argc;
    program_argv = argv;
    program_apple = apple;
    if (argc > 0) {
        const char *slash = strrchr(argv[0], '/');
        program_name = slash ? slash + 1 : argv[0];
    }
}

void forge_loader_run_initialisers(const uintptr_t *functions, size_t count, uintptr_t header) {
    typedef void (*initialiser)(int, const char **, char **, const char **, const struct program_vars *);
    const struct program_vars vars = {(const void *)header, &program_argc, &program_argv, &environ, &program_name};
    for (size_t i = 0; i < count; i++)
        ((initialiser)functions[i])(program_argc, program_argv, environ, program_apple, &vars);
}

struct terminators {
    struct terminators *earlier;
    size_t count;
    uintptr_t functions[];
};

static struct terminators *terminators;
static pthread_mutex_t terminating = PTHREAD_MUTEX_INITIALIZER;

static void terminate(void) {
    pthread_mutex_lock(&terminating);
    struct terminators *list = terminators;
    terminators = NULL;
    pthread_mutex_unlock(&terminating);
    for (; list; list = list->earlier)
        for (size_t i = list->count; i > 0; i--)
            ((void (*)(void))list->functions[i - 1])();
}

/* Functions to run at exit: those of the image that was initialised last first, each image's last to first. */
void forge_loader_add_terminators(const uintptr_t *functions, size_t count) {
    struct terminators *added = malloc(sizeof *added + count * sizeof *functions);
    if (!added)
        abort();
    added->count = count;
    memcpy(added->functions, functions, count * sizeof *functions);
    pthread_mutex_lock(&terminating);
    int first = terminators == NULL;
    added->earlier = terminators;
    terminators = added;
    pthread_mutex_unlock(&terminating);
    if (first && atexit(terminate))
        abort();
}

uintptr_t forge_loader_call_resolver(uintptr_t function) { return ((uintptr_t(*)(void))function)(); }
