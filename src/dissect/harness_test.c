// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

#include "base/memory.h"
#include "dissect/harness.h"

// A protocol for the tests: a length byte and as much text; the answer side's texts pair with held
// ones of the other. A length of 255 is followed by a skip of 10 bytes; datagrams are one text.
enum { TOY_TEXT = COMMON_COUNT, TOY_LIST, TOY_ANSWER, TOY_FIELD_COUNT };

static const struct field TOY_FIELDS[] = {
    RECORD_COMMON_FIELDS,
    {"text", FIELD_TEXT, NULL, "What was said", NULL, NULL, 0},
    {"sizes", FIELD_UINTS, "bytes", "How long", NULL, NULL, 0},
    {"answer", FIELD_TEXT, NULL, "What was answered", NULL, NULL, 0},
};
static const struct record_kind TOY_KIND = {"toy",           "Test", TOY_FIELDS,
                                            TOY_FIELD_COUNT, false,  false};

struct toy_state {
    uint32_t held;
};

static enum recognition toy_recognise(const struct piece *first, enum transport transport)
{
    (void)transport;
    return first->data.n == 0 ? RECOGNISE_MORE : RECOGNISE_YES;
}

static void toy_question(struct dissect *d, const struct piece *piece, bytes text,
                         uint64_t position)
{
    struct toy_state *state = dissect_state(d);
    struct row *row =
        dissect_row(d, &TOY_KIND, piece->side, position, dissect_time_at(d, piece->side, position));
    row_text(row, TOY_TEXT, text);
    row_uint(row, TOY_LIST, text.n);
    row_range(row, piece->side, position, text.n);
    if (!state->held) state->held = dissect_hold(d, row);
    else dissect_emit(d, row);
}

static void toy_answer(struct dissect *d, const struct piece *piece, bytes text, uint64_t position)
{
    struct toy_state *state = dissect_state(d);
    if (!state->held) {
        dissect_anomaly(d, "toy_alone", piece->side, position, piece->time, text);
        return;
    }
    struct row *row = dissect_take(d, state->held);
    state->held = 0;
    row_text(row, TOY_ANSWER, text);
    row_uint(row, TOY_LIST, text.n);
    dissect_emit(d, row);
}

static enum verdict toy_datagram(struct dissect *d, const struct piece *piece)
{
    if (piece->data.n == 0) return DISSECT_NOT_MINE;
    if (bytes_start_with(piece->data, "I am the client")) dissect_client_is(d, piece->side);
    toy_question(d, piece, piece->data, piece->position);
    return DISSECT_GO;
}

static struct progress toy_stream(struct dissect *d, const struct piece *piece)
{
    struct progress progress = {.verdict = DISSECT_GO};
    while (progress.used < piece->data.n) {
        struct reader r = reader_of(bytes_after(piece->data, progress.used));
        uint8_t length = read_u8(&r);
        if (length == 255) {
            progress.used++;
            progress.skip = 10;
            return progress;
        }
        bytes text = read_bytes(&r, length);
        if (r.bad) {
            progress.want = 1u + length;
            return progress;
        }
        uint64_t position = piece->position + progress.used;
        if (piece->side == 0) toy_question(d, piece, text, position);
        else toy_answer(d, piece, text, position);
        progress.used += 1u + length;
    }
    return progress;
}

static bool toy_gap(struct dissect *d, uint8_t side, uint64_t position, uint64_t length)
{
    dissect_anomaly(d, "toy_gap", side, position, 0,
                    bytes_first(bytes_text("0123456789"), (size_t)length));
    return side == 0;
}

static void toy_end(struct dissect *d)
{
    struct toy_state *state = dissect_state(d);
    if (!state->held) return;
    struct row *row = dissect_take(d, state->held);
    dissect_emit(d, row);
}

static const struct dissector toy_dissector = {
    .name = "toy",
    .transports = TRANSPORT_TCP | TRANSPORT_UDP,
    .ports = {7},
    .state_size = sizeof(struct toy_state),
    .kinds = {&TOY_KIND},
    .recognise = toy_recognise,
    .datagram = toy_datagram,
    .stream = toy_stream,
    .gap = toy_gap,
    .end = toy_end,
};

