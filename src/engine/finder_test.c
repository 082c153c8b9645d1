#include "engine/finder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/text.h"

enum { STREAM_SIZE = 300000, ROUNDS = 60 };

// Everything about what was found, as text, so that two searches can be compared.
static void take(void *context, const struct found *f)
{
    struct text *t = context;
    text_format(t, "%llu+%zu [", (unsigned long long)f->position, f->text.n);
    text_put(t, f->before);
    text_add(t, "|");
    text_put(t, bytes_first(f->text, 100));
    text_add(t, "|");
    text_put(t, f->behind);
    text_format(t, "] %lld:", (long long)f->time);
    for (uint32_t i = 0; i < f->frame_count; i++)
        text_format(t, " %llu", (unsigned long long)f->frames[i].ordinal);
    text_add(t, f->more_frames ? " more\n" : "\n");
}

struct searching {
    struct needle *needle;
    struct finder finder;
    struct text found;
    uint32_t track;
    uint64_t pieces;
};

static void begin(struct searching *s, const char *term, bool fold)
{
    char error[NEEDLE_ERROR_MAX];
    *s = (struct searching){.needle = needle_create(term, fold, error)};
    assert_non_null(s->needle);
    assert_true(finder_init(&s->finder, s->needle, &s->found, take, NULL));
    s->track = finder_open(&s->finder);
}

static void add(struct searching *s, uint64_t position, bytes data)
{
    struct packet_frame frame = {++s->pieces, 0};
    struct finder_piece piece = {data, position, (nanos)s->pieces, &frame, 1};
    finder_add(&s->finder, s->track, &piece);
}

static const char *found(const struct searching *s)
{
    return s->found.n ? s->found.p : "";
}

static const char *end(struct searching *s)
{
    finder_close(&s->finder, s->track);
    assert_int_equal(s->finder.blocks.bytes_used, 0);
    return found(s);
}

static void done(struct searching *s)
{
    finder_deinit(&s->finder);
    needle_destroy(s->needle);
    text_deinit(&s->found);
}

static void finds_over_segments(void **state)
{
    (void)state;
    struct searching s;
    begin(&s, "needle", false);
    add(&s, 0, bytes_text("a nee"));
    add(&s, 5, bytes_text("d"));
    add(&s, 6, bytes_text("le in hay"));
    assert_string_equal(end(&s), "2+6 [a |needle| in hay] 1: 1 2 3\n");
    done(&s);
}

static void finds_nothing_over_a_gap(void **state)
{
    (void)state;
    struct searching s;
    begin(&s, "needle", false);
    add(&s, 0, bytes_text("needle nee"));
    add(&s, 11, bytes_text("dle needle"));
    assert_string_equal(end(&s), "0+6 [|needle| nee] 1: 1\n15+6 [dle |needle|] 2: 2\n");
    done(&s);
}

static void ends_at_the_end(void **state)
{
    (void)state;
    struct searching s;
    begin(&s, "/a+$/", false);
    add(&s, 0, bytes_text("aab"));
    add(&s, 3, bytes_text("aa"));
    add(&s, 5, bytes_text("aaa"));
    assert_string_equal(end(&s), "3+5 [aab|aaaaa|] 2: 2 3\n");
    done(&s);
}

static void names_all_frames_of_a_datagram(void **state)
{
    (void)state;
    struct searching s;
    struct packet_frame frames[] = {{7, 0}, {5, 0}, {9, 0}};
    struct finder_piece piece = {bytes_text("a needle"), 40, 1, frames, 3};
    begin(&s, "needle", false);
    finder_add(&s.finder, s.track, &piece);
    assert_string_equal(end(&s), "42+6 [a |needle|] 1: 7 5 9\n");
    done(&s);
}

// ---- however a stream is cut --------------------------------------------------------------------

static uint64_t seed;

static uint32_t chance(uint32_t below)
{
    seed = seed * 6364136223846793005 + 1442695040888963407;
    return (uint32_t)(seed >> 33) % below;
}

// Few different letters, so that much is found and much is nearly found.
static void fill(uint8_t *to, size_t n)
{
    for (size_t i = 0; i < n; i++) to[i] = "abAB\n"[chance(5)];
}

