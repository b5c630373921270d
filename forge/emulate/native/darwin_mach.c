/* mach/mach.h and malloc/malloc.h: the virtual memory calls and malloc zones that ordinary code uses.
 *
 * There are no Mach ports here. A port's name is a number that is good for nothing but being handed back. */
#include "darwin_common.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { TASK_SELF = 0x103, HOST_SELF = 0x203, THREADS = 0x1000 };

DARWIN_EXPORT uint32_t forge_darwin_mach_task_self_ = TASK_SELF;
DARWIN_EXPORT uint32_t forge_darwin_mach_host_self(void) { return HOST_SELF; }
DARWIN_EXPORT uint32_t forge_darwin_mach_thread_self(void) { return THREADS + (uint32_t)syscall(SYS_gettid); }
DARWIN_EXPORT int forge_darwin_mach_port_deallocate(uint32_t task, uint32_t name) {
    (void)name;
    return task == TASK_SELF ? DARWIN_KERN_SUCCESS : DARWIN_KERN_INVALID_ARGUMENT;
}
/* mach/host_info.h: of the host's facts the basic ones: how many processors, of which kind, how much memory. */
struct darwin_host_basic_info {
    int32_t max_cpus, avail_cpus;
    uint32_t memory_size;
    int32_t cpu_type, cpu_subtype, cpu_threadtype, physical_cpu, physical_cpu_max, logical_cpu, logical_cpu_max;
    uint64_t max_mem;
};
_Static_assert(sizeof(struct darwin_host_basic_info) == 48, "host_basic_info_data_t (mach/host_info.h)");
enum { HOST_BASIC_INFO = 1, CPU_TYPE_X86_64 = 0x01000007, CPU_TYPE_ARM64 = 0x0100000c };

DARWIN_EXPORT int forge_darwin_host_info(uint32_t host, int flavor, int32_t *out, uint32_t *count) {
    struct darwin_host_basic_info info;
    if (host != HOST_SELF || flavor != HOST_BASIC_INFO || *count < sizeof info / sizeof *out)
        return DARWIN_KERN_INVALID_ARGUMENT;
    int32_t cpus = (int32_t)sysconf(_SC_NPROCESSORS_ONLN);
    uint64_t memory = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
#ifdef __x86_64__
    int32_t type = CPU_TYPE_X86_64, subtype = 3; /* CPU_SUBTYPE_X86_64_ALL */
#else
    int32_t type = CPU_TYPE_ARM64, subtype = 0; /* CPU_SUBTYPE_ARM64_ALL */
#endif
    info = (struct darwin_host_basic_info){cpus, cpus, memory > INT32_MAX ? INT32_MAX : (uint32_t)memory, type, subtype,
                                           0, cpus, cpus, cpus, cpus, memory};
    memcpy(out, &info, sizeof info);
    *count = sizeof info / sizeof *out;
    return DARWIN_KERN_SUCCESS;
}
/* mach/clock.h, mach/clock_types.h: the kernel's clocks, which code from before clock_gettime asks. */
enum { SYSTEM_CLOCK = 0, CALENDAR_CLOCK = 1, CLOCK_PORTS = 0x303 };
struct darwin_mach_timespec {
    uint32_t sec;
    int32_t nsec;
};
DARWIN_EXPORT int forge_darwin_host_get_clock_service(uint32_t host, int clock, uint32_t *port) {
    if (host != HOST_SELF || (clock != SYSTEM_CLOCK && clock != CALENDAR_CLOCK))
        return DARWIN_KERN_INVALID_ARGUMENT;
    *port = CLOCK_PORTS + (uint32_t)clock;
    return DARWIN_KERN_SUCCESS;
}
DARWIN_EXPORT int forge_darwin_clock_get_time(uint32_t port, struct darwin_mach_timespec *out) {
    if (port != CLOCK_PORTS + SYSTEM_CLOCK && port != CLOCK_PORTS + CALENDAR_CLOCK)
        return DARWIN_KERN_INVALID_ARGUMENT;
    struct timespec time;
    clock_gettime(port == CLOCK_PORTS + CALENDAR_CLOCK ? CLOCK_REALTIME : CLOCK_MONOTONIC, &time);
    *out = (struct darwin_mach_timespec){(uint32_t)time.tv_sec, (int32_t)time.tv_nsec};
    return DARWIN_KERN_SUCCESS;
}
/* Statistics of the host and its tasks are not had here, and callers must cope with that. */
static int no_statistics(void) { return DARWIN_KERN_NOT_SUPPORTED; }
DARWIN_EXPORT int forge_darwin_host_statistics(uint32_t host, int flavor, int32_t *out, uint32_t *count) {
    (void)host, (void)flavor, (void)out, (void)count;
    return no_statistics();
}
DARWIN_EXPORT int forge_darwin_host_statistics64(uint32_t host, int flavor, int32_t *out, uint32_t *count) {
    (void)host, (void)flavor, (void)out, (void)count;
    return no_statistics();
}
DARWIN_EXPORT int forge_darwin_task_info(uint32_t task, uint32_t flavor, int32_t *out, uint32_t *count) {
    (void)task, (void)flavor, (void)out, (void)count;
    return no_statistics();
}
DARWIN_EXPORT int forge_darwin_host_page_size(uint32_t host, uintptr_t *out) {
    (void)host;
    *out = (uintptr_t)sysconf(_SC_PAGESIZE);
    return DARWIN_KERN_SUCCESS;
}

