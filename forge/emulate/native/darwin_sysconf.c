/* unistd.h, sys/sysctl.h, sys/utsname.h, sys/resource.h: what the system says of itself and its limits. */
#include "darwin_commpage.h"
#include "darwin_common.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

/* The version that uname and sysctl give: Darwin 24.0 is iOS 18.0's kernel, and that is what Python answers as
 * (forge.plan.emulation.ANSWERED_VERSION). */
static const char OS_RELEASE[] = "24.0.0", OS_VERSION[] = "Darwin Kernel Version 24.0.0 (forge emulate, on Linux)";
static const char *machine(void) {
#ifdef __x86_64__
    return "x86_64";
#else
    return "arm64";
#endif
}

static const struct {
    short darwin, host;
} NAMES[] = {
    {DARWIN_SC_ARG_MAX, _SC_ARG_MAX}, {DARWIN_SC_CHILD_MAX, _SC_CHILD_MAX}, {DARWIN_SC_CLK_TCK, _SC_CLK_TCK},
    {DARWIN_SC_NGROUPS_MAX, _SC_NGROUPS_MAX}, {DARWIN_SC_OPEN_MAX, _SC_OPEN_MAX},
    {DARWIN_SC_JOB_CONTROL, _SC_JOB_CONTROL}, {DARWIN_SC_SAVED_IDS, _SC_SAVED_IDS}, {DARWIN_SC_VERSION, _SC_VERSION},
    {DARWIN_SC_LINE_MAX, _SC_LINE_MAX}, {DARWIN_SC_RE_DUP_MAX, _SC_RE_DUP_MAX},
    {DARWIN_SC_STREAM_MAX, _SC_STREAM_MAX}, {DARWIN_SC_TZNAME_MAX, _SC_TZNAME_MAX},
    {DARWIN_SC_PAGESIZE, _SC_PAGESIZE}, {DARWIN_SC_MEMLOCK, _SC_MEMLOCK}, {DARWIN_SC_MEMLOCK_RANGE, _SC_MEMLOCK_RANGE},
    {DARWIN_SC_MEMORY_PROTECTION, _SC_MEMORY_PROTECTION}, {DARWIN_SC_FSYNC, _SC_FSYNC},
    {DARWIN_SC_MAPPED_FILES, _SC_MAPPED_FILES}, {DARWIN_SC_SEM_NSEMS_MAX, _SC_SEM_NSEMS_MAX},
    {DARWIN_SC_SEM_VALUE_MAX, _SC_SEM_VALUE_MAX}, {DARWIN_SC_IOV_MAX, _SC_IOV_MAX},
    {DARWIN_SC_NPROCESSORS_CONF, _SC_NPROCESSORS_CONF}, {DARWIN_SC_NPROCESSORS_ONLN, _SC_NPROCESSORS_ONLN},
    {DARWIN_SC_GETGR_R_SIZE_MAX, _SC_GETGR_R_SIZE_MAX}, {DARWIN_SC_GETPW_R_SIZE_MAX, _SC_GETPW_R_SIZE_MAX},
    {DARWIN_SC_HOST_NAME_MAX, _SC_HOST_NAME_MAX}, {DARWIN_SC_LOGIN_NAME_MAX, _SC_LOGIN_NAME_MAX},
    {DARWIN_SC_MONOTONIC_CLOCK, _SC_MONOTONIC_CLOCK}, {DARWIN_SC_READER_WRITER_LOCKS, _SC_READER_WRITER_LOCKS},
    {DARWIN_SC_REGEXP, _SC_REGEXP}, {DARWIN_SC_SHELL, _SC_SHELL}, {DARWIN_SC_SPAWN, _SC_SPAWN},
    {DARWIN_SC_THREAD_DESTRUCTOR_ITERATIONS, _SC_THREAD_DESTRUCTOR_ITERATIONS},
    {DARWIN_SC_THREAD_KEYS_MAX, _SC_THREAD_KEYS_MAX}, {DARWIN_SC_THREAD_SAFE_FUNCTIONS, _SC_THREAD_SAFE_FUNCTIONS},
    {DARWIN_SC_THREAD_STACK_MIN, _SC_THREAD_STACK_MIN}, {DARWIN_SC_THREAD_THREADS_MAX, _SC_THREAD_THREADS_MAX},
    {DARWIN_SC_TTY_NAME_MAX, _SC_TTY_NAME_MAX}, {DARWIN_SC_SYMLOOP_MAX, _SC_SYMLOOP_MAX},
    {DARWIN_SC_ATEXIT_MAX, _SC_ATEXIT_MAX}, {DARWIN_SC_PHYS_PAGES, _SC_PHYS_PAGES},
    {DARWIN_SC_XOPEN_VERSION, _SC_XOPEN_VERSION}, {DARWIN_SC_IPV6, _SC_IPV6}, {DARWIN_SC_RAW_SOCKETS, _SC_RAW_SOCKETS},
    {DARWIN_SC_2_VERSION, _SC_2_VERSION}, {DARWIN_SC_2_C_BIND, _SC_2_C_BIND}, {DARWIN_SC_2_C_DEV, _SC_2_C_DEV},
};
DARWIN_EXPORT long forge_darwin_sysconf(int name) {
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (NAMES[i].darwin == name)
            return sysconf(NAMES[i].host);
    errno = EINVAL;
    return -1;
}

