#include "store/ngrams.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"

enum { TEXT_SIZE = NGRAMS_CHUNK, ROUNDS = 300, FILE_MAX = 1 << 24 };

static uint64_t seed;

static uint32_t chance(uint32_t below)
{
    seed = seed * 6364136223846793005 + 1442695040888963407;
    return (uint32_t)(seed >> 33) % below;
}

static char path[] = "/tmp/weir-ngrams-XXXXXX";
static const uint8_t name[SHA256_SIZE] = "made from this";

static int make_path(void **state)
{
    (void)state;
    int file = mkstemp(path);
    if (file >= 0) close(file);
    return file < 0;
}

static int remove_path(void **state)
{
    (void)state;
    return unlink(path);
}

// What was told: the last of each, and how many of them may.
struct told {
    unsigned stretches, may;
    struct record_id id;
    uint64_t from, to;
};

static void take_conversation(void *context, struct record_id id, bool may)
{
    struct told *t = context;
    t->stretches++;
    t->may += may;
    t->id = id;
}

static void take_group(void *context, uint64_t from, uint64_t to, bool may)
{
    struct told *t = context;
    t->stretches++;
    t->may += may;
    t->from = from;
    t->to = to;
}

static enum ngrams_state ask(bytes needle, struct told *told)
{
    struct ngrams_asking asking = {needle, told, take_conversation, take_group, take_conversation};
    *told = (struct told){0};
    return ngrams_ask(path, name, &asking);
}

static struct ngrams_size write_index(bytes stretch, uint64_t payload)
{
    struct ngrams_size size;
    struct ngrams_writer *w = ngrams_create(path, name, NULL);
    assert_non_null(w);
    ngrams_payload(w, payload);
    ngrams_conversation(w, (struct record_id){1, 2}, stretch);
    assert_true(ngrams_finish(w, &size, NULL));
    return size;
}

static void tells_what_may(void **state)
{
    (void)state;
    struct told told;
    uint8_t sha256[SHA256_SIZE] = {1, 0, 0, 0, 0, 0, 0, 0, 2};
    struct ngrams_size size;
    struct ngrams_writer *w = ngrams_create(path, name, NULL);
    ngrams_payload(w, 1000000);
    ngrams_conversation(w, (struct record_id){5, 6}, bytes_text("the water goes on"));
    ngrams_group(w, 7, 9, bytes_text("and is measured"));
    ngrams_artifact(w, sha256, bytes_text("THE WATER"));
    assert_true(ngrams_finish(w, &size, NULL));
    assert_int_equal(size.stretches, 3);
    assert_int_equal(size.unfiltered, 0);
    assert_int_equal(ask(bytes_text("The Water"), &told), NGRAMS_FIT);
    assert_int_equal(told.stretches, 3);
    assert_int_equal(told.may, 2);
    assert_true(told.id.time_us == 1 && told.id.hash == 2);
    assert_true(told.from == 7 && told.to == 9);
    assert_int_equal(ask(bytes_text("nothing of it"), &told), NGRAMS_FIT);
    assert_int_equal(told.may, 0);
    assert_int_equal(ask(bytes_text("wat"), &told), NGRAMS_FIT);
    assert_int_equal(told.may, 3);
}

// Text of some kind: words, few letters, bytes of all values, or zeros.
static void fill(uint8_t *to, size_t n)
{
    static const char letters[] = "etaoin shrdlu\nETA";
    uint32_t kind = chance(4);
    for (size_t i = 0; i < n; i++) {
        to[i] = 0;
        if (kind == 0) to[i] = (uint8_t)letters[chance(sizeof letters - 1)];
        if (kind == 1) to[i] = (uint8_t)('a' + chance(3));
        if (kind == 2) to[i] = (uint8_t)chance(256);
    }
}

// Whatever stands in a stretch may stand in it; and the size is kept.
static void never_hides_what_is_there(void **state)
{
    (void)state;
    uint8_t *text = malloc(TEXT_SIZE), needle[200];
    unsigned hidden = 0, asked = 0;
    for (unsigned round = 1; round <= ROUNDS; round++) {
        seed = round;
        size_t n = 1 + chance(round % 10 ? 3000 : TEXT_SIZE);
        uint64_t payload = n * (1 + chance(40));
        fill(text, n);
        struct ngrams_size size = write_index(bytes_of(text, n), payload);
        assert_true(size.index <= payload * NGRAMS_SHARE_PERCENT / 100 + NGRAMS_FIXED_SIZE + 24);
        for (unsigned i = 0; i < 10; i++) {
            size_t length = 1 + chance(n < 100 ? (uint32_t)n : 100),
                   at = chance((uint32_t)(n - length) + 1);
            struct told told;
            memcpy(needle, text + at, length);
            for (size_t k = 0; k < length; k++)
                if (needle[k] >= 'a' && needle[k] <= 'z' && chance(2)) needle[k] -= 32;
            assert_int_equal(ask(bytes_of(needle, length), &told), NGRAMS_FIT);
            assert_int_equal(told.may, 1);
            fill(needle, length);
            ask(bytes_of(needle, length), &told);
            asked++;
            hidden += !told.may;
        }
    }
    // It is of some use as well.
    assert_true(hidden > asked / 4);
    free(text);
}

static void says_when_it_does_not_fit(void **state)
{
    (void)state;
    struct told told;
    struct ngrams_asking asking = {bytes_text("abcd"), &told, take_conversation, take_group, NULL};
    const uint8_t other[SHA256_SIZE] = "made from that";
    write_index(bytes_text("abcdefgh"), 100000);
    assert_int_equal(ngrams_ask(path, other, &asking), NGRAMS_OTHER);
    assert_int_equal(ngrams_ask("/nowhere/at/all", name, &asking), NGRAMS_ABSENT);
    bytes content = file_read(path, FILE_MAX, NULL);
    uint8_t *changed = malloc(content.n + 1);
    for (size_t i = 0; i < content.n; i++) {
        memcpy(changed, content.p, content.n);
        changed[i] ^= (uint8_t)(1 << i % 8);
        enum ngrams_state state_of = ngrams_ask_bytes(bytes_of(changed, content.n), name, &asking);
        assert_true(state_of == NGRAMS_DAMAGED || state_of == NGRAMS_OTHER);
        assert_int_not_equal(ngrams_ask_bytes(bytes_first(content, i), name, &asking), NGRAMS_FIT);
    }
    memcpy(changed, content.p, content.n);
    changed[content.n] = 0;
    assert_int_equal(ngrams_ask_bytes(bytes_of(changed, content.n + 1), name, &asking),
                     NGRAMS_DAMAGED);
    assert_int_equal(ngrams_ask_bytes(content, name, &asking), NGRAMS_FIT);
    free(changed);
    free((void *)(uintptr_t)content.p);
}

static void is_not_there_until_it_is_finished(void **state)
{
    (void)state;
    struct told told;
    write_index(bytes_text("abcdefgh"), 100000);
    struct ngrams_writer *w = ngrams_create(path, name, NULL);
    ngrams_conversation(w, (struct record_id){1, 2}, bytes_text("x"));
    ngrams_abandon(w);
    assert_int_equal(ask(bytes_text("zzzz"), &told), NGRAMS_FIT);
    assert_int_equal(told.stretches, 1);
    assert_int_equal(told.may, 0);
    assert_null(ngrams_create("/nowhere/at/all", name, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_what_may),
        cmocka_unit_test(never_hides_what_is_there),
        cmocka_unit_test(says_when_it_does_not_fit),
        cmocka_unit_test(is_not_there_until_it_is_finished),
    };
    return cmocka_run_group_tests(tests, make_path, remove_path);
}
