#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "dissect/harness.h"

extern const struct dissector socks_dissector;

// clang-format off
#define BYTES(text) {(const uint8_t *)(text), sizeof(text) - 1}
#define C(text) {HARNESS_DATA, 0, BYTES(text), 0, 0} // from the client
#define S(text) {HARNESS_DATA, 1, BYTES(text), 0, 0} // from the server
#define GAP(side, length) {HARNESS_GAP, side, {NULL, 0}, length, 0}
#define CLOSE(side) {HARNESS_CLOSE, side, {NULL, 0}, 0, 0}
// clang-format on

static void expect(const struct harness_step *steps, size_t count, const char *lines)
{
    char *text = harness_play_cuts(&socks_dissector, steps, count);
    assert_string_equal(text, lines);
    memory_free(text);
}

#define EXPECT(lines, ...)                                                                         \
    do {                                                                                           \
        static const struct harness_step steps[] = {__VA_ARGS__};                                  \
        expect(steps, sizeof steps / sizeof *steps, lines);                                        \
    } while (0)

static enum recognition recognised(bytes first)
{
    return harness_recognise(&socks_dissector, TRANSPORT_TCP, first);
}

#define RECOGNISED(text) recognised(bytes_of(text, sizeof(text) - 1))

#define TS " ts=1970-01-01T00:00:01Z"
#define NAME                                                                                       \
    "\x05\x01\x00\x03\x0b"                                                                         \
    "example.org\x01\xbb"
#define REPLY "\x05\x00\x00\x01\xc0\x00\x02\x07\x13\x88"
#define REPLIED " reply=0 reply_name=\"succeeded\" bound_addr=192.0.2.7 bound_port=5000\n"
#define HANDED_OVER "tunnel name=socks\nswitch name=?\n"

static void recognises_what_a_client_says_first(void **state)
{
    (void)state;
    assert_int_equal(RECOGNISED("\x05\x01\x00"), RECOGNISE_YES);
    assert_int_equal(RECOGNISED("\x05\x03\x00\x01\x02\x05\x01\x00"), RECOGNISE_YES);
    assert_int_equal(RECOGNISED("\x04\x01\x00\x50\xc0\x00\x02\x01\x00"), RECOGNISE_YES);
    assert_int_equal(RECOGNISED("\x04\x02\x00\x50\x00\x00\x00\x01me\x00host\x00"), RECOGNISE_YES);
    assert_int_equal(RECOGNISED(""), RECOGNISE_MORE);
    assert_int_equal(RECOGNISED("\x05"), RECOGNISE_MORE);
    assert_int_equal(RECOGNISED("\x05\x02\x00"), RECOGNISE_MORE);
    assert_int_equal(RECOGNISED("\x04\x01\x00\x50\xc0\x00\x02\x01me"), RECOGNISE_MORE);
    assert_int_equal(RECOGNISED("\x04\x02\x00\x50\x00\x00\x00\x01me\x00host"), RECOGNISE_MORE);
}

static void leaves_others_alone(void **state)
{
    (void)state;
    assert_int_equal(RECOGNISED("\x05\x00\x0b\x03\x10\x00\x00\x00"), RECOGNISE_NO); // DCE/RPC
    assert_int_equal(RECOGNISED("\x05\x02\x00\x00"), RECOGNISE_NO); // the same method twice
    assert_int_equal(RECOGNISED("\x05\x02\x00\x04"), RECOGNISE_NO); // one that is not assigned
    assert_int_equal(RECOGNISED("\x05\x01\xff"), RECOGNISE_NO);
    assert_int_equal(RECOGNISED("\x05\x11\x00"), RECOGNISE_NO);
    assert_int_equal(RECOGNISED("\x04\x03\x00\x50\xc0\x00\x02\x01\x00"), RECOGNISE_NO);
    assert_int_equal(RECOGNISED("\x04\x01\x00\x00\xc0\x00\x02\x01\x00"), RECOGNISE_NO); // port 0
    assert_int_equal(RECOGNISED("GET / HTTP/1.1\r\n"), RECOGNISE_NO);
    assert_int_equal(RECOGNISED("\x16\x03\x01"), RECOGNISE_NO);
    char endless[300];
    memset(endless, 'a', sizeof endless);
    memcpy(endless, "\x04\x01\x00\x50\xc0\x00\x02\x01", 8);
    assert_int_equal(recognised(bytes_of(endless, sizeof endless)), RECOGNISE_NO);
    assert_int_equal(harness_recognise(&socks_dissector, TRANSPORT_UDP, bytes_text("\x05\x01")),
                     RECOGNISE_NO);
}

