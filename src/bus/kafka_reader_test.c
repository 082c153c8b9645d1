#include "bus/kafka_reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "bus/kafka_mock_test.h"

enum { PARTITIONS = 3, EACH = 500, WAIT_SECONDS = 30 };

// What a reader came to.
struct seen {
    uint32_t count[PARTITIONS][EACH + 16]; // how often each offset came
    uint64_t next[PARTITIONS];             // what is safe, as a case would have it
    bool has_next[PARTITIONS];
    uint64_t lost, kept_calls, told;
    char sentence[512];
};

static struct mock mock;
static struct err err;

static nanos now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (nanos)t.tv_sec * NANOS_PER_SECOND + t.tv_nsec;
}

static int number_of(const char *input)
{
    const char *slash = strrchr(input, '/');
    assert_non_null(slash);
    return atoi(slash + 1);
}

static bool position(void *context, const char *input, uint64_t *next)
{
    struct seen *s = context;
    int p = number_of(input);
    assert_true(strncmp(input, "kafka:", 6) == 0);
    *next = s->next[p];
    return s->has_next[p];
}

static bool keep(void *context, struct err *e)
{
    (void)e;
    ((struct seen *)context)->kept_calls++;
    return true;
}

static void tell(void *context, const char *sentence)
{
    struct seen *s = context;
    s->told++;
    snprintf(s->sentence, sizeof s->sentence, "%s", sentence);
}

static void lost(void *context, const char *input, uint64_t count)
{
    (void)input;
    ((struct seen *)context)->lost += count;
}

static struct kafka_reader *open_reader(struct seen *s, const char *query)
{
    char url[512];
    struct kafka_reader_options options = {s, position, keep, tell, lost, false};
    snprintf(url, sizeof url, "%s?%s", mock.url, query);
    err = (struct err){0};
    struct kafka_reader *r = kafka_reader_open(url, NULL, &options, &err);
    if (!r) fail_msg("%s", err.text);
    return r;
}

static void remember(void *context, const char *input, uint64_t next)
{
    struct seen *s = context;
    int p = number_of(input);
    s->next[p] = next;
    s->has_next[p] = true;
}

static void keep_all(struct kafka_reader *r, struct seen *s)
{
    kafka_reader_positions(r, remember, s);
    kafka_reader_kept(r);
}

// Reads until the end, or until so many messages came.
static int read_some(struct kafka_reader *r, struct seen *s, int wanted)
{
    int total = 0;
    nanos until = now() + WAIT_SECONDS * NANOS_PER_SECOND;
    while (total < wanted && !kafka_reader_is_at_end(r)) {
        const struct kafka_message *list;
        int n = kafka_reader_read(r, now(), &list, &err);
        if (n < 0) return -1;
        for (int i = 0; i < n; i++) s->count[list[i].partition][list[i].offset]++;
        kafka_reader_done(r);
        total += n;
        if (now() > until) fail_msg("%d of %d came", total, wanted);
        struct timespec rest = {0, 1000000};
        if (n == 0) nanosleep(&rest, NULL);
    }
    return total;
}

static void assert_each_once(const struct seen *s, uint32_t each)
{
    for (int p = 0; p < PARTITIONS; p++)
        for (uint32_t i = 0; i < each; i++)
            if (s->count[p][i] != 1) fail_msg("%d@%u came %u times", p, i, s->count[p][i]);
}

static void send_each(uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++)
        for (int p = 0; p < PARTITIONS; p++) {
            char text[32];
            snprintf(text, sizeof text, "%d@%u", p, i);
            mock_send(&mock, "flows", p, text);
        }
    mock_flush(&mock);
}

static int set_up(void **state)
{
    *state = calloc(1, sizeof(struct seen));
    mock_open(&mock, "flows", PARTITIONS);
    send_each(0, EACH);
    return 0;
}

static int tear_down(void **state)
{
    free(*state);
    mock_close(&mock);
    return 0;
}

static void every_message_comes_once(void **state)
{
    struct seen *s = *state;
    struct kafka_reader *r = open_reader(s, "until=end");
    assert_int_equal(read_some(r, s, 1 << 30), PARTITIONS * EACH);
    assert_each_once(s, EACH);
    struct kafka_taken taken;
    for (int p = 0; p < PARTITIONS; p++) {
        assert_true(kafka_reader_taken(r, p, &taken));
        assert_int_equal(taken.messages, EACH);
        assert_true(taken.bytes >= 3 * EACH);
        assert_int_equal(taken.behind, 0);
    }
    assert_false(kafka_reader_taken(r, PARTITIONS, &taken));
    assert_int_equal(kafka_reader_faults(r), 0);
    kafka_reader_close(r);
}

static void what_was_kept_does_not_come_again(void **state)
{
    struct seen *s = *state;
    struct kafka_reader *r = open_reader(s, "");
    assert_true(read_some(r, s, 100) >= 100); // and 1,099 at most
    keep_all(r, s);
    kafka_reader_close(r);
    // What is read and not kept comes again.
    struct seen *lost_with_us = calloc(1, sizeof *lost_with_us);
    memcpy(lost_with_us, s, sizeof *s);
    r = open_reader(lost_with_us, "");
    assert_true(read_some(r, lost_with_us, 100) >= 100);
    kafka_reader_close(r);
    free(lost_with_us);
    r = open_reader(s, "until=end");
    read_some(r, s, 1 << 30);
    kafka_reader_close(r);
    assert_each_once(s, EACH);
}

