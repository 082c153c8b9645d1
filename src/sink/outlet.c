#include "sink/outlet.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"
#include "base/file.h"
#include "base/memory.h"

enum { PLACE_MAX = 256 };

struct outlet {
    int fd;
    bool is_datagrams, is_file;
    uint64_t messages, refused;
    char name[]; // as the person has it
};

static const struct scheme {
    const char *prefix, *port; // the port when none is named, or NULL
    int type;
} schemes[] = {
    {"udp://", NULL, SOCK_DGRAM},
    {"ipfix://", "4739", SOCK_DGRAM},
    {"tcp://", NULL, SOCK_STREAM},
};

static const struct scheme *scheme_of(const char *to)
{
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
        if (strncmp(to, schemes[i].prefix, strlen(schemes[i].prefix)) == 0) return &schemes[i];
    return NULL;
}

static bool place_find(const struct scheme *s, const char *to, char host[PLACE_MAX],
                       const char **port, struct err *err)
{
    bool fits = place_split(to + strlen(s->prefix), host, PLACE_MAX, port);
    if (!*port) *port = s->port;
    return (fits && *port && *host) ||
           err_set(err, ERR_USAGE, "\"%s\" names no host and port: %sHOST:PORT", to, s->prefix);
}

// On Linux the time that sending may take bounds connecting, too (socket(7)).
static int place_connect(const struct addrinfo *list, nanos patience)
{
    const struct timeval wait = {patience / NANOS_PER_SECOND,
                                 patience % NANOS_PER_SECOND / NANOS_PER_MICRO};
    int fd = -1;
    for (; list && fd < 0; list = list->ai_next) {
        fd = socket(list->ai_family, list->ai_socktype | SOCK_CLOEXEC, list->ai_protocol);
        if (fd >= 0 && patience) setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
        if (fd < 0 || connect(fd, list->ai_addr, list->ai_addrlen) == 0) continue;
        int why = errno == EINPROGRESS ? ETIMEDOUT : errno;
        close(fd);
        fd = -1;
        errno = why;
    }
    return fd;
}

static int socket_open(const struct scheme *s, const char *to, nanos patience, struct err *err)
{
    char host[PLACE_MAX];
    const char *port;
    struct addrinfo hints = {.ai_socktype = s->type}, *found;
    if (!place_find(s, to, host, &port, err)) return -1;
    int wrong = getaddrinfo(host, port, &hints, &found);
    if (wrong) {
        err_set(err, ERR_USAGE, "%s: %s", to, gai_strerror(wrong));
        return -1;
    }
    int fd = place_connect(found, patience);
    if (fd < 0) err_system(err, errno, "cannot reach %s", to);
    freeaddrinfo(found);
    return fd;
}

bool outlet_is_datagrams(const char *to)
{
    const struct scheme *s = scheme_of(to);
    return s && s->type == SOCK_DGRAM;
}

struct outlet *outlet_open(const char *to, struct err *err)
{
    return outlet_open_within(to, 0, err);
}

struct outlet *outlet_open_within(const char *to, nanos patience, struct err *err)
{
    const struct scheme *s = scheme_of(to);
    bool is_output = strcmp(to, "-") == 0;
    int fd = s           ? socket_open(s, to, patience, err)
             : is_output ? dup(STDOUT_FILENO)
                         : file_create(to, err);
    if (fd < 0) return NULL;
    struct outlet *o = memory_get(sizeof *o + strlen(to) + 1);
    o->fd = fd;
    o->is_file = !s;
    o->is_datagrams = outlet_is_datagrams(to);
    memcpy(o->name, to, strlen(to) + 1);
    return o;
}

// The kernel tells of a datagram that nobody took when the next one is sent.
static bool datagram_send(struct outlet *o, bytes message, struct err *err)
{
    ssize_t n;
    do {
        n = send(o->fd, message.p, message.n, MSG_NOSIGNAL);
        if (n < 0 && errno == ECONNREFUSED) o->refused++;
    } while (n < 0 && (errno == EINTR || errno == ECONNREFUSED) && o->refused <= o->messages);
    if (n >= 0 || errno == ECONNREFUSED) return true;
    return err_system(err, errno, "cannot send to %s", o->name);
}

static bool connection_send(struct outlet *o, bytes message, struct err *err)
{
    while (message.n) {
        ssize_t n = send(o->fd, message.p, message.n, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR) return err_system(err, errno, "cannot send to %s", o->name);
        if (n > 0) message = bytes_after(message, (size_t)n);
    }
    return true;
}

bool outlet_send(struct outlet *o, bytes message, struct err *err)
{
    o->messages++;
    if (o->is_datagrams) return datagram_send(o, message, err);
    if (!o->is_file) return connection_send(o, message, err);
    return file_write_all(o->fd, message, err) || err_in(err, "%s", o->name);
}

bool outlet_close(struct outlet *o, struct err *err)
{
    if (!o) return true;
    bool ok = true;
    if (o->refused)
        ok = err_set(err, ERR_MACHINE, "nobody listens at %s: %llu of %llu messages were refused",
                     o->name, (unsigned long long)o->refused, (unsigned long long)o->messages);
    if (close(o->fd) != 0 && ok) ok = err_system(err, errno, "cannot write %s", o->name);
    memory_free(o);
    return ok;
}

// ---- lines --------------------------------------------------------------------------------------

static ssize_t stream_write(void *cookie, const char *text, size_t n)
{
    return outlet_send(cookie, bytes_of(text, n), NULL) ? (ssize_t)n : 0;
}

FILE *outlet_stream(struct outlet *o)
{
    enum { STREAM_BUFFER = 64 * 1024 };
    FILE *stream = fopencookie(o, "w", (cookie_io_functions_t){.write = stream_write});
    if (stream) setvbuf(stream, NULL, _IOFBF, STREAM_BUFFER);
    return stream;
}
