/* sys/event.h: kqueue over epoll.
 *
 * A queue is an epoll instance, so that it can be polled and closed as the descriptor that it is. What kevent keeps
 * for each event (its flags, its udata) is kept by the queue's numbers, and forgotten with the last of them. A number
 * that Linux's code closed is taken for open until kqueue() or dup() gives it again. Signals, files' changes, Mach ports
 * and asynchronous I/O are refused with ENOTSUP, and so is waiting for regular files, which epoll does not know. A
 * descriptor that is closed while a copy of it is open goes on being told. The events themselves are darwin_kqueue_notes.c's. */
#include "darwin_kqueue.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

static struct number {
    int fd;
    struct darwin_queue *queue;
    struct number *next;
} *numbers;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* Whether there has been a queue. Before, close and dup take no lock: a signal's handler may call them (POSIX). */
static atomic_int used;

/* The flags that are provided. */
#define KNOWN (DARWIN_EV_ADD | DARWIN_EV_DELETE | DARWIN_EV_ENABLE | DARWIN_EV_DISABLE | DARWIN_EV_ONESHOT | \
               DARWIN_EV_CLEAR | DARWIN_EV_RECEIPT | DARWIN_EV_DISPATCH)
enum { BATCH = 256 };

static struct darwin_queue *find_queue(int fd) {
    for (struct number *number = numbers; number != NULL; number = number->next)
        if (number->fd == fd) {
            number->queue->fd = fd;
            return number->queue;
        }
    return NULL;
}
static void forget_number(int fd) {
    struct number **place = &numbers;
    while (*place != NULL && (*place)->fd != fd)
        place = &(*place)->next;
    struct number *number = *place;
    if (number == NULL)
        return;
    *place = number->next;
    if (--number->queue->numbers == 0) {
        darwin_clear_queue(number->queue);
        free(number->queue);
    }
    free(number);
}
static int add_number(int fd, struct darwin_queue *queue) {
    struct number *number = malloc(sizeof *number);
    if (number == NULL)
        return 0;
    *number = (struct number){.fd = fd, .queue = queue, .next = numbers};
    numbers = number;
    queue->numbers++;
    return 1;
}
int darwin_copied_descriptor(int from, int to) {
    if (to < 0 || to == from || !used)
        return to;
    pthread_mutex_lock(&lock);
    struct darwin_queue *queue = find_queue(from);
    forget_number(to); /* not the last one of this queue, which has the other */
    int there = queue == NULL || add_number(to, queue);
    pthread_mutex_unlock(&lock);
    if (there)
        return to;
    close(to);
    errno = ENOMEM;
    return -1;
}
DARWIN_EXPORT int forge_darwin_close(int fd) {
    if (!used)
        return close(fd);
    pthread_mutex_lock(&lock);
    forget_number(fd); /* before: once it is closed, another thread may be given it */
    pthread_mutex_unlock(&lock);
    return close(fd);
}
DARWIN_EXPORT int forge_darwin_dup(int from) { return darwin_copied_descriptor(from, dup(from)); }
DARWIN_EXPORT int forge_darwin_dup2(int from, int to) { return darwin_copied_descriptor(from, dup2(from, to)); }

/* Queues are not inherited by a child (kqueue(2)). The descriptor stays open there, and is no queue. */
static void before_fork(void) { pthread_mutex_lock(&lock); }
static void after_fork(void) { pthread_mutex_unlock(&lock); }
static void after_fork_in_child(void) {
    numbers = NULL;
    pthread_mutex_unlock(&lock);
}
static void watch_forks(void) { pthread_atfork(before_fork, after_fork, after_fork_in_child); }

DARWIN_EXPORT int forge_darwin_kqueue(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, watch_forks);
    used = 1;
    int fd = epoll_create1(EPOLL_CLOEXEC);
    if (fd < 0)
        return -1;
    pthread_mutex_lock(&lock);
    forget_number(fd);
    struct darwin_queue *queue = calloc(1, sizeof *queue);
    int made = queue != NULL && add_number(fd, queue);
    pthread_mutex_unlock(&lock);
    if (!made) {
        free(queue);
        close(fd);
        errno = ENOMEM;
        return -1;
    }
    return fd;
}

