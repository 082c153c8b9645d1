#include "source/datagrams.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "source/listen.h"

enum { CONTROL_SIZE = 128 };

struct datagrams {
    int socket;
    uint16_t port;
    uint32_t dropped_last; // the kernel counts in 32 bits
    uint64_t dropped;
    uint8_t *memory; // DATAGRAMS_AT_ONCE times DATAGRAM_MAX; pages are touched as they are used
    struct mmsghdr headers[DATAGRAMS_AT_ONCE];
    struct iovec vectors[DATAGRAMS_AT_ONCE];
    struct sockaddr_in6 senders[DATAGRAMS_AT_ONCE];
    uint8_t controls[DATAGRAMS_AT_ONCE][CONTROL_SIZE] __attribute__((aligned(8)));
    struct datagram list[DATAGRAMS_AT_ONCE];
};

#define DATAGRAMS_MEMORY ((size_t)DATAGRAMS_AT_ONCE * (DATAGRAM_MAX + 1))

// ---- opening ------------------------------------------------------------------------------------

static void set_on(int socket, int level, int option)
{
    int on = 1;
    // What the kernel does not have is not told then; nothing else changes.
    (void)!setsockopt(socket, level, option, &on, sizeof on);
}

// As much as was asked for where we have the right to it, else as much as the machine allows.
static void set_buffer(struct datagrams *d, uint64_t wanted)
{
    int size = wanted > INT32_MAX / 2 ? INT32_MAX / 2 : (int)wanted;
    if (setsockopt(d->socket, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
        (void)!setsockopt(d->socket, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
}

static void datagrams_prepare(struct datagrams *d)
{
    for (unsigned i = 0; i < DATAGRAMS_AT_ONCE; i++) {
        d->vectors[i] = (struct iovec){d->memory + (size_t)i * (DATAGRAM_MAX + 1), DATAGRAM_MAX};
        d->headers[i].msg_hdr = (struct msghdr){.msg_name = &d->senders[i],
                                                .msg_iov = &d->vectors[i],
                                                .msg_iovlen = 1,
                                                .msg_control = d->controls[i]};
    }
}

struct datagrams *datagrams_open(const char *host, uint16_t port, uint64_t buffer, bool is_shared,
                                 struct err *err)
{
    struct datagrams *d = memory_get(sizeof *d);
    d->socket = listen_open(SOCK_DGRAM, err);
    if (d->socket < 0) {
        memory_free(d);
        return NULL;
    }
    set_on(d->socket, SOL_SOCKET, SO_TIMESTAMPNS);
    set_on(d->socket, SOL_SOCKET, SO_RXQ_OVFL);
    if (is_shared) set_on(d->socket, SOL_SOCKET, SO_REUSEPORT);
    set_buffer(d, buffer);
    d->memory = memory_reserve(DATAGRAMS_MEMORY, err);
    if (d->memory && listen_bind(d->socket, "UDP", host, port, &d->port, err)) {
        datagrams_prepare(d);
        return d;
    }
    datagrams_close(d);
    return NULL;
}

void datagrams_close(struct datagrams *d)
{
    if (!d) return;
    close(d->socket);
    if (d->memory) memory_release(d->memory, DATAGRAMS_MEMORY);
    memory_free(d);
}

uint16_t datagrams_port(const struct datagrams *d)
{
    return d->port;
}

int datagrams_descriptor(const struct datagrams *d)
{
    return d->socket;
}

// A datagram brings the count that stood when it came, and the kernel may have told a later one.
static void dropped_take(struct datagrams *d, uint32_t dropped)
{
    int32_t more = (int32_t)(dropped - d->dropped_last);
    if (more <= 0) return;
    d->dropped += (uint32_t)more;
    d->dropped_last = dropped;
}

// Datagrams bring the count along, but behind the last drop none may come.
uint64_t datagrams_dropped(struct datagrams *d)
{
    uint32_t counts[SK_MEMINFO_VARS];
    socklen_t n = sizeof counts;
    if (getsockopt(d->socket, SOL_SOCKET, SO_MEMINFO, counts, &n) == 0 && n == sizeof counts)
        dropped_take(d, counts[SK_MEMINFO_DROPS]);
    return d->dropped;
}

// ---- reading ------------------------------------------------------------------------------------

static void take_control(struct datagrams *d, struct msghdr *h, struct datagram *to)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
        if (c->cmsg_level != SOL_SOCKET) continue;
        if (c->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec t;
            memcpy(&t, CMSG_DATA(c), sizeof t);
            to->received = (nanos)t.tv_sec * NANOS_PER_SECOND + t.tv_nsec;
        }
        if (c->cmsg_type == SO_RXQ_OVFL) {
            uint32_t dropped;
            memcpy(&dropped, CMSG_DATA(c), sizeof dropped);
            dropped_take(d, dropped);
        }
    }
}

static void take_one(struct datagrams *d, unsigned i)
{
    struct datagram *to = &d->list[i];
    *to = (struct datagram){.data = bytes_of(d->vectors[i].iov_base, d->headers[i].msg_len),
                            .port = ntohs(d->senders[i].sin6_port)};
    to->from = listen_address(&d->senders[i]);
    take_control(d, &d->headers[i].msg_hdr, to);
}

int datagrams_read(struct datagrams *d, const struct datagram **list, struct err *err)
{
    for (unsigned i = 0; i < DATAGRAMS_AT_ONCE; i++) {
        d->headers[i].msg_hdr.msg_namelen = sizeof d->senders[i];
        d->headers[i].msg_hdr.msg_controllen = CONTROL_SIZE;
    }
    int n = recvmmsg(d->socket, d->headers, DATAGRAMS_AT_ONCE, MSG_DONTWAIT, NULL);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
    if (n < 0) {
        err_system(err, errno, "cannot receive at UDP port %u", d->port);
        return -1;
    }
    for (int i = 0; i < n; i++) take_one(d, (unsigned)i);
    *list = d->list;
    return n;
}
