/* The commpage: a read-only page at a fixed address with what the kernel tells every process of the machine.
 *
 * libSystem reads it, and so does code that asks whether Darwin saves AVX-512's registers, which XCR0 does not say
 * there (numpy, Google's cpu_features, oneDNN). Times in it are not kept: only libSystem reads those. */
#include "darwin_commpage.h"
#include "darwin_common.h"
#include "loader.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef __x86_64__
#include <cpuid.h>

enum { VERSION = 13 };
static const uintptr_t PAGES[] = {0x7fffffe00000};
enum { AREA = 0x1000, CPU_FAMILY_AT = 0x40 };
#define PAGE_SHIFT 12

enum where { LEAF_1_ECX, LEAF_1_EDX, LEAF_7_EBX, LEAF_7_ECX, REGISTERS };
/* What the kernel must save for an instruction set to be of use (Intel's manual, volume 1, 13.3): bits of XCR0. */
enum { SAVES_NOTHING = 0, SAVES_AVX = 0x6, SAVES_AVX512 = 0xe6 };

static const struct {
    const char *name; /* below hw.optional */
    uint64_t bit;
    unsigned char where, number, saved;
} CAPABILITIES[] = {
    {"mmx", 0x1, LEAF_1_EDX, 23, SAVES_NOTHING},
    {"sse", 0x2, LEAF_1_EDX, 25, SAVES_NOTHING},
    {"sse2", 0x4, LEAF_1_EDX, 26, SAVES_NOTHING},
    {"sse3", 0x8, LEAF_1_ECX, 0, SAVES_NOTHING},
    {"supplementalsse3", 0x100, LEAF_1_ECX, 9, SAVES_NOTHING},
    {"sse4_1", 0x400, LEAF_1_ECX, 19, SAVES_NOTHING},
    {"sse4_2", 0x800, LEAF_1_ECX, 20, SAVES_NOTHING},
    {"aes", 0x1000, LEAF_1_ECX, 25, SAVES_NOTHING},
    {"avx1_0", 0x1000000, LEAF_1_ECX, 28, SAVES_AVX},
    {"rdrand", 0x2000000, LEAF_1_ECX, 30, SAVES_NOTHING},
    {"f16c", 0x4000000, LEAF_1_ECX, 29, SAVES_AVX},
    {"enfstrg", 0x8000000, LEAF_7_EBX, 9, SAVES_NOTHING},
    {"fma", 0x10000000, LEAF_1_ECX, 12, SAVES_AVX},
    {"avx2_0", 0x20000000, LEAF_7_EBX, 5, SAVES_AVX},
    {"bmi1", 0x40000000, LEAF_7_EBX, 3, SAVES_NOTHING},
    {"bmi2", 0x80000000, LEAF_7_EBX, 8, SAVES_NOTHING},
    {"rtm", 0x100000000, LEAF_7_EBX, 11, SAVES_NOTHING},
    {"hle", 0x200000000, LEAF_7_EBX, 4, SAVES_NOTHING},
    {"adx", 0x400000000, LEAF_7_EBX, 19, SAVES_NOTHING},
    {"avx512f", 0x4000000000, LEAF_7_EBX, 16, SAVES_AVX512},
    {"avx512cd", 0x8000000000, LEAF_7_EBX, 28, SAVES_AVX512},
    {"avx512dq", 0x10000000000, LEAF_7_EBX, 17, SAVES_AVX512},
    {"avx512bw", 0x20000000000, LEAF_7_EBX, 30, SAVES_AVX512},
    {"avx512ifma", 0x40000000000, LEAF_7_EBX, 21, SAVES_AVX512},
    {"avx512vbmi", 0x80000000000, LEAF_7_ECX, 1, SAVES_AVX512},
    {"avx512vl", 0x100000000000, LEAF_7_EBX, 31, SAVES_AVX512},
};
enum { LONG_MODE = 0x200, RDSEED = 18, HAS_OSXSAVE = 27 };

