/* os/lock.h and Darwin's `__ulock` calls, on Linux's futex(2). */
#include "darwin_common.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int darwin_futex_wait(uint32_t *word, uint32_t value, int64_t deadline) {
    struct timespec until = {deadline / 1000000000, deadline % 1000000000};
    int before = errno;
    long done = syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, value, deadline >= 0 ? &until : NULL, NULL,
                        FUTEX_BITSET_MATCH_ANY);
    int failure = done == 0 ? 0 : errno;
    errno = before;
    return failure;
}
void darwin_futex_wake(uint32_t *word, int count) {
    int before = errno;
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
    errno = before;
}

/* os_unfair_lock: a word, 0 when free; then the owner's thread number and a bit for "someone may be waiting". An owner
 * that takes it again, or a thread that frees what it does not own, is stopped, as Darwin does. */
static _Thread_local uint32_t number;
static void forget_number(void) { number = 0; } /* a child of fork has another */
__attribute__((constructor)) static void watch_fork(void) { pthread_atfork(NULL, NULL, forget_number); }
static uint32_t own_number(void) {
    if (number == 0)
        number = (uint32_t)syscall(SYS_gettid);
    return number;
}
#define WAITED 0x80000000u

DARWIN_EXPORT int forge_darwin_os_unfair_lock_trylock(uint32_t *lock) {
    uint32_t expected = 0;
    return __atomic_compare_exchange_n(lock, &expected, own_number(), 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}
DARWIN_EXPORT void forge_darwin_os_unfair_lock_lock(uint32_t *lock) {
    uint32_t own = own_number(), seen = 0;
    if (__atomic_compare_exchange_n(lock, &seen, own, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return;
    for (;;) {
        if ((seen & ~WAITED) == own)
            darwin_fatal("os_unfair_lock_lock", "the thread already holds the lock");
        /* Who has waited takes the lock with the bit set: others may still wait. */
        if (seen == 0) {
            if (__atomic_compare_exchange_n(lock, &seen, own | WAITED, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
                return;
            continue;
        }
        if (!(seen & WAITED)) {
            if (!__atomic_compare_exchange_n(lock, &seen, seen | WAITED, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
                continue;
            seen |= WAITED;
        }
        darwin_futex_wait(lock, seen, -1);
        seen = __atomic_load_n(lock, __ATOMIC_RELAXED);
    }
}
DARWIN_EXPORT void forge_darwin_os_unfair_lock_unlock(uint32_t *lock) {
    uint32_t held = __atomic_load_n(lock, __ATOMIC_RELAXED);
    if ((held & ~WAITED) != own_number())
        darwin_fatal("os_unfair_lock_unlock", "the thread does not hold the lock");
    if (__atomic_exchange_n(lock, 0, __ATOMIC_RELEASE) & WAITED)
        darwin_futex_wake(lock, 1);
}
DARWIN_EXPORT void forge_darwin_os_unfair_lock_assert_owner(const uint32_t *lock) {
    if ((__atomic_load_n(lock, __ATOMIC_RELAXED) & ~WAITED) != own_number())
        darwin_fatal("os_unfair_lock_assert_owner", "the thread does not hold the lock");
}
DARWIN_EXPORT void forge_darwin_os_unfair_lock_assert_not_owner(const uint32_t *lock) {
    if ((__atomic_load_n(lock, __ATOMIC_RELAXED) & ~WAITED) == own_number())
        darwin_fatal("os_unfair_lock_assert_not_owner", "the thread holds the lock");
}

/* xnu's sys/ulock.h: compares 32 bits (1) or 64 (5, whose lower half a futex looks at; a change above it alone would be
 * a spurious sleep, so those wait a millisecond at most). The result is -1 with errno, or the number of other waiters,
 * which is not known here. */
enum { ULF_WAKE_ALL = 0x100, UL_COMPARE_AND_WAIT64 = 5 };
DARWIN_EXPORT int forge_darwin___ulock_wait(uint32_t operation, void *address, uint64_t value, uint32_t microseconds) {
    int wide = (operation & 0xff) == UL_COMPARE_AND_WAIT64;
    if (wide && __atomic_load_n((uint64_t *)address, __ATOMIC_SEQ_CST) != value)
        return 0;
    int64_t deadline = -1;
    if (microseconds != 0 || wide) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        int64_t limit = microseconds != 0 && (!wide || microseconds < 1000) ? microseconds : 1000;
        deadline = now.tv_sec * 1000000000ll + now.tv_nsec + limit * 1000;
    }
    int failure = darwin_futex_wait(address, (uint32_t)value, deadline);
    if (failure == 0 || failure == EAGAIN || (wide && failure == ETIMEDOUT && microseconds == 0))
        return 0;
    errno = failure;
    return -1;
}
DARWIN_EXPORT int forge_darwin___ulock_wake(uint32_t operation, void *address, uint64_t value) {
    (void)value;
    darwin_futex_wake(address, operation & ULF_WAKE_ALL ? INT32_MAX : 1);
    return 0;
}
