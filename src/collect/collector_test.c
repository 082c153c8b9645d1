// Messages built byte by byte: what each protocol tells, templates that come late, change, are
// withdrawn or flood, and counts that show what is missing.
#include "collect/collector.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/memory.h"
#include "collect/interface_kind.h"
#include "flow/flow_kind.h"
#include "record/kinds.h"

enum { EXPORTED = 1704067200, ROWS_MAX = 2048, MESSAGE_MAX = 65535, UPTIME = 100000 };

// Rows as they came, by column.
struct got {
    uint32_t flows;
    uint64_t values[ROWS_MAX][FLOW_FIELDS][2];
    bool has[ROWS_MAX][FLOW_FIELDS];
    char elements[ROWS_MAX][128];
    uint64_t lost[EXPORT_LOSS_COUNT];
};

struct fixture {
    struct got got;
    struct record_writer *writer;
    struct collector *collector;
    struct buf message;
    uint8_t memory[MESSAGE_MAX];
    nanos now;
    uint16_t port;
};

static void take_flow(struct got *to, const struct record_batch *b, uint32_t row)
{
    assert_true(to->flows < ROWS_MAX);
    uint32_t at = to->flows++;
    for (unsigned f = 0; f < FLOW_FIELDS; f++) {
        to->has[at][f] = batch_has(b, f, row);
        if (!to->has[at][f]) continue;
        bool is_pair = field_words(b->kind->fields[f].type) == 2;
        to->values[at][f][0] = b->columns[f].words[is_pair ? 2 * row : row];
        if (is_pair) to->values[at][f][1] = b->columns[f].words[2 * row + 1];
    }
    bytes list = to->has[at][FLOW_ELEMENTS] ? batch_get_bytes(b, FLOW_ELEMENTS, row) : (bytes){0};
    bytes element;
    if (list_next_text(&list, &element))
        snprintf(to->elements[at], sizeof to->elements[at], "%.*s", (int)element.n, element.p);
}

static void take_loss(struct got *to, const struct record_batch *b, uint32_t row)
{
    static const char *const names[] = {
#define NAME(name, unit, help) #name,
        EXPORT_LOSSES(NAME)
#undef NAME
    };
    bytes reason = batch_get_bytes(b, LOSS_REASON, row);
    for (unsigned i = 0; i < EXPORT_LOSS_COUNT; i++)
        if (bytes_equal(reason, bytes_text(names[i]))) to->lost[i] += batch_get(b, LOSS_COUNT, row);
}

static void take(void *context, const struct record_batch *b)
{
    struct got *to = context;
    for (uint32_t row = 0; row < b->rows; row++) {
        if (b->kind == &flow_kind) take_flow(to, b, row);
        if (b->kind == &loss_kind) take_loss(to, b, row);
    }
}

static int setup(void **state)
{
    static const struct record_kind *const kinds[] = {&flow_kind, &interface_kind, &loss_kind};
    static const struct collector_options options = {.point = "", .elements = true};
    struct fixture *f = memory_get(sizeof *f);
    f->writer = writer_create(kinds, 3, (struct record_sink){&f->got, take});
    f->collector = collector_create(&options, f->writer, NULL);
    f->now = (nanos)EXPORTED * NANOS_PER_SECOND;
    f->port = 9999;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    collector_destroy(f->collector);
    writer_destroy(f->writer);
    memory_free(f);
    return 0;
}

static void send(struct fixture *f)
{
    struct export_message m = {.data = buf_bytes(&f->message),
                               .from = address_v4(0xc0000201),
                               .port = f->port,
                               .received = f->now};
    collector_take(f->collector, &m);
    writer_flush(f->writer);
}

static void finish(struct fixture *f)
{
    collector_tell(f->collector);
    writer_flush(f->writer);
}

static void put16(struct fixture *f, uint16_t v)
{
    buf_u8(&f->message, (uint8_t)(v >> 8));
    buf_u8(&f->message, (uint8_t)v);
}

