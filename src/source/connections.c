#include "source/connections.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "source/listen.h"

enum { BACKLOG = 128, READY_MAX = 64, ACCEPTS_MAX = 64, IPFIX = 10, HEADER_SIZE = 16 };

// One connection's place. Its bytes lie at its number in the memory of all.
struct place {
    bool is_open;
    int socket;
    struct connection who;
    size_t held; // bytes of a message that is not whole
    nanos begun; // when the first of them came
    nanos heard;
};

struct connections {
    int socket, epoll;
    uint16_t port;
    uint64_t numbered;
    uint8_t *memory;
    struct place places[CONNECTIONS_MAX];
};

#define CONNECTIONS_MEMORY ((size_t)CONNECTIONS_MAX * CONNECTION_ROOM)

// ---- opening ------------------------------------------------------------------------------------

static bool watch(const struct connections *c, int socket, uint32_t place)
{
    struct epoll_event e = {.events = EPOLLIN, .data.u32 = place};
    return epoll_ctl(c->epoll, EPOLL_CTL_ADD, socket, &e) == 0;
}

static bool connections_listen(struct connections *c, const char *host, uint16_t port,
                               struct err *err)
{
    c->socket = listen_open(SOCK_STREAM, err);
    if (c->socket < 0) return false;
    // A port whose last connections are still dying is free for us.
    int on = 1;
    (void)!setsockopt(c->socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (!listen_bind(c->socket, "TCP", host, port, &c->port, err)) return false;
    if (listen(c->socket, BACKLOG) != 0)
        return err_system(err, errno, "cannot listen at TCP port %u", c->port);
    c->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (c->epoll < 0 || !watch(c, c->socket, CONNECTIONS_MAX))
        return err_system(err, errno, "cannot wait for connections");
    return true;
}

struct connections *connections_open(const char *host, uint16_t port, struct err *err)
{
    struct connections *c = memory_get(sizeof *c);
    c->socket = c->epoll = -1;
    c->memory = memory_reserve(CONNECTIONS_MEMORY, err);
    if (c->memory && connections_listen(c, host, port, err)) return c;
    connections_close(c);
    return NULL;
}

void connections_close(struct connections *c)
{
    if (!c) return;
    for (uint32_t i = 0; i < CONNECTIONS_MAX; i++)
        if (c->places[i].is_open) close(c->places[i].socket);
    if (c->epoll >= 0) close(c->epoll);
    if (c->socket >= 0) close(c->socket);
    if (c->memory) memory_release(c->memory, CONNECTIONS_MEMORY);
    memory_free(c);
}

uint16_t connections_port(const struct connections *c)
{
    return c->port;
}

int connections_descriptor(const struct connections *c)
{
    return c->epoll;
}

// ---- ends and beginnings ------------------------------------------------------------------------

static void place_end(struct place *p, enum connection_end why,
                      const struct connection_events *events)
{
    struct connection who = p->who;
    close(p->socket);
    *p = (struct place){0};
    events->over(events->context, &who, why);
}

static struct place *place_silent(struct connections *c)
{
    struct place *silent = NULL;
    for (struct place *p = c->places; p < c->places + CONNECTIONS_MAX; p++)
        if (p->is_open && (!silent || p->heard < silent->heard)) silent = p;
    return silent;
}

static struct place *place_free(struct connections *c, const struct connection_events *events)
{
    struct place *p = c->places;
    while (p < c->places + CONNECTIONS_MAX && p->is_open) p++;
    if (p < c->places + CONNECTIONS_MAX) return p;
    p = place_silent(c);
    place_end(p, CONNECTION_connections_full, events);
    return p;
}

static void place_begin(struct connections *c, int socket, const struct sockaddr_in6 *from,
                        nanos now, const struct connection_events *events)
{
    struct place *p = place_free(c, events);
    *p = (struct place){.is_open = true, .socket = socket, .heard = now};
    p->who = (struct connection){listen_address(from), ntohs(from->sin6_port), ++c->numbered};
    if (watch(c, socket, (uint32_t)(p - c->places))) return;
    place_end(p, CONNECTION_connections_full, events);
}

static void accept_all(struct connections *c, nanos now, const struct connection_events *events)
{
    for (unsigned i = 0; i < ACCEPTS_MAX; i++) {
        struct sockaddr_in6 from = {0};
        socklen_t n = sizeof from;
        int socket =
            accept4(c->socket, (struct sockaddr *)(void *)&from, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (socket >= 0) {
            place_begin(c, socket, &from, now, events);
            continue;
        }
        // With no descriptors left, who waits would wait for ever.
        struct place *silent = errno == EMFILE || errno == ENFILE ? place_silent(c) : NULL;
        if (!silent) return;
        place_end(silent, CONNECTION_connections_full, events);
    }
}

// ---- messages -----------------------------------------------------------------------------------

// The length of the message at the beginning; 0 when it is none, `content.n` + 1 or more when it is
// not whole.
static size_t message_length(bytes content)
{
    struct reader r = reader_of(content);
    uint16_t version = read_be16(&r), length = read_be16(&r);
    if (content.n && content.p[0] != IPFIX >> 8) return 0;
    if (content.n >= 2 && version != IPFIX) return 0;
    if (r.bad) return content.n + 1;
    return length < HEADER_SIZE ? 0 : length;
}

// How many whole messages there were; -1 when what comes is none. What is left moves to the front.
static int place_cut(struct connections *c, struct place *p, nanos now,
                     const struct connection_events *events)
{
    uint8_t *memory = c->memory + (size_t)(p - c->places) * CONNECTION_ROOM;
    bytes rest = bytes_of(memory, p->held);
    int messages = 0;
    size_t length;
    while ((length = message_length(rest)) && length <= rest.n) {
        events->message(events->context, &p->who, bytes_first(rest, length));
        rest = bytes_after(rest, length);
        messages++;
    }
    if (messages && rest.n) memmove(memory, rest.p, rest.n);
    if (messages) p->begun = now;
    p->held = rest.n;
    return length ? messages : -1;
}

static int place_read(struct connections *c, struct place *p, nanos now,
                      const struct connection_events *events)
{
    uint8_t *memory = c->memory + (size_t)(p - c->places) * CONNECTION_ROOM;
    ssize_t n = recv(p->socket, memory + p->held, CONNECTION_ROOM - p->held, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
    if (n <= 0) {
        place_end(p, p->held ? CONNECTION_cut_connection : CONNECTION_DONE, events);
        return 0;
    }
    if (!p->held) p->begun = now;
    p->heard = now;
    p->held += (size_t)n;
    int messages = place_cut(c, p, now, events);
    if (messages < 0) place_end(p, CONNECTION_not_ipfix, events);
    return messages < 0 ? 0 : messages;
}

// Ends those whose message is overdue.
static void sweep(struct connections *c, nanos now, const struct connection_events *events)
{
    for (struct place *p = c->places; p < c->places + CONNECTIONS_MAX; p++)
        if (p->is_open && p->held && now - p->begun > CONNECTION_STALL)
            place_end(p, CONNECTION_stalled, events);
}

int connections_read(struct connections *c, nanos now, const struct connection_events *events,
                     struct err *err)
{
    struct epoll_event ready[READY_MAX];
    int n = epoll_wait(c->epoll, ready, READY_MAX, 0), messages = 0;
    if (n < 0 && errno != EINTR) {
        err_system(err, errno, "cannot receive at TCP port %u", c->port);
        return -1;
    }
    bool is_asked = false;
    for (int i = 0; i < n; i++) {
        uint32_t place = ready[i].data.u32;
        if (place == CONNECTIONS_MAX) is_asked = true;
        else messages += place_read(c, &c->places[place], now, events);
    }
    // Last, as a place that is given away would be read with what it had before.
    if (is_asked) accept_all(c, now, events);
    // What the kernel has of an overdue message was read just now, unless there was too much.
    if (n < READY_MAX) sweep(c, now, events);
    return messages;
}
