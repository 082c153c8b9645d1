// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

#include "base/memory.h"
#include "dissect/dns_test.h"

// Broken messages, streams that are cut and have gaps, and what is recognised.

// ---- anomalies ----------------------------------------------------------------------------------

// What the harness says of one datagram, without the record's line.
static void assert_anomaly(const struct message *m, const char *expected)
{
    struct harness *h = harness_create(&dns_dissector, TRANSPORT_UDP);
    harness_datagram(h, 0, buf_bytes(&m->buf));
    harness_end(h);
    assert_int_equal(harness_count_of(h, "dns"), 1);
    assert_int_equal(harness_count_of(h, "anomaly"), expected ? 1 : 0);
    for (size_t i = 0; i < harness_count(h); i++) {
        if (bytes_start_with(bytes_text(harness_line(h, i)), "anomaly")) {
            assert_string_equal(harness_line(h, i), expected);
        }
    }
    harness_destroy(h);
}

static void put(struct message *m, const char *data, size_t n)
{
    buf_put(&m->buf, bytes_of(data, n));
}

static void broken_questions(void **state)
{
    (void)state;
    struct message m;
    header(&m, 1, QUERY, 1, 0, 0, 0);
    put(&m, "\001a\xc0\x0c\0\1\0\1", 8);
    assert_anomaly(&m,
                   "anomaly name=dns_pointer_loop side=0 position=12 detail=\"question 1 of 1\"");
    header(&m, 1, QUERY, 1, 0, 0, 0);
    put(&m, "\001a\xc1\x0c\0\1\0\1", 8);
    assert_anomaly(&m,
                   "anomaly name=dns_pointer_beyond side=0 position=12 detail=\"question 1 of 1\"");
    header(&m, 1, QUERY, 1, 0, 0, 0);
    put(&m, "\001a\x41xxxxx\0\1\0\1", 12);
    assert_anomaly(&m,
                   "anomaly name=dns_label_invalid side=0 position=12 detail=\"question 1 of 1\"");
    header(&m, 1, QUERY, 1, 0, 0, 0);
    put(&m, "\001a\0\0\1\0", 6);
    assert_anomaly(&m, "anomaly name=dns_truncated side=0 position=12 detail=\"question 1 of 1\"");
    header(&m, 1, QUERY, 2, 0, 0, 0);
    question(&m, "a.test", DNS_TYPE_A, DNS_CLASS_IN);
    assert_anomaly(
        &m, "anomaly name=dns_count_exceeds_data side=0 position=24 detail=\"question 2 of 2\"");
    query_of(&m, 1, "a.test", DNS_TYPE_A);
    put(&m, "!", 1);
    assert_anomaly(&m, "anomaly name=dns_trailing_bytes side=0 position=24 detail=\"bytes follow "
                       "the last record\"");
    header(&m, 1, QUERY, 1, 0, 0, 0);
    for (int i = 0; i < 5; i++)
        put(&m, "\077aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 64);
    put(&m, "\0\0\1\0\1", 5);
    assert_anomaly(&m, "anomaly name=dns_name_long side=0 position=12 detail=\"question 1 of 1\"");
}

static void broken_records(void **state)
{
    (void)state;
    struct message m;
    header(&m, 1, ANSWER, 1, 2, 0, 0);
    question(&m, "a.test", DNS_TYPE_A, DNS_CLASS_IN);
    record(&m, "@", DNS_TYPE_A, DNS_CLASS_IN, 1, bytes_of("abc", 3));
    record(&m, "@", DNS_TYPE_A, DNS_CLASS_IN, 1, bytes_of("abcd", 4));
    assert_anomaly(&m,
                   "anomaly name=dns_rdata_invalid side=0 position=24 detail=\"answer 1 of 2\"");
    header(&m, 1, ANSWER, 1, 2, 0, 0);
    question(&m, "a.test", DNS_TYPE_A, DNS_CLASS_IN);
    record(&m, "@", DNS_TYPE_A, DNS_CLASS_IN, 1, bytes_of("abcd", 4));
    record(&m, "@", DNS_TYPE_A, DNS_CLASS_IN, 1, bytes_of("abcd", 4));
    m.buf.n--;
    assert_anomaly(&m, "anomaly name=dns_truncated side=0 position=40 detail=\"answer 2 of 2\"");
    m.buf.n = 24;
    assert_anomaly(
        &m, "anomaly name=dns_count_exceeds_data side=0 position=24 detail=\"answer 1 of 2\"");
    header(&m, 1, ANSWER, 1, 1, 0, 1);
    question(&m, "a.test", DNS_TYPE_A, DNS_CLASS_IN);
    record(&m, "@", TYPE_CNAME, DNS_CLASS_IN, 1, bytes_of("\001x\xc0\x24", 4)); // at 36
    record(&m, "h.test", DNS_TYPE_A, DNS_CLASS_IN, 1, bytes_of("\xc0\0\2\1", 4));
    assert_anomaly(&m, "anomaly name=dns_pointer_loop side=0 position=24 detail=\"answer 1 of 1\"");
    header(&m, 1, QUERY, 1, 0, 0, 1);
    question(&m, "a.test", DNS_TYPE_A, DNS_CLASS_IN);
    record(&m, "", DNS_TYPE_OPT, 512, 0, bytes_of("\0\x08\0\x09\0", 5));
    assert_anomaly(&m, "anomaly name=dns_edns_invalid side=0 position=40 detail=\"an option "
                       "reaches beyond its record\"");
}

// What a broken message has that is whole is told all the same.
static void the_rest_goes_on(void **state)
{
    (void)state;
    struct harness *h = harness_create(&dns_dissector, TRANSPORT_UDP);
    struct message m;
    header(&m, 1, ANSWER, 1, 3, 0, 0);
    question(&m, "a.test", DNS_TYPE_A, DNS_CLASS_IN);
    record(&m, "@", DNS_TYPE_A, DNS_CLASS_IN, 1, bytes_of("abc", 3));
    record(&m, "@", TYPE_CNAME, DNS_CLASS_IN, 2, bytes_of("\001x\xc0\x33", 4));
    record(&m, "@", DNS_TYPE_A, DNS_CLASS_IN, 3, bytes_of("\xc0\0\2\1", 4));
    harness_datagram(h, 0, buf_bytes(&m.buf));
    size_t last = harness_count(h) - 1;
    assert_string_equal(harness_value(h, last, "answers"),
                        "[\"\\\\# 3 616263\",\"x.x\",\"192.0.2.1\"]");
    assert_string_equal(harness_value(h, last, "ttls"), "[1,2,3]");
    assert_string_equal(harness_value(h, last, "addresses"), "[192.0.2.1]");
    assert_int_equal(harness_count_of(h, "anomaly"), 2);
    harness_end(h);
    harness_destroy(h);
}

static void anomalies_of_a_message_are_bounded(void **state)
{
    (void)state;
    struct harness *h = harness_create(&dns_dissector, TRANSPORT_UDP);
    struct message m;
    header(&m, 1, ANSWER, 1, 4000, 0, 0);
    question(&m, "a.test", DNS_TYPE_A, DNS_CLASS_IN);
    for (int i = 0; i < 4000; i++) record(&m, "@", DNS_TYPE_A, DNS_CLASS_IN, 1, bytes_of("abc", 3));
    harness_datagram(h, 0, buf_bytes(&m.buf));
    assert_int_equal(harness_count_of(h, "anomaly"), 4);
    assert_int_equal(harness_count_of(h, "dns"), 1);
    harness_end(h);
    harness_destroy(h);
}

// ---- cuts ---------------------------------------------------------------------------------------

static void rich_answer(struct message *m)
{
    header(m, 0x1234, ANSWER, 1, 3, 2, 2);
    question(m, "www.a.test", TYPE_MX, DNS_CLASS_IN);
    record(m, "@", TYPE_CNAME, DNS_CLASS_IN, 60, bytes_of("\001h\xc0\x10", 4));
    record(m, "h.a.test", TYPE_MX, DNS_CLASS_IN, 60, bytes_of("\0\x0a\004mail\xc0\x10", 9));
    record(m, "h.a.test", 47, DNS_CLASS_IN, 60, bytes_of("\001b\xc0\x0c\0\2\x40\1\1\1\x80", 11));
    record(m, "a.test", TYPE_NS, DNS_CLASS_IN, 9, bytes_of("\002ns\xc0\x10", 5));
    record(m, "a.test", TYPE_TXT, DNS_CLASS_IN, 9, bytes_of("\003one\003two", 8));
    record(m, "ns.a.test", DNS_TYPE_A, DNS_CLASS_IN, 9, bytes_of("\xc0\0\2\2", 4));
    record(m, "", DNS_TYPE_OPT, 4096, 0x8000, bytes_of("\0\x08\0\x07\0\1\x18\0\xc6\x33\x64", 11));
}

static void datagrams_cut_at_every_byte(void **state)
{
    (void)state;
    struct message m;
    rich_answer(&m);
    for (size_t n = 0; n < m.buf.n; n++) {
        struct harness *h = harness_create(&dns_dissector, TRANSPORT_UDP);
        enum verdict verdict = harness_datagram(h, 0, bytes_first(buf_bytes(&m.buf), n));
        assert_int_equal(verdict, n < DNS_HEADER_SIZE ? DISSECT_NOT_MINE : DISSECT_GO);
        if (n >= DNS_HEADER_SIZE) {
            assert_int_equal(harness_count_of(h, "anomaly"), 1);
            assert_int_equal(harness_count_of(h, "dns"), 1);
        }
        harness_end(h);
        harness_destroy(h);

        // Cut by the capture, it is no anomaly.
        h = harness_create(&dns_dissector, TRANSPORT_UDP);
        harness_datagram_cut(h, 0, bytes_first(buf_bytes(&m.buf), n), (uint32_t)m.buf.n);
        assert_int_equal(harness_count_of(h, "anomaly"), 0);
        harness_end(h);
        harness_destroy(h);
    }
}

static void every_byte_may_be_anything(void **state)
{
    (void)state;
    static const uint8_t BYTES[] = {0x00, 0x01, 0x3f, 0x40, 0x7f, 0x80, 0xc0, 0xff};
    struct message m;
    rich_answer(&m);
    for (size_t at = 0; at < m.buf.n; at++) {
        uint8_t before = m.memory[at];
        struct harness *h = harness_create(&dns_dissector, TRANSPORT_UDP);
        for (size_t i = 0; i < sizeof BYTES; i++) {
            m.memory[at] = BYTES[i];
            harness_datagram(h, 0, buf_bytes(&m.buf));
        }
        m.memory[at] = before;
        harness_end(h);
        assert_in_range(harness_count_of(h, "dns"), 1, sizeof BYTES);
        harness_destroy(h);
    }
}

// ---- streams ------------------------------------------------------------------------------------

// Puts a message behind its length at the end of `stream`.
static void stream_put(struct message *stream, const struct message *m)
{
    put16(stream, (unsigned)m->buf.n);
    buf_put(&stream->buf, buf_bytes(&m->buf));
}

static struct message *stream_new(void)
{
    struct message *stream = memory_get(sizeof *stream);
    stream->buf = buf_on(stream->memory, sizeof stream->memory);
    return stream;
}

static void streams_cut_at_every_byte(void **state)
{
    (void)state;
    struct message *queries = stream_new(), *answers = stream_new(), m;
    for (unsigned i = 0; i < 3; i++) {
        query_of(&m, i, "a.test", DNS_TYPE_A);
        stream_put(queries, &m);
    }
    address_answer(&m, 2, "a.test");
    stream_put(answers, &m);
    m.buf.n = 5; // no header: the next message is where it should be
    stream_put(answers, &m);
    m.buf.n = 0;
    stream_put(answers, &m);
    rich_answer(&m);
    stream_put(answers, &m);
    address_answer(&m, 0, "a.test");
    stream_put(answers, &m);
    put(answers, "\0\x40half", 6);
    const struct harness_step steps[] = {
        {.side = 0, .data = buf_bytes(&queries->buf), .time = 2 * NANOS_PER_SECOND},
        {.what = HARNESS_CLOSE, .side = 0},
        {.side = 1, .data = buf_bytes(&answers->buf), .time = 3 * NANOS_PER_SECOND},
    };
    char *text = harness_play_cuts(&dns_dissector, steps, 3);
    struct harness *h = harness_create(&dns_dissector, TRANSPORT_TCP);
    harness_stream(h, 0, buf_bytes(&queries->buf));
    harness_stream(h, 1, buf_bytes(&answers->buf));
    harness_end(h);
    assert_int_equal(harness_count_of(h, "dns"), 4);
    assert_string_equal(harness_value(h, 0, "transport"), "tcp");
    assert_string_equal(harness_value(h, 0, "src_offset"), "52");
    assert_string_equal(harness_value(h, 0, "src_length"), "26");
    assert_string_equal(harness_value(h, 0, "dst_length"), "42");
    assert_string_equal(harness_line(h, 1),
                        "anomaly name=dns_truncated side=1 position=44 detail=\"no whole header\"");
    assert_non_null(strstr(text, "the stream ends within a message"));
    harness_destroy(h);
    memory_free(text);
    memory_free(queries);
    memory_free(answers);
}

// Nothing is sent again on a stream: equal queries are answered in their order.
static void equal_queries_on_a_stream(void **state)
{
    (void)state;
    struct message *queries = stream_new(), *answers = stream_new(), m;
    for (int i = 0; i < 2; i++) {
        query_of(&m, 0, "a.test", DNS_TYPE_A);
        stream_put(queries, &m);
        address_answer(&m, 0, "a.test");
        stream_put(answers, &m);
    }
    struct harness *h = harness_create(&dns_dissector, TRANSPORT_TCP);
    harness_stream(h, 0, buf_bytes(&queries->buf));
    harness_stream(h, 1, buf_bytes(&answers->buf));
    harness_end(h);
    assert_int_equal(harness_count(h), 2);
    assert_string_equal(harness_value(h, 0, "src_offset"), "0");
    assert_string_equal(harness_value(h, 1, "src_offset"), "26");
    assert_string_equal(harness_value(h, 1, "answer_seen"), "true");
    harness_destroy(h);
    memory_free(queries);
    memory_free(answers);
}

// The time of a message is that of its prefix, whenever the rest comes.
static void the_time_of_a_message(void **state)
{
    (void)state;
    struct message *stream = stream_new(), m;
    query_of(&m, 0, "a.test", DNS_TYPE_A);
    stream_put(stream, &m);
    bytes data = buf_bytes(&stream->buf);
    struct harness *h = harness_create(&dns_dissector, TRANSPORT_TCP);
    for (unsigned i = 0; i < data.n; i++) {
        harness_time(h, (i + 1) * NANOS_PER_SECOND);
        harness_stream(h, 0, bytes_first(bytes_after(data, i), 1));
    }
    harness_end(h);
    assert_string_equal(harness_value(h, 0, "ts"), "1970-01-01T00:00:01Z");
    harness_destroy(h);
    memory_free(stream);
}

static void the_longest_message(void **state)
{
    (void)state;
    struct message *m = memory_get(sizeof *m);
    header(m, 1, ANSWER, 1, 300, 0, 0);
    question(m, "a.test", TYPE_TXT, DNS_CLASS_IN);
    for (int i = 0; i < 299; i++)
        record(m, "@", DNS_TYPE_A, DNS_CLASS_IN, 1, bytes_of("\xc0\0\2\1", 4));
    uint8_t *data = memory_get(65535);
    record(m, "@", 10, DNS_CLASS_IN, 1, bytes_of(data, 65535 - m->buf.n - 12));
    assert_int_equal(m->buf.n, 65535);
    struct harness *h = harness_create(&dns_dissector, TRANSPORT_TCP);
    harness_stream(h, 1, bytes_of("\xff\xff", 2));
    harness_stream(h, 1, bytes_first(buf_bytes(&m->buf), 60000));
    assert_int_equal(harness_count_of(h, "dns"), 0);
    harness_stream(h, 1, bytes_after(buf_bytes(&m->buf), 60000));
    assert_int_equal(harness_count_of(h, "dns"), 1);
    assert_int_equal(harness_unread(h, 1).n, 0);
    assert_non_null(strstr(harness_line(h, 0), " truncated=true")); // lists have 256 elements
    harness_end(h);
    harness_destroy(h);
    memory_free(data);
    memory_free(m);
}

// Three answers of 42 bytes, with `length` bytes missing at `at`; tells how many remain, and
// whether it went on.
static size_t answers_with_gap(size_t at, size_t length, bool *stopped)
{
    struct message *stream = stream_new(), m;
    for (unsigned i = 0; i < 3; i++) {
        address_answer(&m, i, "a.test");
        stream_put(stream, &m);
    }
    assert_int_equal(stream->buf.n, 3 * 42);
    struct harness *h = harness_create(&dns_dissector, TRANSPORT_TCP);
    harness_stream(h, 1, bytes_first(buf_bytes(&stream->buf), at));
    harness_gap(h, 1, length);
    harness_stream(h, 1, bytes_after(buf_bytes(&stream->buf), at + length));
    *stopped = harness_stopped(h, 1);
    harness_end(h);
    assert_int_equal(harness_count_of(h, "anomaly"), 0);
    size_t count = harness_count_of(h, "dns");
    harness_destroy(h);
    memory_free(stream);
    return count;
}

static void gaps(void **state)
{
    (void)state;
    for (size_t at = 0; at < 126; at++) {
        for (size_t length = 1; at + length <= 126; length++) {
            bool stopped;
            size_t count = answers_with_gap(at, length, &stopped);
            size_t before = at / 42, inside = at % 42;
            bool is_within = inside >= 2 && inside + length <= 42;
            assert_int_equal(stopped, !is_within);
            assert_int_equal(count, is_within ? 2 : before);
        }
    }
}

// ---- recognition --------------------------------------------------------------------------------

static enum recognition look_at(const struct message *m)
{
    return harness_recognise(&dns_dissector, TRANSPORT_UDP, buf_bytes(&m->buf));
}

static void datagrams_are_recognised(void **state)
{
    (void)state;
    struct message m;
    query_of(&m, 1, "a.test", DNS_TYPE_A);
    assert_int_equal(look_at(&m), RECOGNISE_YES);
    query_of(&m, 1, "", TYPE_NS);
    assert_int_equal(look_at(&m), RECOGNISE_YES);
    put(&m, "x", 1);
    assert_int_equal(look_at(&m), RECOGNISE_PORT);
    rich_answer(&m);
    assert_int_equal(look_at(&m), RECOGNISE_YES);
    m.buf.n -= 3;
    assert_int_equal(look_at(&m), RECOGNISE_PORT);
    header(&m, 0, 0x8400, 0, 1, 0, 0);
    record(&m, "a.local", DNS_TYPE_A, 0x8001, 1, bytes_of("\xc0\0\2\1", 4));
    assert_int_equal(look_at(&m), RECOGNISE_YES);
    header(&m, 0, 0x8005, 0, 0, 0, 0);
    assert_int_equal(look_at(&m), RECOGNISE_PORT);
    header(&m, 0, QUERY, 0, 0, 0, 0);
    assert_int_equal(look_at(&m), RECOGNISE_NO);
    header(&m, 0, QUERY | 3 << 11, 1, 0, 0, 0); // an operation that does not exist
    question(&m, "a.test", DNS_TYPE_A, DNS_CLASS_IN);
    assert_int_equal(look_at(&m), RECOGNISE_PORT);
    m.buf.n--;
    assert_int_equal(look_at(&m), RECOGNISE_NO);
    header(&m, 0, QUERY | 1 << 11, 0, 1, 0, 0); // an inverse query
    record(&m, "192", DNS_TYPE_A, DNS_CLASS_IN, 0, bytes_of(NULL, 0));
    assert_int_equal(look_at(&m), RECOGNISE_PORT);
    assert_int_equal(harness_recognise(&dns_dissector, TRANSPORT_UDP, bytes_text("short")),
                     RECOGNISE_NO);
    assert_int_equal(harness_recognise(&dns_dissector, TRANSPORT_UDP,
                                       bytes_text("GET / HTTP/1.1\r\nHost: a\r\n")),
                     RECOGNISE_NO);
}

// Names of the NetBIOS name service have the same form.
static void netbios_is_not_dns(void **state)
{
    (void)state;
    struct message m;
    header(&m, 1, 0x0110, 1, 0, 0, 0);
    question(&m, "FDEFFCFGEFFCCACACACACACACACACACA", 0x20, DNS_CLASS_IN);
    assert_int_equal(look_at(&m), RECOGNISE_NO);
    header(&m, 1, 0x0010, 1, 0, 0, 0);
    question(&m, "CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 0x21, DNS_CLASS_IN);
    assert_int_equal(look_at(&m), RECOGNISE_NO);
    header(&m, 1, 0x8500, 0, 1, 0, 0);
    record(&m, "FDEFFCFGEFFCCACACACACACACACACACA", 0x20, DNS_CLASS_IN, 9,
           bytes_of("\0\0\xc0\0\2\1", 6));
    assert_int_equal(look_at(&m), RECOGNISE_NO);
}

static void streams_are_recognised(void **state)
{
    (void)state;
    struct message *stream = stream_new(), m;
    rich_answer(&m);
    stream_put(stream, &m);
    bytes whole = buf_bytes(&stream->buf);
    for (size_t n = 0; n < whole.n; n++) {
        assert_int_equal(harness_recognise(&dns_dissector, TRANSPORT_TCP, bytes_first(whole, n)),
                         RECOGNISE_MORE);
    }
    assert_int_equal(harness_recognise(&dns_dissector, TRANSPORT_TCP, whole), RECOGNISE_YES);
    stream_put(stream, &m);
    assert_int_equal(harness_recognise(&dns_dissector, TRANSPORT_TCP, buf_bytes(&stream->buf)),
                     RECOGNISE_YES);
    rich_answer(&m);
    for (int i = 0; i < 50; i++)
        record(&m, "@", DNS_TYPE_A, DNS_CLASS_IN, 1, bytes_of("\xc0\0\2\1", 4));
    stream->buf.n = 0;
    stream_put(stream, &m);
    assert_int_equal(
        harness_recognise(&dns_dissector, TRANSPORT_TCP, bytes_first(buf_bytes(&stream->buf), 40)),
        RECOGNISE_PORT);
    assert_int_equal(harness_recognise(&dns_dissector, TRANSPORT_TCP,
                                       bytes_text("GET / HTTP/1.1\r\nHost: a\r\n")),
                     RECOGNISE_NO);
    assert_int_equal(harness_recognise(&dns_dissector, TRANSPORT_TCP, bytes_of("\0\4abcd", 6)),
                     RECOGNISE_NO);
    memory_free(stream);
}

static void what_is_not_dns_after_all_is_given_up(void **state)
{
    (void)state;
    struct harness *h = harness_create(&dns_dissector, TRANSPORT_TCP);
    harness_stream(h, 0, bytes_of("\0\4abcdef", 8));
    assert_true(harness_not_mine(h));
    harness_end(h);
    harness_destroy(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken_questions),
        cmocka_unit_test(broken_records),
        cmocka_unit_test(the_rest_goes_on),
        cmocka_unit_test(anomalies_of_a_message_are_bounded),
        cmocka_unit_test(datagrams_cut_at_every_byte),
        cmocka_unit_test(every_byte_may_be_anything),
        cmocka_unit_test(streams_cut_at_every_byte),
        cmocka_unit_test(equal_queries_on_a_stream),
        cmocka_unit_test(the_time_of_a_message),
        cmocka_unit_test(the_longest_message),
        cmocka_unit_test(gaps),
        cmocka_unit_test(datagrams_are_recognised),
        cmocka_unit_test(netbios_is_not_dns),
        cmocka_unit_test(streams_are_recognised),
        cmocka_unit_test(what_is_not_dns_after_all_is_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
