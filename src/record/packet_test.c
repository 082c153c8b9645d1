#include "record/packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

static void test_batch_keeps_buffers(void **state)
{
    (void)state;
    struct packet_batch *batch = packet_batch_create();
    struct packet_buffer *a = packet_buffer_create(1000), *b = packet_buffer_create(0);
    assert_int_equal(a->size, 1000);
    a->data[999] = 1;
    assert_true(packet_batch_keep(batch, a) && packet_batch_keep(batch, a));
    assert_true(packet_batch_keep(batch, b) && packet_batch_keep(batch, a));
    assert_int_equal(batch->buffer_count, 3);
    assert_int_equal(a->refs, 3);
    assert_int_equal(b->refs, 2);
    batch->count = 7;
    packet_buffer_unref(b);
    packet_batch_clear(batch);
    assert_int_equal(batch->count, 0);
    assert_int_equal(a->refs, 1);
    assert_true(packet_batch_keep(batch, a));
    packet_buffer_unref(a);
    packet_batch_destroy(batch);
    packet_batch_destroy(NULL);
    packet_buffer_unref(NULL);
}

static void test_room_for_buffers_is_bounded(void **state)
{
    (void)state;
    struct packet_batch *batch = packet_batch_create();
    struct packet_buffer *two[2] = {packet_buffer_create(1), packet_buffer_create(1)};
    for (int i = 0; i < PACKET_BUFFERS_MAX; i++) assert_true(packet_batch_keep(batch, two[i % 2]));
    assert_false(packet_batch_keep(batch, two[0]));
    assert_int_equal(two[0]->refs, 1 + PACKET_BUFFERS_MAX / 2);
    assert_true(packet_batch_keep(batch, two[1])); // the last one kept needs no room
    packet_batch_destroy(batch);
    packet_buffer_unref(two[0]);
    packet_buffer_unref(two[1]);
}

static void test_frames_may_hold_several(void **state)
{
    (void)state;
    struct packet_batch *batch = packet_batch_create();
    for (int round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < 2 * PACKETS_MAX; i++) packet_batch_more(batch, i)->ordinal = i;
        assert_int_equal(batch->more_count, 2 * PACKETS_MAX);
        for (uint32_t i = 0; i < batch->more_count; i++) {
            assert_int_equal(batch->more[i].after, i);
            assert_int_equal(batch->more[i].packet.ordinal, i);
        }
        packet_batch_clear(batch);
        assert_int_equal(batch->more_count, 0);
    }
    packet_batch_destroy(batch);
}

enum { ROUNDS = 100000 };

static void *ref_and_unref(void *buffer)
{
    for (int i = 0; i < ROUNDS; i++) {
        packet_buffer_ref(buffer);
        packet_buffer_unref(buffer);
    }
    packet_buffer_unref(buffer);
    return NULL;
}

static void test_threads_share_a_buffer(void **state)
{
    (void)state;
    struct packet_buffer *b = packet_buffer_create(1);
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) {
        packet_buffer_ref(b);
        assert_int_equal(pthread_create(&threads[i], NULL, ref_and_unref, b), 0);
    }
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    assert_int_equal(b->refs, 1);
    packet_buffer_unref(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_batch_keeps_buffers),
        cmocka_unit_test(test_room_for_buffers_is_bounded),
        cmocka_unit_test(test_frames_may_hold_several),
        cmocka_unit_test(test_threads_share_a_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