static int path_name(int name) {
    switch (name) {
    case DARWIN_PC_LINK_MAX: return _PC_LINK_MAX;
    case DARWIN_PC_MAX_CANON: return _PC_MAX_CANON;
    case DARWIN_PC_MAX_INPUT: return _PC_MAX_INPUT;
    case DARWIN_PC_NAME_MAX: return _PC_NAME_MAX;
    case DARWIN_PC_PIPE_BUF: return _PC_PIPE_BUF;
    case DARWIN_PC_CHOWN_RESTRICTED: return _PC_CHOWN_RESTRICTED;
    case DARWIN_PC_NO_TRUNC: return _PC_NO_TRUNC;
    case DARWIN_PC_VDISABLE: return _PC_VDISABLE;
    case DARWIN_PC_2_SYMLINKS: return _PC_2_SYMLINKS;
    case DARWIN_PC_SYMLINK_MAX: return _PC_SYMLINK_MAX;
    case DARWIN_PC_FILESIZEBITS: return _PC_FILESIZEBITS;
    default: return -1;
    }
}
enum { DARWIN_PATH_MAX = 1024 };
DARWIN_EXPORT long forge_darwin_pathconf(const char *path, int name) {
    if (name == DARWIN_PC_PATH_MAX)
        return DARWIN_PATH_MAX;
    if (path_name(name) >= 0)
        return pathconf(path, path_name(name));
    errno = EINVAL;
    return -1;
}
DARWIN_EXPORT long forge_darwin_fpathconf(int descriptor, int name) {
    if (name == DARWIN_PC_PATH_MAX)
        return DARWIN_PATH_MAX;
    if (path_name(name) >= 0)
        return fpathconf(descriptor, path_name(name));
    errno = EINVAL;
    return -1;
}
DARWIN_EXPORT size_t forge_darwin_confstr(int name, char *buffer, size_t size) {
    if (name == DARWIN_CS_PATH)
        return confstr(_CS_PATH, buffer, size);
    errno = EINVAL;
    return 0;
}

/* sys/utsname.h: five fields of 256 bytes. */
struct darwin_utsname {
    char sysname[256], nodename[256], release[256], version[256], machine[256];
};
_Static_assert(sizeof(struct darwin_utsname) == 1280, "struct utsname");
DARWIN_EXPORT int forge_darwin_uname(struct darwin_utsname *out) {
    struct utsname host;
    if (uname(&host) != 0)
        return -1;
    memset(out, 0, sizeof *out);
    strcpy(out->sysname, "Darwin");
    snprintf(out->nodename, sizeof out->nodename, "%s", host.nodename);
    strcpy(out->release, OS_RELEASE);
    strcpy(out->version, OS_VERSION);
    strcpy(out->machine, machine());
    return 0;
}

