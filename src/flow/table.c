#include "flow/table.h"

#include <assert.h>
#include <stdlib.h>

enum {
    SLOTS_MIN = 4096,
    WHEEL_SLOTS = 1024, // one a second of watermark
    EVICT_SHARE = 16,   // a full shard gives up one in so many at once
};

// A slot of the hash table: the conversation's index and half of its hash, to compare without looking. The lowest byte
// of the hash is the shard, of which a lane has only some: the place comes from higher bits.
struct slot {
    uint32_t index, tag;
};

struct flow_table {
    struct flow_options options;
    struct flow_table_hooks hooks;
    struct pool pool; // struct conversation
    struct slot *slots;
    uint32_t slot_mask;
    uint32_t shard_count[SHARDS];
    uint32_t wheel[WHEEL_SLOTS];
    int64_t wheel_second; // all slots up to this one were run
    bool wheel_started;
    uint64_t evicted;
};

struct flow_table *flow_table_create(const struct flow_options *options, struct flow_table_hooks hooks,
                                     struct err *err)
{
    struct flow_table *t = memory_get(sizeof *t);
    t->options = *options;
    t->hooks = hooks;
    if (!pool_init(&t->pool, sizeof(struct conversation), options->conversations_max, err)) {
        memory_free(t);
        return NULL;
    }
    t->slots = memory_get(SLOTS_MIN * sizeof *t->slots);
    t->slot_mask = SLOTS_MIN - 1;
    return t;
}

void flow_table_destroy(struct flow_table *t)
{
    if (!t) return;
    pool_deinit(&t->pool);
    memory_free(t->slots);
    memory_free(t);
}

static struct conversation *table_at(const struct flow_table *t, uint32_t index)
{
    return pool_at(&t->pool, index);
}

static uint32_t table_index(const struct flow_table *t, const struct conversation *c)
{
    return (uint32_t)((size_t)((const uint8_t *)c - t->pool.items) / t->pool.item_size);
}

static uint32_t table_home(const struct flow_table *t, uint64_t hash)
{
    return (uint32_t)(hash >> 24) & t->slot_mask;
}

void flow_table_prefetch(const struct flow_table *t, uint64_t hash)
{
    __builtin_prefetch(&t->slots[table_home(t, hash)]);
}

// The slot of `key`, or the empty slot where it belongs.
static uint32_t table_slot(const struct flow_table *t, uint64_t hash, const struct conversation_key *key)
{
    uint32_t at = table_home(t, hash), tag = (uint32_t)hash;
    for (;; at = (at + 1) & t->slot_mask) {
        const struct slot *s = &t->slots[at];
        if (!s->index) return at;
        if (s->tag == tag && memcmp(&table_at(t, s->index)->key, key, sizeof *key) == 0) return at;
    }
}

static void table_grow(struct flow_table *t)
{
    uint32_t old_mask = t->slot_mask;
    struct slot *old = t->slots;
    t->slot_mask = old_mask * 2 + 1;
    t->slots = memory_get(((size_t)t->slot_mask + 1) * sizeof *t->slots);
    for (uint32_t i = 0; i <= old_mask; i++) {
        if (!old[i].index) continue;
        uint32_t at = table_home(t, table_at(t, old[i].index)->hash);
        while (t->slots[at].index) at = (at + 1) & t->slot_mask;
        t->slots[at] = old[i];
    }
    memory_free(old);
}

// Takes a slot out and moves later ones of the same run up, so that no search ends early.
static void table_unslot(struct flow_table *t, uint32_t hole)
{
    uint32_t at = hole;
    for (;;) {
        at = (at + 1) & t->slot_mask;
        if (!t->slots[at].index) break;
        uint32_t home = table_home(t, table_at(t, t->slots[at].index)->hash);
        if (((at - home) & t->slot_mask) < ((at - hole) & t->slot_mask)) continue;
        t->slots[hole] = t->slots[at];
        hole = at;
    }
    t->slots[hole].index = 0;
}

// Since when silence counts: from the watermark `at` of a packet, or from its own time where the
// watermark has come to believe that since. It does so late when a capture goes on after days.
static nanos silent_since(nanos at, nanos time, nanos watermark)
{
    return time > at && time <= watermark ? time : at;
}

