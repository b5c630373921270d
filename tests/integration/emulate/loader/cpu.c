/* What Darwin says of the CPU, asked as packages ask: the commpage at its fixed address, and sysctl's hw.optional. */
#include <stdint.h>
#include <string.h>
#include <sys/sysctl.h>

#ifdef __x86_64__
#define COMMPAGE 0x7fffffe00000
#else
#define COMMPAGE 0xfffffc000
#endif

static const unsigned char *page(void) { return (const unsigned char *)COMMPAGE; }

uint64_t capabilities(void) {
    uint64_t value;
    memcpy(&value, page() + 0x10, sizeof value);
    return value;
}
int version(void) { return page()[0x1e] | page()[0x1f] << 8; }
int logical_cpus(void) { return page()[0x36]; }
uint64_t memory(void) {
    uint64_t value;
    memcpy(&value, page() + 0x38, sizeof value);
    return value;
}
int signature(char *out) {
    memcpy(out, page(), 16);
    return 0;
}

/* A sysctl's number, or -1 for a name that there is not. */
int64_t number(const char *name) {
    int64_t value = 0;
    size_t size = sizeof value;
    return sysctlbyname(name, &value, &size, NULL, 0) == 0 ? value : -1;
}

/* Ends in a fault. */
void write_to_page(void) { *(volatile unsigned char *)COMMPAGE = 1; }