static void put32(struct fixture *f, uint32_t v)
{
    put16(f, (uint16_t)(v >> 16));
    put16(f, (uint16_t)v);
}

static void put_bytes(struct fixture *f, const char *p, size_t n)
{
    buf_put(&f->message, bytes_of(p, n));
}

// ---- headers ------------------------------------------------------------------------------------

static void begin_ipfix(struct fixture *f, uint32_t sequence)
{
    f->message = buf_on(f->memory, sizeof f->memory);
    put16(f, 10);
    put16(f, 0); // length: set by end_ipfix
    put32(f, EXPORTED);
    put32(f, sequence);
    put32(f, 7);
}

static void end_ipfix(struct fixture *f)
{
    f->memory[2] = (uint8_t)(f->message.n >> 8);
    f->memory[3] = (uint8_t)f->message.n;
    send(f);
}

static size_t begin_set(struct fixture *f, uint16_t id)
{
    size_t at = f->message.n;
    put16(f, id);
    put16(f, 0);
    return at;
}

static void end_set(struct fixture *f, size_t at)
{
    size_t n = f->message.n - at;
    f->memory[at + 2] = (uint8_t)(n >> 8);
    f->memory[at + 3] = (uint8_t)n;
}

// source, destination, ports, protocol, packets, bytes: 4 + 4 + 2 + 2 + 1 + 4 + 4
static const uint16_t usual[][2] = {{8, 4}, {12, 4}, {7, 2}, {11, 2}, {4, 1}, {2, 4}, {1, 4}};

static void put_template(struct fixture *f, uint16_t id, const uint16_t (*fields)[2], uint16_t n)
{
    put16(f, id);
    put16(f, n);
    for (uint16_t i = 0; i < n; i++) {
        put16(f, fields[i][0]);
        put16(f, fields[i][1]);
    }
}

static void put_usual(struct fixture *f, uint32_t packets)
{
    put32(f, 0x0a000001);
    put32(f, 0x0a000002);
    put16(f, 1234);
    put16(f, 80);
    put_bytes(f, "\x06", 1);
    put32(f, packets);
    put32(f, packets * 100);
}

static void send_usual_template(struct fixture *f, uint32_t sequence)
{
    begin_ipfix(f, sequence);
    size_t set = begin_set(f, 2);
    put_template(f, 300, usual, 7);
    end_set(f, set);
    end_ipfix(f);
}

static void send_several(struct fixture *f, uint32_t sequence, unsigned records)
{
    begin_ipfix(f, sequence);
    size_t set = begin_set(f, 300);
    for (unsigned i = 0; i < records; i++) put_usual(f, 1);
    end_set(f, set);
    end_ipfix(f);
}

static void send_usual(struct fixture *f, uint32_t sequence, uint32_t packets)
{
    begin_ipfix(f, sequence);
    size_t set = begin_set(f, 300);
    put_usual(f, packets);
    end_set(f, set);
    end_ipfix(f);
}

// ---- IPFIX --------------------------------------------------------------------------------------

static void a_record_is_a_flow(void **state)
{
    struct fixture *f = *state;
    send_usual_template(f, 0);
    send_usual(f, 0, 5);
    finish(f);
    assert_int_equal(f->got.flows, 1);
    assert_int_equal(f->got.values[0][FLOW_SRC_ADDR][1], address_v4(0x0a000001).lo);
    assert_int_equal(f->got.values[0][FLOW_DST_PORT][0], 80);
    assert_int_equal(f->got.values[0][FLOW_PROTO][0], 6);
    assert_int_equal(f->got.values[0][FLOW_PACKETS][0], 5);
    assert_int_equal(f->got.values[0][FLOW_BYTES][0], 500);
    assert_int_equal(f->got.values[0][FLOW_DOMAIN][0], 7);
    // Without times of its own it has that of its message, and without a rate none.
    assert_int_equal(f->got.values[0][FLOW_LAST_SEEN][0], EXPORTED * (uint64_t)NANOS_PER_SECOND);
    assert_false(f->got.has[0][FLOW_SAMPLING_RATE]);
    assert_false(f->got.has[0][FLOW_ELEMENTS]);
}

