// What is written is laid out as the standards say, fits into messages, and is counted when not.
#include "sink/flow_export.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// A kind with the names of `flow` that matter here.
enum {
    FIRST,
    LAST,
    PROTO,
    SRC,
    SRC_PORT,
    DST,
    DST_PORT,
    PACKETS,
    BYTES,
    REVERSE_PACKETS,
    REVERSE_BYTES,
    HOST,
    OPTIONAL,
    OPTIONAL_COUNT = 11,
    FIELDS = OPTIONAL + OPTIONAL_COUNT
};
static const struct field fields[FIELDS] = {
    {.name = "first_seen", .type = FIELD_TIME},    {.name = "last_seen", .type = FIELD_TIME},
    {.name = "proto", .type = FIELD_UINT},         {.name = "src_addr", .type = FIELD_ADDRESS},
    {.name = "src_port", .type = FIELD_UINT},      {.name = "dst_addr", .type = FIELD_ADDRESS},
    {.name = "dst_port", .type = FIELD_UINT},      {.name = "packets", .type = FIELD_UINT},
    {.name = "bytes", .type = FIELD_UINT},         {.name = "reverse_packets", .type = FIELD_UINT},
    {.name = "reverse_bytes", .type = FIELD_UINT}, {.name = "http_host", .type = FIELD_TEXT},
    {.name = "tos", .type = FIELD_UINT},           {.name = "input", .type = FIELD_UINT},
    {.name = "output", .type = FIELD_UINT},        {.name = "src_as", .type = FIELD_UINT},
    {.name = "dst_as", .type = FIELD_UINT},        {.name = "src_mask", .type = FIELD_UINT},
    {.name = "dst_mask", .type = FIELD_UINT},      {.name = "vlan", .type = FIELD_UINT},
    {.name = "dst_vlan", .type = FIELD_UINT},      {.name = "direction", .type = FIELD_UINT},
    {.name = "nat_event", .type = FIELD_UINT},
};
static const struct record_kind kind = {"flow", "", fields, FIELDS, false, false};

#define TIME (INT64_C(1704067200) * NANOS_PER_SECOND)
enum { HEADER_IPFIX = 16, IDS = 65536 };

// What was sent: the last message, and how many fields the template of each id has that is known.
static struct {
    uint8_t memory[EXPORT_MESSAGE_MAX];
    bytes last;
    uint32_t messages, records, templates, withdrawals;
    uint16_t known[IDS];
} sent;

static void read_templates(struct reader r)
{
    while (reader_left(&r) >= 4) {
        uint16_t id = read_be16(&r), count = read_be16(&r);
        if (!count) {
            memset(sent.known, 0, sizeof sent.known);
            sent.withdrawals++;
            continue;
        }
        for (unsigned i = 0; i < count; i++) {
            uint16_t number = read_be16(&r);
            read_be16(&r);
            if (number & 0x8000) read_be32(&r);
        }
        sent.known[id] = count;
        sent.templates++;
    }
    assert_false(r.bad);
}

static bool take(void *context, bytes message, uint32_t records, struct err *err)
{
    (void)context, (void)err;
    assert_in_range(message.n, 1, EXPORT_MESSAGE_MAX);
    memcpy(sent.memory, message.p, message.n);
    sent.last = bytes_of(sent.memory, message.n);
    struct reader r = reader_of(message);
    uint16_t version = read_be16(&r), length = read_be16(&r);
    if (version == 10) {
        assert_int_equal(length, message.n);
        read_be32(&r);
        assert_int_equal(read_be32(&r), sent.records);
        read_be32(&r);
        while (reader_left(&r)) {
            uint16_t id = read_be16(&r);
            struct reader set = read_sub(&r, read_be16(&r) - 4u);
            assert_false(r.bad);
            if (id == 2) read_templates(set);
            else assert_true(sent.known[id]);
        }
    }
    sent.messages++;
    sent.records += records;
    return true;
}

static struct flow_export *begin(const char *format, bool is_stream)
{
    struct flow_export_options options = {
        .format = format, .domain = 7, .is_stream = is_stream, .send = take};
    memset(&sent, 0, sizeof sent);
    struct flow_export *e = flow_export_create(&options, &kind, NULL);
    assert_non_null(e);
    return e;
}

