/* What the CPU can do, as Darwin tells it: the bits of the commpage's capabilities, which sysctl's hw.optional.* are.
 *
 * Bits and offsets are xnu's (osfmk/i386/cpu_capabilities.h, osfmk/arm/cpu_capabilities.h); names of hw.optional are
 * those of bsd/kern/kern_mib.c and bsd/dev/arm64/sysctl.c. */
#ifndef FORGE_DARWIN_COMMPAGE_H
#define FORGE_DARWIN_COMMPAGE_H

#include <stdint.h>

/* The capabilities of this process's CPU, without what the kernel does not save for it (XCR0). */
uint64_t darwin_cpu_capabilities(void);

/* The bit that a name below hw.optional asks for: 0 for a name that Darwin does not have on this CPU. */
uint64_t darwin_cpu_capability(const char *name);

#endif
