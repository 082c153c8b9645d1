#include "record/packet_message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { FRAME_SIZE = 60 };
#define MICROS INT64_C(1700000000123456)

static struct {
    uint8_t head[PACKET_MESSAGE_HEAD], frame[FRAME_SIZE];
} message;
static uint8_t key[PACKET_MESSAGE_KEY];
static struct packet_message got;

static void write_one(nanos time)
{
    struct packet p = {.captured = FRAME_SIZE, .length = 1514, .time = time, .link_type = 113};
    memset(message.frame, 7, FRAME_SIZE);
    packet_message_head(&p, message.head);
    packet_message_key(&p, key);
}

static bool read_as(enum packet_form form, size_t key_size, size_t size)
{
    return packet_message_read(form, 1, bytes_of(key, key_size), bytes_of(&message, size), &got);
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    for (nanos part = 0; part < 2; part++) {
        nanos time = MICROS * NANOS_PER_MICRO + part;
        write_one(time);
        assert_int_equal(message.head[0], part ? 0x4d : 0xd4);
        assert_true(read_as(PACKET_FORM_ANY, 0, sizeof message));
        assert_true(got.time == time);
        assert_int_equal(got.link_type, 113);
        assert_int_equal(got.length, 1514);
        assert_int_equal(got.data.n, FRAME_SIZE);
        assert_ptr_equal(got.data.p, message.frame);
    }
    bytes frame = bytes_of(message.frame, FRAME_SIZE);
    assert_true(packet_message_read(PACKET_FORM_ANY, 1, bytes_of(key, sizeof key), frame, &got));
    assert_true(got.time == MICROS * NANOS_PER_MICRO);
    assert_int_equal(got.link_type, 1);
    assert_int_equal(got.length, FRAME_SIZE);
}

static void both_byte_orders_are_read(void **state)
{
    (void)state;
    write_one(MICROS * NANOS_PER_MICRO);
    for (unsigned at = 0; at < PACKET_MESSAGE_HEAD; at += 4) {
        uint32_t word;
        memcpy(&word, message.head + at, sizeof word);
        word = __builtin_bswap32(word);
        memcpy(message.head + at, &word, sizeof word);
    }
    assert_true(read_as(PACKET_FORM_PCAP, 0, sizeof message));
    assert_true(got.time == MICROS * NANOS_PER_MICRO);
    assert_int_equal(got.link_type, 113);
}

static void what_is_no_packet_is_refused(void **state)
{
    (void)state;
    write_one(MICROS * NANOS_PER_MICRO);
    for (size_t size = 0; size < sizeof message; size++)
        assert_false(read_as(PACKET_FORM_ANY, 0, size));
    assert_false(read_as(PACKET_FORM_FRAME, 7, sizeof message));
    assert_false(read_as(PACKET_FORM_FRAME, 8, 0));
    // A frame whose first bytes happen to be those of a capture file is one all the same.
    assert_true(read_as(PACKET_FORM_ANY, 8, sizeof message - 1));
    assert_int_equal(got.data.n, sizeof message - 1);
    assert_false(read_as(PACKET_FORM_PCAP, 8, sizeof message - 1));
    memset(message.head + 28, 0xff, 4); // more microseconds than a second has
    assert_false(read_as(PACKET_FORM_PCAP, 0, sizeof message));
    memset(key, 0xff, sizeof key);
    assert_false(read_as(PACKET_FORM_FRAME, 8, sizeof message));
}

static void forms_have_names(void **state)
{
    enum packet_form form;
    (void)state;
    assert_true(packet_form_of("frame", &form));
    assert_int_equal(form, PACKET_FORM_FRAME);
    assert_true(packet_form_of("packets", &form));
    assert_int_equal(form, PACKET_FORM_ANY);
    assert_false(packet_form_of("json", &form));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(both_byte_orders_are_read),
        cmocka_unit_test(what_is_no_packet_is_refused),
        cmocka_unit_test(forms_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
