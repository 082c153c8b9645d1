#include "bus/disk_queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"

enum { ROOM = 1 << 30 };

static struct err err;

static struct disk_queue *open_queue(const char *folder, uint64_t room)
{
    struct disk_queue *q = disk_queue_open(folder, room, &err);
    if (!q) fail_msg("%s", err.text);
    return q;
}

static void put_number(struct disk_queue *q, unsigned number)
{
    char text[600];
    int n = snprintf(text, sizeof text, "%u %*s", number, (int)(number % 500), "");
    if (!disk_queue_put(q, bytes_of(text, (size_t)n), &err)) fail_msg("%u: %s", number, err.text);
}

static uint64_t assert_number(struct disk_queue *q, unsigned number)
{
    bytes m;
    uint64_t place;
    if (!disk_queue_next(q, &m, &place, &err)) fail_msg("%u: %s", number, err.text);
    char digits[16] = "";
    memcpy(digits, m.p, m.n < 15 ? m.n : 15);
    assert_int_equal(strtoul(digits, NULL, 10), number);
    return place;
}

static void assert_empty(struct disk_queue *q)
{
    bytes m;
    uint64_t place;
    err = (struct err){0};
    assert_false(disk_queue_next(q, &m, &place, &err));
    assert_int_equal(err.code, ERR_NONE);
}

static int set_up(void **state)
{
    static char folder[64];
    snprintf(folder, sizeof folder, "/tmp/weir-queue-XXXXXX");
    *state = mkdtemp(folder);
    return *state ? 0 : -1;
}

static int tear_down(void **state)
{
    folder_remove(*state, &err);
    return 0;
}

static void messages_come_in_order(void **state)
{
    struct disk_queue *q = open_queue(*state, ROOM);
    unsigned put = 0, got = 0;
    assert_empty(q);
    while (got < 500000) {
        for (unsigned i = 0; i < 1000 && put < 500000; i++) put_number(q, put++);
        for (unsigned i = 0; i < 999 + (put == 500000) && got < put; i++, got++)
            disk_queue_done(q, assert_number(q, got));
        if (got % 7 == 0) assert_true(disk_queue_note(q, &err));
    }
    assert_empty(q);
    assert_int_equal(disk_queue_bytes(q), 0);
    assert_true(disk_queue_note(q, &err));
    disk_queue_close(q);
}

static void what_is_not_done_comes_again(void **state)
{
    struct disk_queue *q = open_queue(*state, ROOM);
    for (unsigned i = 0; i < 100; i++) put_number(q, i);
    for (unsigned i = 0; i < 30; i++) disk_queue_done(q, assert_number(q, i));
    for (unsigned i = 30; i < 60; i++) assert_number(q, i);
    disk_queue_close(q);
    q = open_queue(*state, ROOM);
    for (unsigned i = 30; i < 100; i++) disk_queue_done(q, assert_number(q, i));
    assert_empty(q);
    disk_queue_close(q);
    q = open_queue(*state, ROOM);
    assert_empty(q);
    put_number(q, 7);
    assert_number(q, 7);
    disk_queue_close(q);
}

static void half_a_message_at_the_end_never_was(void **state)
{
    char path[128];
    struct stat st;
    struct disk_queue *q = open_queue(*state, ROOM);
    for (unsigned i = 0; i < 10; i++) put_number(q, i);
    disk_queue_close(q);
    snprintf(path, sizeof path, "%s/0000000000000000.queue", (char *)*state);
    assert_int_equal(stat(path, &st), 0);
    for (off_t cut = st.st_size - 1; cut > st.st_size - 12; cut--) {
        assert_int_equal(truncate(path, cut), 0);
        q = open_queue(*state, ROOM);
        for (unsigned i = 0; i < 9; i++) assert_number(q, i);
        assert_empty(q);
        put_number(q, 9);
        assert_number(q, 9);
        disk_queue_close(q);
    }
}

static void room_is_bounded_and_given_back(void **state)
{
    struct disk_queue *q = open_queue(*state, 10000);
    unsigned put = 0;
    err = (struct err){0};
    while (disk_queue_put(q, bytes_text("a message of some bytes"), &err)) put++;
    assert_int_equal(err.code, ERR_NONE);
    assert_int_equal(put, 10000 / 31);
    for (unsigned i = 0; i < put; i++) {
        bytes m;
        uint64_t place;
        assert_true(disk_queue_next(q, &m, &place, &err));
        disk_queue_done(q, place);
    }
    assert_true(disk_queue_note(q, &err));
    assert_true(disk_queue_put(q, bytes_text("again"), &err));
    disk_queue_close(q);
}

static void two_do_not_share_a_queue(void **state)
{
    struct disk_queue *q = open_queue(*state, ROOM);
    assert_null(disk_queue_open(*state, ROOM, &err));
    assert_non_null(strstr(err.text, "is in use"));
    disk_queue_close(q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(messages_come_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_done_comes_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(half_a_message_at_the_end_never_was, set_up, tear_down),
        cmocka_unit_test_setup_teardown(room_is_bounded_and_given_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_do_not_share_a_queue, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
