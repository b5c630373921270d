/* netdb.h, arpa/inet.h, ifaddrs.h, net/if.h: names and addresses. */
#include "darwin_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* struct addrinfo: the name comes before the address. */
struct darwin_addrinfo {
    int32_t flags, family, socktype, protocol;
    uint32_t addrlen;
    char *canonname;
    struct darwin_sockaddr *addr;
    struct darwin_addrinfo *next;
};
_Static_assert(sizeof(struct darwin_addrinfo) == 48, "struct addrinfo (netdb.h)");
_Static_assert(offsetof(struct darwin_addrinfo, canonname) == 24, "struct addrinfo.ai_canonname");

static const int CODES[][2] = {
    {EAI_ADDRFAMILY, DARWIN_EAI_ADDRFAMILY}, {EAI_AGAIN, DARWIN_EAI_AGAIN}, {EAI_BADFLAGS, DARWIN_EAI_BADFLAGS},
    {EAI_FAIL, DARWIN_EAI_FAIL}, {EAI_FAMILY, DARWIN_EAI_FAMILY}, {EAI_MEMORY, DARWIN_EAI_MEMORY},
    {EAI_NODATA, DARWIN_EAI_NODATA}, {EAI_NONAME, DARWIN_EAI_NONAME}, {EAI_SERVICE, DARWIN_EAI_SERVICE},
    {EAI_SOCKTYPE, DARWIN_EAI_SOCKTYPE}, {EAI_SYSTEM, DARWIN_EAI_SYSTEM}, {EAI_OVERFLOW, DARWIN_EAI_OVERFLOW},
};
static int code_from_host(int code) {
    for (size_t i = 0; code != 0 && i < sizeof CODES / sizeof *CODES; i++)
        if (CODES[i][0] == code)
            return CODES[i][1];
    return code == 0 ? 0 : DARWIN_EAI_FAIL;
}
DARWIN_EXPORT const char *forge_darwin_gai_strerror(int code) {
    for (size_t i = 0; i < sizeof CODES / sizeof *CODES; i++)
        if (CODES[i][1] == code)
            return gai_strerror(CODES[i][0]);
    return "Unknown error";
}

static int flags_to_host(int flags) {
    return (flags & DARWIN_AI_PASSIVE ? AI_PASSIVE : 0) | (flags & DARWIN_AI_CANONNAME ? AI_CANONNAME : 0) |
           (flags & DARWIN_AI_NUMERICHOST ? AI_NUMERICHOST : 0) | (flags & DARWIN_AI_NUMERICSERV ? AI_NUMERICSERV : 0) |
           (flags & DARWIN_AI_ALL ? AI_ALL : 0) | (flags & DARWIN_AI_ADDRCONFIG ? AI_ADDRCONFIG : 0) |
           (flags & (DARWIN_AI_V4MAPPED | DARWIN_AI_V4MAPPED_CFG) ? AI_V4MAPPED : 0);
}
DARWIN_EXPORT void forge_darwin_freeaddrinfo(struct darwin_addrinfo *list) {
    while (list != NULL) {
        struct darwin_addrinfo *next = list->next;
        free(list->canonname);
        free(list->addr);
        free(list);
        list = next;
    }
}
static struct darwin_addrinfo *copy(const struct addrinfo *host, int flags) {
    struct darwin_addrinfo *made = calloc(1, sizeof *made);
    if (made == NULL)
        return NULL;
    struct sockaddr_storage address = {0};
    socklen_t length = host->ai_addrlen;
    memcpy(&address, host->ai_addr, length < sizeof address ? length : sizeof address);
    made->flags = flags;
    made->family = darwin_family_from_host(host->ai_family);
    made->socktype = host->ai_socktype;
    made->protocol = host->ai_protocol;
    made->addrlen = length;
    made->addr = calloc(1, length < sizeof *made->addr ? sizeof *made->addr : length);
    made->canonname = host->ai_canonname != NULL ? strdup(host->ai_canonname) : NULL;
    if (made->addr == NULL || (host->ai_canonname != NULL && made->canonname == NULL)) {
        forge_darwin_freeaddrinfo(made);
        return NULL;
    }
    darwin_sockaddr_from_host(&address, length, made->addr, &length);
    return made;
}
DARWIN_EXPORT int forge_darwin_getaddrinfo(const char *node, const char *service, const struct darwin_addrinfo *hints,
                                           struct darwin_addrinfo **out) {
    struct addrinfo wanted = {0}, *found;
    if (hints != NULL) {
        wanted.ai_flags = flags_to_host(hints->flags);
        wanted.ai_family = darwin_family_to_host(hints->family);
        wanted.ai_socktype = hints->socktype;
        wanted.ai_protocol = hints->protocol;
    }
    int code = getaddrinfo(node, service, hints != NULL ? &wanted : NULL, &found);
    if (code != 0)
        return code_from_host(code);
    struct darwin_addrinfo *list = NULL, **end = &list;
    for (const struct addrinfo *host = found; host != NULL; host = host->ai_next) {
        *end = copy(host, hints != NULL ? hints->flags : 0);
        if (*end == NULL) {
            forge_darwin_freeaddrinfo(list);
            freeaddrinfo(found);
            return DARWIN_EAI_MEMORY;
        }
        end = &(*end)->next;
    }
    freeaddrinfo(found);
    *out = list;
    return 0;
}
DARWIN_EXPORT int forge_darwin_getnameinfo(const struct darwin_sockaddr *address, socklen_t length, char *node,
                                           socklen_t node_size, char *service, socklen_t service_size, int flags) {
    struct sockaddr_storage host;
    socklen_t size = darwin_sockaddr_to_host(address, length, &host);
    int wanted = (flags & DARWIN_NI_NOFQDN ? NI_NOFQDN : 0) | (flags & DARWIN_NI_NUMERICHOST ? NI_NUMERICHOST : 0) |
                 (flags & DARWIN_NI_NAMEREQD ? NI_NAMEREQD : 0) | (flags & DARWIN_NI_NUMERICSERV ? NI_NUMERICSERV : 0) |
                 (flags & DARWIN_NI_DGRAM ? NI_DGRAM : 0);
    return code_from_host(getnameinfo((struct sockaddr *)&host, size, node, node_size, service, service_size, wanted));
}

