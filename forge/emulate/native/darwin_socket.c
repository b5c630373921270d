/* sys/socket.h, netinet/in.h, netinet/tcp.h, sys/uio.h, poll.h: families, options, flags, messages. */
#include "darwin_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

int darwin_family_to_host(int family) {
    switch (family) {
    case DARWIN_AF_UNSPEC: return AF_UNSPEC;
    case DARWIN_AF_UNIX: return AF_UNIX;
    case DARWIN_AF_INET: return AF_INET;
    case DARWIN_AF_INET6: return AF_INET6;
    default: return -1; /* the kernel answers EAFNOSUPPORT */
    }
}
int darwin_family_from_host(int family) { return family == AF_INET6 ? DARWIN_AF_INET6 : family; }

_Static_assert(sizeof(struct sockaddr_in) == 16 && sizeof(struct sockaddr_in6) == 28, "netinet/in.h");

socklen_t darwin_sockaddr_to_host(const struct darwin_sockaddr *address, socklen_t length, struct sockaddr_storage *host) {
    if (address == NULL || length < 2)
        return 0;
    if (length > sizeof *host)
        length = sizeof *host;
    memset(host, 0, sizeof *host);
    memcpy((char *)host + 2, (const char *)address + 2, length - 2);
    int family = darwin_family_to_host(address->family);
    host->ss_family = (sa_family_t)(family < 0 ? UINT16_MAX : family);
    /* A path of Darwin's has 104 bytes and Linux's 108, and needs no NUL at its end if the length says where it ends. */
    return length;
}
void darwin_sockaddr_from_host(const struct sockaddr_storage *host, socklen_t host_length, struct darwin_sockaddr *out,
                               socklen_t *length) {
    struct sockaddr_storage whole = *host;
    unsigned char *bytes = (unsigned char *)&whole;
    if (length == NULL)
        return;
    if (host_length >= 2) {
        int family = darwin_family_from_host(host->ss_family);
        bytes[0] = (unsigned char)host_length;
        bytes[1] = (unsigned char)family;
    }
    if (out != NULL)
        memcpy(out, bytes, host_length < *length ? host_length : *length);
    *length = host_length;
}

/* Linux has no SO_NOSIGPIPE: a write to a closed socket raises SIGPIPE there unless the send says otherwise. */
enum { DESCRIPTORS = 65536 };
static uint8_t no_sigpipe[DESCRIPTORS];
static int send_flags(int descriptor, int flags) {
    int quiet = descriptor >= 0 && descriptor < DESCRIPTORS && no_sigpipe[descriptor];
    return flags | (quiet ? MSG_NOSIGNAL : 0);
}
static int fresh(int descriptor) {
    if (descriptor >= 0 && descriptor < DESCRIPTORS)
        no_sigpipe[descriptor] = 0;
    return descriptor;
}

/* Types 1 to 5 are the same numbers; Darwin has no flags among them. */
DARWIN_EXPORT int forge_darwin_socket(int family, int type, int protocol) {
    return fresh(socket(darwin_family_to_host(family), type, protocol));
}
DARWIN_EXPORT int forge_darwin_socketpair(int family, int type, int protocol, int *pair) {
    int result = socketpair(darwin_family_to_host(family), type, protocol, pair);
    if (result == 0) {
        fresh(pair[0]);
        fresh(pair[1]);
    }
    return result;
}
DARWIN_EXPORT int forge_darwin_bind(int descriptor, const struct darwin_sockaddr *address, socklen_t length) {
    struct sockaddr_storage host;
    socklen_t size = darwin_sockaddr_to_host(address, length, &host);
    return bind(descriptor, (struct sockaddr *)&host, size);
}
DARWIN_EXPORT int forge_darwin_connect(int descriptor, const struct darwin_sockaddr *address, socklen_t length) {
    struct sockaddr_storage host;
    socklen_t size = darwin_sockaddr_to_host(address, length, &host);
    return connect(descriptor, (struct sockaddr *)&host, size);
}
DARWIN_EXPORT int forge_darwin_accept(int descriptor, struct darwin_sockaddr *address, socklen_t *length) {
    struct sockaddr_storage host;
    socklen_t size = sizeof host;
    int made = fresh(accept(descriptor, (struct sockaddr *)&host, &size));
    /* BSD's new socket takes over the listening one's O_NONBLOCK; Linux's does not. */
    if (made >= 0) {
        int flags = fcntl(descriptor, F_GETFL);
        if (flags >= 0 && flags & O_NONBLOCK)
            fcntl(made, F_SETFL, fcntl(made, F_GETFL) | O_NONBLOCK);
        darwin_sockaddr_from_host(&host, size, address, length);
    }
    return made;
}
DARWIN_EXPORT int forge_darwin_getsockname(int descriptor, struct darwin_sockaddr *address, socklen_t *length) {
    struct sockaddr_storage host;
    socklen_t size = sizeof host;
    int result = getsockname(descriptor, (struct sockaddr *)&host, &size);
    if (result == 0)
        darwin_sockaddr_from_host(&host, size, address, length);
    return result;
}
DARWIN_EXPORT int forge_darwin_getpeername(int descriptor, struct darwin_sockaddr *address, socklen_t *length) {
    struct sockaddr_storage host;
    socklen_t size = sizeof host;
    int result = getpeername(descriptor, (struct sockaddr *)&host, &size);
    if (result == 0)
        darwin_sockaddr_from_host(&host, size, address, length);
    return result;
}