static void pairs_and_cuts(void **state)
{
    (void)state;
    const struct harness_step steps[] = {
        {.side = 0,
         .data = bytes_text("\003abc\377..........\002de"),
         .time = 2 * NANOS_PER_SECOND},
        {.side = 1, .data = bytes_text("\004wxyz\001!")},
        {.what = HARNESS_LAST, .side = 1},
    };
    char *text = harness_play_cuts(&toy_dissector, steps, 3);
    assert_string_equal(
        text, "toy ts=1970-01-01T00:00:02Z src_offset=15 src_length=2 text=\"de\" sizes=[2]\n"
              "toy ts=1970-01-01T00:00:02Z src_offset=0 src_length=3 text=\"abc\" sizes=[3,4]"
              " answer=\"wxyz\"\n"
              "anomaly name=toy_alone side=1 position=5 detail=\"!\"\n");
    memory_free(text);
}

static void gaps_are_told_without_what_is_skipped(void **state)
{
    (void)state;
    struct harness *h = harness_create(&toy_dissector, TRANSPORT_TCP);
    harness_stream(h, 0, bytes_text("\377123"));
    harness_gap(h, 0, 9);
    harness_stream(h, 0, bytes_text("\002ab\005a"));
    harness_gap(h, 0, 5);
    harness_stream(h, 0, bytes_text("\377"));
    harness_gap(h, 0, 10);
    harness_stream(h, 0, bytes_text("\001c"));
    harness_gap(h, 1, 3);
    harness_stream(h, 1, bytes_text("\001d"));
    assert_true(harness_stopped(h, 1));
    assert_false(harness_stopped(h, 0));
    harness_end(h);
    assert_string_equal(
        harness_text(h),
        "anomaly name=toy_gap side=0 position=11 detail=\"01\"\n"
        "anomaly name=toy_gap side=0 position=18 detail=\"01234\"\n"
        "toy ts=1970-01-01T00:00:01Z src_offset=34 src_length=1 text=\"c\" sizes=[1]\n"
        "anomaly name=toy_gap side=1 position=0 detail=\"012\"\n"
        "toy ts=1970-01-01T00:00:01Z src_offset=13 src_length=2 text=\"ab\" sizes=[2]\n");
    harness_destroy(h);
}

static void sides_turn_round(void **state)
{
    (void)state;
    struct harness *h = harness_create(&toy_dissector, TRANSPORT_UDP);
    assert_int_equal(harness_datagram(h, 1, bytes_text("I am the client")), DISSECT_GO);
    assert_int_equal(harness_datagram(h, 0, bytes_text("x\xff")), DISSECT_GO);
    assert_int_equal(harness_count(h), 2);
    assert_string_equal(harness_line(h, 0), "client side=1");
    assert_string_equal(harness_value(h, 1, "text"), "x\\\\xff");
    assert_string_equal(harness_value(h, 1, "dst_offset"), "0");
    assert_null(harness_value(h, 1, "src_offset"));
    harness_end(h);
    assert_string_equal(harness_value(h, 2, "src_length"), "15");
    assert_null(harness_value(h, 2, "answer"));
    assert_int_equal(harness_count_of(h, "toy"), 2);
    harness_destroy(h);
}

static void not_mine(void **state)
{
    (void)state;
    struct harness *h = harness_create(&toy_dissector, TRANSPORT_UDP);
    assert_int_equal(harness_datagram(h, 0, bytes_of(NULL, 0)), DISSECT_NOT_MINE);
    assert_true(harness_not_mine(h));
    harness_end(h);
    assert_int_equal(harness_count(h), 0);
    harness_destroy(h);
    assert_int_equal(harness_recognise(&toy_dissector, TRANSPORT_TCP, bytes_text("")),
                     RECOGNISE_MORE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_and_cuts),
        cmocka_unit_test(gaps_are_told_without_what_is_skipped),
        cmocka_unit_test(sides_turn_round),
        cmocka_unit_test(not_mine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