static void data_wait_for_their_template(void **state)
{
    struct fixture *f = *state;
    send_usual(f, 0, 5);
    send_usual(f, 1, 6);
    assert_int_equal(f->got.flows, 0);
    send_usual_template(f, 2);
    finish(f);
    assert_int_equal(f->got.flows, 2);
    assert_int_equal(f->got.values[0][FLOW_PACKETS][0], 5);
    assert_int_equal(f->got.values[1][FLOW_PACKETS][0], 6);
    for (unsigned i = 0; i < EXPORT_LOSS_COUNT; i++) assert_int_equal(f->got.lost[i], 0);
}

static void what_waits_too_long_is_counted(void **state)
{
    struct fixture *f = *state;
    enum { MESSAGES = 20000 };
    for (uint32_t i = 0; i < MESSAGES; i++) send_usual(f, i, 1);
    finish(f);
    uint64_t given_up = f->got.lost[EXPORT_LOSS_no_template];
    assert_true(given_up > 0 && given_up < MESSAGES);
    f->got.flows = 0;
    uint64_t held = MESSAGES - given_up;
    if (held > ROWS_MAX) return;
    send_usual_template(f, MESSAGES);
    assert_int_equal(f->got.flows, held);
}

static void a_template_changes_its_meaning(void **state)
{
    static const uint16_t other[][2] = {{2, 4}, {1, 4}, {8, 4}, {12, 4}, {7, 2}, {11, 2}, {4, 1}};
    struct fixture *f = *state;
    send_usual_template(f, 0);
    send_usual(f, 0, 5);
    begin_ipfix(f, 1);
    size_t set = begin_set(f, 2);
    put_template(f, 300, other, 7);
    end_set(f, set);
    set = begin_set(f, 300);
    put32(f, 9);
    put32(f, 99);
    put32(f, 0x0a000003);
    put32(f, 0x0a000004);
    put16(f, 1);
    put16(f, 2);
    put_bytes(f, "\x11", 1);
    end_set(f, set);
    end_ipfix(f);
    assert_int_equal(f->got.flows, 2);
    assert_int_equal(f->got.values[1][FLOW_PACKETS][0], 9);
    assert_int_equal(f->got.values[1][FLOW_PROTO][0], 17);
}

static void a_template_is_withdrawn_and_grows_old(void **state)
{
    struct fixture *f = *state;
    send_usual_template(f, 0);
    begin_ipfix(f, 0);
    size_t set = begin_set(f, 2);
    put16(f, 300);
    put16(f, 0);
    end_set(f, set);
    end_ipfix(f);
    send_usual(f, 0, 1);
    assert_int_equal(f->got.flows, 0);
    send_usual_template(f, 1);
    assert_int_equal(f->got.flows, 1);
    f->now += TEMPLATE_LIFETIME + 1;
    send_usual(f, 1, 1);
    assert_int_equal(f->got.flows, 1);
}

static void exporters_and_domains_are_apart(void **state)
{
    struct fixture *f = *state;
    send_usual_template(f, 0);
    f->port++;
    send_usual(f, 0, 1);
    assert_int_equal(f->got.flows, 0);
    f->port--;
    send_usual(f, 0, 1);
    assert_int_equal(f->got.flows, 1);
}

static void a_gap_in_the_count_is_a_loss(void **state)
{
    struct fixture *f = *state;
    send_usual_template(f, 100);
    send_usual(f, 100, 1);
    send_usual(f, 111, 1); // ten are missing
    send_usual(f, 105, 1); // one of them comes late
    send_usual(f, 112, 1);
    finish(f);
    assert_int_equal(f->got.flows, 4);
    assert_int_equal(f->got.lost[EXPORT_LOSS_sequence_gap], 9);
}

