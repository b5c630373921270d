/* pthread.h: mutexes, conditions, read-write locks. Errors are returned, in Darwin's numbers. */
#include "darwin_pthread.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

pthread_mutex_t darwin_pthread_making = PTHREAD_MUTEX_INITIALIZER;

static int ready(const long *sig) { return __atomic_load_n(sig, __ATOMIC_ACQUIRE) == DARWIN_PTHREAD_READY; }
static void set_ready(long *sig) { __atomic_store_n(sig, DARWIN_PTHREAD_READY, __ATOMIC_RELEASE); }

static int make_mutex(struct darwin_mutex *mutex, int type, int protocol) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, type == DARWIN_PTHREAD_MUTEX_ERRORCHECK  ? PTHREAD_MUTEX_ERRORCHECK
                                           : type == DARWIN_PTHREAD_MUTEX_RECURSIVE ? PTHREAD_MUTEX_RECURSIVE
                                                                                    : PTHREAD_MUTEX_NORMAL);
    if (protocol == DARWIN_PTHREAD_PRIO_INHERIT)
        pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
    int failure = pthread_mutex_init(&mutex->host, &attributes);
    pthread_mutexattr_destroy(&attributes);
    if (failure == 0)
        set_ready(&mutex->sig);
    return failure;
}

/* The type that a static initialiser stands for, -1 if the word is no mutex's. */
static int static_type(long sig) {
    switch (sig) {
    case DARWIN_PTHREAD_MUTEX_SIG_init:
    case DARWIN_PTHREAD_FIRSTFIT_MUTEX_SIG_init: return DARWIN_PTHREAD_MUTEX_NORMAL;
    case DARWIN_PTHREAD_ERRORCHECK_MUTEX_SIG_init: return DARWIN_PTHREAD_MUTEX_ERRORCHECK;
    case DARWIN_PTHREAD_RECURSIVE_MUTEX_SIG_init: return DARWIN_PTHREAD_MUTEX_RECURSIVE;
    default: return -1;
    }
}
pthread_mutex_t *darwin_mutex_host(struct darwin_mutex *mutex) {
    if (ready(&mutex->sig))
        return &mutex->host;
    pthread_mutex_lock(&darwin_pthread_making);
    int type = static_type(mutex->sig);
    int usable = ready(&mutex->sig) || (type >= 0 && make_mutex(mutex, type, DARWIN_PTHREAD_PRIO_NONE) == 0);
    pthread_mutex_unlock(&darwin_pthread_making);
    return usable ? &mutex->host : NULL;
}

/* Runs a function of glibc's on the host's object; EINVAL where the object is none. */
#define ON(object, host, call) \
    (__extension__({ \
        __auto_type host = (object); \
        host != NULL ? darwin_errno_from_host(call) : DARWIN_EINVAL; \
    }))

DARWIN_EXPORT int forge_darwin_pthread_mutex_init(struct darwin_mutex *mutex, const struct darwin_object_attr *attr) {
    if (attr == NULL)
        return darwin_errno_from_host(make_mutex(mutex, DARWIN_PTHREAD_MUTEX_NORMAL, DARWIN_PTHREAD_PRIO_NONE));
    if (attr->sig != DARWIN_PTHREAD_READY)
        return DARWIN_EINVAL;
    return darwin_errno_from_host(make_mutex(mutex, attr->type, attr->protocol));
}
DARWIN_EXPORT int forge_darwin_pthread_mutex_destroy(struct darwin_mutex *mutex) {
    int failure = ON(darwin_mutex_host(mutex), host, pthread_mutex_destroy(host));
    if (failure == 0)
        mutex->sig = 0;
    return failure;
}
DARWIN_EXPORT int forge_darwin_pthread_mutex_lock(struct darwin_mutex *mutex) {
    return ON(darwin_mutex_host(mutex), host, pthread_mutex_lock(host));
}
DARWIN_EXPORT int forge_darwin_pthread_mutex_trylock(struct darwin_mutex *mutex) {
    return ON(darwin_mutex_host(mutex), host, pthread_mutex_trylock(host));
}
DARWIN_EXPORT int forge_darwin_pthread_mutex_unlock(struct darwin_mutex *mutex) {
    return ON(darwin_mutex_host(mutex), host, pthread_mutex_unlock(host));
}