// What a group of that name was told of the topic: sets it, or gets it.
static void group_offsets(const char *group, int64_t offsets[PARTITIONS], bool is_set)
{
    char why[256], brokers[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    snprintf(brokers, sizeof brokers, "%s", mock.url + strlen("kafka://"));
    *strchr(brokers, '/') = 0;
    rd_kafka_conf_set(conf, "bootstrap.servers", brokers, why, sizeof why);
    rd_kafka_conf_set(conf, "group.id", group, why, sizeof why);
    rd_kafka_t *client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(PARTITIONS);
    for (int p = 0; p < PARTITIONS; p++)
        rd_kafka_topic_partition_list_add(list, "flows", p)->offset = is_set ? offsets[p] : 0;
    assert_int_equal(
        is_set ? rd_kafka_commit(client, list, 0) : rd_kafka_committed(client, list, 10000), 0);
    for (int p = 0; p < PARTITIONS; p++) offsets[p] = list->elems[p].offset;
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(client);
}

static void a_group_is_told_what_is_safe(void **state)
{
    struct seen *s = *state;
    int64_t offsets[PARTITIONS];
    struct kafka_reader *r = open_reader(s, "group=g&until=end");
    assert_int_equal(read_some(r, s, 1 << 30), PARTITIONS * EACH);
    assert_each_once(s, EACH);
    group_offsets("g", offsets, false);
    for (int p = 0; p < PARTITIONS; p++) assert_int_equal(offsets[p], RD_KAFKA_OFFSET_INVALID);
    keep_all(r, s);
    kafka_reader_close(r);
    group_offsets("g", offsets, false);
    for (int p = 0; p < PARTITIONS; p++) assert_int_equal(offsets[p], EACH);
}

static void what_other_members_had_is_passed_over(void **state)
{
    struct seen *s = *state;
    int64_t offsets[PARTITIONS] = {EACH - 10, EACH - 10, 5};
    group_offsets("h", offsets, true);
    remember(s, "/1", 5);
    remember(s, "/2", EACH - 10);
    struct kafka_reader *r = open_reader(s, "group=h&until=end");
    assert_int_equal(read_some(r, s, 1 << 30), PARTITIONS * 10);
    kafka_reader_close(r);
}

static void another_topic_of_the_name_is_found_out(void **state)
{
    struct seen *s = *state;
    s->next[1] = EACH + 1000;
    s->has_next[1] = true;
    struct kafka_reader *r = open_reader(s, "until=end");
    assert_int_equal(read_some(r, s, 1 << 30), -1);
    assert_int_equal(err.code, ERR_INPUT);
    assert_non_null(strstr(err.text, "partition 1 ends at 500 and was read up to 1500"));
    kafka_reader_close(r);
    r = open_reader(s, "until=end&from=beginning");
    if (read_some(r, s, 1 << 30) < 0) fail_msg("%s", err.text);
    kafka_reader_close(r);
    for (uint32_t i = 0; i < EACH; i++) assert_int_equal(s->count[1][i], 1);
}

static void brokers_that_are_away_are_waited_for(void **state)
{
    struct seen *s = *state;
    struct kafka_reader *r = open_reader(s, "until=end&reconnect.backoff.max.ms=200");
    const struct kafka_message *list;
    rd_kafka_mock_broker_set_down(mock.cluster, 1);
    nanos until = now() + WAIT_SECONDS * NANOS_PER_SECOND;
    while (!s->told && now() < until) assert_int_equal(kafka_reader_read(r, now(), &list, &err), 0);
    assert_non_null(strstr(s->sentence, "waiting for it"));
    rd_kafka_mock_broker_set_up(mock.cluster, 1);
    assert_int_equal(read_some(r, s, 1 << 30), PARTITIONS * EACH);
    assert_int_equal(s->told, 2);
    assert_non_null(strstr(s->sentence, "answers again"));
    kafka_reader_close(r);
    assert_each_once(s, EACH);
}

static void a_topic_that_is_not_there_is_an_error(void **state)
{
    struct seen *s = *state;
    struct kafka_reader_options options = {s, position, keep, tell, lost, false};
    const struct kafka_message *list;
    char url[512];
    rd_kafka_mock_topic_set_error(mock.cluster, "flows", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    snprintf(url, sizeof url, "%s", mock.url);
    struct kafka_reader *r = kafka_reader_open(url, NULL, &options, &err);
    int n = 0;
    // Time is ours to tell.
    for (nanos t = now(); n == 0; t += NANOS_PER_SECOND) n = kafka_reader_read(r, t, &list, &err);
    assert_int_equal(n, -1);
    assert_non_null(strstr(err.text, "no such topic"));
    kafka_reader_close(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_message_comes_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_kept_does_not_come_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_group_is_told_what_is_safe, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_other_members_had_is_passed_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_topic_of_the_name_is_found_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(brokers_that_are_away_are_waited_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_topic_that_is_not_there_is_an_error, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
