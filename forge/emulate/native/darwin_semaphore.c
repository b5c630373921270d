/* semaphore.h: named POSIX semaphores (_multiprocessing's). sem_t is an int on Darwin, so a program holds the pointer
 * that sem_open gave it; unnamed ones are not implemented there, and fail with ENOSYS. */
#include "darwin_common.h"
#include "darwin_fcntl.h"

#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdarg.h>
#include <string.h>

/* A name has at most 31 characters (PSEMNAMLEN); SEM_FAILED is -1 on Darwin and NULL on Linux. */
sem_t *darwin_sem_open(const char *name, int flags, int mode, unsigned value) {
    if (strlen(name) > 31) {
        errno = ENAMETOOLONG;
        return (sem_t *)-1;
    }
    int host = darwin_open_flags_to_host(flags & (DARWIN_O_CREAT | DARWIN_O_EXCL));
    sem_t *made = sem_open(name, host, (mode_t)mode, value);
    return made == SEM_FAILED ? (sem_t *)-1 : made;
}
#ifdef __x86_64__
DARWIN_EXPORT sem_t *forge_darwin_sem_open(const char *name, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    int mode = flags & DARWIN_O_CREAT ? va_arg(arguments, int) : 0;
    unsigned value = flags & DARWIN_O_CREAT ? va_arg(arguments, unsigned) : 0;
    va_end(arguments);
    return darwin_sem_open(name, flags, mode, value);
}
#endif
DARWIN_EXPORT int forge_darwin_sem_init(sem_t *semaphore, int shared, unsigned value) {
    (void)semaphore, (void)shared, (void)value;
    errno = ENOSYS;
    return -1;
}
DARWIN_EXPORT int forge_darwin_sem_destroy(sem_t *semaphore) { return forge_darwin_sem_init(semaphore, 0, 0); }
DARWIN_EXPORT int forge_darwin_sem_getvalue(sem_t *semaphore, int *value) {
    (void)value;
    return forge_darwin_sem_init(semaphore, 0, 0);
}