static int change_event(struct darwin_queue *queue, const struct darwin_kevent *change) {
    if (change->flags & ~KNOWN)
        return ENOTSUP;
    switch (change->filter) {
    case DARWIN_EVFILT_READ:
    case DARWIN_EVFILT_WRITE: return darwin_change_descriptor(queue, change);
    case DARWIN_EVFILT_TIMER:
    case DARWIN_EVFILT_USER:
    case DARWIN_EVFILT_PROC: return darwin_change_other(queue, change);
    default: return change->filter < 0 && change->filter >= -DARWIN_EVFILT_SYSCOUNT ? ENOTSUP : EINVAL;
    }
}

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * (int64_t)1000000000 + time.tv_nsec;
}

static int wait_for_events(int fd, struct darwin_kevent *events, int room, int64_t deadline) {
    struct epoll_event happened[BATCH];
    for (;;) {
        int64_t left = deadline < 0 ? -1 : deadline - now();
        /* Rounded up, or the last millisecond would be spent asking. */
        int64_t milliseconds = deadline < 0 ? -1 : left <= 0 ? 0 : (left + 999999) / 1000000;
        if (milliseconds > INT_MAX)
            milliseconds = INT_MAX;
        int count = epoll_wait(fd, happened, room < BATCH ? room : BATCH, (int)milliseconds);
        if (count < 0) {
            errno = errno == EINVAL ? EBADF : errno; /* the number is another file's by now */
            return -1;
        }
        int told = 0;
        pthread_mutex_lock(&lock);
        struct darwin_queue *queue = find_queue(fd);
        for (int i = 0; queue != NULL && i < count; i++) {
            uint64_t from = happened[i].data.u64;
            if (from & DARWIN_HELPER)
                told += told < room ? darwin_tell_other(queue, (int)(uint32_t)from, events + told) : 0;
            else
                told += darwin_tell_descriptor(queue, (int)from, happened[i].events, events + told, room - told);
        }
        pthread_mutex_unlock(&lock);
        if (told > 0 || (deadline >= 0 && now() >= deadline))
            return told;
    }
}

DARWIN_EXPORT int forge_darwin_kevent(int fd, const struct darwin_kevent *changes, int change_count,
                                      struct darwin_kevent *events, int room, const struct timespec *limit) {
    int bad = limit != NULL && (limit->tv_sec < 0 || limit->tv_nsec < 0 || limit->tv_nsec > 999999999);
    if (bad || change_count < 0 || room < 0) {
        errno = EINVAL;
        return -1;
    }
    int told = 0, failure = 0;
    pthread_mutex_lock(&lock);
    struct darwin_queue *queue = find_queue(fd);
    if (queue == NULL || fcntl(fd, F_GETFD) < 0)
        failure = EBADF;
    for (int i = 0; failure == 0 && i < change_count; i++) {
        struct darwin_kevent change = changes[i]; /* both lists may be one */
        int error = change_event(queue, &change);
        if (error == 0 && !(change.flags & DARWIN_EV_RECEIPT))
            continue;
        if (told < room) {
            events[told] = change;
            events[told].flags = DARWIN_EV_ERROR | (change.flags & DARWIN_EV_RECEIPT);
            events[told++].data = darwin_errno_from_host(error);
        } else {
            failure = error;
        }
    }
    pthread_mutex_unlock(&lock);
    if (failure != 0) {
        errno = failure;
        return -1;
    }
    if (told > 0 || room == 0)
        return told;
    if (limit != NULL && limit->tv_sec == 0 && limit->tv_nsec == 0)
        return wait_for_events(fd, events, room, 0);
    if (limit == NULL || limit->tv_sec > INT64_MAX / 2000000000)
        return wait_for_events(fd, events, room, -1);
    return wait_for_events(fd, events, room, now() + limit->tv_sec * (int64_t)1000000000 + limit->tv_nsec);
}
