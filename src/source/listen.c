#include "source/listen.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { PORT_TEXT_MAX = 8 };

int listen_open(int type, struct err *err)
{
    int fd = socket(AF_INET6, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), off = 0;
    if (fd < 0) err_system(err, errno, "cannot open a socket");
    else (void)!setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    return fd;
}

bool listen_bind(int socket, const char *transport, const char *host, uint16_t port, uint16_t *own,
                 struct err *err)
{
    char service[PORT_TEXT_MAX];
    struct addrinfo hints = {.ai_family = AF_INET6,
                             .ai_socktype = SOCK_DGRAM, // one of each address
                             .ai_flags =
                                 AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV | AI_V4MAPPED};
    struct addrinfo *found = NULL;
    snprintf(service, sizeof service, "%u", port);
    int failed = getaddrinfo(*host ? host : NULL, service, &hints, &found);
    if (failed)
        return err_set(err, ERR_USAGE, "\"%s\" is no address to listen at: %s", host,
                       gai_strerror(failed));
    int error = bind(socket, found->ai_addr, found->ai_addrlen) == 0 ? 0 : errno;
    freeaddrinfo(found);
    if (error == EADDRINUSE)
        return err_set(err, ERR_MACHINE, "%s port %u is in use by another program: choose another",
                       transport, port);
    if (error) return err_system(err, error, "cannot listen at %s port %u", transport, port);
    struct sockaddr_in6 bound;
    socklen_t n = sizeof bound;
    if (getsockname(socket, (struct sockaddr *)(void *)&bound, &n) == 0)
        *own = ntohs(bound.sin6_port);
    return true;
}

struct address listen_address(const struct sockaddr_in6 *from)
{
    uint64_t words[2];
    memcpy(words, &from->sin6_addr, sizeof words);
    return (struct address){__builtin_bswap64(words[0]), __builtin_bswap64(words[1])};
}