static struct record_batch *row_begin(struct record_batch *b)
{
    batch_clear(b);
    assert_true(batch_begin(b, 8192));
    batch_word(b, FIRST, (uint64_t)TIME);
    batch_word(b, LAST, (uint64_t)TIME + 2000000);
    batch_word(b, PROTO, 6);
    batch_words(b, SRC, 0, ADDRESS_V4_PREFIX | 0xc0000201);
    batch_word(b, SRC_PORT, 1024);
    batch_words(b, DST, 0, ADDRESS_V4_PREFIX | 0xc0000202);
    batch_word(b, DST_PORT, 80);
    batch_word(b, PACKETS, 3);
    return b;
}

static void row_end(struct flow_export *e, struct record_batch *b)
{
    batch_end(b);
    assert_true(flow_export_take(e, b, 0, TIME, NULL));
}

static void ipfix_is_laid_out_as_the_standard_says(void **state)
{
    (void)state;
    // RFC 7011 section 3: header; template 256 of nine fields; one record.
    static const uint8_t expected[] =
        "\0\x0a\0\x71\x65\x92\0\x80\0\0\0\0\0\0\0\x07"
        "\0\x02\0\x30\x01\0\0\x09\x80\x02\0\x08\0\0\x72\x79\0\x98\0\x08\0\x99\0\x08"
        "\0\x04\0\x01\0\x08\0\x04\0\x07\0\x02\0\x0c\0\x04\0\x0b\0\x02\0\x02\0\x08"
        "\x01\0\0\x31\0\0\0\0\0\0\0\x05\0\0\x01\x8c\xc2\x51\xf4\0\0\0\x01\x8c\xc2\x51\xf4\x02"
        "\x06\xc0\0\x02\x01\x04\0\xc0\0\x02\x02\0\x50\0\0\0\0\0\0\0\x03";
    struct flow_export *e = begin("ipfix", false);
    struct record_batch *b = row_begin(batch_create(&kind));
    batch_word(b, REVERSE_PACKETS, 5);
    row_end(e, b);
    assert_true(flow_export_flush(e, NULL));
    assert_int_equal(sent.last.n, expected[3]);
    assert_memory_equal(sent.last.p, expected, sent.last.n);
    batch_destroy(b);
    flow_export_destroy(e);
}

static void templates_are_told_again_over_datagrams(void **state)
{
    (void)state;
    struct record_batch *b = row_begin(batch_create(&kind));
    batch_end(b);
    for (unsigned is_stream = 0; is_stream < 2; is_stream++) {
        struct flow_export *e = begin("ipfix", is_stream);
        for (unsigned i = 0; i < EXPORT_REFRESH_MESSAGES + 1; i++) {
            assert_true(flow_export_take(e, b, 0, TIME, NULL));
            assert_true(flow_export_flush(e, NULL));
        }
        assert_int_equal(sent.templates, is_stream ? 1 : 2);
        assert_true(flow_export_take(e, b, 0, TIME + EXPORT_REFRESH_TIME, NULL));
        assert_true(flow_export_flush(e, NULL));
        assert_true(flow_export_take(e, b, 0, TIME + EXPORT_REFRESH_TIME, NULL));
        assert_true(flow_export_flush(e, NULL));
        assert_int_equal(sent.templates, is_stream ? 1 : 3);
        flow_export_destroy(e);
    }
    batch_destroy(b);
}

// More kinds of rows than templates: what is told stays true.
static void templates_are_bounded(void **state)
{
    (void)state;
    struct record_batch *b = batch_create(&kind);
    for (unsigned is_stream = 0; is_stream < 2; is_stream++) {
        struct flow_export *e = begin("ipfix", is_stream);
        for (unsigned mask = 0; mask < 1u << OPTIONAL_COUNT; mask++) {
            row_begin(b);
            for (unsigned i = 0; i < OPTIONAL_COUNT; i++)
                if (mask >> i & 1) batch_word(b, OPTIONAL + i, 1);
            row_end(e, b);
        }
        assert_true(flow_export_flush(e, NULL));
        assert_int_equal(sent.records, 1u << OPTIONAL_COUNT);
        assert_int_equal(sent.withdrawals, is_stream);
        flow_export_destroy(e);
    }
    batch_destroy(b);
}