/* sys/sysctl.h. A value is an int, 64 bits, or a string; which of them is the name's. */
enum kind { INT, WIDE, TEXT };
struct value {
    enum kind kind;
    int64_t number;
    const char *text;
};
static int64_t cpus(void) { return sysconf(_SC_NPROCESSORS_ONLN); }
static int64_t memory(void) { return sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE); }
static int64_t cache(int name, int64_t otherwise) {
    long size = sysconf(name);
    return size > 0 ? size : otherwise;
}
/* mach/machine.h: CPU_TYPE_X86_64 with CPU_SUBTYPE_X86_64_ALL, CPU_TYPE_ARM64 with CPU_SUBTYPE_ARM64_ALL. */
#ifdef __x86_64__
enum { CPU_TYPE = 0x1000007, CPU_SUBTYPE = 3 };
#else
enum { CPU_TYPE = 0x100000c, CPU_SUBTYPE = 0 };
#endif
static int find(const char *name, struct value *out) {
    static const char OPTIONAL[] = "hw.optional.";
    if (strncmp(name, OPTIONAL, sizeof OPTIONAL - 1) == 0) {
        uint64_t bit = darwin_cpu_capability(name + sizeof OPTIONAL - 1);
        *out = (struct value){INT, (darwin_cpu_capabilities() & bit) != 0, NULL};
        return bit != 0;
    }
    static const char *const CPUS[] = {
        "hw.ncpu", "hw.activecpu", "hw.availcpu", "hw.physicalcpu", "hw.physicalcpu_max", "hw.logicalcpu",
        "hw.logicalcpu_max", "machdep.cpu.core_count", "machdep.cpu.thread_count",
    };
    for (size_t i = 0; i < sizeof CPUS / sizeof *CPUS; i++)
        if (strcmp(name, CPUS[i]) == 0) {
            *out = (struct value){INT, cpus(), NULL};
            return 1;
        }
    const struct {
        const char *name;
        struct value value;
    } others[] = {
        {"hw.pagesize", {WIDE, sysconf(_SC_PAGESIZE), NULL}},
        {"hw.memsize", {WIDE, memory(), NULL}},
        {"hw.byteorder", {INT, 1234, NULL}},
        {"hw.cputype", {INT, CPU_TYPE, NULL}},
        {"hw.cpusubtype", {INT, CPU_SUBTYPE, NULL}},
        {"hw.cpufamily", {INT, 0, NULL}}, /* CPUFAMILY_UNKNOWN: no family of Apple's is this machine's */
        {"hw.cpu64bit_capable", {INT, 1, NULL}},
        {"hw.packages", {INT, 1, NULL}},
        {"hw.cachelinesize", {WIDE, cache(_SC_LEVEL1_DCACHE_LINESIZE, 64), NULL}},
        {"hw.l1icachesize", {WIDE, cache(_SC_LEVEL1_ICACHE_SIZE, 32768), NULL}},
        {"hw.l1dcachesize", {WIDE, cache(_SC_LEVEL1_DCACHE_SIZE, 32768), NULL}},
        {"hw.l2cachesize", {WIDE, cache(_SC_LEVEL2_CACHE_SIZE, 1 << 20), NULL}},
        {"hw.l3cachesize", {WIDE, cache(_SC_LEVEL3_CACHE_SIZE, 8 << 20), NULL}},
        {"hw.machine", {TEXT, 0, machine()}},
        {"hw.model", {TEXT, 0, "forge"}},
        {"kern.ostype", {TEXT, 0, "Darwin"}},
        {"kern.osrelease", {TEXT, 0, OS_RELEASE}},
        {"kern.version", {TEXT, 0, OS_VERSION}},
        {"kern.osversion", {TEXT, 0, "22A3354"}},
        {"kern.osproductversion", {TEXT, 0, "18.0"}},
        {"kern.argmax", {INT, sysconf(_SC_ARG_MAX), NULL}},
        {"sysctl.proc_translated", {INT, 0, NULL}},
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp(name, others[i].name) == 0) {
            *out = others[i].value;
            return 1;
        }
    return 0;
}
/* Copies a value out as sysctl(3) does: the size is told where there is no room asked for; too little room is ENOMEM. */
static int copy_out(const struct value *value, void *old, size_t *size) {
    int32_t number = (int32_t)value->number;
    const void *data = value->kind == TEXT ? (const void *)value->text : value->kind == INT ? (void *)&number : (void *)&value->number;
    size_t length = value->kind == TEXT ? strlen(value->text) + 1 : value->kind == INT ? sizeof number : sizeof value->number;
    if (size == NULL)
        return 0;
    if (old == NULL) {
        *size = length;
        return 0;
    }
    /* A 64-bit value is given as an int to who has room for one alone. */
    if (value->kind == WIDE && *size == sizeof number && value->number <= INT32_MAX) {
        data = &number;
        length = sizeof number;
    }
    if (*size < length) {
        memcpy(old, data, *size);
        errno = ENOMEM;
        return -1;
    }
    memcpy(old, data, length);
    *size = length;
    return 0;
}
DARWIN_EXPORT int forge_darwin_sysctlbyname(const char *name, void *old, size_t *size, void *new, size_t new_size) {
    struct value value;
    if (new != NULL && new_size > 0) {
        errno = EPERM;
        return -1;
    }
    if (!find(name, &value)) {
        errno = ENOENT;
        return -1;
    }
    return copy_out(&value, old, size);
}
DARWIN_EXPORT int forge_darwin_sysctl(const int *name, unsigned count, void *old, size_t *size, void *new, size_t new_size) {
    static const struct {
        int top, second;
        const char *name;
    } numbers[] = {
        {DARWIN_CTL_HW, DARWIN_HW_NCPU, "hw.ncpu"}, {DARWIN_CTL_HW, DARWIN_HW_AVAILCPU, "hw.activecpu"},
        {DARWIN_CTL_HW, DARWIN_HW_PAGESIZE, "hw.pagesize"}, {DARWIN_CTL_HW, DARWIN_HW_MEMSIZE, "hw.memsize"},
        {DARWIN_CTL_HW, DARWIN_HW_MACHINE, "hw.machine"}, {DARWIN_CTL_HW, DARWIN_HW_MODEL, "hw.model"},
        {DARWIN_CTL_HW, DARWIN_HW_BYTEORDER, "hw.byteorder"}, {DARWIN_CTL_HW, DARWIN_HW_CACHELINE, "hw.cachelinesize"},
        {DARWIN_CTL_HW, DARWIN_HW_L1DCACHESIZE, "hw.l1dcachesize"},
        {DARWIN_CTL_HW, DARWIN_HW_L2CACHESIZE, "hw.l2cachesize"},
        {DARWIN_CTL_HW, DARWIN_HW_L3CACHESIZE, "hw.l3cachesize"},
        {DARWIN_CTL_KERN, DARWIN_KERN_OSTYPE, "kern.ostype"}, {DARWIN_CTL_KERN, DARWIN_KERN_OSRELEASE, "kern.osrelease"},
        {DARWIN_CTL_KERN, DARWIN_KERN_VERSION, "kern.version"}, {DARWIN_CTL_KERN, DARWIN_KERN_ARGMAX, "kern.argmax"},
        {DARWIN_CTL_KERN, DARWIN_KERN_OSVERSION, "kern.osversion"},
    };
    for (size_t i = 0; count == 2 && i < sizeof numbers / sizeof *numbers; i++)
        if (numbers[i].top == name[0] && numbers[i].second == name[1])
            return forge_darwin_sysctlbyname(numbers[i].name, old, size, new, new_size);
    errno = ENOENT;
    return -1;
}

