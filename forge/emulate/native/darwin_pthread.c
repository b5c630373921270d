/* pthread.h: threads, their attributes, keys, once, cancellation, and Darwin's own `_np` functions. */
#include "darwin_pthread.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

/* pthread_t is a pointer on Darwin and a number as wide on Linux. */
_Static_assert(sizeof(pthread_t) == sizeof(void *), "pthread_t");

DARWIN_EXPORT int forge_darwin_pthread_attr_init(struct darwin_attr *attr) {
    attr->host = malloc(sizeof *attr->host);
    if (attr->host == NULL)
        return DARWIN_ENOMEM;
    attr->sig = DARWIN_PTHREAD_READY;
    return darwin_errno_from_host(pthread_attr_init(attr->host));
}
static pthread_attr_t *attr_host(const struct darwin_attr *attr) {
    return attr->sig == DARWIN_PTHREAD_READY ? attr->host : NULL;
}
DARWIN_EXPORT int forge_darwin_pthread_attr_destroy(struct darwin_attr *attr) {
    if (attr_host(attr) == NULL)
        return DARWIN_EINVAL;
    pthread_attr_destroy(attr->host);
    free(attr->host);
    attr->sig = 0;
    return 0;
}
#define ATTR(name, parameters, call) \
    DARWIN_EXPORT int forge_darwin_pthread_attr_##name parameters { \
        pthread_attr_t *host = attr_host(attr); \
        return host == NULL ? DARWIN_EINVAL : darwin_errno_from_host(call); \
    }
ATTR(setstacksize, (struct darwin_attr * attr, size_t size), pthread_attr_setstacksize(host, size))
ATTR(getstacksize, (const struct darwin_attr *attr, size_t *size), pthread_attr_getstacksize(host, size))
ATTR(setguardsize, (struct darwin_attr * attr, size_t size), pthread_attr_setguardsize(host, size))
ATTR(getguardsize, (const struct darwin_attr *attr, size_t *size), pthread_attr_getguardsize(host, size))
ATTR(setstack, (struct darwin_attr * attr, void *base, size_t size), pthread_attr_setstack(host, base, size))
ATTR(getstack, (const struct darwin_attr *attr, void **base, size_t *size), pthread_attr_getstack(host, base, size))
ATTR(setdetachstate, (struct darwin_attr * attr, int state),
     state == DARWIN_PTHREAD_CREATE_DETACHED   ? pthread_attr_setdetachstate(host, PTHREAD_CREATE_DETACHED)
     : state == DARWIN_PTHREAD_CREATE_JOINABLE ? pthread_attr_setdetachstate(host, PTHREAD_CREATE_JOINABLE)
                                               : EINVAL)
DARWIN_EXPORT int forge_darwin_pthread_attr_getdetachstate(const struct darwin_attr *attr, int *state) {
    int host;
    if (attr_host(attr) == NULL)
        return DARWIN_EINVAL;
    pthread_attr_getdetachstate(attr->host, &host);
    *state = host == PTHREAD_CREATE_DETACHED ? DARWIN_PTHREAD_CREATE_DETACHED : DARWIN_PTHREAD_CREATE_JOINABLE;
    return 0;
}
/* All threads contend system-wide, on both systems. */
DARWIN_EXPORT int forge_darwin_pthread_attr_setscope(struct darwin_attr *attr, int scope) {
    if (attr_host(attr) == NULL)
        return DARWIN_EINVAL;
    return scope == DARWIN_PTHREAD_SCOPE_SYSTEM    ? 0
           : scope == DARWIN_PTHREAD_SCOPE_PROCESS ? DARWIN_ENOTSUP
                                                   : DARWIN_EINVAL;
}
DARWIN_EXPORT int forge_darwin_pthread_attr_getscope(const struct darwin_attr *attr, int *scope) {
    *scope = DARWIN_PTHREAD_SCOPE_SYSTEM;
    return attr_host(attr) == NULL ? DARWIN_EINVAL : 0;
}
/* Qualities of service are advice to the scheduler (pthread/qos.h). */
DARWIN_EXPORT int forge_darwin_pthread_attr_set_qos_class_np(struct darwin_attr *attr, unsigned class, int priority) {
    (void)class, (void)priority;
    return attr_host(attr) == NULL ? DARWIN_EINVAL : 0;
}
DARWIN_EXPORT int forge_darwin_pthread_set_qos_class_self_np(unsigned class, int priority) {
    (void)class, (void)priority;
    return 0;
}
enum { QOS_CLASS_DEFAULT = 0x15 };
DARWIN_EXPORT unsigned forge_darwin_qos_class_self(void) { return QOS_CLASS_DEFAULT; }
DARWIN_EXPORT unsigned forge_darwin_qos_class_main(void) { return QOS_CLASS_DEFAULT; }