static void a_text_that_is_too_long_is_left_out(void **state)
{
    (void)state;
    char text[4000];
    memset(text, 'a', sizeof text);
    struct flow_export *e = begin("ipfix", false);
    struct record_batch *b = row_begin(batch_create(&kind));
    batch_text(b, HOST, bytes_of(text, 300));
    row_end(e, b);
    assert_int_equal(flow_export_counts(e).left_out, 0);
    row_begin(b);
    batch_text(b, HOST, bytes_of(text, sizeof text));
    row_end(e, b);
    assert_true(flow_export_flush(e, NULL));
    assert_int_equal(flow_export_counts(e).left_out, 1);
    assert_int_equal(sent.records, 2);
    batch_destroy(b);
    flow_export_destroy(e);
}

static void netflow9_has_a_record_for_each_direction(void **state)
{
    (void)state;
    struct flow_export *e = begin("netflow9", false);
    struct record_batch *b = row_begin(batch_create(&kind));
    batch_word(b, REVERSE_PACKETS, 5);
    row_end(e, b);
    row_begin(b);
    batch_word(b, PACKETS, 0);
    batch_word(b, REVERSE_PACKETS, 5);
    row_end(e, b);
    assert_true(flow_export_flush(e, NULL));
    assert_int_equal(sent.records, 3);
    assert_int_equal(sent.last.n % 4, 0);
    assert_int_equal(sent.last.p[3], 4); // with a template
    batch_destroy(b);
    flow_export_destroy(e);
}

static void netflow5_tells_what_it_can(void **state)
{
    (void)state;
    struct flow_export *e = begin("netflow5", false);
    struct record_batch *b = row_begin(batch_create(&kind));
    batch_end(b);
    for (unsigned i = 0; i < 29; i++) assert_true(flow_export_take(e, b, 0, TIME, NULL));
    assert_int_equal(sent.messages, 1);
    assert_int_equal(sent.records, 28);
    row_begin(b);
    batch_words(b, SRC, UINT64_C(0x20010db800000000), 1);
    row_end(e, b);
    row_begin(b);
    batch_word(b, PACKETS, UINT64_C(1) << 32);
    row_end(e, b);
    row_begin(b);
    batch_word(b, OPTIONAL + 1, 70000); // an interface
    row_end(e, b);
    assert_true(flow_export_flush(e, NULL));
    assert_int_equal(sent.records, 30);
    assert_int_equal(flow_export_counts(e).untold, 2);
    assert_int_equal(flow_export_counts(e).left_out, 1);
    batch_destroy(b);
    flow_export_destroy(e);
}

// The uptime of 32 bits begins anew for flows of another year, forwards and back.
static void netflow5_follows_time(void **state)
{
    (void)state;
    static const nanos year = 365 * 86400 * NANOS_PER_SECOND;
    struct flow_export *e = begin("netflow5", false);
    struct record_batch *b = batch_create(&kind);
    for (int i = 0; i < 4; i++) {
        nanos time = i % 2 ? TIME : TIME + year;
        row_begin(b);
        batch_word(b, FIRST, (uint64_t)time);
        batch_word(b, LAST, (uint64_t)time);
        batch_end(b);
        assert_true(flow_export_take(e, b, 0, time, NULL));
    }
    assert_true(flow_export_flush(e, NULL));
    assert_int_equal(sent.records, 4);
    assert_int_equal(sent.messages, 4);
    struct reader r = reader_of(bytes_after(sent.last, 4));
    uint32_t uptime = read_be32(&r), second = read_be32(&r);
    r = reader_of(bytes_after(sent.last, 24 + 24));
    assert_int_equal(
        (second * NANOS_PER_SECOND) + ((nanos)read_be32(&r) - uptime) * NANOS_PER_MILLI, TIME);
    batch_destroy(b);
    flow_export_destroy(e);
}

static void a_format_that_is_none_is_refused(void **state)
{
    (void)state;
    struct err err = {0};
    struct flow_export_options options = {.format = "sflow"};
    assert_null(flow_export_create(&options, &kind, &err));
    assert_non_null(strstr(err.text, "ipfix, netflow9, netflow5"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ipfix_is_laid_out_as_the_standard_says),
        cmocka_unit_test(templates_are_told_again_over_datagrams),
        cmocka_unit_test(templates_are_bounded),
        cmocka_unit_test(a_text_that_is_too_long_is_left_out),
        cmocka_unit_test(netflow9_has_a_record_for_each_direction),
        cmocka_unit_test(netflow5_tells_what_it_can),
        cmocka_unit_test(netflow5_follows_time),
        cmocka_unit_test(a_format_that_is_none_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
