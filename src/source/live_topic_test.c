// Packets out of a topic: in which order they come, what is none, and where reading goes on.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "bus/kafka_mock_test.h"
#include "record/packet_message.h"
#include "source/live.h"
#include "source/source.h"

enum { PARTITIONS = 3, SEEN_MAX = 4096, FRAME_SIZE = 60 };
#define BEGIN (1700000000 * NANOS_PER_SECOND)

static struct mock mock;
static struct err err;
static struct {
    nanos time;
    uint16_t link_type;
} seen[SEEN_MAX];
static uint32_t seen_count, link_types;
static struct capture_loss lost[CAPTURE_LOSSES_MAX];
static uint32_t loss_count;
static int64_t next[PARTITIONS]; // where reading goes on; below 0: not known
static bool stop;

static int set_up(void **state)
{
    (void)state;
    mock_open(&mock, "packets", PARTITIONS);
    for (int i = 0; i < PARTITIONS; i++) next[i] = -1;
    stop = false;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mock_close(&mock);
    return 0;
}

// ---- sending ------------------------------------------------------------------------------------

static void put_packet(int partition, nanos time, uint16_t link_type)
{
    uint8_t message[PACKET_MESSAGE_HEAD + FRAME_SIZE] = {0};
    struct packet p = {
        .captured = FRAME_SIZE, .length = FRAME_SIZE, .time = BEGIN + time, .link_type = link_type};
    packet_message_head(&p, message);
    mock_put(&mock, "packets", partition, bytes_of(NULL, 0), bytes_of(message, sizeof message));
}

static void put_frame(int partition, nanos time)
{
    static const uint8_t frame[FRAME_SIZE];
    uint8_t key[PACKET_MESSAGE_KEY];
    packet_message_key(&(struct packet){.time = BEGIN + time}, key);
    mock_put(&mock, "packets", partition, bytes_of(key, sizeof key), bytes_of(frame, sizeof frame));
}

// ---- reading ------------------------------------------------------------------------------------

static bool position(void *context, const char *input, uint64_t *at)
{
    int partition = input[strlen(input) - 1] - '0';
    (void)context;
    if (next[partition] < 0) return false;
    *at = (uint64_t)next[partition];
    return true;
}

static void remember(void *context, const char *input, uint64_t at)
{
    (void)context;
    next[input[strlen(input) - 1] - '0'] = (int64_t)at;
}

static void read_source(struct live *live)
{
    struct source *source = source_open(&(struct source_options){.live = live}, &err);
    struct packet_batch *batch = packet_batch_create();
    assert_non_null(source);
    seen_count = 0;
    while (source_read(source, batch, &err) == SOURCE_PACKETS) {
        for (uint32_t i = 0; i < batch->count && seen_count < SEEN_MAX; i++) {
            seen[seen_count].time = batch->packets[i].time - BEGIN;
            seen[seen_count++].link_type = batch->packets[i].link_type;
        }
        packet_batch_clear(batch);
    }
    const struct capture_info *info = source_capture(source, 0);
    link_types = info->interface_count;
    loss_count = info->loss_count;
    if (loss_count) memcpy(lost, info->losses, loss_count * sizeof *lost);
    packet_batch_destroy(batch);
    source_close(source);
}

// Reads what there is; false when that failed.
static bool read_all(const char *query, const char *bpf)
{
    char url[512];
    const char *names[] = {url};
    const struct live_options options = {.interfaces = names,
                                         .interface_count = 1,
                                         .bpf = bpf,
                                         .program = "test",
                                         .stop = &stop,
                                         .until_end = true};
    snprintf(url, sizeof url, "%s?%s", mock.url, query);
    err = (struct err){0};
    struct live *live = live_open(&options, &err);
    if (!live) return false;
    live_resume(live, &(struct live_memory){NULL, position});
    read_source(live);
    if (!err.code) live_positions(live, remember, NULL);
    if (!err.code) live_kept(live);
    live_close(live);
    return !err.code;
}

// ---- tests --------------------------------------------------------------------------------------

static void partitions_are_joined_by_time(void **state)
{
    (void)state;
    // One partition has its packets long before the others.
    for (int i = 0; i < 300; i++) put_packet(0, 3 * i, 1);
    mock_flush(&mock);
    for (int i = 0; i < 300; i++) put_frame(1, (3 * i + 1) * NANOS_PER_MICRO);
    mock_flush(&mock);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < PARTITIONS; i++) next[i] = -1;
        assert_true(read_all("", NULL));
        assert_int_equal(seen_count, 600);
        for (uint32_t i = 1; i < seen_count; i++) assert_true(seen[i].time >= seen[i - 1].time);
        assert_int_equal(loss_count, 0);
        assert_int_equal(link_types, 1);
    }
}

