/* sys/event.h: the events that a kqueue waits for, each by what Linux has for it.
 *
 * Descriptors are registered with epoll themselves, once for reading and writing; timers, users' events and processes
 * are descriptors of Linux's (timerfd, eventfd, pidfd). */
#include "darwin_kqueue.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* What stays of the flags that an event was added with. */
#define KEPT (DARWIN_EV_ADD | DARWIN_EV_ONESHOT | DARWIN_EV_CLEAR | DARWIN_EV_DISPATCH | DARWIN_EV_DISABLE)

/* ---- descriptors ---- */

static int is_awaited(const struct darwin_note *note) {
    return note->present && !(note->event.flags & DARWIN_EV_DISABLE);
}

/* Tell epoll what is awaited of a descriptor; 0 or an errno number. One registration serves both directions, so
 * EV_CLEAR holds where it is asked for in both: else an event is told more often than asked for, never less. */
static int register_descriptor(const struct darwin_queue *queue, int fd, struct darwin_note *pair) {
    struct epoll_event event = {.events = EPOLLET, .data.u64 = (uint64_t)fd};
    int awaited = 0;
    for (int i = 0; i < DARWIN_DIRECTIONS; i++) {
        if (!is_awaited(&pair[i]))
            continue;
        awaited = 1;
        event.events |= i == DARWIN_READING ? EPOLLIN | EPOLLRDHUP : EPOLLOUT;
        if (!(pair[i].event.flags & DARWIN_EV_CLEAR))
            event.events &= ~(uint32_t)EPOLLET;
    }
    if (!awaited)
        return epoll_ctl(queue->fd, EPOLL_CTL_DEL, fd, NULL) == 0 || errno == ENOENT ? 0 : errno;
    if (epoll_ctl(queue->fd, EPOLL_CTL_MOD, fd, &event) == 0)
        return 0;
    return errno == ENOENT && epoll_ctl(queue->fd, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : errno;
}

static struct darwin_note *descriptor_pair(struct darwin_queue *queue, int fd, int make) {
    size_t count = queue->descriptor_count, wanted = (size_t)fd + 1;
    if (wanted > count && make) {
        size_t room = wanted < 2 * count ? 2 * count : wanted;
        void *grown = realloc(queue->descriptors, room * sizeof *queue->descriptors);
        if (grown == NULL)
            return NULL;
        queue->descriptors = grown;
        memset(queue->descriptors + count, 0, (room - count) * sizeof *queue->descriptors);
        queue->descriptor_count = room;
    }
    return wanted <= queue->descriptor_count ? queue->descriptors[fd] : NULL;
}

int darwin_change_descriptor(struct darwin_queue *queue, const struct darwin_kevent *change) {
    if (change->ident > INT_MAX || fcntl((int)change->ident, F_GETFD) < 0)
        return EBADF;
    int fd = (int)change->ident, direction = change->filter == DARWIN_EVFILT_READ ? DARWIN_READING : DARWIN_WRITING;
    struct darwin_note *pair = descriptor_pair(queue, fd, change->flags & DARWIN_EV_ADD), *note = &pair[direction];
    if (pair == NULL)
        return change->flags & DARWIN_EV_ADD ? ENOMEM : ENOENT;
    /* A descriptor that was closed is gone from the epoll instance: what is kept is of an earlier one of its number. */
    if (is_awaited(&pair[DARWIN_READING]) || is_awaited(&pair[DARWIN_WRITING])) {
        struct epoll_event none = {.events = EPOLLET, .data.u64 = (uint64_t)fd};
        if (epoll_ctl(queue->fd, EPOLL_CTL_MOD, fd, &none) != 0 && errno == ENOENT)
            pair[DARWIN_READING].present = pair[DARWIN_WRITING].present = 0;
    }
    struct darwin_note before = *note;
    if (change->flags & DARWIN_EV_ADD) {
        note->present = 1;
        note->helper = -1;
        note->event = *change;
        note->event.flags &= KEPT;
    } else if (!note->present) {
        register_descriptor(queue, fd, pair);
        return ENOENT;
    }
    if (change->flags & DARWIN_EV_DELETE)
        note->present = 0;
    else if (change->flags & DARWIN_EV_DISABLE)
        note->event.flags |= DARWIN_EV_DISABLE;
    else if (change->flags & DARWIN_EV_ENABLE)
        note->event.flags &= (uint16_t)~DARWIN_EV_DISABLE;
    int failure = register_descriptor(queue, fd, pair);
    if (failure != 0)
        *note = before;
    return failure == EPERM ? ENOTSUP : failure; /* epoll's word for a regular file */
}

/* How many bytes can be read (for a socket that listens, connections: at least one), or written. */
static intptr_t ready_bytes(int fd, int direction) {
    int count = 0, size = 0;
    socklen_t length = sizeof size;
    if (direction == DARWIN_READING)
        return ioctl(fd, FIONREAD, &count) == 0 ? count : 1;
    if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, &length) == 0 && ioctl(fd, SIOCOUTQ, &count) == 0)
        return size > count ? size - count : 1;
    size = fcntl(fd, F_GETPIPE_SZ);
    return size > 0 && ioctl(fd, FIONREAD, &count) == 0 && size > count ? size - count : 1;
}

