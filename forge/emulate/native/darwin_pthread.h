/* Darwin's pthread objects: a signature word, then room that only libpthread looks into (sys/_pthread/_pthread_types.h).
 *
 * A static initialiser sets the signature alone, so an object is made ready when it is used first; after that the
 * signature is READY. A mutex and a rwlock of glibc fit into Darwin's room; a condition and a thread's attributes do
 * not, and live in memory of their own. */
#ifndef FORGE_DARWIN_PTHREAD_H
#define FORGE_DARWIN_PTHREAD_H

#include "darwin_common.h"

#include <pthread.h>

enum { DARWIN_PTHREAD_READY = 0x666f7267 };

struct darwin_mutex {
    long sig;
    union {
        pthread_mutex_t host;
        char opaque[56];
    };
};
struct darwin_cond {
    long sig;
    union {
        pthread_cond_t *host;
        char opaque[40];
    };
};
struct darwin_rwlock {
    long sig;
    union {
        pthread_rwlock_t host;
        char opaque[192];
    };
};
struct darwin_attr {
    long sig;
    union {
        pthread_attr_t *host;
        char opaque[56];
    };
};
struct darwin_once {
    long sig;
    uint32_t state;
    uint32_t reserved;
};
/* pthread_mutexattr_t and pthread_condattr_t; pthread_rwlockattr_t has 8 bytes more at its end. */
struct darwin_object_attr {
    long sig;
    uint8_t type, protocol, shared, reserved;
    int32_t ceiling;
};
_Static_assert(sizeof(struct darwin_mutex) == 64, "pthread_mutex_t (sys/_pthread/_pthread_types.h)");
_Static_assert(sizeof(struct darwin_cond) == 48, "pthread_cond_t");
_Static_assert(sizeof(struct darwin_rwlock) == 200, "pthread_rwlock_t");
_Static_assert(sizeof(struct darwin_attr) == 64, "pthread_attr_t");
_Static_assert(sizeof(struct darwin_once) == 16, "pthread_once_t");
_Static_assert(sizeof(struct darwin_object_attr) == 16, "pthread_mutexattr_t, pthread_condattr_t");

/* The host's mutex, made where a static initialiser was left; NULL: the object is none. */
pthread_mutex_t *darwin_mutex_host(struct darwin_mutex *mutex);

/* Which objects are being made: taken for the moment of making one. */
extern pthread_mutex_t darwin_pthread_making;

#endif
