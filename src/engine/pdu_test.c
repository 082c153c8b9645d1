#include "engine/pdu.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

// What was cut, a line each: side, position, times, gap, text.
struct cuts {
    char text[1024];
    size_t n;
};

static void note(void *context, const struct pdu *p)
{
    struct cuts *c = context;
    int n = snprintf(c->text + c->n, sizeof c->text - c->n, "%u@%llu %lld-%lld gap %llu %.*s\n",
                     p->side, (unsigned long long)p->position, (long long)p->first_seen,
                     (long long)p->last_seen, (unsigned long long)p->gap_before, (int)p->data.n,
                     (const char *)p->data.p);
    c->n += (size_t)n;
}

static void add(struct pdu_cutter *c, uint8_t side, uint64_t position, nanos time, const char *text,
                bool push)
{
    struct stream_delivery piece = {
        .data = bytes_text(text), .position = position, .time = time, .side = side, .push = push};
    pdu_cutter_add(c, &piece);
}

static void cuts_at_turns_pushes_and_gaps(void **state)
{
    (void)state;
    struct cuts cuts = {0};
    struct pdu_cutter c;
    pdu_cutter_init(&c, &cuts, note);
    add(&c, 0, 0, 1, "ab", false);
    add(&c, 0, 2, 2, "cd", true);
    add(&c, 0, 4, 3, "ef", false);
    add(&c, 1, 0, 4, "gh", false);
    add(&c, 0, 6, 5, "ij", false);
    pdu_cutter_gap(&c, 1, 10, GAP_LOST); // of the other side: the open one goes on
    add(&c, 0, 8, 6, "kl", false);
    pdu_cutter_gap(&c, 0, 3, GAP_CUT);
    pdu_cutter_gap(&c, 0, 4, GAP_CUT);
    add(&c, 0, 17, 7, "mn", false);
    add(&c, 1, 12, 8, "op", false);
    pdu_cutter_flush(&c);
    pdu_cutter_flush(&c);
    pdu_cutter_deinit(&c);
    assert_string_equal(cuts.text, "0@0 1-2 gap 0 abcd\n"
                                   "0@4 3-3 gap 0 ef\n"
                                   "1@0 4-4 gap 0 gh\n"
                                   "0@6 5-6 gap 0 ijkl\n"
                                   "0@17 7-7 gap 7 mn\n"
                                   "1@12 8-8 gap 10 op\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(cuts_at_turns_pushes_and_gaps)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