static void a_count_may_stand_behind_its_message(void **state)
{
    struct fixture *f = *state;
    send_usual_template(f, 100);
    send_several(f, 103, 3);
    send_several(f, 108, 5);
    send_several(f, 110, 2);
    finish(f);
    assert_int_equal(f->got.lost[EXPORT_LOSS_sequence_gap], 0);
    send_several(f, 117, 3); // four are missing
    send_several(f, 118, 1);
    finish(f);
    assert_int_equal(f->got.lost[EXPORT_LOSS_sequence_gap], 4);
}

static void a_loss_is_one_though_it_looks_like_another_count(void **state)
{
    struct fixture *f = *state;
    send_several(f, 100, 1);
    send_usual_template(f, 101);
    send_several(f, 104, 3); // three are missing, as many as are here
    send_several(f, 107, 2);
    finish(f);
    assert_int_equal(f->got.lost[EXPORT_LOSS_sequence_gap], 3);
}

static void values_without_a_field_are_kept(void **state)
{
    struct fixture *f = *state;
    begin_ipfix(f, 0);
    size_t set = begin_set(f, 2);
    put16(f, 301);
    put16(f, 3);
    put16(f, 4);
    put16(f, 1);
    put16(f, 0x8000 | 77);
    put16(f, 65535); // each record tells its own length
    put32(f, 4242);
    put16(f, 0x8000 | 2); // packets of the other direction
    put16(f, 8);
    put32(f, 29305);
    end_set(f, set);
    set = begin_set(f, 301);
    put_bytes(f, "\x06\x03\xde\xad\xbf\0\0\0\0\0\0\0\x09", 13);
    put_bytes(f, "\x11\xff\0\x02\xca\xfe\0\0\0\0\0\0\0\x08", 14);
    end_set(f, set);
    end_ipfix(f);
    assert_int_equal(f->got.flows, 2);
    assert_string_equal(f->got.elements[0], "4242/77=0xdeadbf");
    assert_string_equal(f->got.elements[1], "4242/77=0xcafe");
    assert_int_equal(f->got.values[1][FLOW_REVERSE_PACKETS][0], 8);
}

// Lists (RFC 6313) end where their length says, whatever is in them.
static void lists_are_passed_over(void **state)
{
    static const uint16_t fields[][2] = {{291, 65535}, {292, 65535}, {293, 65535}, {2, 4}};
    struct fixture *f = *state;
    begin_ipfix(f, 0);
    size_t set = begin_set(f, 2);
    put_template(f, 302, fields, 4);
    end_set(f, set);
    set = begin_set(f, 302);
    for (uint32_t i = 1; i <= 2; i++) {
        put_bytes(f, "\x0d\x03\0\x08\0\x04\x0a\0\0\x01\x0a\0\0\x02", 14);
        put_bytes(f, "\x03\x03\xff\xff\xff\0\x05\x03\xff\xff\xff\xff", 12);
        put32(f, i);
    }
    end_set(f, set);
    end_ipfix(f);
    finish(f);
    assert_int_equal(f->got.flows, 2);
    assert_string_equal(f->got.elements[0],
                        "basicList=allOf sourceIPv4Address[10.0.0.1, 10.0.0.2]");
    assert_int_equal(f->got.values[1][FLOW_PACKETS][0], 2);
    assert_int_equal(f->got.lost[EXPORT_LOSS_cut_record], 0);
}

static void options_tell_the_rate(void **state)
{
    struct fixture *f = *state;
    send_usual_template(f, 0);
    begin_ipfix(f, 0);
    size_t set = begin_set(f, 3);
    put16(f, 400);
    put16(f, 3);
    put16(f, 1);
    put16(f, 149);
    put16(f, 4);
    put16(f, 305);
    put16(f, 4);
    put16(f, 306);
    put16(f, 4);
    end_set(f, set);
    set = begin_set(f, 400);
    put32(f, 7);
    put32(f, 1);
    put32(f, 999);
    end_set(f, set);
    end_ipfix(f);
    send_usual(f, 1, 5);
    finish(f);
    assert_int_equal(f->got.flows, 1);
    assert_int_equal(f->got.values[0][FLOW_SAMPLING_RATE][0], 1000);
    assert_int_equal(f->got.values[0][FLOW_PACKETS][0], 5);
    assert_int_equal(f->got.lost[EXPORT_LOSS_sequence_gap], 0);
}

