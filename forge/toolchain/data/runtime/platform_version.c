/*
 * The part of the compiler runtime that clang's __builtin_available calls (libclang_rt.ios.a in Xcode).
 *
 * The running system's version is read once from sysctl "kern.osproductversion", which iOS 11.3 and later answer with
 * "major.minor[.patch]". In a simulator that is the Mac's version, so there the simulator's own variable
 * SIMULATOR_RUNTIME_VERSION, which CoreSimulator sets for every process, is asked first.
 * Interface: LLVM, compiler-rt/lib/builtins/os_version_check.c. Licensed like forge itself (MIT).
 */
#include <TargetConditionals.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/sysctl.h>

static const char *skip_number(const char *text, uint32_t *number) {
    uint32_t value = 0;
    while (*text >= '0' && *text <= '9')
        value = value * 10 + (uint32_t)(*text++ - '0');
    *number = value;
    return *text == '.' ? text + 1 : text;
}

/* major << 16 | minor << 8 | patch, as LC_BUILD_VERSION packs versions; 0 where nothing answers. */
static uint32_t read_version(void) {
    char buffer[32] = "";
    size_t size = sizeof(buffer) - 1;
    const char *text = NULL;
#if TARGET_OS_SIMULATOR
    text = getenv("SIMULATOR_RUNTIME_VERSION");
#endif
    if (text == NULL && sysctlbyname("kern.osproductversion", buffer, &size, NULL, 0) == 0)
        text = buffer;
    if (text == NULL)
        return 0;
    uint32_t major, minor, patch;
    text = skip_number(text, &major);
    text = skip_number(text, &minor);
    skip_number(text, &patch);
    return major << 16 | (minor & 0xff) << 8 | (patch & 0xff);
}

static uint32_t version_at_least(uint32_t major, uint32_t minor, uint32_t patch) {
    static uint32_t running; /* racing threads store the same value */
    uint32_t known = __atomic_load_n(&running, __ATOMIC_RELAXED);
    if (known == 0) {
        known = read_version();
        __atomic_store_n(&running, known, __ATOMIC_RELAXED);
    }
    return known >= (major << 16 | minor << 8 | patch);
}

__attribute__((visibility("hidden")))
int32_t __isPlatformVersionAtLeast(uint32_t platform, uint32_t major, uint32_t minor, uint32_t patch) {
    (void)platform; /* an image has one platform: clang asks for another only in Catalyst's zippered code */
    return (int32_t)version_at_least(major, minor, patch);
}

__attribute__((visibility("hidden")))
int32_t __isOSVersionAtLeast(int32_t major, int32_t minor, int32_t patch) {
    return (int32_t)version_at_least((uint32_t)major, (uint32_t)minor, (uint32_t)patch);
}