/* MSG_ flags: the first three are the same bits. */
static const int MESSAGE_FLAGS[][2] = {
    {DARWIN_MSG_OOB, MSG_OOB}, {DARWIN_MSG_PEEK, MSG_PEEK}, {DARWIN_MSG_DONTROUTE, MSG_DONTROUTE},
    {DARWIN_MSG_EOR, MSG_EOR}, {DARWIN_MSG_TRUNC, MSG_TRUNC}, {DARWIN_MSG_CTRUNC, MSG_CTRUNC},
    {DARWIN_MSG_WAITALL, MSG_WAITALL}, {DARWIN_MSG_DONTWAIT, MSG_DONTWAIT},
};
static int message_flags(int flags, int from, int to) {
    int out = 0;
    for (size_t i = 0; i < sizeof MESSAGE_FLAGS / sizeof *MESSAGE_FLAGS; i++)
        if (flags & MESSAGE_FLAGS[i][from])
            out |= MESSAGE_FLAGS[i][to];
    return out;
}
static int to_host_flags(int flags) { return message_flags(flags, 0, 1); }

DARWIN_EXPORT ssize_t forge_darwin_send(int descriptor, const void *data, size_t size, int flags) {
    return send(descriptor, data, size, send_flags(descriptor, to_host_flags(flags)));
}
DARWIN_EXPORT ssize_t forge_darwin_sendto(int descriptor, const void *data, size_t size, int flags,
                                          const struct darwin_sockaddr *address, socklen_t length) {
    struct sockaddr_storage host;
    socklen_t host_size = darwin_sockaddr_to_host(address, length, &host);
    return sendto(descriptor, data, size, send_flags(descriptor, to_host_flags(flags)),
                  host_size > 0 ? (struct sockaddr *)&host : NULL, host_size);
}
DARWIN_EXPORT ssize_t forge_darwin_recv(int descriptor, void *data, size_t size, int flags) {
    return recv(descriptor, data, size, to_host_flags(flags));
}
DARWIN_EXPORT ssize_t forge_darwin_recvfrom(int descriptor, void *data, size_t size, int flags,
                                            struct darwin_sockaddr *address, socklen_t *length) {
    struct sockaddr_storage host;
    socklen_t host_size = sizeof host;
    ssize_t done = recvfrom(descriptor, data, size, to_host_flags(flags), (struct sockaddr *)&host, &host_size);
    if (done >= 0 && address != NULL)
        darwin_sockaddr_from_host(&host, host_size, address, length);
    return done;
}

/* sys/socket.h: struct msghdr has an int for the number of buffers; control messages have a 32-bit length and 4-byte
 * alignment. Translated are those listed: descriptors, and what RFC 3542 has of IPv6 packets. */
struct darwin_msghdr {
    void *name;
    uint32_t namelen;
    struct iovec *iov;
    int32_t iovlen;
    void *control;
    uint32_t controllen;
    int32_t flags;
};
struct darwin_cmsghdr {
    uint32_t len;
    int32_t level, type;
};
_Static_assert(sizeof(struct darwin_msghdr) == 48, "struct msghdr (sys/socket.h)");
_Static_assert(sizeof(struct darwin_cmsghdr) == 12, "struct cmsghdr");
#define ALIGN4(n) (((n) + 3u) & ~3u)