static void options_tell_a_share_of_a_population(void **state)
{
    static const uint16_t option[][2] = {{302, 4}, {305, 4}, {309, 4}, {310, 4}};
    struct fixture *f = *state;
    send_usual_template(f, 0);
    begin_ipfix(f, 0);
    size_t set = begin_set(f, 3);
    put16(f, 400);
    put16(f, 4);
    put16(f, 1);
    for (unsigned i = 0; i < 4; i++) {
        put16(f, option[i][0]);
        put16(f, option[i][1]);
    }
    end_set(f, set);
    set = begin_set(f, 400);
    put32(f, 1);
    put32(f, 1); // sampling of one packet after the other says nothing beside a population
    put32(f, 2);
    put32(f, 512);
    end_set(f, set);
    end_ipfix(f);
    send_usual(f, 1, 5);
    assert_int_equal(f->got.values[0][FLOW_SAMPLING_RATE][0], 256);
}

static void send_uptimes(struct fixture *f, uint32_t sequence, uint32_t first, uint32_t last)
{
    static const uint16_t fields[][2] = {{21, 4}, {22, 4}};
    begin_ipfix(f, sequence);
    size_t set = begin_set(f, 2);
    put_template(f, 301, fields, 2);
    end_set(f, set);
    set = begin_set(f, 301);
    put32(f, last);
    put32(f, first);
    end_set(f, set);
    end_ipfix(f);
}

static void times_hang_on_when_the_exporter_began(void **state)
{
    struct fixture *f = *state;
    uint64_t exported = EXPORTED * (uint64_t)NANOS_PER_SECOND;
    send_uptimes(f, 0, 1000, 4000);
    assert_string_equal(f->got.elements[0], "flowStartSysUpTime=1000");
    assert_int_equal(f->got.values[0][FLOW_FIRST_SEEN][0], exported);
    uint64_t began = (EXPORTED - 10) * UINT64_C(1000);
    begin_ipfix(f, 1);
    size_t set = begin_set(f, 3);
    put16(f, 400);
    put16(f, 2);
    put16(f, 1);
    put32(f, 149 << 16 | 4);
    put32(f, 160 << 16 | 8);
    end_set(f, set);
    set = begin_set(f, 400);
    put32(f, 7);
    put32(f, (uint32_t)(began >> 32));
    put32(f, (uint32_t)began);
    end_set(f, set);
    end_ipfix(f);
    send_uptimes(f, 2, 1000, 4000);
    assert_int_equal(f->got.values[1][FLOW_FIRST_SEEN][0], exported - 9 * NANOS_PER_SECOND);
    assert_int_equal(f->got.values[1][FLOW_LAST_SEEN][0], exported - 6 * NANOS_PER_SECOND);
    assert_false(f->got.has[1][FLOW_ELEMENTS]);
}

