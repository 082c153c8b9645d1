#include "engine/summary.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/random.h"
#include "base/text.h"
#include "engine/catalogue.h"
#include "engine/summary_amount.h"

enum { ROWS = 3000, THREADS = 4, BATCH = 37 };

// ---- rows by hand -------------------------------------------------------------------------------

static unsigned field(const struct record_batch *b, const char *name)
{
    int n = kind_field(b->kind, bytes_text(name));
    assert_true(n >= 0);
    return (unsigned)n;
}

static void set(struct record_batch *b, const char *name, uint64_t v)
{
    batch_word(b, field(b, name), v);
}

static void set_text(struct record_batch *b, const char *name, const char *v)
{
    batch_text(b, field(b, name), bytes_text(v));
}

static void put_conversation(struct record_batch *b, unsigned i)
{
    static const char *const services[] = {"http", "dns", "tls", "ssh", NULL};
    static const char *const states[] = {"SF", "S0", "REJ"};
    struct address src = address_v4(0x0a000000 + i % 50), dst = address_v4(0xc0000200 + i % 7);
    assert_true(batch_begin(b, 64));
    batch_words(b, field(b, "id"), i / 3, i);
    set(b, "proto", i % 4 ? 6 : 17);
    batch_words(b, field(b, "src_addr"), src.hi, src.lo);
    batch_words(b, field(b, "dst_addr"), dst.hi, dst.lo);
    if (services[i % 5]) set_text(b, "service", services[i % 5]);
    set_text(b, "conn_state", states[i % 3]);
    set(b, "src_packets", 3);
    set(b, "dst_packets", 2);
    set(b, "src_bytes", 100 + i % 100);
    set(b, "dst_bytes", 1000);
    if (i % 4) set(b, "src_missed_bytes", i % 500 == 1 ? 10 : 0);
    batch_end(b);
}

static void put_dns(struct record_batch *b, unsigned i)
{
    char name[64];
    snprintf(name, sizeof name, i % 2 ? "Host%u.weir.test" : "host%u.weir.test", i % 40);
    assert_true(batch_begin(b, sizeof name));
    set_text(b, "query", name);
    set(b, "rcode", i % 10 ? 0 : 3);
    set(b, "answer_seen", i % 9 != 0);
    batch_end(b);
}

static void put_file(struct record_batch *b, unsigned i)
{
    static const char *const types[] = {"text/html", "image/png", "application/pdf"};
    assert_true(batch_begin(b, 64));
    batch_words(b, field(b, "id"), 1, i);
    set_text(b, "mime_type", types[i % 3]);
    set_text(b, "file_name", i % 2 ? "even" : "\x1b[31modd\x07");
    set(b, "size", i % 1000);
    set(b, "complete", i % 100 != 0);
    batch_end(b);
}

static void put_capture(struct record_batch *b, unsigned i)
{
    if (i) return;
    assert_true(batch_begin(b, 64));
    set_text(b, "path", "folder/made.pcap");
    set_text(b, "format", "pcap");
    set(b, "packets", 5 * ROWS + 12);
    set(b, "bytes", 4000000);
    set(b, "captured_bytes", 4000000);
    set(b, "first_seen", 1700000000 * (uint64_t)NANOS_PER_SECOND);
    set(b, "last_seen", 1700003723 * (uint64_t)NANOS_PER_SECOND);
    batch_end(b);
}

static const struct making {
    const char *kind;
    void (*put)(struct record_batch *b, unsigned i);
} makings[] = {
    {"conversation", put_conversation},
    {"dns", put_dns},
    {"file", put_file},
    {"capture", put_capture},
};
enum { MAKINGS = sizeof makings / sizeof makings[0] };

// ---- feeding ------------------------------------------------------------------------------------

struct feeding {
    struct summary *summary;
    const unsigned *order;
    unsigned from, to;
};

static void feed_kind(const struct feeding *f, const struct making *m)
{
    struct record_sink sink = summary_sink(f->summary);
    struct record_batch *b = batch_create(catalogue_kind(bytes_text(m->kind)));
    for (unsigned i = f->from; i < f->to; i++) {
        m->put(b, f->order[i]);
        if (b->rows < BATCH && i + 1 < f->to) continue;
        if (b->rows) sink.take(sink.context, b);
        batch_clear(b);
    }
    batch_destroy(b);
}

static void *feed(void *context)
{
    const struct feeding *f = context;
    for (unsigned k = 0; k < MAKINGS; k++) feed_kind(f, &makings[(k + f->from) % MAKINGS]);
    return NULL;
}

// The report of all rows in that order, dealt out to so many threads.
static char *report(const unsigned *order, unsigned threads, const struct summary_style *style)
{
    struct summary *s = summary_create();
    struct feeding feedings[THREADS];
    pthread_t ids[THREADS];
    for (unsigned i = 0; i < threads; i++) {
        feedings[i] = (struct feeding){s, order, ROWS * i / threads, ROWS * (i + 1) / threads};
        assert_int_equal(pthread_create(&ids[i], NULL, feed, &feedings[i]), 0);
    }
    for (unsigned i = 0; i < threads; i++) pthread_join(ids[i], NULL);
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    summary_print(s, style, out);
    fclose(out);
    summary_destroy(s);
    return text;
}