// What was found but for the frames, which tell how it was cut.
static void without_frames(char *text)
{
    char *to = text;
    for (char *at = text; *at; at++) {
        if (strncmp(at, "] ", 2) == 0 && strchr("123456789", at[2]))
            while (at[1] && at[1] != '\n') at++;
        else *to++ = *at;
    }
    *to = 0;
}

static void search_cut(struct searching *s, const char *term, bytes stream, uint32_t piece_max)
{
    begin(s, term, term[0] == 'b');
    for (size_t at = 0; at < stream.n;) {
        size_t n = 1 + chance(piece_max);
        bytes piece = bytes_first(bytes_after(stream, at), n);
        add(s, at, piece);
        at += piece.n;
    }
    end(s);
    if (s->found.n) without_frames(s->found.p);
}

static void finds_the_same_however_it_is_cut(void **state)
{
    (void)state;
    static const char *const terms[] = {"abba",
                                        "bab",
                                        "/a[^b]{3,9}b/",
                                        "/(?<=ab)B+(?!a)/",
                                        "/\\bA+\\b/",
                                        "/^ab.*$/m",
                                        "/(?s)ab.*bA/",
                                        "/(?s)A{7}.{9}/",
                                        "/a{3}|b{3}a/",
                                        "/(?s)B{5}.{40000}A/",
                                        "/[abAB]+\\n{6}/",
                                        "0x0a0a0a0a61"};
    uint8_t *stream = malloc(STREAM_SIZE);
    for (seed = 1; seed <= ROUNDS; seed = (seed & 0xffff) + 1) {
        uint64_t round = seed;
        const char *term = terms[round % (sizeof terms / sizeof terms[0])];
        size_t n = round % 7 ? 1 + chance(3000) : STREAM_SIZE;
        fill(stream, n);
        struct searching whole, cut;
        search_cut(&whole, term, bytes_of(stream, n), STREAM_SIZE);
        search_cut(&cut, term, bytes_of(stream, n), n == STREAM_SIZE ? 1500 : 1 + chance(40));
        if (strcmp(found(&whole), found(&cut)) != 0)
            fail_msg("seed %llu: %s is found otherwise when cut", (unsigned long long)round, term);
        done(&whole);
        done(&cut);
        seed = round;
    }
    free(stream);
}

// Against the plainest search there is.
static void finds_all_there_are(void **state)
{
    (void)state;
    uint8_t stream[2000];
    for (seed = 7; seed < 47; seed++) {
        uint64_t round = seed;
        struct text expected = {0};
        struct searching s;
        fill(stream, sizeof stream);
        for (size_t i = 0; i + 4 <= sizeof stream; i++) {
            if (memcmp(stream + i, "abaB", 4) != 0) continue;
            text_format(&expected, "%zu+4 ", i);
            i += 3;
        }
        search_cut(&s, "abaB", bytes_of(stream, sizeof stream), 20);
        struct text positions = {0};
        for (char *at = s.found.p; at && *at; at++) {
            char *number = at == s.found.p || at[-1] == '\n' ? at : NULL;
            unsigned long long position;
            if (number && *at != '\n' && sscanf(number, "%llu+4 [", &position) == 1)
                text_format(&positions, "%llu+4 ", position);
        }
        assert_string_equal(positions.n ? positions.p : "", expected.n ? expected.p : "");
        text_deinit(&positions);
        text_deinit(&expected);
        done(&s);
        seed = round;
    }
}

static void holds_no_more_than_a_window(void **state)
{
    (void)state;
    struct searching s;
    uint8_t data[1460];
    memset(data, 'a', sizeof data);
    begin(&s, "/(?s)a.*b/", false);
    for (uint64_t i = 0; i < 500; i++) {
        add(&s, i * sizeof data, bytes_of(data, sizeof data));
        assert_true(s.finder.blocks.bytes_used <= 2 * BLOCK_SIZE_MAX);
    }
    add(&s, 500 * sizeof data, bytes_text("b"));
    assert_non_null(strchr(end(&s), '+'));
    assert_int_equal(s.finder.cut, 0);
    done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_over_segments),
        cmocka_unit_test(finds_nothing_over_a_gap),
        cmocka_unit_test(ends_at_the_end),
        cmocka_unit_test(names_all_frames_of_a_datagram),
        cmocka_unit_test(finds_the_same_however_it_is_cut),
        cmocka_unit_test(finds_all_there_are),
        cmocka_unit_test(holds_no_more_than_a_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