static uint64_t features(void) {
    unsigned registers[REGISTERS] = {0}, a, b, c, d;
    uint64_t saved = 0, found = LONG_MODE;
    if (__get_cpuid(1, &a, &b, &c, &d)) {
        registers[LEAF_1_ECX] = c;
        registers[LEAF_1_EDX] = d;
    }
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
        registers[LEAF_7_EBX] = b;
        registers[LEAF_7_ECX] = c;
    }
    if (registers[LEAF_1_ECX] >> HAS_OSXSAVE & 1) {
        __asm__("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
        saved = a;
    }
    for (size_t i = 0; i < sizeof CAPABILITIES / sizeof *CAPABILITIES; i++)
        if (registers[CAPABILITIES[i].where] >> CAPABILITIES[i].number & 1 &&
            (saved & CAPABILITIES[i].saved) == CAPABILITIES[i].saved)
            found |= CAPABILITIES[i].bit;
    if (registers[LEAF_7_EBX] >> RDSEED & 1)
        found |= 0x800000000; /* hw.optional has no name for it */
    return found;
}
uint64_t darwin_cpu_capability(const char *name) {
    if (strcmp(name, "x86_64") == 0 || strcmp(name, "floatingpoint") == 0)
        return LONG_MODE;
    for (size_t i = 0; i < sizeof CAPABILITIES / sizeof *CAPABILITIES; i++)
        if (strcmp(CAPABILITIES[i].name, name) == 0)
            return CAPABILITIES[i].bit;
    return 0;
}
#else
#include <sys/auxv.h>

enum { VERSION = 3 };
/* Beside the page proper there is one that the kernel itself cannot write to; it has some of the same fields. */
static const uintptr_t PAGES[] = {0xfffffc000, 0xfffff4000};
enum { AREA = 0x4000, CPU_FAMILY_AT = 0x80 };
#define PAGE_SHIFT 14

/* Linux's bits of AT_HWCAP and AT_HWCAP2 for arm64 (arch/arm64/include/uapi/asm/hwcap.h). */
static const struct {
    const char *name; /* below hw.optional; NULL for another name of the same bit */
    const char *feature; /* the newer name, below hw.optional.arm */
    uint64_t bit;
    unsigned char vector, number;
} CAPABILITIES[] = {
    {"neon_fp16", "FEAT_FP16", 0x8, 1, 10},
    {"AdvSIMD", "AdvSIMD", 0x100, 1, 1},
    {"neon", NULL, 0x100, 1, 1},
    {"neon_hpfp", "AdvSIMD_HPFPCvt", 0x200, 1, 1},
    {"armv8_2_fhm", "FEAT_FHM", 0x4000, 1, 23},
    {NULL, "FEAT_AES", 0x1000000, 1, 3},
    {NULL, "FEAT_PMULL", 0x1000000, 1, 4},
    {NULL, "FEAT_SHA1", 0x1000000, 1, 5},
    {NULL, "FEAT_SHA256", 0x1000000, 1, 6},
    {"armv8_1_atomics", "FEAT_LSE", 0x2000000, 1, 8},
    {"armv8_crc32", "FEAT_CRC32", 0x4000000, 1, 7},
    {"armv8_2_sha512", "FEAT_SHA512", 0x80000000, 1, 21},
    {"armv8_2_sha3", "FEAT_SHA3", 0x100000000, 1, 17},
    {"armv8_3_compnum", "FEAT_FCMA", 0x200000000, 1, 14},
    {NULL, "FEAT_FlagM", 0x10000000000, 1, 27},
    {NULL, "FEAT_FlagM2", 0x20000000000, 2, 7},
    {NULL, "FEAT_DotProd", 0x40000000000, 1, 20},
    {NULL, "FEAT_RDM", 0x80000000000, 1, 12},
    {NULL, "FEAT_SB", 0x200000000000, 1, 29},
    {NULL, "FEAT_FRINTTS", 0x400000000000, 2, 8},
    {NULL, "FEAT_LRCPC", 0x1000000000000, 1, 15},
    {NULL, "FEAT_LRCPC2", 0x2000000000000, 1, 26},
    {NULL, "FEAT_JSCVT", 0x4000000000000, 1, 13},
    {NULL, "FEAT_DPB", 0x10000000000000, 1, 16},
    {NULL, "FEAT_DPB2", 0x20000000000000, 2, 0},
    {NULL, "FEAT_LSE2", 0x40000000000000, 1, 25},
    {NULL, "FEAT_DIT", 0x200000000000000, 1, 24},
};
enum { ALWAYS = 0x400 | 0x2000 /* VFP, fused multiply-add: every arm64 */ };