static void in_order(unsigned order[ROWS])
{
    for (unsigned i = 0; i < ROWS; i++) order[i] = i;
}

static void shuffle(unsigned order[ROWS], uint64_t *seed)
{
    for (unsigned i = ROWS - 1; i; i--) {
        unsigned other = (unsigned)(random_next(seed) % (i + 1)), kept = order[i];
        order[i] = order[other];
        order[other] = kept;
    }
}

// ---- tests --------------------------------------------------------------------------------------

static void test_order_and_threads_do_not_matter(void **state)
{
    (void)state;
    unsigned order[ROWS];
    uint64_t seed = 3;
    struct summary_style style = {.width = 100, .case_name = "made.weir"};
    in_order(order);
    char *want = report(order, 1, &style);
    for (unsigned round = 0; round < 6; round++) {
        shuffle(order, &seed);
        char *got = report(order, 1 + round % THREADS, &style);
        assert_string_equal(got, want);
        free(got);
    }
    free(want);
}

static void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part)) fail_msg("\"%s\" is not in\n%s", part, text);
}

static void test_report_tells_what_was_fed(void **state)
{
    (void)state;
    unsigned order[ROWS];
    in_order(order);
    struct summary_style style = {.width = 80};
    char *text = report(order, 1, &style);
    assert_has(text, "made.pcap\n");
    assert_has(text, "1 capture (pcap), 15,012 packets, 4.0 MB, 4 packets/s");
    assert_has(text, "2023-11-14 22:13:20 to 23:15:23 UTC, 1 h 02 min");
    assert_has(text, "incomplete: 60 B of TCP payload never seen");
    assert_has(text, "12 packets without IP");
    assert_has(text, "3,000 transactions, 266 NXDOMAIN (10 %), 334 without answer");
    assert_has(text, "host0.weir.test");
    assert_has(text, "3,000 files, 1.5 MB, 30 incomplete, largest: even, 999 B");
    assert_null(strstr(text, "What to ask next"));
    free(text);
}

static void test_lines_fit_and_are_clean(void **state)
{
    (void)state;
    unsigned order[ROWS];
    in_order(order);
    for (unsigned width = 40; width <= 200; width += 20) {
        struct summary_style style = {.width = width};
        char *text = report(order, 1, &style);
        for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
            size_t n = strlen(line);
            assert_true(n <= width);
            for (size_t i = 0; i < n; i++) assert_in_range((uint8_t)line[i], 0x20, 0x7e);
        }
        free(text);
    }
}

static void test_nothing_is_a_report_too(void **state)
{
    (void)state;
    struct summary *s = summary_create();
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    struct summary_style style = {.width = 120, .case_name = "it's\x1b.weir"};
    summary_print(s, &style, out);
    fclose(out);
    assert_has(text, "it's\\x1b.weir\n");
    assert_has(text, "complete: nothing is known to be missing");
    free(text);
    summary_destroy(s);
}

static void test_amounts(void **state)
{
    (void)state;
    assert_string_equal(amount_count(0).text, "0");
    assert_string_equal(amount_count(999).text, "999");
    assert_string_equal(amount_count(1000).text, "1,000");
    assert_string_equal(amount_count(12003004).text, "12,003,004");
    assert_string_equal(amount_count(1234567890).text, "1.2 G");
    assert_string_equal(amount_scaled(0, "B").text, "0 B");
    assert_string_equal(amount_scaled(999, "B").text, "999 B");
    assert_string_equal(amount_scaled(999.6, "B").text, "1.0 kB");
    assert_string_equal(amount_scaled(1234567, "B").text, "1.2 MB");
    assert_string_equal(amount_scaled(123456, "B").text, "123 kB");
    assert_string_equal(amount_share(0, 0).text, "0 %");
    assert_string_equal(amount_share(1, 100000).text, "< 0.1 %");
    assert_string_equal(amount_share(31, 1000).text, "3.1 %");
    assert_string_equal(amount_share(99999, 100000).text, "> 99.9 %");
    assert_string_equal(amount_share(5, 5).text, "100 %");
    assert_string_equal(amount_span(0).text, "0 us");
    assert_string_equal(amount_span(230 * NANOS_PER_SECOND / 1000).text, "230 ms");
    assert_string_equal(amount_span(35 * NANOS_PER_SECOND).text, "35.0 s");
    assert_string_equal(amount_span(192 * NANOS_PER_SECOND).text, "3 min 12 s");
    assert_string_equal(amount_span(3 * 86400 * NANOS_PER_SECOND).text, "3 days 0 h");
}

int main(void)
{
    setenv("LC_ALL", "C", 1); // what is counted here are bytes
    uint32_t count;
    catalogue(&count); // made at the first call, which no thread may share
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_and_threads_do_not_matter),
        cmocka_unit_test(test_report_tells_what_was_fed),
        cmocka_unit_test(test_lines_fit_and_are_clean),
        cmocka_unit_test(test_nothing_is_a_report_too),
        cmocka_unit_test(test_amounts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