static const struct {
    int level, type, host_level, host_type;
} CONTROLS[] = {
    {DARWIN_SOL_SOCKET, DARWIN_SCM_RIGHTS, SOL_SOCKET, SCM_RIGHTS},
    {DARWIN_IPPROTO_IPV6, DARWIN_IPV6_PKTINFO, IPPROTO_IPV6, IPV6_PKTINFO},
    {DARWIN_IPPROTO_IPV6, DARWIN_IPV6_HOPLIMIT, IPPROTO_IPV6, IPV6_HOPLIMIT},
    {DARWIN_IPPROTO_IPV6, DARWIN_IPV6_TCLASS, IPPROTO_IPV6, IPV6_TCLASS},
};
enum { CONTROL_KINDS = sizeof CONTROLS / sizeof *CONTROLS };

/* The control messages in the host's form; their size, or -1 where one is not known. */
static ssize_t control_to_host(const struct darwin_msghdr *message, char *host, size_t room) {
    size_t used = 0;
    const char *at = message->control, *end = at + message->controllen;
    while (at != NULL && end - at >= (ptrdiff_t)sizeof(struct darwin_cmsghdr)) {
        struct darwin_cmsghdr header;
        memcpy(&header, at, sizeof header);
        size_t data = header.len - sizeof header, kind = 0;
        while (kind < CONTROL_KINDS && (CONTROLS[kind].level != header.level || CONTROLS[kind].type != header.type))
            kind++;
        if (header.len < sizeof header || (ptrdiff_t)header.len > end - at || kind == CONTROL_KINDS ||
            used + CMSG_SPACE(data) > room)
            return -1;
        struct cmsghdr *out = (struct cmsghdr *)(host + used);
        memset(out, 0, CMSG_SPACE(data));
        out->cmsg_len = CMSG_LEN(data);
        out->cmsg_level = CONTROLS[kind].host_level;
        out->cmsg_type = CONTROLS[kind].host_type;
        memcpy(CMSG_DATA(out), at + sizeof header, data);
        used += CMSG_SPACE(data);
        at += ALIGN4(header.len);
    }
    return (ssize_t)used;
}
/* The host's control messages in Darwin's form. What does not fit is cut off and sets MSG_CTRUNC; of descriptors,
 * those that cannot be handed on are closed. */