static uint64_t features(void) {
    uint64_t found = ALWAYS;
    for (size_t i = 0; i < sizeof CAPABILITIES / sizeof *CAPABILITIES; i++)
        if (getauxval(CAPABILITIES[i].vector == 1 ? AT_HWCAP : AT_HWCAP2) >> CAPABILITIES[i].number & 1)
            found |= CAPABILITIES[i].bit;
    return found;
}
uint64_t darwin_cpu_capability(const char *name) {
    int newer = strncmp(name, "arm.", 4) == 0;
    for (size_t i = 0; i < sizeof CAPABILITIES / sizeof *CAPABILITIES; i++) {
        const char *known = newer ? CAPABILITIES[i].feature : CAPABILITIES[i].name;
        if (known != NULL && strcmp(known, newer ? name + 4 : name) == 0)
            return CAPABILITIES[i].bit;
    }
    return strcmp(name, "floatingpoint") == 0 || strcmp(name, "arm64") == 0 ? ALWAYS : 0;
}
#endif

enum {
    CAPABILITIES_64_AT = 0x10, VERSION_AT = 0x1e, CAPABILITIES_AT = 0x20, PAGE_SHIFTS_AT = 0x24, CACHE_LINE_AT = 0x26,
    ACTIVE_CPUS_AT = 0x34, PHYSICAL_CPUS_AT = 0x35, LOGICAL_CPUS_AT = 0x36, KERNEL_PAGE_SHIFT_AT = 0x37,
    MEMORY_SIZE_AT = 0x38,
};
enum { CACHE_32 = 0x10, CACHE_64 = 0x20, CACHE_128 = 0x40, FAST_THREAD_LOCALS = 0x80, ONE_CPU = 0x8000, CPUS_SHIFT = 16 };

static uint8_t cpus(void) {
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count < 1 ? 1 : count > 255 ? 255 : (uint8_t)count;
}
static uint16_t cache_line(void) {
    long size = sysconf(_SC_LEVEL1_DCACHE_LINESIZE);
    return size == 32 || size == 128 ? (uint16_t)size : 64;
}

uint64_t darwin_cpu_capabilities(void) {
    uint16_t line = cache_line();
    return features() | FAST_THREAD_LOCALS | (uint64_t)cpus() << CPUS_SHIFT | (cpus() == 1 ? ONE_CPU : 0) |
           (line == 32 ? CACHE_32 : line == 128 ? CACHE_128 : CACHE_64);
}

static void fill(unsigned char *page) {
    uint64_t capabilities = darwin_cpu_capabilities();
    uint64_t memory = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    uint32_t low = (uint32_t)capabilities, family = 0; /* CPUFAMILY_UNKNOWN of mach/machine.h */
    uint16_t version = VERSION, line = cache_line();
    memcpy(page, "commpage 64-bit", 15);
    memcpy(page + CAPABILITIES_64_AT, &capabilities, sizeof capabilities);
    memcpy(page + VERSION_AT, &version, sizeof version);
    memcpy(page + CAPABILITIES_AT, &low, sizeof low);
    memcpy(page + CACHE_LINE_AT, &line, sizeof line);
    page[ACTIVE_CPUS_AT] = page[PHYSICAL_CPUS_AT] = page[LOGICAL_CPUS_AT] = cpus();
    memcpy(page + MEMORY_SIZE_AT, &memory, sizeof memory);
    memcpy(page + CPU_FAMILY_AT, &family, sizeof family);
    if (PAGE_SHIFT != 12) /* on x86_64 these bytes are not used */
        page[PAGE_SHIFTS_AT] = page[PAGE_SHIFTS_AT + 1] = page[KERNEL_PAGE_SHIFT_AT] = PAGE_SHIFT;
}

/* 0, or the error that kept the page from its place. */
static int failure;

__attribute__((constructor)) static void map_commpage(void) {
    uintptr_t unit = (uintptr_t)sysconf(_SC_PAGESIZE);
    for (size_t i = 0; i < sizeof PAGES / sizeof *PAGES; i++) {
        uintptr_t start = PAGES[i] & ~(unit - 1), end = (PAGES[i] + AREA + unit - 1) & ~(unit - 1);
        void *made = mmap((void *)start, end - start, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
        /* A kernel before 4.17 takes the address for a hint. */
        if (made != (void *)start) {
            failure = made == MAP_FAILED ? errno : EEXIST;
            if (made != MAP_FAILED)
                munmap(made, end - start);
            return;
        }
        fill((unsigned char *)PAGES[i]);
        mprotect(made, end - start, PROT_READ);
    }
}

int forge_loader_commpage(void) { return failure; }