static void version_5_without_login(void **state)
{
    (void)state;
    EXPECT(
        "socks" TS " src_offset=0 src_length=21 dst_offset=0 dst_length=12 version=5"
        " command=\"connect\" method=\"none\" request_name=\"example.org\" request_port=443" REPLIED
            HANDED_OVER,
        C("\x05\x01\x00"), S("\x05\x00"), C(NAME), S(REPLY));
}

static void version_5_with_a_password(void **state)
{
    (void)state;
    EXPECT("socks" TS " src_offset=0 src_length=32 dst_offset=0 dst_length=14 version=5"
           " command=\"connect\" method=\"password\" username=\"bob\" logged_in=true"
           " request_addr=2001:db8::1 request_port=22" REPLIED HANDED_OVER,
           C("\x05\x02\x00\x02"), S("\x05\x02"),
           C("\x01\x03"
             "bob\x00"),
           S("\x01\x00"),
           C("\x05\x01\x00\x04\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"
             "\x00\x16"),
           S(REPLY));
}

static void a_client_need_not_wait(void **state)
{
    (void)state;
    EXPECT("socks" TS " src_offset=0 src_length=25 dst_offset=0 dst_length=14 version=5"
           " command=\"connect\" method=\"password\" username=\"b\" logged_in=true"
           " request_name=\"example.org\" request_port=443" REPLIED HANDED_OVER,
           C("\x05\x01\x02\x01\x01"
             "b\x00" NAME "what follows"),
           S("\x05\x02\x01\x00" REPLY));
}

static void refusals_end_it(void **state)
{
    (void)state;
    EXPECT("socks" TS " src_offset=0 src_length=3 dst_offset=0 dst_length=2 version=5"
           " method=\"refused\"\n",
           C("\x05\x01\x00"), S("\x05\xff"), CLOSE(1), CLOSE(0));
    EXPECT("socks" TS " src_offset=0 src_length=7 dst_offset=0 dst_length=4 version=5"
           " method=\"password\" username=\"b\" logged_in=false\n",
           C("\x05\x01\x02"), S("\x05\x02"),
           C("\x01\x01"
             "b\x00"),
           S("\x01\x01"), CLOSE(1));
    EXPECT("socks" TS " src_offset=0 src_length=21 dst_offset=0 dst_length=12 version=5"
           " command=\"connect\" method=\"none\" request_name=\"example.org\" request_port=443"
           " reply=5 reply_name=\"connection refused\" bound_addr=0.0.0.0 bound_port=0\n",
           C("\x05\x01\x00"), S("\x05\x00"), C(NAME), S("\x05\x05\x00\x01\x00\x00\x00\x00\x00\x00"),
           CLOSE(1));
}

static void version_4_and_4a(void **state)
{
    (void)state;
    EXPECT("socks" TS " src_offset=0 src_length=12 dst_offset=0 dst_length=8 version=4"
           " command=\"connect\" username=\"bob\" request_addr=192.0.2.1 request_port=80"
           " reply=90 reply_name=\"succeeded\" bound_addr=0.0.0.0 bound_port=0\n" HANDED_OVER,
           C("\x04\x01\x00\x50\xc0\x00\x02\x01"
             "bob\x00"),
           S("\x00\x5a\x00\x00\x00\x00\x00\x00"));
    EXPECT("socks" TS " src_offset=0 src_length=21 dst_offset=0 dst_length=8 version=4"
           " command=\"connect\" request_name=\"example.org\" request_port=80"
           " reply=91 reply_name=\"request rejected or failed\" bound_addr=0.0.0.0 bound_port=0\n",
           C("\x04\x01\x00\x50\x00\x00\x00\x07\x00"
             "example.org\x00"),
           S("\x00\x5b\x00\x00\x00\x00\x00\x00"), CLOSE(1));
}

