#include "flow/tcp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void note(struct conversation *c, uint8_t side, uint8_t flags)
{
    struct packet p = {.side = side, .tcp_flags = flags, .tcp_window = 100, .has_transport = true};
    c->side[side].packets++;
    tcp_note(c, &p);
}

static void handshake(struct conversation *c)
{
    note(c, 0, TCP_SYN);
    note(c, 1, TCP_SYN | TCP_ACK);
    note(c, 0, TCP_ACK);
}

static struct conversation conversation(void)
{
    struct conversation c = {0};
    c.key.proto = 6;
    return c;
}

static void whole_connections(void **state)
{
    (void)state;
    struct conversation c = conversation();
    handshake(&c);
    assert_string_equal(conn_state_of(&c), "S1");
    note(&c, 0, TCP_FIN | TCP_ACK);
    assert_string_equal(conn_state_of(&c), "S2");
    note(&c, 1, TCP_FIN | TCP_ACK);
    assert_string_equal(conn_state_of(&c), "SF");
    assert_string_equal(c.history, "ShAFf");
    assert_true(c.ended);
}

static void refusals_and_resets(void **state)
{
    (void)state;
    struct conversation c = conversation();
    note(&c, 0, TCP_SYN);
    assert_string_equal(conn_state_of(&c), "S0");
    note(&c, 1, TCP_RST | TCP_ACK);
    assert_string_equal(conn_state_of(&c), "REJ");
    c = conversation();
    handshake(&c);
    note(&c, 1, TCP_RST);
    assert_string_equal(conn_state_of(&c), "RSTR");
    assert_string_equal(c.history, "ShAr");
}

// The SYN was not captured, but who answers it is known, and the connection was established.
static void answer_without_its_syn(void **state)
{
    (void)state;
    struct conversation c = conversation();
    c.src_side = 1;
    note(&c, 1, TCP_SYN | TCP_ACK);
    conversation_turn(&c);
    assert_int_equal(c.src_side, 0);
    assert_string_equal(conn_state_of(&c), "OTH");
    note(&c, 0, TCP_ACK);
    assert_string_equal(conn_state_of(&c), "S1");
    assert_string_equal(c.history, "^hA");
    assert_int_equal(c.rtt, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_connections),
        cmocka_unit_test(refusals_and_resets),
        cmocka_unit_test(answer_without_its_syn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
