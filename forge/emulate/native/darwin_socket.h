/* Socket addresses: Darwin's begin with a length byte and a family byte (sys/socket.h), Linux's with a 16-bit family. */
#ifndef FORGE_DARWIN_SOCKET_H
#define FORGE_DARWIN_SOCKET_H

#include "darwin_common.h"

#include <sys/socket.h>

/* sys/socket.h, netinet/in.h, sys/un.h: what follows the first two bytes is the same on both. */
struct darwin_sockaddr {
    uint8_t len, family;
    char data[14];
};
_Static_assert(sizeof(struct darwin_sockaddr) == 16, "struct sockaddr");

/* A Darwin address as the host's; its length there, 0 if there is none. *room* is that of *host*. */
socklen_t darwin_sockaddr_to_host(const struct darwin_sockaddr *address, socklen_t length,
                                  struct sockaddr_storage *host);

/* The host's address as Darwin's, cut to *length*, which then is how long it would be. */
void darwin_sockaddr_from_host(const struct sockaddr_storage *host, socklen_t host_length,
                               struct darwin_sockaddr *out, socklen_t *length);

#endif
