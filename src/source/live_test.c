// Joining interfaces, over devices that give packets when a clock of the test says so.
#include "source/live.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "base/memory.h"
#include "source/source.h"

enum { SCRIPT_MAX = 64, SEEN_MAX = 256, DEVICES_MAX = 3 };
#define BEGIN (1700000000 * NANOS_PER_SECOND)
#define MS NANOS_PER_MILLI

// A packet of `time` that the kernel shows at `shown`, both since the beginning.
struct step {
    nanos time, shown;
    uint32_t captured;
};

struct fake {
    struct live_device device;
    struct step steps[SCRIPT_MAX];
    uint32_t count, at;
    nanos down_from, down_to, gone_at, drops_at;
    uint64_t drops;
};

static nanos clock_at; // since the beginning
static struct fake *fakes[DEVICES_MAX];
static unsigned waits;

static nanos fake_now(void *context)
{
    (void)context;
    return BEGIN + clock_at;
}

static nanos fake_elapsed(void *context)
{
    (void)context;
    return 1 + clock_at;
}

static void fake_wait(void *context, const int *descriptors, uint32_t count, int milliseconds)
{
    (void)context, (void)descriptors, (void)count;
    waits++;
    clock_at += milliseconds * MS;
}

static const struct live_clock fake_clock = {NULL, fake_now, fake_elapsed, fake_wait};

static enum live_result fake_read(struct live_device *d, struct live_queue *to)
{
    static uint8_t data[LIVE_PACKET_MAX];
    struct fake *f = (struct fake *)d;
    if (f->gone_at && clock_at >= f->gone_at) return LIVE_GONE;
    for (; f->at < f->count && f->steps[f->at].shown <= clock_at; f->at++) {
        if (!live_queue_has_room(to)) return LIVE_MORE;
        const struct step *s = &f->steps[f->at];
        struct live_queued head = {BEGIN + s->time, s->captured, s->captured + 1, 1};
        live_queue_put(to, &head, data);
    }
    return LIVE_DRAINED;
}

static void fake_count(struct live_device *d, uint64_t *received, uint64_t *dropped,
                       uint64_t *interface_dropped)
{
    struct fake *f = (struct fake *)d;
    *received = f->at;
    *dropped = f->drops && clock_at >= f->drops_at ? f->drops : 0;
    *interface_dropped = 0;
}

static bool fake_is_down(struct live_device *d, uint64_t *times)
{
    struct fake *f = (struct fake *)d;
    *times = f->down_from && clock_at >= f->down_from;
    return f->down_from && clock_at >= f->down_from && clock_at < f->down_to;
}

static int fake_descriptor(const struct live_device *d)
{
    (void)d;
    return -1;
}

static void fake_close(struct live_device *d)
{
    memory_free(d);
}

static const struct live_device_calls fake_calls = {.read = fake_read,
                                                    .count = fake_count,
                                                    .is_down = fake_is_down,
                                                    .descriptor = fake_descriptor,
                                                    .close = fake_close};

static struct fake *fake_add(unsigned i)
{
    struct fake *f = memory_get(sizeof *f);
    f->device.calls = &fake_calls;
    f->device.interface.link_type = 1;
    f->device.interface.snap_length = LIVE_PACKET_MAX;
    memcpy(f->device.interface.name, (char[]){'t', (char)('0' + i), 0}, 3);
    fakes[i] = f;
    return f;
}

static void fake_step(struct fake *f, nanos time, nanos shown)
{
    f->steps[f->count++] = (struct step){time, shown, 60};
}

// ---- reading ------------------------------------------------------------------------------------

struct seen {
    nanos time;
    uint16_t interface;
    uint32_t captured;
};

static struct seen seen[SEEN_MAX];
static uint32_t seen_count;
static struct capture_loss losses[CAPTURE_LOSSES_MAX];
static uint32_t loss_count;
static uint64_t lost;

