/* poll.h: struct pollfd is the same; events beyond the first six bits are numbered otherwise. */
#include "darwin_common.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

/* POLLIN, POLLPRI, POLLOUT, POLLERR, POLLHUP, POLLNVAL: 1 to 32 on both. POLLWRNORM is POLLOUT on Darwin. */
enum { SHARED = POLLIN | POLLPRI | POLLOUT | POLLERR | POLLHUP | POLLNVAL };
static short to_host(short events) {
    return (short)((events & SHARED) | (events & DARWIN_POLLRDNORM ? POLLRDNORM : 0) |
                   (events & DARWIN_POLLRDBAND ? POLLRDBAND : 0) | (events & DARWIN_POLLWRBAND ? POLLWRBAND : 0));
}
static short from_host(short events) {
    return (short)((events & SHARED) | (events & POLLRDNORM ? DARWIN_POLLRDNORM : 0) |
                   (events & POLLRDBAND ? DARWIN_POLLRDBAND : 0) | (events & POLLWRBAND ? DARWIN_POLLWRBAND : 0));
}
DARWIN_EXPORT int forge_darwin_poll(struct pollfd *entries, unsigned count, int milliseconds) {
    struct pollfd few[16], *host = few;
    if (count > sizeof few / sizeof *few && (host = malloc(count * sizeof *host)) == NULL)
        return -1;
    for (unsigned i = 0; i < count; i++)
        host[i] = (struct pollfd){entries[i].fd, to_host(entries[i].events), 0};
    int result = poll(host, count, milliseconds);
    for (unsigned i = 0; i < count && result >= 0; i++)
        entries[i].revents = from_host(host[i].revents);
    if (host != few) {
        int failure = errno;
        free(host);
        errno = failure;
    }
    return result;
}