// When the conversation is silent too long, seen from `watermark`.
static nanos table_deadline(const struct flow_table *t, const struct conversation *c,
                            nanos watermark)
{
    nanos since = silent_since(c->active_at, c->last_seen, watermark);
    return since + (c->ended ? t->options.closed_linger : t->options.conversation_timeout);
}

static nanos table_interval_deadline(const struct flow_table *t, const struct conversation *c,
                                     nanos watermark)
{
    nanos active = silent_since(c->metered_at, c->metered_from, watermark);
    nanos idle = silent_since(c->active_at, c->metered_last, watermark);
    active += t->options.active_timeout;
    idle += t->options.idle_timeout;
    return active < idle ? active : idle;
}

static void table_schedule(struct flow_table *t, struct conversation *c)
{
    nanos now = (t->wheel_second + 1) * NANOS_PER_SECOND;
    nanos due = table_deadline(t, c, now);
    if (c->metered) {
        nanos interval = table_interval_deadline(t, c, now);
        if (interval < due) due = interval;
    }
    int64_t second = due / NANOS_PER_SECOND + 1;
    if (second <= t->wheel_second) second = t->wheel_second + 1;
    // Later than the wheel reaches: looked at when the wheel comes by, and put in again.
    if (second > t->wheel_second + WHEEL_SLOTS - 1) second = t->wheel_second + WHEEL_SLOTS - 1;
    uint32_t *slot = &t->wheel[(uint64_t)second % WHEEL_SLOTS];
    c->timer_next = *slot;
    *slot = table_index(t, c);
}

// Ends without touching the wheel: the conversation is marked by an empty first_seen and swept when its slot is run.
static void table_release(struct flow_table *t, struct conversation *c)
{
    t->hooks.end(t->hooks.context, c);
    table_unslot(t, table_slot(t, c->hash, &c->key));
    t->shard_count[c->shard]--;
    c->first_seen = INT64_MIN;
}

void flow_table_end(struct flow_table *t, struct conversation *c)
{
    table_release(t, c);
}

struct conversation *flow_table_find(struct flow_table *t, const struct packet *p)
{
    uint32_t at = table_slot(t, p->hash, &p->key);
    if (!t->slots[at].index) return NULL;
    struct conversation *c = table_at(t, t->slots[at].index);
    if (p->watermark < table_deadline(t, c, p->watermark)) return c;
    table_release(t, c);
    return NULL;
}

void flow_table_meter(struct flow_table *t, struct conversation *c, nanos watermark)
{
    if (c->metered && watermark >= table_interval_deadline(t, c, watermark))
        t->hooks.interval(t->hooks.context, c);
}

struct aged {
    nanos active_at, first_seen;
    uint64_t id_hash;
    uint32_t index;
};

static int aged_compare(const void *x, const void *y)
{
    const struct aged *a = x, *b = y;
    if (a->active_at != b->active_at) return a->active_at < b->active_at ? -1 : 1;
    if (a->first_seen != b->first_seen) return a->first_seen < b->first_seen ? -1 : 1;
    if (a->id_hash != b->id_hash) return a->id_hash < b->id_hash ? -1 : 1;
    return 0;
}

// First ends what is overdue by this watermark, which timers would have done; then, if the shard is still full, the
// oldest. So the outcome is that of a shard whose timers ran before every packet.
static void table_make_room(struct flow_table *t, unsigned shard, nanos watermark)
{
    struct aged *aged = memory_get((size_t)t->shard_count[shard] * sizeof *aged);
    uint32_t n = 0, count = t->shard_count[shard];
    for (uint32_t i = 1; i <= t->pool.touched; i++) {
        struct conversation *c = table_at(t, i);
        if (c->first_seen == INT64_MIN || !c->hash || c->shard != shard) continue;
        if (watermark >= table_deadline(t, c, watermark))
            table_release(t, c);
        else if (n < count)
            aged[n++] = (struct aged){c->active_at, c->first_seen, c->id_hash, i};
    }
    if (t->shard_count[shard] >= SHARD_CONVERSATIONS_MAX) {
        qsort(aged, n, sizeof *aged, aged_compare);
        for (uint32_t i = 0; i < n / EVICT_SHARE + 1 && i < n; i++) {
            table_release(t, table_at(t, aged[i].index));
            t->evicted++;
        }
    }
    memory_free(aged);
}

