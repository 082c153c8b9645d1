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

static bool is_new(const struct conversation *c, uint8_t side, uint8_t flags, uint32_t seq,
                   uint32_t ack)
{
    struct packet p = {.side = side, .tcp_flags = flags, .tcp_seq = seq, .tcp_ack = ack};
    return tcp_is_new_connection(c, &p);
}

static void note_numbers(struct conversation *c, uint8_t side, uint8_t flags, uint32_t seq,
                         uint32_t ack)
{
    struct packet p = {
        .side = side, .tcp_flags = flags, .tcp_seq = seq, .tcp_ack = ack, .tcp_window = 100};
    c->side[side].packets++;
    tcp_note(c, &p);
}

static void ports_used_again(void **state)
{
    (void)state;
    struct conversation c = conversation();
    note_numbers(&c, 0, TCP_SYN, 100, 0);
    assert_false(is_new(&c, 0, TCP_SYN, 100, 0));
    assert_true(is_new(&c, 0, TCP_SYN, 7000, 0));
    note_numbers(&c, 1, TCP_SYN | TCP_ACK, 500, 101);
    assert_false(is_new(&c, 1, TCP_SYN | TCP_ACK, 500, 101));
    note_numbers(&c, 0, TCP_ACK, 101, 501);
    assert_true(is_new(&c, 1, TCP_SYN | TCP_ACK, 900, 5000));
    // Who is in a connection takes no SYN; once it was reset he does.
    assert_false(is_new(&c, 0, TCP_SYN, 7000, 0));
    note_numbers(&c, 0, TCP_RST, 101, 0);
    assert_true(is_new(&c, 0, TCP_SYN, 7000, 0));
}

// Each SYN is answered with another number: still one connection, which goes on from the last.
static void answered_anew(void **state)
{
    (void)state;
    struct conversation c = conversation();
    note_numbers(&c, 0, TCP_SYN, 100, 0);
    note_numbers(&c, 1, TCP_SYN | TCP_ACK, 500, 101);
    assert_false(is_new(&c, 1, TCP_SYN | TCP_ACK, 900, 101));
    note_numbers(&c, 1, TCP_SYN | TCP_ACK, 900, 101);
    assert_int_equal(c.side[1].isn, 900);
    assert_true(is_new(&c, 1, TCP_SYN | TCP_ACK, 1200, 5000));
    note_numbers(&c, 0, TCP_ACK, 101, 901);
    assert_false(is_new(&c, 1, TCP_SYN | TCP_ACK, 500, 101));
    note_numbers(&c, 1, TCP_SYN | TCP_ACK, 500, 101);
    assert_int_equal(c.side[1].isn, 900);
}

// The SYN comes behind all else of its connection.
static void late_syn(void **state)
{
    (void)state;
    struct conversation c = conversation();
    note_numbers(&c, 1, TCP_SYN | TCP_ACK, 500, 101);
    note_numbers(&c, 0, TCP_ACK, 101, 501);
    note_numbers(&c, 0, TCP_FIN | TCP_ACK, 101, 501);
    note_numbers(&c, 1, TCP_FIN | TCP_ACK, 501, 102);
    assert_true(c.ended);
    assert_false(is_new(&c, 0, TCP_SYN, 100, 0));
    assert_true(is_new(&c, 0, TCP_SYN, 300, 0));
}

// The SYN comes behind data of its own side, of whom nobody else was heard; a SYN elsewhere is
// another connection.
static void late_syn_of_who_is_not_answered(void **state)
{
    (void)state;
    struct conversation c = conversation();
    note_numbers(&c, 1, TCP_ACK, 501 + 1400, 101);
    assert_false(is_new(&c, 1, TCP_SYN | TCP_ACK, 500, 101));
    assert_true(is_new(&c, 1, TCP_SYN | TCP_ACK, 500 + 4000, 101));
    assert_true(is_new(&c, 1, TCP_SYN | TCP_ACK, 500 - 70000u, 101));
    note_numbers(&c, 1, TCP_SYN | TCP_ACK, 500, 101);
    assert_int_equal(c.side[1].isn, 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_connections),
        cmocka_unit_test(refusals_and_resets),
        cmocka_unit_test(answer_without_its_syn),
        cmocka_unit_test(ports_used_again),
        cmocka_unit_test(answered_anew),
        cmocka_unit_test(late_syn),
        cmocka_unit_test(late_syn_of_who_is_not_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