/* Attributes of mutexes: what is set is what is told; a lock shared between processes does not exist here. */
DARWIN_EXPORT int forge_darwin_pthread_mutexattr_init(struct darwin_object_attr *attr) {
    *attr = (struct darwin_object_attr){.sig = DARWIN_PTHREAD_READY, .type = DARWIN_PTHREAD_MUTEX_NORMAL,
                                        .shared = DARWIN_PTHREAD_PROCESS_PRIVATE};
    return 0;
}
DARWIN_EXPORT int forge_darwin_pthread_mutexattr_destroy(struct darwin_object_attr *attr) {
    if (attr->sig != DARWIN_PTHREAD_READY)
        return DARWIN_EINVAL;
    attr->sig = 0;
    return 0;
}
DARWIN_EXPORT int forge_darwin_pthread_mutexattr_settype(struct darwin_object_attr *attr, int type) {
    if (attr->sig != DARWIN_PTHREAD_READY || type < DARWIN_PTHREAD_MUTEX_NORMAL || type > DARWIN_PTHREAD_MUTEX_RECURSIVE)
        return DARWIN_EINVAL;
    attr->type = (uint8_t)type;
    return 0;
}
DARWIN_EXPORT int forge_darwin_pthread_mutexattr_gettype(const struct darwin_object_attr *attr, int *type) {
    *type = attr->type;
    return attr->sig == DARWIN_PTHREAD_READY ? 0 : DARWIN_EINVAL;
}
DARWIN_EXPORT int forge_darwin_pthread_mutexattr_setprotocol(struct darwin_object_attr *attr, int protocol) {
    if (attr->sig != DARWIN_PTHREAD_READY || protocol < 0 || protocol > DARWIN_PTHREAD_PRIO_PROTECT)
        return DARWIN_EINVAL;
    attr->protocol = (uint8_t)protocol;
    return 0;
}
DARWIN_EXPORT int forge_darwin_pthread_mutexattr_getprotocol(const struct darwin_object_attr *attr, int *protocol) {
    *protocol = attr->protocol;
    return attr->sig == DARWIN_PTHREAD_READY ? 0 : DARWIN_EINVAL;
}
static int set_shared(struct darwin_object_attr *attr, int shared) {
    if (attr->sig != DARWIN_PTHREAD_READY)
        return DARWIN_EINVAL;
    if (shared == DARWIN_PTHREAD_PROCESS_SHARED)
        return DARWIN_ENOTSUP;
    return shared == DARWIN_PTHREAD_PROCESS_PRIVATE ? 0 : DARWIN_EINVAL;
}
static int get_shared(const struct darwin_object_attr *attr, int *shared) {
    *shared = DARWIN_PTHREAD_PROCESS_PRIVATE;
    return attr->sig == DARWIN_PTHREAD_READY ? 0 : DARWIN_EINVAL;
}
DARWIN_EXPORT int forge_darwin_pthread_mutexattr_setpshared(struct darwin_object_attr *a, int s) { return set_shared(a, s); }
DARWIN_EXPORT int forge_darwin_pthread_mutexattr_getpshared(const struct darwin_object_attr *a, int *s) { return get_shared(a, s); }

