// Conversations of HTTP as tables of text, for the tests.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "dissect/harness.h"

extern const struct dissector http_dissector;

// clang-format off
#define TEXT(text) {(const uint8_t *)(text), sizeof(text) - 1}
#define C(text) {HARNESS_DATA, 0, TEXT(text), 0, 0} // from the client
#define S(text) {HARNESS_DATA, 1, TEXT(text), 0, 0} // from the server
#define C_AT(text, seconds) {HARNESS_DATA, 0, TEXT(text), 0, (seconds) * NANOS_PER_SECOND}
#define S_AT(text, seconds) {HARNESS_DATA, 1, TEXT(text), 0, (seconds) * NANOS_PER_SECOND}
#define GAP(side, length) {HARNESS_GAP, side, {NULL, 0}, length, 0}
#define CLOSE(side) {HARNESS_CLOSE, side, {NULL, 0}, 0, 0}
// clang-format on
#define COUNT(steps) (sizeof(steps) / sizeof *(steps))

static inline bool has(const char *text, const char *part)
{
    if (strstr(text, part)) return true;
    fprintf(stderr, "\"%s\" is not in:\n%s", part, text);
    return false;
}

static inline size_t count(const char *text, const char *part)
{
    size_t n = 0;
    for (const char *at = strstr(text, part); at; at = strstr(at + 1, part)) n++;
    return n;
}

// The lines of the steps played once, as they stand; freed with memory_free.
static inline char *play(const struct harness_step *steps, size_t step_count)
{
    return harness_play(&http_dissector, TRANSPORT_TCP, steps, step_count, 0, 0);
}

// Plays with all cuts and expects each of `parts` (ended by NULL) in the lines.
static inline void expect(const struct harness_step *steps, size_t step_count,
                          const char *const *parts)
{
    char *text = harness_play_cuts(&http_dissector, steps, step_count);
    for (; *parts; parts++) assert_true(has(text, *parts));
    memory_free(text);
}

#define EXPECT(steps, ...) expect(steps, COUNT(steps), (const char *const[]){__VA_ARGS__, NULL})

static inline void expect_not(const struct harness_step *steps, size_t step_count, const char *part)
{
    char *text = play(steps, step_count);
    if (strstr(text, part)) fprintf(stderr, "\"%s\" is in:\n%s", part, text);
    assert_null(strstr(text, part));
    memory_free(text);
}
