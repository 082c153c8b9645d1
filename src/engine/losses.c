#include "engine/losses.h"

#include "base/memory.h"
#include "flow/flow.h"
#include "record/loss.h"

struct sum {
    nanos from, to;
    uint64_t count, bytes;
};

struct losses {
    struct record_writer *writer;
    const char *point;
    uint64_t counts[GIVEN_UP_REASONS];
    uint32_t told[SHARDS][GIVEN_UP_REASONS];
    struct sum sums[SHARDS][GIVEN_UP_REASONS]; // of those that were not told
};

static const struct {
    const char *stage, *reason;
} words[] = {
#define GIVEN_UP_WORDS(name, stage, reason) {stage, reason},
    GIVEN_UP(GIVEN_UP_WORDS)
#undef GIVEN_UP_WORDS
};

struct losses *losses_create(struct record_writer *writer, const char *point)
{
    struct losses *l = memory_get(sizeof *l);
    l->writer = writer;
    l->point = point;
    return l;
}

void losses_destroy(struct losses *l)
{
    memory_free(l);
}

static void losses_tell(struct losses *l, enum given_up what, const struct sum *sum,
                        const struct record_id *conversation)
{
    struct loss loss = {words[what].stage,   words[what].reason,
                        sum->from,           sum->to,
                        .bytes = sum->bytes, .count = conversation ? 0 : sum->count,
                        .point = l->point,   .conversation = conversation};
    loss_tell(l->writer, &loss);
}

void losses_add(struct losses *l, const struct conversation *c, enum given_up what, uint64_t lost)
{
    l->counts[what]++;
    struct sum one = {c->first_seen, c->last_seen, 1, lost};
    if (l->told[c->shard][what] < LOSSES_SINGLE_MAX) {
        l->told[c->shard][what]++;
        struct record_id id = conversation_id(c);
        losses_tell(l, what, &one, &id);
        return;
    }
    struct sum *sum = &l->sums[c->shard][what];
    if (!sum->count || one.from < sum->from) sum->from = one.from;
    if (!sum->count || one.to > sum->to) sum->to = one.to;
    sum->count++;
    sum->bytes += lost;
}

void losses_end(struct losses *l)
{
    for (unsigned shard = 0; shard < SHARDS; shard++)
        for (unsigned what = 0; what < GIVEN_UP_REASONS; what++)
            if (l->sums[shard][what].count) losses_tell(l, what, &l->sums[shard][what], NULL);
}

uint64_t losses_count(const struct losses *l, enum given_up what)
{
    return l->counts[what];
}