/* Conditions. */
static pthread_cond_t *cond_host(struct darwin_cond *cond) {
    if (ready(&cond->sig))
        return cond->host;
    pthread_mutex_lock(&darwin_pthread_making);
    if (cond->sig == DARWIN_PTHREAD_COND_SIG_init) {
        cond->host = malloc(sizeof *cond->host);
        if (cond->host != NULL) {
            pthread_cond_init(cond->host, NULL); /* waits by CLOCK_REALTIME, as Darwin's do */
            set_ready(&cond->sig);
        }
    }
    pthread_mutex_unlock(&darwin_pthread_making);
    return ready(&cond->sig) ? cond->host : NULL;
}
DARWIN_EXPORT int forge_darwin_pthread_cond_init(struct darwin_cond *cond, const struct darwin_object_attr *attr) {
    (void)attr; /* private to the process, which is the only kind there is */
    cond->sig = DARWIN_PTHREAD_COND_SIG_init;
    return cond_host(cond) != NULL ? 0 : DARWIN_ENOMEM;
}
DARWIN_EXPORT int forge_darwin_pthread_cond_destroy(struct darwin_cond *cond) {
    if (cond->sig == DARWIN_PTHREAD_COND_SIG_init) {
        cond->sig = 0; /* never used, so nothing was made */
        return 0;
    }
    if (!ready(&cond->sig))
        return DARWIN_EINVAL;
    pthread_cond_destroy(cond->host);
    free(cond->host);
    cond->sig = 0;
    return 0;
}
DARWIN_EXPORT int forge_darwin_pthread_cond_signal(struct darwin_cond *cond) {
    return ON(cond_host(cond), host, pthread_cond_signal(host));
}
DARWIN_EXPORT int forge_darwin_pthread_cond_broadcast(struct darwin_cond *cond) {
    return ON(cond_host(cond), host, pthread_cond_broadcast(host));
}
DARWIN_EXPORT int forge_darwin_pthread_cond_wait(struct darwin_cond *cond, struct darwin_mutex *mutex) {
    pthread_mutex_t *lock = darwin_mutex_host(mutex);
    return lock == NULL ? DARWIN_EINVAL : ON(cond_host(cond), host, pthread_cond_wait(host, lock));
}
DARWIN_EXPORT int forge_darwin_pthread_cond_timedwait(struct darwin_cond *cond, struct darwin_mutex *mutex,
                                                      const struct timespec *deadline) {
    pthread_mutex_t *lock = darwin_mutex_host(mutex);
    return lock == NULL ? DARWIN_EINVAL : ON(cond_host(cond), host, pthread_cond_timedwait(host, lock, deadline));
}
/* The time is how long to wait, not until when. */
DARWIN_EXPORT int forge_darwin_pthread_cond_timedwait_relative_np(struct darwin_cond *cond, struct darwin_mutex *mutex,
                                                                  const struct timespec *time) {
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += time->tv_sec;
    deadline.tv_nsec += time->tv_nsec;
    if (deadline.tv_nsec >= 1000000000) {
        deadline.tv_sec++;
        deadline.tv_nsec -= 1000000000;
    }
    return forge_darwin_pthread_cond_timedwait(cond, mutex, &deadline);
}
DARWIN_EXPORT int forge_darwin_pthread_condattr_init(struct darwin_object_attr *attr) {
    return forge_darwin_pthread_mutexattr_init(attr);
}
DARWIN_EXPORT int forge_darwin_pthread_condattr_destroy(struct darwin_object_attr *attr) {
    return forge_darwin_pthread_mutexattr_destroy(attr);
}
DARWIN_EXPORT int forge_darwin_pthread_condattr_setpshared(struct darwin_object_attr *a, int s) { return set_shared(a, s); }
DARWIN_EXPORT int forge_darwin_pthread_condattr_getpshared(const struct darwin_object_attr *a, int *s) { return get_shared(a, s); }

/* Read-write locks. */
static pthread_rwlock_t *rwlock_host(struct darwin_rwlock *lock) {
    if (ready(&lock->sig))
        return &lock->host;
    pthread_mutex_lock(&darwin_pthread_making);
    if (lock->sig == DARWIN_PTHREAD_RWLOCK_SIG_init && pthread_rwlock_init(&lock->host, NULL) == 0)
        set_ready(&lock->sig);
    pthread_mutex_unlock(&darwin_pthread_making);
    return ready(&lock->sig) ? &lock->host : NULL;
}
DARWIN_EXPORT int forge_darwin_pthread_rwlock_init(struct darwin_rwlock *lock, const struct darwin_object_attr *attr) {
    (void)attr;
    lock->sig = DARWIN_PTHREAD_RWLOCK_SIG_init;
    return rwlock_host(lock) != NULL ? 0 : DARWIN_EINVAL;
}
DARWIN_EXPORT int forge_darwin_pthread_rwlock_destroy(struct darwin_rwlock *lock) {
    int failure = ON(rwlock_host(lock), host, pthread_rwlock_destroy(host));
    if (failure == 0)
        lock->sig = 0;
    return failure;
}
#define RWLOCK(name) \
    DARWIN_EXPORT int forge_darwin_pthread_rwlock_##name(struct darwin_rwlock *lock) { \
        return ON(rwlock_host(lock), host, pthread_rwlock_##name(host)); \
    }
RWLOCK(rdlock)
RWLOCK(wrlock)
RWLOCK(tryrdlock)
RWLOCK(trywrlock)
RWLOCK(unlock)
DARWIN_EXPORT int forge_darwin_pthread_rwlockattr_init(struct darwin_object_attr *attr) {
    return forge_darwin_pthread_mutexattr_init(attr);
}
DARWIN_EXPORT int forge_darwin_pthread_rwlockattr_destroy(struct darwin_object_attr *attr) {
    return forge_darwin_pthread_mutexattr_destroy(attr);
}
DARWIN_EXPORT int forge_darwin_pthread_rwlockattr_setpshared(struct darwin_object_attr *a, int s) { return set_shared(a, s); }
DARWIN_EXPORT int forge_darwin_pthread_rwlockattr_getpshared(const struct darwin_object_attr *a, int *s) { return get_shared(a, s); }