DARWIN_EXPORT int forge_darwin_pthread_create(pthread_t *thread, const struct darwin_attr *attr, void *(*start)(void *),
                                              void *argument) {
    if (attr != NULL && attr_host(attr) == NULL)
        return DARWIN_EINVAL;
    return darwin_errno_from_host(pthread_create(thread, attr != NULL ? attr->host : NULL, start, argument));
}
DARWIN_EXPORT int forge_darwin_pthread_join(pthread_t thread, void **result) {
    return darwin_errno_from_host(pthread_join(thread, result));
}
DARWIN_EXPORT int forge_darwin_pthread_detach(pthread_t thread) { return darwin_errno_from_host(pthread_detach(thread)); }
DARWIN_EXPORT int forge_darwin_pthread_cancel(pthread_t thread) { return darwin_errno_from_host(pthread_cancel(thread)); }

/* ENABLE is 1 and DISABLE 0 on Darwin; DEFERRED is 2 and ASYNCHRONOUS 0. */
DARWIN_EXPORT int forge_darwin_pthread_setcancelstate(int state, int *old) {
    int before, host = state == DARWIN_PTHREAD_CANCEL_ENABLE ? PTHREAD_CANCEL_ENABLE : PTHREAD_CANCEL_DISABLE;
    if (state != DARWIN_PTHREAD_CANCEL_ENABLE && state != DARWIN_PTHREAD_CANCEL_DISABLE)
        return DARWIN_EINVAL;
    int failure = pthread_setcancelstate(host, &before);
    if (old != NULL)
        *old = before == PTHREAD_CANCEL_ENABLE ? DARWIN_PTHREAD_CANCEL_ENABLE : DARWIN_PTHREAD_CANCEL_DISABLE;
    return darwin_errno_from_host(failure);
}
DARWIN_EXPORT int forge_darwin_pthread_setcanceltype(int type, int *old) {
    int before, host = type == DARWIN_PTHREAD_CANCEL_DEFERRED ? PTHREAD_CANCEL_DEFERRED : PTHREAD_CANCEL_ASYNCHRONOUS;
    if (type != DARWIN_PTHREAD_CANCEL_DEFERRED && type != DARWIN_PTHREAD_CANCEL_ASYNCHRONOUS)
        return DARWIN_EINVAL;
    int failure = pthread_setcanceltype(host, &before);
    if (old != NULL)
        *old = before == PTHREAD_CANCEL_DEFERRED ? DARWIN_PTHREAD_CANCEL_DEFERRED : DARWIN_PTHREAD_CANCEL_ASYNCHRONOUS;
    return darwin_errno_from_host(failure);
}

/* Statically linked in glibc, so that dlsym does not see it. */
DARWIN_EXPORT int forge_darwin_pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void)) {
    return darwin_errno_from_host(pthread_atfork(prepare, parent, child));
}

/* pthread_key_t is an unsigned long, and 0 is never a key: the first that a program gets is 512 on Darwin. */
enum { FIRST_KEY = 512 };
DARWIN_EXPORT int forge_darwin_pthread_key_create(unsigned long *key, void (*destructor)(void *)) {
    pthread_key_t host;
    int failure = pthread_key_create(&host, destructor);
    if (failure == 0)
        *key = (unsigned long)host + FIRST_KEY;
    return darwin_errno_from_host(failure);
}
DARWIN_EXPORT int forge_darwin_pthread_key_delete(unsigned long key) {
    return key < FIRST_KEY ? DARWIN_EINVAL : darwin_errno_from_host(pthread_key_delete((pthread_key_t)(key - FIRST_KEY)));
}
DARWIN_EXPORT void *forge_darwin_pthread_getspecific(unsigned long key) {
    return key < FIRST_KEY ? NULL : pthread_getspecific((pthread_key_t)(key - FIRST_KEY));
}
DARWIN_EXPORT int forge_darwin_pthread_setspecific(unsigned long key, const void *value) {
    return key < FIRST_KEY ? DARWIN_EINVAL
                           : darwin_errno_from_host(pthread_setspecific((pthread_key_t)(key - FIRST_KEY), value));
}