static void control_from_host(struct msghdr *host, struct darwin_msghdr *message) {
    size_t used = 0, room = message->controllen;
    struct darwin_cmsghdr header;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(host); c != NULL; c = CMSG_NXTHDR(host, c)) {
        size_t data = c->cmsg_len - CMSG_LEN(0), fits = used + sizeof header < room ? room - used - sizeof header : 0;
        int level = c->cmsg_level, type = c->cmsg_type, kind = 0;
        while (kind < CONTROL_KINDS && (CONTROLS[kind].host_level != level || CONTROLS[kind].host_type != type))
            kind++;
        int rights = level == SOL_SOCKET && type == SCM_RIGHTS;
        size_t given = data < fits ? data : rights ? fits / sizeof(int) * sizeof(int) : fits;
        if (kind == CONTROL_KINDS || used + sizeof header > room || (rights && given == 0))
            given = 0, kind = CONTROL_KINDS;
        for (size_t i = given / sizeof(int); rights && i < data / sizeof(int); i++)
            close(((int *)(void *)CMSG_DATA(c))[i]);
        if (given < data || kind == CONTROL_KINDS)
            message->flags |= DARWIN_MSG_CTRUNC;
        if (kind == CONTROL_KINDS)
            continue;
        header = (struct darwin_cmsghdr){(uint32_t)(sizeof header + given), CONTROLS[kind].level, CONTROLS[kind].type};
        memcpy((char *)message->control + used, &header, sizeof header);
        memcpy((char *)message->control + used + sizeof header, CMSG_DATA(c), given);
        used += ALIGN4(sizeof header + given);
        used = used < room ? used : room;
    }
    message->controllen = (uint32_t)used;
}
DARWIN_EXPORT ssize_t forge_darwin_sendmsg(int descriptor, const struct darwin_msghdr *message, int flags) {
    struct sockaddr_storage address;
    _Alignas(struct cmsghdr) char control[1024];
    socklen_t size = darwin_sockaddr_to_host(message->name, message->namelen, &address);
    ssize_t used = control_to_host(message, control, sizeof control);
    if (used < 0) {
        errno = EINVAL;
        return -1;
    }
    struct msghdr host = {.msg_name = size > 0 ? &address : NULL, .msg_namelen = size, .msg_iov = message->iov,
                          .msg_iovlen = (size_t)message->iovlen, .msg_control = used > 0 ? control : NULL,
                          .msg_controllen = (size_t)used};
    return sendmsg(descriptor, &host, send_flags(descriptor, to_host_flags(flags)));
}
DARWIN_EXPORT ssize_t forge_darwin_recvmsg(int descriptor, struct darwin_msghdr *message, int flags) {
    struct sockaddr_storage address;
    _Alignas(struct cmsghdr) char control[1024];
    struct msghdr host = {.msg_name = &address, .msg_namelen = sizeof address, .msg_iov = message->iov,
                          .msg_iovlen = (size_t)message->iovlen, .msg_control = control,
                          .msg_controllen = message->controllen > 0 ? sizeof control : 0};
    ssize_t done = recvmsg(descriptor, &host, to_host_flags(flags));
    if (done < 0)
        return done;
    message->flags = message_flags(host.msg_flags, 1, 0);
    if (message->name != NULL)
        darwin_sockaddr_from_host(&address, host.msg_namelen, message->name, &message->namelen);
    control_from_host(&host, message);
    return done;
}

/* Options. */
static const struct {
    int level, option, host_level, host_option;
} OPTIONS[] = {
#define SOCKET(name) {DARWIN_SOL_SOCKET, DARWIN_##name, SOL_SOCKET, name}
    SOCKET(SO_DEBUG), SOCKET(SO_ACCEPTCONN), SOCKET(SO_REUSEADDR), SOCKET(SO_KEEPALIVE), SOCKET(SO_DONTROUTE),
    SOCKET(SO_BROADCAST), SOCKET(SO_OOBINLINE), SOCKET(SO_REUSEPORT), SOCKET(SO_TIMESTAMP), SOCKET(SO_SNDBUF),
    SOCKET(SO_RCVBUF), SOCKET(SO_SNDLOWAT), SOCKET(SO_RCVLOWAT), SOCKET(SO_SNDTIMEO), SOCKET(SO_RCVTIMEO),
    SOCKET(SO_ERROR), SOCKET(SO_TYPE), SOCKET(SO_LINGER),
    {DARWIN_SOL_SOCKET, DARWIN_SO_LINGER_SEC, SOL_SOCKET, SO_LINGER},
#undef SOCKET
#define OPTION(level, name) {DARWIN_##level, DARWIN_##name, level, name}
    OPTION(IPPROTO_TCP, TCP_NODELAY), OPTION(IPPROTO_TCP, TCP_MAXSEG), OPTION(IPPROTO_TCP, TCP_KEEPINTVL),
    OPTION(IPPROTO_TCP, TCP_KEEPCNT), {DARWIN_IPPROTO_TCP, DARWIN_TCP_KEEPALIVE, IPPROTO_TCP, TCP_KEEPIDLE},
    {DARWIN_IPPROTO_TCP, DARWIN_TCP_NOPUSH, IPPROTO_TCP, TCP_CORK},
    OPTION(IPPROTO_IP, IP_OPTIONS), OPTION(IPPROTO_IP, IP_HDRINCL), OPTION(IPPROTO_IP, IP_TOS),
    OPTION(IPPROTO_IP, IP_TTL), OPTION(IPPROTO_IP, IP_MULTICAST_IF), OPTION(IPPROTO_IP, IP_MULTICAST_TTL),
    OPTION(IPPROTO_IP, IP_MULTICAST_LOOP), OPTION(IPPROTO_IP, IP_ADD_MEMBERSHIP),
    OPTION(IPPROTO_IP, IP_DROP_MEMBERSHIP), OPTION(IPPROTO_IPV6, IPV6_UNICAST_HOPS),
    OPTION(IPPROTO_IPV6, IPV6_MULTICAST_IF), OPTION(IPPROTO_IPV6, IPV6_MULTICAST_HOPS),
    OPTION(IPPROTO_IPV6, IPV6_MULTICAST_LOOP), OPTION(IPPROTO_IPV6, IPV6_JOIN_GROUP),
    OPTION(IPPROTO_IPV6, IPV6_LEAVE_GROUP), OPTION(IPPROTO_IPV6, IPV6_V6ONLY), OPTION(IPPROTO_IPV6, IPV6_TCLASS),
    OPTION(IPPROTO_IPV6, IPV6_RECVTCLASS), OPTION(IPPROTO_IPV6, IPV6_RECVHOPLIMIT),
    OPTION(IPPROTO_IPV6, IPV6_RECVPKTINFO),
#undef OPTION
};
static int find_option(int level, int option) {
    for (size_t i = 0; i < sizeof OPTIONS / sizeof *OPTIONS; i++)
        if (OPTIONS[i].level == level && OPTIONS[i].option == option)
            return (int)i;
    errno = ENOPROTOOPT;
    return -1;
}
struct darwin_timeval {
    int64_t sec;
    int32_t usec, padding;
};
static int is_time(int option) { return option == DARWIN_SO_SNDTIMEO || option == DARWIN_SO_RCVTIMEO; }
/* SO_LINGER counts in hundredths of a second of the kernel's clock on Darwin, SO_LINGER_SEC in seconds. */
enum { TICKS = 100 };