/* struct hostent, servent and protoent are the same but for the family's number. */
DARWIN_EXPORT int forge_darwin_h_errno;
static struct hostent *host_entry(struct hostent *host) {
    forge_darwin_h_errno = host == NULL ? h_errno : 0; /* HOST_NOT_FOUND to NO_DATA are 1 to 4 on both */
    if (host != NULL)
        host->h_addrtype = darwin_family_from_host(host->h_addrtype);
    return host;
}
DARWIN_EXPORT struct hostent *forge_darwin_gethostbyname(const char *name) { return host_entry(gethostbyname(name)); }
DARWIN_EXPORT struct hostent *forge_darwin_gethostbyname2(const char *name, int family) {
    return host_entry(gethostbyname2(name, darwin_family_to_host(family)));
}
DARWIN_EXPORT struct hostent *forge_darwin_gethostbyaddr(const void *address, socklen_t length, int family) {
    return host_entry(gethostbyaddr(address, length, darwin_family_to_host(family)));
}
DARWIN_EXPORT const char *forge_darwin_inet_ntop(int family, const void *address, char *text, socklen_t size) {
    return inet_ntop(darwin_family_to_host(family), address, text, size);
}
DARWIN_EXPORT int forge_darwin_inet_pton(int family, const char *text, void *address) {
    return inet_pton(darwin_family_to_host(family), text, address);
}

/* ifaddrs.h: the same list with Darwin's addresses; link-level ones (AF_PACKET) have no counterpart that is translated. */
struct darwin_ifaddrs {
    struct darwin_ifaddrs *next;
    char *name;
    unsigned flags;
    struct darwin_sockaddr *addr, *netmask, *dstaddr;
    void *data;
};
_Static_assert(sizeof(struct darwin_ifaddrs) == 56, "struct ifaddrs (ifaddrs.h)");
DARWIN_EXPORT void forge_darwin_freeifaddrs(struct darwin_ifaddrs *list) {
    while (list != NULL) {
        struct darwin_ifaddrs *next = list->next;
        free(list->name);
        free(list->addr);
        free(list->netmask);
        free(list->dstaddr);
        free(list);
        list = next;
    }
}
static struct darwin_sockaddr *copy_address(const struct sockaddr *host) {
    if (host == NULL)
        return NULL;
    socklen_t length = host->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    struct sockaddr_storage whole = {0};
    memcpy(&whole, host, length);
    struct darwin_sockaddr *made = calloc(1, length);
    if (made != NULL)
        darwin_sockaddr_from_host(&whole, length, made, &length);
    return made;
}
DARWIN_EXPORT int forge_darwin_getifaddrs(struct darwin_ifaddrs **out) {
    struct ifaddrs *hosts;
    if (getifaddrs(&hosts) != 0)
        return -1;
    struct darwin_ifaddrs *list = NULL, **end = &list;
    for (const struct ifaddrs *host = hosts; host != NULL; host = host->ifa_next) {
        if (host->ifa_addr == NULL || (host->ifa_addr->sa_family != AF_INET && host->ifa_addr->sa_family != AF_INET6))
            continue;
        struct darwin_ifaddrs *made = calloc(1, sizeof *made);
        if (made == NULL)
            break;
        made->name = strdup(host->ifa_name);
        /* IFF_UP 1, BROADCAST 2, LOOPBACK 8, POINTOPOINT 16, RUNNING 64 on both; MULTICAST is 0x8000 and 0x1000. */
        made->flags = (host->ifa_flags & 0x5fu) | (host->ifa_flags & IFF_MULTICAST ? 0x8000u : 0u);
        made->addr = copy_address(host->ifa_addr);
        made->netmask = copy_address(host->ifa_netmask);
        made->dstaddr = copy_address(host->ifa_dstaddr);
        *end = made;
        end = &made->next;
    }
    freeifaddrs(hosts);
    *out = list;
    return 0;
}