static void a_bound_port_has_two_replies(void **state)
{
    (void)state;
    EXPECT("socks" TS " src_offset=0 src_length=9 dst_offset=0 dst_length=16 version=4"
           " command=\"bind\" request_addr=192.0.2.1 request_port=21 reply=90"
           " reply_name=\"succeeded\" bound_addr=192.0.2.9 bound_port=4096 peer_addr=192.0.2.1"
           " peer_port=20\n" HANDED_OVER,
           C("\x04\x02\x00\x15\xc0\x00\x02\x01\x00"), S("\x00\x5a\x10\x00\xc0\x00\x02\x09"),
           S("\x00\x5a\x00\x14\xc0\x00\x02\x01"));
}

static void what_asks_for_no_stream_is_not_one(void **state)
{
    (void)state;
    EXPECT("socks" TS " src_offset=0 src_length=13 dst_offset=0 dst_length=12 version=5"
           " command=\"udp_associate\" method=\"none\" request_addr=0.0.0.0 request_port=0" REPLIED,
           C("\x05\x01\x00"), S("\x05\x00"), C("\x05\x03\x00\x01\x00\x00\x00\x00\x00\x00"),
           S(REPLY), C("more"), CLOSE(0));
}

static void one_direction_is_enough(void **state)
{
    (void)state;
    EXPECT("socks" TS " src_offset=0 src_length=21 version=5 command=\"connect\""
           " request_name=\"example.org\" request_port=443\n" HANDED_OVER,
           C("\x05\x01\x00" NAME "what follows"), CLOSE(0));
}

static void nothing_is_read_behind_a_gap(void **state)
{
    (void)state;
    EXPECT("socks" TS " src_offset=0 src_length=21 dst_offset=0 dst_length=2 version=5"
           " command=\"connect\" method=\"none\" request_name=\"example.org\" "
           "request_port=443\n" HANDED_OVER,
           C("\x05\x01\x00"), S("\x05\x00"), C(NAME), GAP(1, 10), S("what follows"));
}

static void nothing_is_read_in_what_wraps_it(void **state)
{
    (void)state;
    EXPECT("socks" TS " src_offset=0 src_length=3 dst_offset=0 dst_length=2 version=5"
           " method=\"gssapi\"\n",
           C("\x05\x01\x01"), S("\x05\x01"), C("\x01\x01\x00\x04token"), S("\x01\x01"));
}

static void what_breaks_off_is_told(void **state)
{
    (void)state;
    EXPECT("socks" TS " src_offset=0 src_length=3 version=5\n", C("\x05\x01\x00"));
    EXPECT("anomaly name=socks_malformed side=1 position=2 detail=\"HT\"\n"
           "socks" TS " src_offset=0 src_length=21 dst_offset=0 dst_length=2 version=5"
           " command=\"connect\" method=\"none\" request_name=\"example.org\" request_port=443\n",
           C("\x05\x01\x00"), S("\x05\x00"), C(NAME), S("HTTP/1.0 400 Bad Request\r\n\r\n"));
}

static void what_is_not_answered_as_it_should_is_none(void **state)
{
    (void)state;
    struct harness *h = harness_create(&socks_dissector, TRANSPORT_TCP);
    harness_stream(h, 0, bytes_of("\x05\x01\x00", 3));
    harness_stream(h, 1, bytes_text("220 mail.example.org\r\n"));
    assert_true(harness_not_mine(h));
    assert_int_equal(harness_count(h), 0);
    harness_destroy(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recognises_what_a_client_says_first),
        cmocka_unit_test(leaves_others_alone),
        cmocka_unit_test(version_5_without_login),
        cmocka_unit_test(version_5_with_a_password),
        cmocka_unit_test(a_client_need_not_wait),
        cmocka_unit_test(refusals_end_it),
        cmocka_unit_test(version_4_and_4a),
        cmocka_unit_test(a_bound_port_has_two_replies),
        cmocka_unit_test(what_asks_for_no_stream_is_not_one),
        cmocka_unit_test(one_direction_is_enough),
        cmocka_unit_test(nothing_is_read_behind_a_gap),
        cmocka_unit_test(nothing_is_read_in_what_wraps_it),
        cmocka_unit_test(what_breaks_off_is_told),
        cmocka_unit_test(what_is_not_answered_as_it_should_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