static int kern_return(int failed) {
    if (!failed)
        return DARWIN_KERN_SUCCESS;
    switch (errno) {
    case ENOMEM: return DARWIN_KERN_NO_SPACE;
    case EACCES: return DARWIN_KERN_PROTECTION_FAILURE;
    case EFAULT: return DARWIN_KERN_INVALID_ADDRESS;
    default: return DARWIN_KERN_INVALID_ARGUMENT;
    }
}

/* mach/vm_map.h, mach/mach_vm.h: zero-filled pages anywhere, or at *address. */
DARWIN_EXPORT int forge_darwin_vm_allocate(uint32_t task, uintptr_t *address, size_t size, int flags) {
    if (task != TASK_SELF)
        return DARWIN_KERN_INVALID_ARGUMENT;
    if (size == 0) {
        *address = 0;
        return DARWIN_KERN_SUCCESS;
    }
    int host = MAP_PRIVATE | MAP_ANONYMOUS | (flags & DARWIN_VM_FLAGS_ANYWHERE ? 0 : MAP_FIXED_NOREPLACE);
    void *made = mmap(flags & DARWIN_VM_FLAGS_ANYWHERE ? NULL : (void *)*address, size, PROT_READ | PROT_WRITE, host, -1, 0);
    if (made == MAP_FAILED)
        return errno == EEXIST ? DARWIN_KERN_NO_SPACE : kern_return(1);
    *address = (uintptr_t)made;
    return DARWIN_KERN_SUCCESS;
}
DARWIN_EXPORT int forge_darwin_vm_deallocate(uint32_t task, uintptr_t address, size_t size) {
    return task != TASK_SELF ? DARWIN_KERN_INVALID_ARGUMENT : kern_return(size != 0 && munmap((void *)address, size) != 0);
}
/* VM_PROT_READ, WRITE, EXECUTE are mprotect's 1, 2, 4. The maximum protection is not limited here. */
DARWIN_EXPORT int forge_darwin_vm_protect(uint32_t task, uintptr_t address, size_t size, int maximum, int protection) {
    if (task != TASK_SELF)
        return DARWIN_KERN_INVALID_ARGUMENT;
    size_t page = (size_t)sysconf(_SC_PAGESIZE), start = address & ~(page - 1);
    return maximum ? DARWIN_KERN_SUCCESS
                   : kern_return(mprotect((void *)start, size + (address - start), protection & 7) != 0);
}
/* Copies memory that may not be there: what is unreadable is an error, not a fault. */
DARWIN_EXPORT int forge_darwin_vm_read_overwrite(uint32_t task, uintptr_t address, size_t size, uintptr_t target,
                                                 size_t *copied) {
    if (task != TASK_SELF)
        return DARWIN_KERN_INVALID_ARGUMENT;
    struct iovec local = {(void *)target, size}, remote = {(void *)address, size};
    ssize_t done = process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
    if (done != (ssize_t)size)
        return DARWIN_KERN_INVALID_ADDRESS;
    *copied = size;
    return DARWIN_KERN_SUCCESS;
}
/* The protection of the mapping that holds a range, -1 if none does (proc(5), maps). */
static int protection_of(uintptr_t address, size_t size) {
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[512], bits[5];
    unsigned long start, end;
    int found = -1;
    while (maps != NULL && found < 0 && fgets(line, sizeof line, maps) != NULL)
        if (sscanf(line, "%lx-%lx %4s", &start, &end, bits) == 3 && address >= start && address + size <= end)
            found = (bits[0] == 'r' ? PROT_READ : 0) | (bits[1] == 'w' ? PROT_WRITE : 0) | (bits[2] == 'x' ? PROT_EXEC : 0);
    if (maps != NULL)
        fclose(maps);
    return found;
}
/* A second mapping of pages that are there: libffi makes its closures of one page of code so. Linux does not share
 * anonymous memory between two addresses, but pages that nobody can write to are as good copied; others are refused. */
enum { VM_FLAGS_OVERWRITE = 0x4000 };
DARWIN_EXPORT int forge_darwin_vm_remap(uint32_t task, uintptr_t *address, size_t size, uintptr_t mask, int flags,
                                        uint32_t source_task, uintptr_t source, int copy, int32_t *current,
                                        int32_t *maximum, uint32_t inheritance) {
    (void)mask, (void)inheritance;
    if (task != TASK_SELF || source_task != TASK_SELF || size == 0)
        return DARWIN_KERN_INVALID_ARGUMENT;
    int protection = protection_of(source, size);
    if (protection < 0)
        return DARWIN_KERN_INVALID_ADDRESS;
    if (!copy && protection & PROT_WRITE)
        return DARWIN_KERN_NOT_SUPPORTED;
    int place = flags & DARWIN_VM_FLAGS_ANYWHERE ? 0 : flags & VM_FLAGS_OVERWRITE ? MAP_FIXED : MAP_FIXED_NOREPLACE;
    void *made = mmap(place ? (void *)*address : NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | place, -1, 0);
    if (made == MAP_FAILED)
        return errno == EEXIST ? DARWIN_KERN_NO_SPACE : kern_return(1);
    memcpy(made, (const void *)source, size);
    if (mprotect(made, size, protection) != 0) {
        munmap(made, size);
        return DARWIN_KERN_PROTECTION_FAILURE;
    }
    *address = (uintptr_t)made;
    *current = *maximum = protection;
    return DARWIN_KERN_SUCCESS;
}