struct conversation *flow_table_add(struct flow_table *t, const struct packet *p)
{
    if (t->shard_count[p->shard] >= SHARD_CONVERSATIONS_MAX) table_make_room(t, p->shard, p->watermark);
    if ((t->pool.used + 1) * 10 / 7 > t->slot_mask) table_grow(t);
    uint32_t index = pool_take(&t->pool);
    if (!index) return NULL;
    struct conversation *c = table_at(t, index);
    c->key = p->key;
    c->hash = p->hash;
    c->shard = p->shard;
    c->first_seen = c->last_seen = p->time;
    c->active_at = p->watermark;
    uint32_t at = table_slot(t, p->hash, &p->key);
    assert(!t->slots[at].index);
    t->slots[at] = (struct slot){index, (uint32_t)p->hash};
    t->shard_count[p->shard]++;
    if (!t->wheel_started) {
        t->wheel_started = true;
        t->wheel_second = p->watermark / NANOS_PER_SECOND;
    }
    table_schedule(t, c);
    return c;
}

// One conversation whose timer slot came up.
static void table_run_one(struct flow_table *t, struct conversation *c, nanos watermark)
{
    if (c->first_seen != INT64_MIN && watermark >= table_deadline(t, c, watermark))
        table_release(t, c);
    if (c->first_seen == INT64_MIN) {
        uint32_t index = table_index(t, c);
        c->hash = 0;
        pool_give(&t->pool, index);
        return;
    }
    flow_table_meter(t, c, watermark);
    table_schedule(t, c);
}

static void table_run_slot(struct flow_table *t, uint32_t slot, nanos watermark)
{
    uint32_t index = t->wheel[slot];
    t->wheel[slot] = 0;
    while (index) {
        struct conversation *c = table_at(t, index);
        index = c->timer_next;
        table_run_one(t, c, watermark);
    }
}

void flow_table_run(struct flow_table *t, nanos watermark)
{
    int64_t now = watermark / NANOS_PER_SECOND;
    if (!t->wheel_started || now <= t->wheel_second) return;
    // After a long pause every slot is due once; going round more often finds nothing new.
    int64_t from = t->wheel_second;
    if (now - from > WHEEL_SLOTS) from = now - WHEEL_SLOTS;
    t->wheel_second = from;
    while (t->wheel_second < now) {
        t->wheel_second++;
        table_run_slot(t, (uint32_t)((uint64_t)t->wheel_second % WHEEL_SLOTS), watermark);
    }
}

static int first_compare(const void *x, const void *y)
{
    const struct aged *a = x, *b = y;
    if (a->first_seen != b->first_seen) return a->first_seen < b->first_seen ? -1 : 1;
    if (a->id_hash != b->id_hash) return a->id_hash < b->id_hash ? -1 : 1;
    return 0;
}

void flow_table_end_all(struct flow_table *t)
{
    struct aged *all = memory_get(((size_t)t->pool.used + 1) * sizeof *all);
    uint32_t n = 0;
    for (uint32_t i = 0; i <= t->slot_mask; i++) {
        if (!t->slots[i].index) continue;
        struct conversation *c = table_at(t, t->slots[i].index);
        all[n++] = (struct aged){c->active_at, c->first_seen, c->id_hash, t->slots[i].index};
    }
    qsort(all, n, sizeof *all, first_compare);
    for (uint32_t i = 0; i < n; i++) table_release(t, table_at(t, all[i].index));
    memory_free(all);
}

uint32_t flow_table_count(const struct flow_table *t)
{
    uint32_t n = 0;
    for (unsigned i = 0; i < SHARDS; i++) n += t->shard_count[i];
    return n;
}

uint64_t flow_table_evicted(const struct flow_table *t)
{
    return t->evicted;
}
