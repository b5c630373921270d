/* dispatch/dispatch.h: once, semaphores, time and apply: what C, C++ and Rust code uses of it.
 *
 * Queues that run work on other threads are not here: a call of dispatch_async is a trap by its name. */
#include "darwin_common.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

/* dispatch/once.h: inline code looks for ~0, so that is what done is; 1 while it runs. Waiters sleep on the low half. */
DARWIN_EXPORT void forge_darwin_dispatch_once_f(intptr_t *predicate, void *context, void (*function)(void *)) {
    for (;;) {
        intptr_t seen = __atomic_load_n(predicate, __ATOMIC_ACQUIRE);
        if (seen == ~(intptr_t)0)
            return;
        if (seen == 0 && __atomic_compare_exchange_n(predicate, &seen, 1, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
            function(context);
            __atomic_store_n(predicate, ~(intptr_t)0, __ATOMIC_RELEASE);
            darwin_futex_wake((uint32_t *)predicate, INT32_MAX);
            return;
        }
        if (seen == 1)
            darwin_futex_wait((uint32_t *)predicate, 1, -1);
    }
}
struct block {
    void *isa;
    int32_t flags, reserved;
    void (*invoke)(void *);
};
DARWIN_EXPORT void forge_darwin_dispatch_once(intptr_t *predicate, struct block *block) {
    forge_darwin_dispatch_once_f(predicate, block, block->invoke);
}

/* dispatch/time.h: nanoseconds of the uptime clock; wall times have the upper bit set and count down from there.
 * DISPATCH_TIME_NOW is 0, FOREVER is ~0. */
#define FOREVER (~(uint64_t)0)
#define WALL_BIT ((uint64_t)1 << 63)
static int64_t now_of(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec * 1000000000ll + time.tv_nsec;
}
DARWIN_EXPORT uint64_t forge_darwin_dispatch_time(uint64_t when, int64_t delta) {
    if (when == FOREVER)
        return FOREVER;
    if (when & WALL_BIT) { /* a wall time, negated */
        int64_t moved = -(int64_t)when + delta;
        return moved <= 0 ? FOREVER : (uint64_t)-moved;
    }
    int64_t base = when == 0 ? now_of(CLOCK_MONOTONIC) : (int64_t)when;
    if (delta > 0 && base > INT64_MAX - delta)
        return FOREVER;
    return base + delta < 1 ? 1 : (uint64_t)(base + delta);
}
DARWIN_EXPORT uint64_t forge_darwin_dispatch_walltime(const struct timespec *when, int64_t delta) {
    int64_t base = when != NULL ? when->tv_sec * 1000000000ll + when->tv_nsec : now_of(CLOCK_REALTIME);
    return base + delta < 2 ? FOREVER : (uint64_t)-(base + delta);
}
/* Until when on CLOCK_MONOTONIC: 0 is "not at all", -1 "for ever". */
static int64_t deadline_of(uint64_t when) {
    if (when == FOREVER)
        return -1;
    if (when & WALL_BIT)
        return now_of(CLOCK_MONOTONIC) + (-(int64_t)when - now_of(CLOCK_REALTIME));
    return (int64_t)when;
}

/* An object is counted; a semaphore has a value, and how many wait does not matter to a futex. */
struct semaphore {
    uint32_t references, value, waiters;
    void *context;
};
DARWIN_EXPORT struct semaphore *forge_darwin_dispatch_semaphore_create(intptr_t value) {
    if (value < 0)
        return NULL;
    struct semaphore *made = calloc(1, sizeof *made);
    if (made != NULL) {
        made->references = 1;
        made->value = (uint32_t)value;
    }
    return made;
}
/* 0, or not 0 where the time was over. */
DARWIN_EXPORT intptr_t forge_darwin_dispatch_semaphore_wait(struct semaphore *semaphore, uint64_t when) {
    int64_t deadline = when == 0 ? 0 : deadline_of(when);
    for (;;) {
        uint32_t value = __atomic_load_n(&semaphore->value, __ATOMIC_RELAXED);
        while (value > 0)
            if (__atomic_compare_exchange_n(&semaphore->value, &value, value - 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
                return 0;
        if (when == 0)
            return 1;
        __atomic_add_fetch(&semaphore->waiters, 1, __ATOMIC_SEQ_CST);
        int failure = darwin_futex_wait(&semaphore->value, 0, deadline);
        __atomic_sub_fetch(&semaphore->waiters, 1, __ATOMIC_SEQ_CST);
        if (failure == ETIMEDOUT)
            when = 0; /* a signal that came meanwhile is still taken */
    }
}
/* Not 0 where a thread was woken. */
DARWIN_EXPORT intptr_t forge_darwin_dispatch_semaphore_signal(struct semaphore *semaphore) {
    __atomic_add_fetch(&semaphore->value, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&semaphore->waiters, __ATOMIC_SEQ_CST) == 0)
        return 0;
    darwin_futex_wake(&semaphore->value, 1);
    return 1;
}
DARWIN_EXPORT void forge_darwin_dispatch_retain(struct semaphore *object) {
    __atomic_add_fetch(&object->references, 1, __ATOMIC_RELAXED);
}
DARWIN_EXPORT void forge_darwin_dispatch_release(struct semaphore *object) {
    if (__atomic_sub_fetch(&object->references, 1, __ATOMIC_ACQ_REL) == 0)
        free(object);
}
DARWIN_EXPORT void forge_darwin_dispatch_set_context(struct semaphore *object, void *context) { object->context = context; }
DARWIN_EXPORT void *forge_darwin_dispatch_get_context(struct semaphore *object) { return object->context; }

/* dispatch/queue.h: a global queue is never freed, and nothing waits in it. */
static struct semaphore global_queue = {.references = INT32_MAX};
DARWIN_EXPORT struct semaphore *forge_darwin_dispatch_get_global_queue(intptr_t identifier, uintptr_t flags) {
    (void)identifier;
    return flags == 0 ? &global_queue : NULL;
}
/* The iterations may run in any order, on any threads: here one after the other, on the thread that calls. */
DARWIN_EXPORT void forge_darwin_dispatch_apply_f(
    size_t iterations, struct semaphore *queue, void *context, void (*work)(void *, size_t)) {
    (void)queue;
    for (size_t iteration = 0; iteration < iterations; iteration++)
        work(context, iteration);
}
DARWIN_EXPORT void forge_darwin_dispatch_apply(size_t iterations, struct semaphore *queue, struct block *block) {
    forge_darwin_dispatch_apply_f(iterations, queue, block, (void (*)(void *, size_t))(void *)block->invoke);
}
