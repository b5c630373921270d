/* sys/event.h: what kqueue's files share. All but darwin_copied_descriptor is called with the queues' lock held. */
#ifndef FORGE_DARWIN_KQUEUE_H
#define FORGE_DARWIN_KQUEUE_H

#include "darwin_common.h"

struct darwin_kevent {
    uintptr_t ident;
    int16_t filter;
    uint16_t flags;
    uint32_t fflags;
    intptr_t data;
    void *udata;
};
_Static_assert(sizeof(struct darwin_kevent) == 32, "struct kevent (sys/event.h)");

/* An event that somebody waits for: as it was added, and the descriptor that stands for it, -1 for one of its own. */
struct darwin_note {
    struct darwin_kevent event;
    int present, helper;
    struct darwin_note *next;
};
enum { DARWIN_READING, DARWIN_WRITING, DARWIN_DIRECTIONS };
struct darwin_queue {
    int fd;      /* the number by which find_queue was asked: until the lock is released, the one to use */
    int numbers; /* how many it has */
    struct darwin_note (*descriptors)[DARWIN_DIRECTIONS]; /* by number */
    size_t descriptor_count;
    struct darwin_note *others;
};

/* What epoll hands back: a descriptor's number, or with this bit that of another event's helper. */
#define DARWIN_HELPER ((uint64_t)1 << 32)

/* Adds, changes or takes away an event of EVFILT_READ or WRITE, or one of EVFILT_TIMER, USER or PROC. 0, or an errno
 * number of the host. */
int darwin_change_descriptor(struct darwin_queue *queue, const struct darwin_kevent *change);
int darwin_change_other(struct darwin_queue *queue, const struct darwin_kevent *change);

/* What happened, by what epoll handed back, in as many events: how many. There is room for one at least. */
int darwin_tell_descriptor(struct darwin_queue *queue, int fd, uint32_t happened, struct darwin_kevent *events,
                           int room);
int darwin_tell_other(struct darwin_queue *queue, int helper, struct darwin_kevent *event);

/* Forgets everything that a queue waits for. */
void darwin_clear_queue(struct darwin_queue *queue);

/* Tells that a descriptor, which may be a queue's, has a copy by now (dup, dup2, F_DUPFD). Returns the copy; what is
 * negative, it passes on. */
int darwin_copied_descriptor(int from, int to);

#endif
