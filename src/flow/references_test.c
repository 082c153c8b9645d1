// Packet numbers of any captures in any order come back as they were given.
#include "flow/references.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { PACKETS = 20000, ROUNDS = 8 };

struct collected {
    struct reference list[PACKETS];
    uint32_t n, parts;
};

// Parts come in order; each begins from capture 0, ordinal 0.
static void collect(void *context, const struct record_batch *b)
{
    struct collected *to = context;
    for (uint32_t row = 0; row < b->rows; row++) {
        assert_int_equal(batch_get(b, PACKETS_PART, row), to->parts++);
        assert_int_equal(batch_get(b, PACKETS_READING, row), 7);
        struct reader r = reader_of(batch_get_bytes(b, PACKETS_REFERENCES, row));
        struct reference at = {0};
        while (reference_next(&r, &at)) to->list[to->n++] = at;
        assert_false(r.bad);
    }
}

static uint64_t random_next(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005 + 1442695040888963407;
    return *seed >> 20;
}

static void references_come_back(void **state)
{
    (void)state;
    static struct collected expected, got;
    static const struct record_kind *const kinds[] = {&packets_kind};
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        uint64_t random = seed;
        expected.n = got.n = got.parts = 0;
        struct blocks blocks;
        assert_true(blocks_init(&blocks, 1 << 20, NULL));
        struct record_writer *writer = writer_create(kinds, 1, (struct record_sink){&got, collect});
        struct references to = {&blocks, writer, 7, 0};
        struct conversation c = {.first_seen = 5000};
        uint64_t ordinal = 0;
        for (uint32_t i = 0; i < PACKETS; i++) {
            struct packet p = {.capture = (uint32_t)(random_next(&random) % seed)};
            ordinal += random_next(&random) % 100;
            if (random_next(&random) % 50 == 0) ordinal = random_next(&random);
            if (random_next(&random) % 5000 == 0) ordinal = UINT64_MAX;
            p.ordinal = ordinal;
            references_add(&to, &c, &p);
            const struct reference *last = expected.n ? &expected.list[expected.n - 1] : NULL;
            if (last && last->capture == p.capture && last->ordinal == p.ordinal) continue;
            expected.list[expected.n++] = (struct reference){p.capture, p.ordinal};
        }
        references_end(&to, &c);
        writer_flush(writer);
        assert_int_equal(to.lost, 0);
        assert_int_equal(blocks.bytes_used, 0);
        assert_int_equal(got.n, expected.n);
        for (uint32_t i = 0; i < got.n; i++) {
            assert_int_equal(got.list[i].capture, expected.list[i].capture);
            assert_int_equal(got.list[i].ordinal, expected.list[i].ordinal);
        }
        writer_destroy(writer);
        blocks_deinit(&blocks);
    }
}

// What finds no room is counted; what had room is still told.
static void lost_references_are_counted(void **state)
{
    (void)state;
    static struct collected got;
    static const struct record_kind *const kinds[] = {&packets_kind};
    got.n = got.parts = 0;
    struct blocks blocks;
    assert_true(blocks_init(&blocks, 64, NULL));
    struct record_writer *writer = writer_create(kinds, 1, (struct record_sink){&got, collect});
    struct references to = {&blocks, writer, 7, 0};
    struct conversation c = {.first_seen = 5000};
    for (uint32_t i = 0; i < 100; i++) {
        struct packet p = {.ordinal = i};
        references_add(&to, &c, &p);
    }
    references_end(&to, &c);
    writer_flush(writer);
    assert_int_equal(got.n + to.lost, 100);
    assert_true(got.n > 0 && to.lost > 0);
    writer_destroy(writer);
    blocks_deinit(&blocks);
}

static void damaged_references_end(void **state)
{
    (void)state;
    static const uint8_t endless[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    struct reader r = reader_of(bytes_of(endless, sizeof endless));
    struct reference at = {0};
    unsigned n = 0;
    while (reference_next(&r, &at)) n++;
    assert_true(n < sizeof endless);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(references_come_back),
        cmocka_unit_test(lost_references_are_counted),
        cmocka_unit_test(damaged_references_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