// Reads the devices to the end, which comes when nothing came for a second.
static void run(unsigned devices, struct live_options options)
{
    struct live_device **list = memory_get(devices * sizeof *list);
    for (unsigned i = 0; i < devices; i++) list[i] = &fakes[i]->device;
    clock_at = 0;
    waits = seen_count = 0;
    options.interface_count = devices;
    options.program = "test";
    if (!options.idle) options.idle = NANOS_PER_SECOND;
    struct live *live = live_over(&options, &fake_clock, list);
    struct source *source = source_open(&(struct source_options){.live = live}, NULL);
    assert_non_null(source);
    struct packet_batch *batch = packet_batch_create();
    while (source_read(source, batch, NULL) == SOURCE_PACKETS) {
        for (uint32_t i = 0; i < batch->count; i++) {
            const struct packet *p = &batch->packets[i];
            seen[seen_count++] = (struct seen){p->time - BEGIN, p->interface, p->captured};
        }
        packet_batch_clear(batch);
    }
    packet_batch_destroy(batch);
    const struct capture_info *info = source_capture(source, 0);
    assert_false(info->truncated || info->damaged_bytes);
    loss_count = info->loss_count;
    lost = info->interface_drops;
    if (loss_count) memcpy(losses, info->losses, loss_count * sizeof *losses);
    source_close(source);
    live_close(live);
}

// ---- tests --------------------------------------------------------------------------------------

// Both have packets by turns, but the kernel shows them in blocks, the blocks of one later.
static void by_time_whoever_is_asked_first(void **state)
{
    (void)state;
    for (unsigned late = 0; late < 2; late++) {
        struct fake *a = fake_add(0), *b = fake_add(1);
        for (nanos i = 0; i < 20; i++) {
            nanos time = i * 10 * MS, block = (i / 5 + 1) * 50 * MS;
            fake_step(i % 2 ? b : a, time, block + (i % 2 == (nanos)late ? 90 * MS : 0));
        }
        run(2, (struct live_options){0});
        assert_int_equal(seen_count, 20);
        for (uint32_t i = 0; i < 20; i++) {
            assert_int_equal(seen[i].time, i * 10 * MS);
            assert_int_equal(seen[i].interface, i % 2);
        }
    }
}

static void equal_times_by_interface(void **state)
{
    (void)state;
    struct fake *a = fake_add(0), *b = fake_add(1);
    fake_step(b, 10 * MS, 20 * MS);
    fake_step(a, 10 * MS, 120 * MS);
    run(2, (struct live_options){0});
    assert_int_equal(seen_count, 2);
    assert_int_equal(seen[0].interface, 0);
    assert_int_equal(seen[1].interface, 1);
}

// A silent interface holds nobody up for longer than the window; what comes later stands where it
// came.
static void waits_no_longer_than_the_window(void **state)
{
    (void)state;
    struct fake *a = fake_add(0), *b = fake_add(1);
    fake_step(a, 10 * MS, 10 * MS);
    fake_step(b, 5 * MS, 700 * MS);
    run(2, (struct live_options){0});
    assert_int_equal(seen_count, 2);
    assert_int_equal(seen[0].interface, 0);
    assert_int_equal(seen[1].interface, 1);
}

// Somebody set the clock back an hour: packets of before are of the future.
static void of_the_future_at_once(void **state)
{
    (void)state;
    struct fake *a = fake_add(0), *b = fake_add(1);
    fake_step(a, 3600 * NANOS_PER_SECOND, 10 * MS);
    fake_step(b, 20 * MS, 300 * MS);
    run(2, (struct live_options){0});
    assert_int_equal(seen_count, 2);
    assert_int_equal(seen[0].interface, 0);
}

static void large_and_many(void **state)
{
    (void)state;
    struct fake *a = fake_add(0);
    for (unsigned i = 0; i < SCRIPT_MAX; i++) {
        fake_step(a, i * MS, 0);
        a->steps[i].captured = LIVE_PACKET_MAX - i * 4001;
    }
    run(1, (struct live_options){0});
    assert_int_equal(seen_count, SCRIPT_MAX);
    for (uint32_t i = 0; i < SCRIPT_MAX; i++)
        assert_int_equal(seen[i].captured, LIVE_PACKET_MAX - i * 4001);
}