/* What happened at a descriptor, in at most two events. Where there is room for one, epoll is asked again. */
int darwin_tell_descriptor(struct darwin_queue *queue, int fd, uint32_t happened, struct darwin_kevent *events,
                           int room) {
    struct darwin_note *pair = descriptor_pair(queue, fd, 0);
    int told = 0, again = 0;
    for (int i = 0; pair != NULL && i < DARWIN_DIRECTIONS; i++) {
        uint32_t wanted = EPOLLHUP | EPOLLERR | (i == DARWIN_READING ? EPOLLIN | EPOLLRDHUP : EPOLLOUT);
        uint32_t ended = i == DARWIN_READING ? EPOLLRDHUP | EPOLLHUP | EPOLLERR : EPOLLHUP | EPOLLERR;
        struct darwin_note *note = &pair[i];
        if (!is_awaited(note) || !(happened & wanted))
            continue;
        again = 1;
        if (told == room)
            break;
        struct darwin_kevent *event = &events[told++];
        *event = note->event;
        event->flags |= happened & ended ? DARWIN_EV_EOF : 0;
        event->fflags = 0;
        event->data = ready_bytes(fd, i);
        if (note->event.flags & DARWIN_EV_ONESHOT)
            note->present = 0;
        else if (note->event.flags & DARWIN_EV_DISPATCH)
            note->event.flags |= DARWIN_EV_DISABLE;
        else
            again = 0;
    }
    if (again)
        register_descriptor(queue, fd, pair);
    return told;
}

/* ---- timers, users' events, processes ---- */

static void forget_note(struct darwin_queue *queue, struct darwin_note *note) {
    struct darwin_note **place = &queue->others;
    while (*place != note)
        place = &(*place)->next;
    *place = note->next;
    close(note->helper); /* which takes it out of the epoll instance */
    free(note);
}
void darwin_clear_queue(struct darwin_queue *queue) {
    while (queue->others != NULL)
        forget_note(queue, queue->others);
    free(queue->descriptors);
    queue->descriptors = NULL;
    queue->descriptor_count = 0;
}
static struct darwin_note *find_note(const struct darwin_queue *queue, int16_t filter, uintptr_t ident) {
    struct darwin_note *note = queue->others;
    while (note != NULL && !(note->event.filter == filter && note->event.ident == ident))
        note = note->next;
    return note;
}

static int set_timer(const struct darwin_note *note) {
    const struct darwin_kevent *event = &note->event;
    int64_t unit = event->fflags & DARWIN_NOTE_SECONDS                               ? 1000000000
                   : event->fflags & DARWIN_NOTE_USECONDS                            ? 1000
                   : event->fflags & (DARWIN_NOTE_NSECONDS | DARWIN_NOTE_MACHTIME) ? 1
                                                                                     : 1000000;
    __int128 span = (__int128)(event->data > 0 ? event->data : 0) * unit;
    /* No time at all would stop the timer. */
    int64_t time = span > INT64_MAX ? INT64_MAX : span < 1 ? 1 : (int64_t)span;
    int once = (event->fflags & DARWIN_NOTE_ABSOLUTE) || (event->flags & DARWIN_EV_ONESHOT);
    struct timespec value = {time / 1000000000, time % 1000000000};
    struct itimerspec spec = {.it_interval = once ? (struct timespec){0, 0} : value, .it_value = value};
    int flags = event->fflags & DARWIN_NOTE_ABSOLUTE ? TFD_TIMER_ABSTIME : 0;
    return timerfd_settime(note->helper, flags, &spec, NULL) == 0 ? 0 : errno;
}

/* The descriptor that becomes readable when the event happens; -1 and errno. */
static int make_helper(const struct darwin_kevent *change) {
    const uint32_t clock = DARWIN_NOTE_ABSOLUTE | DARWIN_NOTE_MACHTIME;
    switch (change->filter) {
    case DARWIN_EVFILT_USER: return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    case DARWIN_EVFILT_TIMER:
        if ((change->fflags & clock) == clock)
            break;
        return timerfd_create(change->fflags & DARWIN_NOTE_ABSOLUTE ? CLOCK_REALTIME : CLOCK_MONOTONIC,
                              TFD_CLOEXEC | TFD_NONBLOCK);
    case DARWIN_EVFILT_PROC:
        if (!(change->fflags & DARWIN_NOTE_EXIT) || change->fflags & ~(DARWIN_NOTE_EXIT | DARWIN_NOTE_EXITSTATUS))
            break;
        if (change->ident == 0 || change->ident > INT_MAX) {
            errno = ESRCH;
            return -1;
        }
        return (int)syscall(SYS_pidfd_open, (pid_t)change->ident, 0); /* close-on-exec by itself */
    default: break;
    }
    errno = ENOTSUP;
    return -1;
}