DARWIN_EXPORT uintptr_t forge_darwin_vm_page_size, forge_darwin_vm_page_mask, forge_darwin_vm_kernel_page_size,
    forge_darwin_vm_kernel_page_mask;
DARWIN_EXPORT int forge_darwin_vm_page_shift, forge_darwin_vm_kernel_page_shift;
__attribute__((constructor)) static void know_page_size(void) {
    uintptr_t size = (uintptr_t)sysconf(_SC_PAGESIZE);
    forge_darwin_vm_page_size = forge_darwin_vm_kernel_page_size = size;
    forge_darwin_vm_page_mask = forge_darwin_vm_kernel_page_mask = size - 1;
    forge_darwin_vm_page_shift = forge_darwin_vm_kernel_page_shift = __builtin_ctzl(size);
}

/* malloc/malloc.h: a zone is a heap of its own; here all are the one heap, so that a zone that is destroyed frees
 * nothing. SQLite calls a zone's functions through struct _malloc_zone_t. */
DARWIN_EXPORT size_t forge_darwin_malloc_size(const void *block) { return malloc_usable_size((void *)block); }
DARWIN_EXPORT size_t forge_darwin_malloc_good_size(size_t size) { return size == 0 ? 16 : (size + 15) & ~(size_t)15; }
DARWIN_EXPORT void *forge_darwin_malloc_zone_malloc(void *zone, size_t size) {
    (void)zone;
    return malloc(size);
}
DARWIN_EXPORT void *forge_darwin_malloc_zone_calloc(void *zone, size_t count, size_t size) {
    (void)zone;
    return calloc(count, size);
}
DARWIN_EXPORT void *forge_darwin_malloc_zone_valloc(void *zone, size_t size) {
    (void)zone;
    return valloc(size);
}
DARWIN_EXPORT void *forge_darwin_malloc_zone_realloc(void *zone, void *block, size_t size) {
    (void)zone;
    return realloc(block, size);
}
DARWIN_EXPORT void *forge_darwin_malloc_zone_memalign(void *zone, size_t alignment, size_t size) {
    (void)zone;
    void *made;
    return posix_memalign(&made, alignment, size) == 0 ? made : NULL;
}
DARWIN_EXPORT void forge_darwin_malloc_zone_free(void *zone, void *block) {
    (void)zone;
    free(block);
}
static size_t zone_size(void *zone, const void *block) {
    (void)zone;
    return malloc_usable_size((void *)block);
}
static void zone_destroy(void *zone) { (void)zone; }
/* struct _malloc_zone_t as far as version 5 has functions that others call. */
static struct {
    void *reserved[2];
    size_t (*size)(void *, const void *);
    void *(*malloc)(void *, size_t);
    void *(*calloc)(void *, size_t, size_t);
    void *(*valloc)(void *, size_t);
    void (*free)(void *, void *);
    void *(*realloc)(void *, void *, size_t);
    void (*destroy)(void *);
    const char *name;
    void *batch_malloc, *batch_free, *introspect;
    unsigned version;
    void *(*memalign)(void *, size_t, size_t);
    void *later[3];
} default_zone = {
    .size = zone_size,
    .malloc = forge_darwin_malloc_zone_malloc,
    .calloc = forge_darwin_malloc_zone_calloc,
    .valloc = forge_darwin_malloc_zone_valloc,
    .free = forge_darwin_malloc_zone_free,
    .realloc = forge_darwin_malloc_zone_realloc,
    .destroy = zone_destroy,
    .name = "DefaultMallocZone",
    .version = 5,
    .memalign = forge_darwin_malloc_zone_memalign,
};
DARWIN_EXPORT void *forge_darwin_malloc_default_zone(void) { return &default_zone; }
DARWIN_EXPORT void *forge_darwin_malloc_create_zone(size_t start, unsigned flags) {
    (void)start, (void)flags;
    return &default_zone;
}
DARWIN_EXPORT void forge_darwin_malloc_set_zone_name(void *zone, const char *name) { (void)zone, (void)name; }
DARWIN_EXPORT void *forge_darwin_malloc_zone_from_ptr(const void *block) { return block != NULL ? &default_zone : NULL; }

/* libkern/OSCacheControl.h: what the compiler's builtin does. */
DARWIN_EXPORT void forge_darwin_sys_icache_invalidate(void *start, size_t length) {
    __builtin___clear_cache((char *)start, (char *)start + length);
}
