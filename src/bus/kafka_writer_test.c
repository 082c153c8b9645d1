#include "bus/kafka_writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "base/file.h"
#include "bus/kafka_mock_test.h"

enum { PARTITIONS = 4, MESSAGES = 5000 };

static struct mock mock;
static struct err err;
static unsigned told;

static void tell(void *context, const char *sentence)
{
    snprintf(context, 256, "%s", sentence);
    told++;
}

static struct kafka_writer *open_writer(char *sentence, const char *query)
{
    char url[512];
    const struct kafka_writer_options options = {sentence, tell, NULL, 0, false};
    snprintf(url, sizeof url, "%s?%s", mock.url, query);
    err = (struct err){0};
    struct kafka_writer *w = kafka_writer_open(url, NULL, &options, &err);
    if (!w) fail_msg("%s", err.text);
    return w;
}

static void send_all(struct kafka_writer *w)
{
    for (unsigned i = 0; i < MESSAGES; i++) {
        char text[32];
        snprintf(text, sizeof text, "message %u", i);
        if (!kafka_writer_send(w, bytes_of(NULL, 0), bytes_text(text), &err))
            fail_msg("%s", err.text);
    }
}

static uint64_t in_topic(void)
{
    uint64_t sum = 0;
    for (int p = 0; p < PARTITIONS; p++) {
        int64_t low, high;
        assert_int_equal(
            rd_kafka_query_watermark_offsets(mock.client, "out", p, &low, &high, 10000), 0);
        sum += (uint64_t)(high - low);
    }
    return sum;
}

static int set_up(void **state)
{
    *state = calloc(1, 256);
    told = 0;
    mock_open(&mock, "out", PARTITIONS);
    return 0;
}

static int tear_down(void **state)
{
    free(*state);
    mock_close(&mock);
    return 0;
}

static void every_message_is_delivered(void **state)
{
    struct kafka_writer *w = open_writer(*state, "queue.buffering.max.messages=100");
    send_all(w);
    assert_true(kafka_writer_counts(w).held <= 100);
    assert_true(kafka_writer_flush(w, &err));
    struct kafka_writer_counts n = kafka_writer_counts(w);
    assert_int_equal(n.sent, MESSAGES);
    assert_int_equal(n.delivered, MESSAGES);
    assert_int_equal(n.failed + n.held, 0);
    assert_int_equal(in_topic(), MESSAGES);
    assert_int_equal(told, 0);
    kafka_writer_close(w);
}

static void brokers_that_are_away_are_waited_for(void **state)
{
    struct kafka_writer *w = open_writer(*state, "reconnect.backoff.max.ms=200");
    rd_kafka_mock_broker_set_down(mock.cluster, 1);
    send_all(w);
    for (unsigned i = 0; i < 100 && !told; i++) {
        struct timespec t = {0, 20000000};
        nanosleep(&t, NULL);
        assert_true(kafka_writer_send(w, bytes_of(NULL, 0), bytes_text("one more"), &err));
        for (unsigned k = 0; k < 256; k++)
            assert_true(kafka_writer_send(w, bytes_of(NULL, 0), bytes_text("more"), &err));
    }
    assert_int_equal(told, 1);
    assert_non_null(strstr(*state, "waiting for it"));
    struct kafka_writer_counts n = kafka_writer_counts(w);
    assert_int_equal(n.sent, n.held);
    rd_kafka_mock_broker_set_up(mock.cluster, 1);
    assert_true(kafka_writer_flush(w, &err));
    n = kafka_writer_counts(w);
    assert_int_equal(n.sent, n.delivered);
    assert_int_equal(in_topic(), n.sent);
    assert_non_null(strstr(*state, "answers again"));
    kafka_writer_close(w);
}

static void what_is_not_delivered_in_time_is_told(void **state)
{
    struct kafka_writer *w =
        open_writer(*state, "message.timeout.ms=1200&reconnect.backoff.max.ms=200");
    rd_kafka_mock_broker_set_down(mock.cluster, 1);
    send_all(w);
    assert_false(kafka_writer_flush(w, &err));
    assert_non_null(strstr(err.text, "timed out"));
    struct kafka_writer_counts n = kafka_writer_counts(w);
    assert_true(n.failed > 0);
    assert_int_equal(n.sent, n.delivered + n.failed + n.held);
    assert_false(kafka_writer_send(w, bytes_of(NULL, 0), bytes_text("x"), &err));
    kafka_writer_close(w);
}

static void answers_that_get_lost_make_nothing_twice(void **state)
{
    struct kafka_writer *w = open_writer(*state, "retry.backoff.ms=10");
    rd_kafka_mock_push_request_errors(
        mock.cluster, 0 /* produce */, 3, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
        RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION);
    send_all(w);
    if (!kafka_writer_flush(w, &err)) fail_msg("%s", err.text);
    assert_int_equal(kafka_writer_counts(w).delivered, MESSAGES);
    assert_int_equal(in_topic(), MESSAGES);
    kafka_writer_close(w);
}

static void what_waits_in_a_spool_outlives_the_process(void **state)
{
    char folder[] = "/tmp/weir-spool-XXXXXX", url[512];
    const struct kafka_writer_options options = {*state, tell, mkdtemp(folder), 1 << 20, false};
    snprintf(url, sizeof url, "%s?reconnect.backoff.max.ms=200", mock.url);
    rd_kafka_mock_broker_set_down(mock.cluster, 1);
    struct kafka_writer *w = kafka_writer_open(url, NULL, &options, &err);
    send_all(w);
    assert_true(kafka_writer_turn(w, &err));
    struct kafka_writer_counts n = kafka_writer_counts(w);
    assert_int_equal(n.held, MESSAGES);
    kafka_writer_close(w);
    // What finds no room is counted, and said once.
    const struct kafka_writer_options small = {*state, tell, folder, 150000, false};
    w = kafka_writer_open(url, NULL, &small, &err);
    if (!w) fail_msg("%s", err.text);
    assert_int_equal(kafka_writer_counts(w).held, MESSAGES);
    told = 0;
    send_all(w);
    n = kafka_writer_counts(w);
    assert_true(n.failed > 0 && n.held > MESSAGES);
    assert_int_equal(n.sent, 2 * MESSAGES);
    assert_int_equal(n.sent, n.held + n.failed);
    assert_int_equal(told, 1);
    assert_non_null(strstr(*state, "the spool is full"));
    rd_kafka_mock_broker_set_up(mock.cluster, 1);
    if (!kafka_writer_flush(w, &err)) fail_msg("%s", err.text);
    n = kafka_writer_counts(w);
    assert_int_equal(n.sent, n.delivered + n.failed);
    assert_int_equal(in_topic(), n.delivered);
    kafka_writer_close(w);
    w = kafka_writer_open(url, NULL, &small, &err);
    assert_int_equal(kafka_writer_counts(w).held, 0);
    kafka_writer_close(w);
    folder_remove(folder, &err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_message_is_delivered, set_up, tear_down),
        cmocka_unit_test_setup_teardown(brokers_that_are_away_are_waited_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_delivered_in_time_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_waits_in_a_spool_outlives_the_process, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(answers_that_get_lost_make_nothing_twice, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
