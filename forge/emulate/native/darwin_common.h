/* What every file of the Darwin side shares: visibility, errno in both numberings, the way to stop.
 *
 * A function `foo` of Darwin's libSystem is `forge_darwin_foo` here; nothing else is visible outside the shared object.
 * The binding tables (runtime/bindings/) say which symbol gets which of them. */
#ifndef FORGE_DARWIN_COMMON_H
#define FORGE_DARWIN_COMMON_H

/* Included first everywhere: the hosts' own extensions (qsort_r, program_invocation_short_name) are used. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <stddef.h>
#include <stdint.h>

#include "darwin_abi.h"

#define DARWIN_EXPORT __attribute__((visibility("default")))

/* One errno number in the other numbering (darwin_errno.c). 0 and negative numbers stay what they are. */
int darwin_errno_from_host(int number);
int darwin_errno_to_host(int number);

/* Makes glibc's errno what Darwin code stored last: to be called before host code that reads errno. */
void darwin_errno_publish(void);

/* Reports what the emulation cannot do, or what a program did wrong, and aborts. */
_Noreturn void darwin_fatal(const char *function, const char *what);

/* A handle of this shared object, for dlsym (darwin_dyld.c). */
void *darwin_own_handle(void);

/* Waits until *word is no longer value (or the absolute CLOCK_MONOTONIC time), and wakes such waiters: a futex.
 * The time is in nanoseconds, -1 for no limit. Returns 0, or an errno number of the host. */
int darwin_futex_wait(uint32_t *word, uint32_t value, int64_t deadline);
void darwin_futex_wake(uint32_t *word, int count);

/* Signal numbers (sys/signal.h): -1 or 0 where the other system has no such signal. */
int darwin_signal_to_host(int number);
int darwin_signal_from_host(int number);

/* open's flags (sys/fcntl.h). */
int darwin_open_flags_to_host(int flags);

/* Address families (sys/socket.h). */
int darwin_family_to_host(int family);
int darwin_family_from_host(int family);

#endif