static void a_sampled_packet_is_decoded(void **state)
{
    static const char frame[] = "\x02\0\0\0\0\1\x02\0\0\0\0\2\x81\0\0\x2a\x08\0"
                                "\x45\x10\x05\xdc\0\1\0\0\x40\x11\0\0\x0a\0\0\1\x0a\0\0\2"
                                "\x04\xd2\0\x35\x05\xc8\0\0";
    static const uint16_t fields[][2] = {{312, 2}, {315, sizeof frame - 1}};
    struct fixture *f = *state;
    begin_ipfix(f, 0);
    size_t set = begin_set(f, 2);
    put_template(f, 301, fields, 2);
    end_set(f, set);
    set = begin_set(f, 301);
    put16(f, 1518);
    put_bytes(f, frame, sizeof frame - 1);
    end_set(f, set);
    end_ipfix(f);
    assert_int_equal(f->got.flows, 1);
    assert_int_equal(f->got.values[0][FLOW_SRC_ADDR][1], address_v4(0x0a000001).lo);
    assert_int_equal(f->got.values[0][FLOW_DST_PORT][0], 53);
    assert_int_equal(f->got.values[0][FLOW_BYTES][0], 1500);
    assert_int_equal(f->got.values[0][FLOW_PACKETS][0], 1);
    assert_int_equal(f->got.values[0][FLOW_VLAN][0], 42);
    assert_int_equal(f->got.values[0][FLOW_FRAME_BYTES][0], 1518);
}

static void a_flood_of_templates_is_bounded(void **state)
{
    struct fixture *f = *state;
    enum { TEMPLATES = 100000, FIRST = 256, NUMBERS = 65536 - FIRST };
    for (uint32_t i = 0; i < TEMPLATES; i++) {
        begin_ipfix(f, 0);
        size_t set = begin_set(f, 2);
        put_template(f, (uint16_t)(FIRST + i % NUMBERS), usual, 7);
        end_set(f, set);
        end_ipfix(f);
    }
    finish(f);
    assert_true(f->got.lost[EXPORT_LOSS_templates_full] >= TEMPLATES - SESSION_TEMPLATES_MAX);
    // One of 65,535 fields is refused.
    begin_ipfix(f, 0);
    size_t set = begin_set(f, 2);
    put16(f, 256);
    put16(f, 65535);
    for (unsigned i = 0; i < 8000; i++) put32(f, 0x00010001);
    end_set(f, set);
    end_ipfix(f);
    finish(f);
    assert_int_equal(f->got.lost[EXPORT_LOSS_bad_template], 1);
}

// A row has room for one text of each field.
static void a_text_told_often_is_kept_as_an_element(void **state)
{
    enum { TIMES = 900, APPLICATION = 96 };
    struct fixture *f = *state;
    begin_ipfix(f, 0);
    size_t set = begin_set(f, 2);
    put16(f, 301);
    put16(f, TIMES);
    for (unsigned i = 0; i < TIMES; i++) put32(f, APPLICATION << 16 | 1);
    end_set(f, set);
    set = begin_set(f, 301);
    for (unsigned i = 0; i < TIMES; i++) put_bytes(f, i ? "b" : "a", 1);
    end_set(f, set);
    end_ipfix(f);
    assert_int_equal(f->got.flows, 1);
    assert_true(f->got.has[0][FLOW_APPLICATION]);
    assert_string_equal(f->got.elements[0], "applicationName=b");
}

static void broken_messages_are_counted(void **state)
{
    struct fixture *f = *state;
    send_usual_template(f, 0);
    begin_ipfix(f, 0);
    size_t set = begin_set(f, 300);
    put_usual(f, 1);
    end_set(f, set);
    f->memory[set + 3] = 200; // a set longer than its message
    end_ipfix(f);
    begin_ipfix(f, 1);
    f->message.n = 9; // ends within the header
    send(f);
    finish(f);
    assert_int_equal(f->got.flows, 0);
    assert_int_equal(f->got.lost[EXPORT_LOSS_bad_set], 1);
    assert_int_equal(f->got.lost[EXPORT_LOSS_cut_message], 1);
    f->memory[0] = 99;
    send(f);
    assert_int_equal(collector_counts(f->collector).unknown_version, 1);
}

// ---- NetFlow ------------------------------------------------------------------------------------

static void begin_9(struct fixture *f, uint32_t sequence)
{
    f->message = buf_on(f->memory, sizeof f->memory);
    put16(f, 9);
    put16(f, 1);
    put32(f, UPTIME);
    put32(f, EXPORTED);
    put32(f, sequence);
    put32(f, 3);
}

