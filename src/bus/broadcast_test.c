#include "bus/broadcast.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { SLOTS = 3, CONSUMERS = 3, ROUNDS = 20000 };

struct consumer {
    struct broadcast *b;
    uint32_t which;
    uint64_t sum, count;
    bool ordered;
};

static void *consume(void *context)
{
    struct consumer *c = context;
    uint64_t last = 0;
    c->ordered = true;
    for (uint64_t *slot; (slot = broadcast_next(c->b, c->which)); broadcast_done(c->b, c->which)) {
        if (*slot != last + 1) c->ordered = false;
        last = *slot;
        c->sum += *slot;
        c->count++;
    }
    return NULL;
}

// `drained` is how often the producer waits until all is done: 0 never, else after so many.
static void run(uint64_t drained)
{
    uint64_t values[SLOTS] = {0};
    void *slots[SLOTS] = {&values[0], &values[1], &values[2]};
    struct broadcast *b = broadcast_create(slots, SLOTS, CONSUMERS);
    struct consumer consumers[CONSUMERS] = {0};
    pthread_t threads[CONSUMERS];
    for (uint32_t i = 0; i < CONSUMERS; i++) {
        consumers[i] = (struct consumer){.b = b, .which = i};
        assert_int_equal(pthread_create(&threads[i], NULL, consume, &consumers[i]), 0);
    }
    for (uint64_t n = 1; n <= ROUNDS; n++) {
        *(uint64_t *)broadcast_acquire(b) = n;
        broadcast_publish(b);
        if (!drained || n % drained) continue;
        broadcast_drain(b);
        for (uint32_t i = 0; i < CONSUMERS; i++) assert_int_equal(consumers[i].count, n);
    }
    broadcast_close(b);
    for (uint32_t i = 0; i < CONSUMERS; i++) {
        pthread_join(threads[i], NULL);
        assert_true(consumers[i].ordered);
        assert_int_equal(consumers[i].count, ROUNDS);
        assert_int_equal(consumers[i].sum, (uint64_t)ROUNDS * (ROUNDS + 1) / 2);
    }
    broadcast_destroy(b);
}

// Every consumer sees every slot once, in order, whatever their pace.
static void everybody_sees_everything(void **state)
{
    (void)state;
    run(0);
}

static void drained_is_done(void **state)
{
    (void)state;
    for (uint64_t every = 1; every <= 2 * SLOTS; every++) run(every * every);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(everybody_sees_everything),
                                       cmocka_unit_test(drained_is_done)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