/* sys/resource.h: RLIMIT_ numbers from 5 on, and infinity is 2**63 - 1. */
static int limit_to_host(int limit) {
    switch (limit & 0xf) { /* the bit above asks for POSIX's meaning, _RLIMIT_POSIX_FLAG */
    case DARWIN_RLIMIT_AS: return RLIMIT_AS;
    case DARWIN_RLIMIT_MEMLOCK: return RLIMIT_MEMLOCK;
    case DARWIN_RLIMIT_NPROC: return RLIMIT_NPROC;
    case DARWIN_RLIMIT_NOFILE: return RLIMIT_NOFILE;
    default: return (limit & 0xf) < DARWIN_RLIMIT_AS ? limit & 0xf : -1;
    }
}
static uint64_t limit_value(uint64_t host) { return host > INT64_MAX ? INT64_MAX : host; }
static rlim_t limit_value_to_host(uint64_t value) { return value >= INT64_MAX ? RLIM_INFINITY : value; }
struct darwin_rlimit {
    uint64_t current, maximum;
};
DARWIN_EXPORT int forge_darwin_getrlimit(int limit, struct darwin_rlimit *out) {
    struct rlimit host;
    int result = getrlimit((__rlimit_resource_t)limit_to_host(limit), &host);
    if (result == 0)
        *out = (struct darwin_rlimit){limit_value(host.rlim_cur), limit_value(host.rlim_max)};
    return result;
}
DARWIN_EXPORT int forge_darwin_setrlimit(int limit, const struct darwin_rlimit *in) {
    struct rlimit host = {limit_value_to_host(in->current), limit_value_to_host(in->maximum)};
    return setrlimit((__rlimit_resource_t)limit_to_host(limit), &host);
}
