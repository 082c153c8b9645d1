// Messages over loopback: cut anywhere, from many at once, and what ends a connection.
#include "source/connections.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { MANY = CONNECTIONS_MAX + 40, ROUNDS = 200 };

struct heard {
    unsigned messages, ends[8];
    size_t bytes;
    uint64_t last;
};

static void take_message(void *context, const struct connection *from, bytes message)
{
    struct heard *h = context;
    h->messages++;
    h->bytes += message.n;
    h->last = from->number;
    assert_int_equal(message.p[0] << 8 | message.p[1], 10);
    assert_int_equal(message.p[2] << 8 | message.p[3], message.n);
}

static void take_end(void *context, const struct connection *from, enum connection_end why)
{
    struct heard *h = context;
    assert_true(from->number && address_is_v4(from->from));
    h->ends[why]++;
}

static struct connections *open_any(void)
{
    struct err err = {0};
    struct connections *c = connections_open("127.0.0.1", 0, &err);
    assert_non_null(c);
    return c;
}

static int reach(const struct connections *c)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(connections_port(c)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)(void *)&to, sizeof to), 0);
    return fd;
}

static void hear(struct connections *c, nanos now, struct heard *h)
{
    struct connection_events events = {h, take_message, take_end};
    for (unsigned i = 0; i < ROUNDS; i++) assert_true(connections_read(c, now, &events, NULL) >= 0);
}

static void say(int fd, const void *p, size_t n)
{
    assert_int_equal(send(fd, p, n, MSG_NOSIGNAL), (ssize_t)n);
}

static void say_message(int fd, uint16_t length)
{
    static uint8_t message[65535];
    memcpy(message, (uint8_t[]){0, 10, (uint8_t)(length >> 8), (uint8_t)length}, 4);
    say(fd, message, length);
}

static void messages_are_cut_by_their_length(void **state)
{
    (void)state;
    struct connections *c = open_any();
    struct heard h = {0};
    int fd = reach(c);
    say_message(fd, 16);
    say_message(fd, 65535);
    say_message(fd, 1400);
    hear(c, 1, &h);
    assert_int_equal(h.messages, 3);
    assert_int_equal(h.bytes, 16 + 65535 + 1400);
    // Byte by byte.
    uint8_t message[20] = {0, 10, 0, 20};
    for (unsigned i = 0; i < sizeof message; i++) {
        assert_int_equal(h.messages, 3);
        say(fd, message + i, 1);
        hear(c, 1, &h);
    }
    assert_int_equal(h.messages, 4);
    close(fd);
    hear(c, 1, &h);
    assert_int_equal(h.ends[CONNECTION_DONE], 1);
    connections_close(c);
}

static void what_is_no_message_ends_it(void **state)
{
    static const struct {
        const char *text;
        size_t n;
        enum connection_end why;
    } bad[] = {{"G", 1, CONNECTION_not_ipfix},
               {"\0\x09\0\x20", 4, CONNECTION_not_ipfix},
               {"\0\x0a\0\x0f", 4, CONNECTION_not_ipfix},
               {"\0\x0a\0", 3, CONNECTION_cut_connection},
               {"\0\x0a\xff\xff...", 7, CONNECTION_cut_connection}};
    (void)state;
    struct connections *c = open_any();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct heard h = {0};
        int fd = reach(c);
        say_message(fd, 100);
        say(fd, bad[i].text, bad[i].n);
        if (bad[i].why == CONNECTION_cut_connection) close(fd);
        hear(c, 1, &h);
        assert_int_equal(h.messages, 1);
        assert_int_equal(h.ends[bad[i].why], 1);
        if (bad[i].why != CONNECTION_cut_connection) close(fd);
    }
    connections_close(c);
}

// One byte now and then keeps nobody's place for ever.
static void a_message_must_end(void **state)
{
    (void)state;
    struct connections *c = open_any();
    struct heard h = {0};
    int slow = reach(c), quiet = reach(c);
    say(slow, "\0\x0a\xff\xff", 4);
    say_message(quiet, 16);
    hear(c, 1, &h);
    say(slow, ".", 1);
    hear(c, CONNECTION_STALL, &h);
    assert_int_equal(h.ends[CONNECTION_stalled], 0);
    hear(c, CONNECTION_STALL + 2, &h);
    assert_int_equal(h.ends[CONNECTION_stalled], 1);
    say_message(quiet, 16);
    hear(c, 2 * CONNECTION_STALL, &h);
    assert_int_equal(h.messages, 2);
    close(slow);
    close(quiet);
    connections_close(c);
}

static void too_many_make_room_for_each_other(void **state)
{
    (void)state;
    struct connections *c = open_any();
    struct heard h = {0};
    int fds[MANY];
    for (unsigned i = 0; i < MANY; i++) {
        fds[i] = reach(c);
        say_message(fds[i], 16);
        hear(c, 1 + (nanos)i, &h);
    }
    assert_int_equal(h.messages, MANY);
    assert_int_equal(h.last, MANY);
    assert_int_equal(h.ends[CONNECTION_connections_full], MANY - CONNECTIONS_MAX);
    for (unsigned i = 0; i < MANY; i++) close(fds[i]);
    connections_close(c);
}

// Who sends without end is read in turn with the others.
static void a_busy_one_leaves_room(void **state)
{
    (void)state;
    struct connections *c = open_any();
    struct heard h = {0};
    struct connection_events events = {&h, take_message, take_end};
    int busy = reach(c), other = reach(c);
    connections_read(c, 1, &events, NULL);
    for (unsigned i = 0; i < 3; i++) say_message(busy, 65535);
    say_message(other, 16);
    connections_read(c, 1, &events, NULL);
    assert_int_equal(h.last, 2);
    close(busy);
    close(other);
    connections_close(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_cut_by_their_length),
        cmocka_unit_test(what_is_no_message_ends_it),
        cmocka_unit_test(a_message_must_end),
        cmocka_unit_test(too_many_make_room_for_each_other),
        cmocka_unit_test(a_busy_one_leaves_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