/* Once: 0 not yet, 1 running, 2 done, in the word behind the signature; waiters sleep on it. */
DARWIN_EXPORT int forge_darwin_pthread_once(struct darwin_once *once, void (*function)(void)) {
    uint32_t state = __atomic_load_n(&once->state, __ATOMIC_ACQUIRE);
    if (once->sig != DARWIN_PTHREAD_ONCE_SIG_init)
        return DARWIN_EINVAL;
    while (state != 2) {
        if (state == 0 && __atomic_compare_exchange_n(&once->state, &state, 1, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
            function();
            __atomic_store_n(&once->state, 2, __ATOMIC_RELEASE);
            darwin_futex_wake(&once->state, INT32_MAX);
            return 0;
        }
        if (state == 1)
            darwin_futex_wait(&once->state, 1, -1);
        state = __atomic_load_n(&once->state, __ATOMIC_ACQUIRE);
    }
    return 0;
}

/* A thread's number, unique in the system; NULL is the caller's. Another thread's is not told by glibc. */
DARWIN_EXPORT int forge_darwin_pthread_threadid_np(pthread_t thread, uint64_t *number) {
    if (thread != 0 && !pthread_equal(thread, pthread_self()))
        return DARWIN_ESRCH;
    *number = (uint64_t)syscall(SYS_gettid);
    return 0;
}
/* Names the calling thread. Darwin allows 63 characters, Linux 15: what does not fit is cut. */
DARWIN_EXPORT int forge_darwin_pthread_setname_np(const char *name) {
    char kept[16];
    snprintf(kept, sizeof kept, "%s", name);
    return darwin_errno_from_host(pthread_setname_np(pthread_self(), kept));
}
DARWIN_EXPORT int forge_darwin_pthread_getname_np(pthread_t thread, char *name, size_t size) {
    char kept[16];
    int failure = pthread_getname_np(thread, kept, sizeof kept);
    if (failure == 0)
        snprintf(name, size, "%s", kept);
    return darwin_errno_from_host(failure);
}
DARWIN_EXPORT int forge_darwin_pthread_main_np(void) { return getpid() == syscall(SYS_gettid); }
DARWIN_EXPORT int forge_darwin_pthread_is_threaded_np(void) { return 1; }
DARWIN_EXPORT void forge_darwin_pthread_yield_np(void) { sched_yield(); }
DARWIN_EXPORT int forge_darwin_pthread_cpu_number_np(size_t *number) {
    int cpu = sched_getcpu();
    *number = (size_t)(cpu < 0 ? 0 : cpu);
    return cpu < 0 ? DARWIN_ENOTSUP : 0;
}
extern uint32_t forge_darwin_mach_thread_self(void);
DARWIN_EXPORT uint32_t forge_darwin_pthread_mach_thread_np(pthread_t thread) {
    return pthread_equal(thread, pthread_self()) ? forge_darwin_mach_thread_self() : 0;
}
static void stack_of(pthread_t thread, void **base, size_t *size) {
    pthread_attr_t attributes;
    *base = NULL;
    *size = 0;
    if (pthread_getattr_np(thread, &attributes) == 0) {
        pthread_attr_getstack(&attributes, base, size);
        pthread_attr_destroy(&attributes);
    }
}
/* The stack's upper end, which is where it starts. */
DARWIN_EXPORT void *forge_darwin_pthread_get_stackaddr_np(pthread_t thread) {
    void *base;
    size_t size;
    stack_of(thread, &base, &size);
    return (char *)base + size;
}
DARWIN_EXPORT size_t forge_darwin_pthread_get_stacksize_np(pthread_t thread) {
    void *base;
    size_t size;
    stack_of(thread, &base, &size);
    return size;
}
/* Writing to and running code from one page is never switched on Linux. */
DARWIN_EXPORT void forge_darwin_pthread_jit_write_protect_np(int enabled) { (void)enabled; }
DARWIN_EXPORT int forge_darwin_pthread_jit_write_protect_supported_np(void) { return 0; }

/* Scheduling: SCHED_OTHER is 1, RR 2, FIFO 4; sched_param begins with the priority on both and is 8 bytes on Darwin. */
static int policy_from_host(int policy) {
    return policy == SCHED_RR ? DARWIN_SCHED_RR : policy == SCHED_FIFO ? DARWIN_SCHED_FIFO : DARWIN_SCHED_OTHER;
}
static int policy_to_host(int policy) {
    return policy == DARWIN_SCHED_RR ? SCHED_RR : policy == DARWIN_SCHED_FIFO ? SCHED_FIFO : SCHED_OTHER;
}
DARWIN_EXPORT int forge_darwin_pthread_getschedparam(pthread_t thread, int *policy, int *priority) {
    struct sched_param host;
    int failure = pthread_getschedparam(thread, policy, &host);
    if (failure == 0) {
        *policy = policy_from_host(*policy);
        *priority = host.sched_priority;
    }
    return darwin_errno_from_host(failure);
}
DARWIN_EXPORT int forge_darwin_pthread_setschedparam(pthread_t thread, int policy, const int *priority) {
    struct sched_param host = {.sched_priority = *priority};
    return darwin_errno_from_host(pthread_setschedparam(thread, policy_to_host(policy), &host));
}
DARWIN_EXPORT int forge_darwin_sched_get_priority_max(int policy) { return sched_get_priority_max(policy_to_host(policy)); }
DARWIN_EXPORT int forge_darwin_sched_get_priority_min(int policy) { return sched_get_priority_min(policy_to_host(policy)); }