static void reading_goes_on_where_it_was_left(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) put_packet(i % PARTITIONS, i, 1);
    mock_flush(&mock);
    assert_true(read_all("group=readers", NULL));
    assert_int_equal(seen_count, 100);
    assert_int_equal(next[0] + next[1] + next[2], 100);
    for (int i = 100; i < 110; i++) put_packet(i % PARTITIONS, i, 1);
    mock_flush(&mock);
    assert_true(read_all("", NULL));
    assert_int_equal(seen_count, 10);
    assert_int_equal(seen[0].time, 100);
    // The group was told, where nobody else knows.
    for (int i = 0; i < PARTITIONS; i++) next[i] = -1;
    assert_true(read_all("group=readers", NULL));
    assert_int_equal(seen_count, 10);
}

static void what_is_no_packet_is_counted(void **state)
{
    (void)state;
    put_packet(0, 1, 1);
    mock_send(&mock, "packets", 0, "this is none");
    mock_send(&mock, "packets", 1, "");
    mock_send(&mock, "packets", 2, "nor this");
    put_packet(0, 2, 1);
    put_frame(2, NANOS_PER_SECOND);
    mock_flush(&mock);
    assert_true(read_all("", NULL));
    assert_int_equal(seen_count, 3);
    assert_int_equal(loss_count, 1);
    assert_string_equal(lost[0].reason, "undecodable");
    assert_int_equal(lost[0].messages, 3);
    assert_true(lost[0].from > BEGIN && lost[0].from <= lost[0].to);
    for (int i = 0; i < PARTITIONS; i++) next[i] = -1;
    assert_true(read_all("format=pcap", NULL));
    assert_int_equal(seen_count, 2);
    assert_int_equal(lost[0].messages, 4);
}

static void nothing_but_other_messages_is_told_too(void **state)
{
    (void)state;
    mock_send(&mock, "packets", 1, "this is none");
    mock_flush(&mock);
    assert_true(read_all("", NULL));
    assert_int_equal(seen_count, 0);
    assert_int_equal(loss_count, 1);
    assert_int_equal(lost[0].messages, 1);
}

static void link_types_come_with_packets(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) put_packet(0, 2 * i, (uint16_t)(i < 18 ? 200 + i : 200));
    put_frame(1, NANOS_PER_SECOND);
    mock_flush(&mock);
    assert_true(read_all("link=LINUX_SLL", NULL));
    // Those that are too many are counted, and frames are as it was said.
    assert_int_equal(seen_count, 16 + 2);
    assert_int_equal(link_types, 16);
    assert_int_equal(seen[15].link_type, 215);
    assert_int_equal(seen[17].link_type, 200);
    assert_int_equal(lost[0].messages, 3);
    for (int i = 0; i < PARTITIONS; i++) next[i] = -1;
    assert_true(read_all("format=frame&link=113", NULL));
    assert_int_equal(seen_count, 1);
    assert_int_equal(seen[0].link_type, 113);
}

static void a_filter_leaves_packets_out(void **state)
{
    (void)state;
    put_frame(0, 0);
    mock_flush(&mock);
    assert_true(read_all("", "udp"));
    assert_int_equal(seen_count, 0);
    assert_int_equal(loss_count, 0);
    assert_int_equal(next[0], 1);
    assert_false(read_all("", "what is this"));
    assert_int_equal(err.code, ERR_USAGE);
}

static void a_stop_ends_it(void **state)
{
    (void)state;
    put_frame(0, 0);
    mock_flush(&mock);
    stop = true;
    assert_true(read_all("", NULL));
    assert_int_equal(seen_count, 0);
    assert_int_equal(next[0], -1);
}

static void wrong_words_are_errors(void **state)
{
    (void)state;
    assert_false(read_all("format=json", NULL));
    assert_int_equal(err.code, ERR_USAGE);
    assert_false(read_all("link=nothing", NULL));
    assert_int_equal(err.code, ERR_USAGE);
}

static void another_topic_of_the_name_is_an_error(void **state)
{
    (void)state;
    put_frame(0, 0);
    mock_flush(&mock);
    next[0] = 7;
    assert_false(read_all("", NULL));
    assert_int_equal(err.code, ERR_INPUT);
    assert_non_null(strstr(err.text, "another topic of this name"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(partitions_are_joined_by_time),
        TEST(reading_goes_on_where_it_was_left),
        TEST(what_is_no_packet_is_counted),
        TEST(nothing_but_other_messages_is_told_too),
        TEST(link_types_come_with_packets),
        TEST(a_filter_leaves_packets_out),
        TEST(a_stop_ends_it),
        TEST(wrong_words_are_errors),
        TEST(another_topic_of_the_name_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