static void netflow_9_counts_messages_and_uptime(void **state)
{
    static const uint16_t fields[][2] = {{8, 4}, {12, 4}, {22, 4}, {21, 4}, {34, 4}};
    struct fixture *f = *state;
    begin_9(f, 10);
    size_t set = begin_set(f, 0);
    put_template(f, 256, fields, 5);
    end_set(f, set);
    set = begin_set(f, 256);
    put32(f, 1);
    put32(f, 2);
    put32(f, UPTIME - 3000);
    put32(f, UPTIME - 1000);
    put32(f, 64);
    put_bytes(f, "\0\0\0", 3); // padding
    end_set(f, set);
    send(f);
    begin_9(f, 14);
    send(f);
    finish(f);
    assert_int_equal(f->got.flows, 1);
    uint64_t exported = EXPORTED * (uint64_t)NANOS_PER_SECOND;
    assert_int_equal(f->got.values[0][FLOW_FIRST_SEEN][0], exported - 3 * NANOS_PER_SECOND);
    assert_int_equal(f->got.values[0][FLOW_LAST_SEEN][0], exported - NANOS_PER_SECOND);
    assert_int_equal(f->got.values[0][FLOW_SAMPLING_RATE][0], 64);
    assert_int_equal(f->got.lost[EXPORT_LOSS_sequence_gap], 3);
}

static void netflow_5_has_a_fixed_form(void **state)
{
    struct fixture *f = *state;
    f->message = buf_on(f->memory, sizeof f->memory);
    put16(f, 5);
    put16(f, 2); // one more than there is
    put32(f, UPTIME);
    put32(f, EXPORTED);
    put32(f, 0);
    put32(f, 500);
    put16(f, 0x0102);
    put16(f, 0x4000 | 100); // random, one in 100
    for (unsigned i = 0; i < 3; i++) put32(f, 0x0a000001 + i);
    put16(f, 11);
    put16(f, 12);
    put32(f, 5);
    put32(f, 555);
    put32(f, UPTIME - 2000);
    put32(f, UPTIME - 1000);
    put16(f, 1000);
    put16(f, 53);
    put_bytes(f, "\0\x1b\x11\x08", 4);
    put16(f, 64512);
    put16(f, 64513);
    put_bytes(f, "\x18\x10\0\0", 4);
    send(f);
    finish(f);
    assert_int_equal(f->got.flows, 1);
    assert_int_equal(f->got.values[0][FLOW_BYTES][0], 555);
    assert_int_equal(f->got.values[0][FLOW_TCP_FLAGS][0], 0x1b);
    assert_int_equal(f->got.values[0][FLOW_PROTO][0], 17);
    assert_int_equal(f->got.values[0][FLOW_DST_AS][0], 64513);
    assert_int_equal(f->got.values[0][FLOW_SAMPLING_RATE][0], 100);
    assert_int_equal(f->got.values[0][FLOW_DOMAIN][0], 0x0102);
    assert_int_equal(f->got.lost[EXPORT_LOSS_cut_record], 1);
}

static void send_times_of_9(struct fixture *f, uint32_t uptime, uint32_t first)
{
    static const uint16_t fields[][2] = {{22, 4}, {4, 1}, {11, 2}};
    begin_9(f, 0);
    f->memory[4] = (uint8_t)(uptime >> 24);
    f->memory[5] = (uint8_t)(uptime >> 16);
    f->memory[6] = (uint8_t)(uptime >> 8);
    f->memory[7] = (uint8_t)uptime;
    size_t set = begin_set(f, 0);
    put_template(f, 256, fields, 3);
    end_set(f, set);
    set = begin_set(f, 256);
    put32(f, first);
    put_bytes(f, "\x01\x03\x01", 3); // ICMP: 3, unreachable; 1, host
    end_set(f, set);
    send(f);
}