static void ends_after_a_count(void **state)
{
    (void)state;
    struct fake *a = fake_add(0);
    for (unsigned i = 0; i < 10; i++) fake_step(a, i * MS, 0);
    run(1, (struct live_options){.packets = 7});
    assert_int_equal(seen_count, 7);
}

static void ends_after_a_time(void **state)
{
    (void)state;
    struct fake *a = fake_add(0);
    for (unsigned i = 0; i < 50; i++) fake_step(a, i * 100 * MS, i * 100 * MS);
    run(1, (struct live_options){.duration = 2 * NANOS_PER_SECOND});
    assert_in_range(seen_count, 20, 24);
}

static void drops_have_a_time(void **state)
{
    (void)state;
    struct fake *a = fake_add(0), *b = fake_add(1);
    for (unsigned i = 0; i < 50; i++) fake_step(a, i * 100 * MS, i * 100 * MS);
    fake_step(b, 1900 * MS, 1900 * MS);
    b->drops = 17;
    b->drops_at = 2500 * MS;
    run(2, (struct live_options){0});
    assert_int_equal(lost, 17);
    assert_int_equal(loss_count, 1);
    assert_int_equal(losses[0].packets, 17);
    assert_string_equal(losses[0].interface, "t1");
    assert_in_range(losses[0].from - BEGIN, 1400 * MS, 2500 * MS);
    assert_in_range(losses[0].to - BEGIN, 2500 * MS, 3600 * MS);
}

static void down_has_a_time(void **state)
{
    (void)state;
    struct fake *a = fake_add(0), *b = fake_add(1);
    for (unsigned i = 0; i < 50; i++) fake_step(b, i * 100 * MS, i * 100 * MS);
    a->down_from = 1000 * MS;
    a->down_to = 2000 * MS;
    run(2, (struct live_options){0});
    assert_int_equal(loss_count, 1);
    assert_int_equal(losses[0].packets, 0);
    assert_string_equal(losses[0].interface, "t0");
    assert_in_range(losses[0].from - BEGIN, 800 * MS, 1000 * MS);
    assert_in_range(losses[0].to - BEGIN, 2000 * MS, 2300 * MS);
}

// One goes: the other is read on, and it is told as missing until the end. Both go: that is the
// end.
static void gone(void **state)
{
    (void)state;
    struct fake *a = fake_add(0), *b = fake_add(1);
    for (unsigned i = 0; i < 20; i++) fake_step(b, i * 100 * MS, i * 100 * MS);
    a->gone_at = 500 * MS;
    b->gone_at = 1500 * MS;
    run(2, (struct live_options){.idle = 3600 * NANOS_PER_SECOND});
    assert_in_range(seen_count, 14, 16);
    assert_int_equal(loss_count, 2);
    assert_string_equal(losses[0].interface, "t0");
    assert_in_range(losses[0].from - BEGIN, 300 * MS, 600 * MS);
    assert_true(losses[0].to > losses[0].from + NANOS_PER_SECOND);
}

// Waiting is left to the kernel.
static void silence_costs_nothing(void **state)
{
    (void)state;
    fake_add(0);
    run(1, (struct live_options){.duration = 10 * NANOS_PER_SECOND, .idle = 99 * NANOS_PER_SECOND});
    assert_int_equal(seen_count, 0);
    assert_in_range(waits, 90, 110);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_time_whoever_is_asked_first),
        cmocka_unit_test(equal_times_by_interface),
        cmocka_unit_test(waits_no_longer_than_the_window),
        cmocka_unit_test(of_the_future_at_once),
        cmocka_unit_test(large_and_many),
        cmocka_unit_test(ends_after_a_count),
        cmocka_unit_test(ends_after_a_time),
        cmocka_unit_test(drops_have_a_time),
        cmocka_unit_test(down_has_a_time),
        cmocka_unit_test(gone),
        cmocka_unit_test(silence_costs_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