DARWIN_EXPORT int forge_darwin_setsockopt(int descriptor, int level, int option, const void *value, socklen_t size) {
    if (level == DARWIN_SOL_SOCKET && option == DARWIN_SO_NOSIGPIPE) {
        if (size < sizeof(int) || descriptor < 0 || descriptor >= DESCRIPTORS) {
            errno = EINVAL;
            return -1;
        }
        no_sigpipe[descriptor] = *(const int *)value != 0;
        return 0;
    }
    int found = find_option(level, option);
    if (found < 0)
        return -1;
    struct timeval time;
    struct linger linger;
    if (level == DARWIN_SOL_SOCKET && is_time(option) && size >= sizeof(struct darwin_timeval)) {
        const struct darwin_timeval *given = value;
        time = (struct timeval){given->sec, given->usec};
        value = &time;
    } else if (level == DARWIN_SOL_SOCKET && option == DARWIN_SO_LINGER && size >= sizeof linger) {
        linger = *(const struct linger *)value;
        linger.l_linger = (linger.l_linger + TICKS - 1) / TICKS;
        value = &linger;
    }
    return setsockopt(descriptor, OPTIONS[found].host_level, OPTIONS[found].host_option, value, size);
}
DARWIN_EXPORT int forge_darwin_getsockopt(int descriptor, int level, int option, void *value, socklen_t *size) {
    if (level == DARWIN_SOL_SOCKET && option == DARWIN_SO_NOSIGPIPE && *size >= sizeof(int)) {
        *(int *)value = descriptor >= 0 && descriptor < DESCRIPTORS && no_sigpipe[descriptor];
        *size = sizeof(int);
        return 0;
    }
    int found = find_option(level, option);
    if (found < 0)
        return -1;
    int result = getsockopt(descriptor, OPTIONS[found].host_level, OPTIONS[found].host_option, value, size);
    if (result != 0 || level != DARWIN_SOL_SOCKET)
        return result;
    if (option == DARWIN_SO_ERROR)
        *(int *)value = darwin_errno_from_host(*(int *)value);
    else if ((option == DARWIN_SO_SNDBUF || option == DARWIN_SO_RCVBUF) && *size == sizeof(int))
        *(int *)value /= 2; /* Linux tells twice what was set (socket(7)) */
    else if (option == DARWIN_SO_LINGER && *size == sizeof(struct linger))
        ((struct linger *)value)->l_linger *= TICKS;
    else if (is_time(option) && *size == sizeof(struct timeval))
        *(struct darwin_timeval *)value =
            (struct darwin_timeval){((struct timeval *)value)->tv_sec, (int32_t)((struct timeval *)value)->tv_usec, 0};
    return result;
}