static void uptime_begins_anew(void **state)
{
    struct fixture *f = *state;
    send_times_of_9(f, 1000, UINT32_MAX - 1000);
    uint64_t exported = EXPORTED * (uint64_t)NANOS_PER_SECOND;
    assert_int_equal(f->got.values[0][FLOW_FIRST_SEEN][0], exported - 2001 * NANOS_PER_MILLI);
}

static void icmp_stands_in_the_port(void **state)
{
    struct fixture *f = *state;
    send_times_of_9(f, 1000, 1000);
    assert_int_equal(f->got.values[0][FLOW_SRC_PORT][0], 3);
    assert_int_equal(f->got.values[0][FLOW_DST_PORT][0], 1);
}

// ---- sFlow --------------------------------------------------------------------------------------

// An IPv4 packet of which the first bytes are told, with what a switch says of its VLANs.
static void a_sample_is_a_flow_of_one_packet(void **state)
{
    static const char packet[] = "\x45\0\0\x64\0\1\0\0\x40\x11\0\0\x0a\0\0\1\x0a\0\0\2"
                                 "\x04\xd2\0\x35\0\x50\0\0";
    struct fixture *f = *state;
    f->message = buf_on(f->memory, sizeof f->memory);
    static const uint32_t head[] = {5, 1, 0xc0000209, 0, 1, 1000, 1};
    static const uint32_t sample[] = {1, 1, 64, 0, 0, 3, 0x40000102, 2};
    static const uint32_t vlans[] = {1001, 16, 42, 0, UINT32_MAX, 0};
    for (unsigned i = 0; i < 7; i++) put32(f, head[i]);
    put32(f, 1); // a sample of packets
    put32(f, sizeof sample + sizeof vlans + 24 + sizeof packet - 1);
    for (unsigned i = 0; i < 8; i++) put32(f, sample[i]);
    for (unsigned i = 0; i < 6; i++) put32(f, vlans[i]);
    put32(f, 1); // a header
    put32(f, 16 + sizeof packet - 1);
    put32(f, 11); // IPv4
    put32(f, 118);
    put32(f, 18);
    put32(f, sizeof packet - 1);
    put_bytes(f, packet, sizeof packet - 1);
    send(f);
    assert_int_equal(f->got.flows, 1);
    assert_int_equal(f->got.values[0][FLOW_DST_PORT][0], 53);
    assert_int_equal(f->got.values[0][FLOW_BYTES][0], 100);
    assert_int_equal(f->got.values[0][FLOW_INPUT][0], 3);
    assert_false(f->got.has[0][FLOW_OUTPUT]);
    assert_int_equal(f->got.values[0][FLOW_VLAN][0], 42);
    assert_false(f->got.has[0][FLOW_DST_VLAN]);
    assert_int_equal(f->got.values[0][FLOW_SAMPLING_RATE][0], 64);
    assert_string_equal(f->got.elements[0], "discardReason=258");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_record_is_a_flow),
        TEST(data_wait_for_their_template),
        TEST(what_waits_too_long_is_counted),
        TEST(a_template_changes_its_meaning),
        TEST(a_template_is_withdrawn_and_grows_old),
        TEST(exporters_and_domains_are_apart),
        TEST(a_gap_in_the_count_is_a_loss),
        TEST(a_count_may_stand_behind_its_message),
        TEST(a_loss_is_one_though_it_looks_like_another_count),
        TEST(values_without_a_field_are_kept),
        TEST(lists_are_passed_over),
        TEST(options_tell_the_rate),
        TEST(options_tell_a_share_of_a_population),
        TEST(times_hang_on_when_the_exporter_began),
        TEST(a_sampled_packet_is_decoded),
        TEST(a_flood_of_templates_is_bounded),
        TEST(a_text_told_often_is_kept_as_an_element),
        TEST(broken_messages_are_counted),
        TEST(netflow_9_counts_messages_and_uptime),
        TEST(netflow_5_has_a_fixed_form),
        TEST(uptime_begins_anew),
        TEST(icmp_stands_in_the_port),
        TEST(a_sample_is_a_flow_of_one_packet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
