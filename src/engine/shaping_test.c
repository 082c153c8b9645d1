#include "engine/shaping.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static struct err err;

static void goes_there_and_back(void **state)
{
    (void)state;
    struct ingest_options options = {.reading = READING_DEFAULTS};
    options.reading.lane.flow.active_timeout = 7;
    options.reading.lane.dissect = false;
    options.reading.lane.kept_max = UINT64_MAX;
    options.reading.lane.point = "a tap \\ here=\xff services=no";
    options.source.bpf = "tcp port 80";
    assert_true(overlap_parse("last,10.0.0.0/8=linux", &options.reading.lane.overlap, &err));
    struct text text = {0}, again = {0}, memory = {0};
    shaping_text(&options, &text);
    struct ingest_options recalled = {.reading = READING_DEFAULTS};
    assert_true(shaping_recall(text.p, &recalled, &memory, &err));
    assert_int_equal(recalled.reading.lane.flow.active_timeout, 7);
    assert_false(recalled.reading.lane.dissect);
    assert_true(recalled.reading.lane.kept_max == UINT64_MAX);
    assert_string_equal(recalled.reading.lane.point, options.reading.lane.point);
    assert_string_equal(recalled.source.bpf, options.source.bpf);
    assert_int_equal(recalled.reading.lane.overlap.otherwise, OVERLAP_LAST);
    assert_int_equal(recalled.reading.lane.overlap.count, 1);
    assert_null(recalled.services);
    shaping_text(&recalled, &again);
    assert_string_equal(again.p, text.p);
    text_deinit(&text);
    text_deinit(&again);
    text_deinit(&memory);
}

static void refuses_what_it_does_not_know(void **state)
{
    (void)state;
    struct ingest_options options = {.reading = READING_DEFAULTS};
    struct text memory = {0};
    assert_false(shaping_recall("timeout=1 colour=red", &options, &memory, &err));
    assert_int_equal(err.code, ERR_INPUT);
    assert_false(shaping_recall("timeout", &options, &memory, &err));
    assert_true(shaping_recall("", &options, &memory, &err));
    text_deinit(&memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_there_and_back),
        cmocka_unit_test(refuses_what_it_does_not_know),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