static int await_helper(const struct darwin_queue *queue, const struct darwin_note *note) {
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = DARWIN_HELPER | (uint32_t)note->helper};
    if (note->event.flags & DARWIN_EV_DISABLE)
        event.events = 0;
    if (epoll_ctl(queue->fd, EPOLL_CTL_MOD, note->helper, &event) == 0)
        return 0;
    return epoll_ctl(queue->fd, EPOLL_CTL_ADD, note->helper, &event) == 0 ? 0 : errno;
}

/* NOTE_FFCTRLMASK says how flags of a user's event change, NOTE_TRIGGER makes it happen. */
static void touch_user_event(struct darwin_note *note, uint32_t fflags) {
    uint32_t given = fflags & DARWIN_NOTE_FFLAGSMASK, *kept = &note->event.fflags;
    switch (fflags & DARWIN_NOTE_FFCTRLMASK) {
    case DARWIN_NOTE_FFAND: *kept &= given; break;
    case DARWIN_NOTE_FFOR: *kept |= given; break;
    case DARWIN_NOTE_FFCOPY: *kept = given; break;
    default: break;
    }
    if (fflags & DARWIN_NOTE_TRIGGER)
        eventfd_write(note->helper, 1);
}

int darwin_change_other(struct darwin_queue *queue, const struct darwin_kevent *change) {
    struct darwin_note *note = find_note(queue, change->filter, change->ident);
    int fresh = note == NULL;
    if (fresh && !(change->flags & DARWIN_EV_ADD))
        return ENOENT;
    if (change->flags & DARWIN_EV_DELETE) {
        if (!fresh)
            forget_note(queue, note);
        return 0;
    }
    if (!fresh && change->flags & DARWIN_EV_ADD && change->filter == DARWIN_EVFILT_TIMER) {
        forget_note(queue, note); /* a timer that is added again starts anew, maybe by another clock */
        fresh = 1;
    }
    if (fresh) {
        int helper = make_helper(change);
        if (helper < 0)
            return errno;
        if ((note = calloc(1, sizeof *note)) == NULL) {
            close(helper);
            return ENOMEM;
        }
        *note = (struct darwin_note){.event = *change, .present = 1, .helper = helper, .next = queue->others};
        queue->others = note;
        if (change->filter == DARWIN_EVFILT_USER)
            note->event.fflags &= DARWIN_NOTE_FFLAGSMASK;
    }
    uint16_t disabled = note->event.flags & DARWIN_EV_DISABLE;
    if (change->flags & DARWIN_EV_ADD) {
        note->event.flags = change->flags & KEPT;
        note->event.udata = change->udata;
        disabled = 0;
    }
    if (change->flags & DARWIN_EV_DISABLE)
        disabled = DARWIN_EV_DISABLE;
    else if (change->flags & DARWIN_EV_ENABLE)
        disabled = 0;
    note->event.flags = (uint16_t)((note->event.flags & ~DARWIN_EV_DISABLE) | disabled);
    int failure = fresh && change->filter == DARWIN_EVFILT_TIMER ? set_timer(note) : 0;
    if (failure == 0)
        failure = await_helper(queue, note);
    if (failure != 0 && fresh)
        forget_note(queue, note);
    else if (change->filter == DARWIN_EVFILT_USER)
        touch_user_event(note, change->fflags);
    return failure;
}

int darwin_tell_other(struct darwin_queue *queue, int helper, struct darwin_kevent *event) {
    struct darwin_note *note = queue->others;
    while (note != NULL && note->helper != helper)
        note = note->next;
    if (note == NULL || !is_awaited(note))
        return 0;
    uint64_t count = 0;
    siginfo_t info = {0};
    *event = note->event;
    event->data = 0;
    int over = note->event.flags & DARWIN_EV_ONESHOT;
    switch (note->event.filter) {
    case DARWIN_EVFILT_TIMER:
        if (read(helper, &count, sizeof count) != sizeof count)
            return 0; /* another thread was told */
        event->data = (intptr_t)count;
        event->fflags = 0;
        event->flags |= DARWIN_EV_CLEAR;
        break;
    case DARWIN_EVFILT_USER:
        if (note->event.flags & (DARWIN_EV_CLEAR | DARWIN_EV_DISPATCH) && read(helper, &count, sizeof count) < 0)
            return 0;
        if (note->event.flags & DARWIN_EV_CLEAR)
            note->event.fflags = 0;
        break;
    default: /* a process: NOTE_EXIT happens once */
        over = 1;
        event->flags |= DARWIN_EV_EOF | DARWIN_EV_ONESHOT;
        if (note->event.fflags & DARWIN_NOTE_EXITSTATUS &&
            waitid(P_PIDFD, (id_t)helper, &info, WEXITED | WNOHANG | WNOWAIT) == 0)
            event->data = info.si_code == CLD_EXITED ? (info.si_status & 0xff) << 8
                                                     : darwin_signal_from_host(info.si_status) |
                                                           (info.si_code == CLD_DUMPED ? 0x80 : 0);
    }
    if (over) {
        forget_note(queue, note);
    } else if (note->event.flags & DARWIN_EV_DISPATCH) {
        note->event.flags |= DARWIN_EV_DISABLE;
        await_helper(queue, note);
    }
    return 1;
}
