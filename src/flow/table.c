#include "flow/table.h"

#include <assert.h>
#include <stdlib.h>

#include "decode/shard.h"

enum {
    SLOTS_MIN = 16,     // of a shard
    RUN_MAX = 64,       // slots looked at in a shard whose places anybody can compute
    WHEEL_SLOTS = 1024, // one a second of watermark
    EVICT_SHARE = 16,   // a full shard, or source, gives up one in so many at once
};

// A slot of a shard's hash table: the conversation's index, and bits of the hash to compare without
// looking.
struct slot {
    uint32_t index, tag;
};

// Places follow from the public hash of the key (decode/shard.h) until a run of slots is so long
// that somebody may have made it; from then on they follow from a hash with a secret. Places never
// shape results.
struct shard {
    struct slot *slots;
    uint32_t mask, count;
    uint64_t secret; // 0: none yet
};

struct flow_table {
    struct flow_options options;
    struct flow_table_hooks hooks;
    struct pool pool; // struct conversation
    struct shard shards[SHARDS];
    uint64_t secret;
    uint32_t wheel[WHEEL_SLOTS];
    int64_t wheel_second; // all slots up to this one were run
    nanos watermark;      // the last one that timers were run at
    nanos second_end;     // from here on the next slot is due
    bool wheel_started;
};

// ---- life ---------------------------------------------------------------------------------------

struct flow_table *flow_table_create(const struct flow_options *options,
                                     struct flow_table_hooks hooks, struct err *err)
{
    assert(options->shard_max > 0);
    struct flow_table *t = memory_get(sizeof *t);
    t->options = *options;
    t->hooks = hooks;
    if (!pool_init(&t->pool, sizeof(struct conversation), options->conversations_max, err)) {
        memory_free(t);
        return NULL;
    }
    t->secret = table_secret();
    for (unsigned i = 0; i < SHARDS; i++) {
        t->shards[i].slots = memory_get(SLOTS_MIN * sizeof(struct slot));
        t->shards[i].mask = SLOTS_MIN - 1;
    }
    return t;
}

void flow_table_destroy(struct flow_table *t)
{
    if (!t) return;
    pool_deinit(&t->pool);
    for (unsigned i = 0; i < SHARDS; i++) memory_free(t->shards[i].slots);
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

// ---- places -------------------------------------------------------------------------------------

static uint64_t shard_hash(const struct shard *s, const struct conversation_key *key, uint64_t hash)
{
    return s->secret ? table_hash(key, sizeof *key, s->secret) : hash;
}

// The lowest byte is the shard, the same for all in it.
static uint32_t shard_home(const struct shard *s, uint64_t hash)
{
    return (uint32_t)(hash >> 8) & s->mask;
}

static uint32_t shard_home_of(const struct flow_table *t, const struct shard *s, uint32_t index)
{
    const struct conversation *c = table_at(t, index);
    return shard_home(s, shard_hash(s, &c->key, c->hash));
}

static struct shard *shard_of(struct flow_table *t, uint64_t hash)
{
    return &t->shards[conversation_shard(hash)];
}

void flow_table_prefetch(const struct flow_table *t, uint64_t hash)
{
    const struct shard *s = &t->shards[conversation_shard(hash)];
    __builtin_prefetch(&s->slots[shard_home(s, hash)]);
}

// The slot of `key`, or the empty slot where it belongs. A shard is never full, so there is one.
static uint32_t shard_slot(const struct flow_table *t, const struct shard *s,
                           const struct conversation_key *key, uint64_t hash)
{
    uint64_t own = shard_hash(s, key, hash);
    uint32_t at = shard_home(s, own), tag = (uint32_t)(own >> 32);
    for (;; at = (at + 1) & s->mask) {
        const struct slot *slot = &s->slots[at];
        if (!slot->index) return at;
        if (slot->tag == tag && memcmp(&table_at(t, slot->index)->key, key, sizeof *key) == 0)
            return at;
    }
}

// Puts all conversations of the shard into `size` slots, by the secret if there is one now.
static void shard_rebuild(const struct flow_table *t, struct shard *s, uint32_t size)
{
    struct shard old = *s;
    s->slots = memory_get(size * sizeof *s->slots);
    s->mask = size - 1;
    for (uint32_t i = 0; i <= old.mask; i++) {
        if (!old.slots[i].index) continue;
        const struct conversation *c = table_at(t, old.slots[i].index);
        uint64_t own = shard_hash(s, &c->key, c->hash);
        uint32_t at = shard_home(s, own);
        while (s->slots[at].index) at = (at + 1) & s->mask;
        s->slots[at] = (struct slot){old.slots[i].index, (uint32_t)(own >> 32)};
    }
    memory_free(old.slots);
}

static void shard_insert(const struct flow_table *t, struct shard *s, const struct conversation *c)
{
    // At most two of three slots are taken.
    if ((s->count + 1) * UINT64_C(3) > (s->mask + UINT64_C(1)) * 2)
        shard_rebuild(t, s, (s->mask + 1) * 2);
    uint32_t at = shard_slot(t, s, &c->key, c->hash);
    if (!s->secret && ((at - shard_home(s, c->hash)) & s->mask) > RUN_MAX) {
        s->secret = t->secret;
        shard_rebuild(t, s, s->mask + 1);
        at = shard_slot(t, s, &c->key, c->hash);
    }
    assert(!s->slots[at].index);
    s->slots[at] =
        (struct slot){table_index(t, c), (uint32_t)(shard_hash(s, &c->key, c->hash) >> 32)};
    s->count++;
}

// Takes a conversation out and moves later ones of the same run up, so that no search ends early.
static void shard_remove(const struct flow_table *t, struct shard *s, const struct conversation *c)
{
    uint32_t hole = shard_slot(t, s, &c->key, c->hash), at = hole;
    assert(s->slots[hole].index);
    for (;;) {
        at = (at + 1) & s->mask;
        if (!s->slots[at].index) break;
        uint32_t home = shard_home_of(t, s, s->slots[at].index);
        if (((at - home) & s->mask) < ((at - hole) & s->mask)) continue;
        s->slots[hole] = s->slots[at];
        hole = at;
    }
    s->slots[hole].index = 0;
    s->count--;
}

// ---- timers -------------------------------------------------------------------------------------

// Times come from captures and may be any.
static nanos time_after(nanos time, nanos wait)
{
    nanos sum;
    return __builtin_add_overflow(time, wait, &sum) ? INT64_MAX : sum;
}

// When the conversation is silent too long, seen from `watermark`.
static nanos table_deadline(const struct flow_table *t, const struct conversation *c,
                            nanos watermark)
{
    nanos since = silent_since(c->active_at, c->last_seen, watermark);
    return time_after(since, c->ended ? t->options.closed_linger : t->options.conversation_timeout);
}

static nanos table_interval_deadline(const struct flow_table *t, const struct conversation *c,
                                     nanos watermark)
{
    nanos active = silent_since(c->metered_at, c->metered_from, watermark);
    nanos idle = silent_since(c->active_at, c->metered_last, watermark);
    active = time_after(active, t->options.active_timeout);
    idle = time_after(idle, t->options.idle_timeout);
    return active < idle ? active : idle;
}

static void wheel_take(struct flow_table *t, struct conversation *c)
{
    if (c->timer_before) table_at(t, c->timer_before)->timer_next = c->timer_next;
    else t->wheel[c->timer_slot] = c->timer_next;
    if (c->timer_next) table_at(t, c->timer_next)->timer_before = c->timer_before;
}

static void wheel_put(struct flow_table *t, struct conversation *c, nanos due)
{
    int64_t second = due / NANOS_PER_SECOND + 1;
    if (second <= t->wheel_second) second = t->wheel_second + 1;
    // Later than the wheel reaches: looked at when the wheel comes by, and put in again.
    if (second > t->wheel_second + WHEEL_SLOTS - 1) second = t->wheel_second + WHEEL_SLOTS - 1;
    uint16_t slot = (uint16_t)((uint64_t)second % WHEEL_SLOTS);
    uint32_t index = table_index(t, c), next = t->wheel[slot];
    c->timer_slot = slot;
    c->timer_before = 0;
    c->timer_next = next;
    if (next) table_at(t, next)->timer_before = index;
    t->wheel[slot] = index;
}

// Where the second behind this one begins.
static nanos second_end(int64_t second)
{
    return second < INT64_MAX / NANOS_PER_SECOND ? (second + 1) * NANOS_PER_SECOND : INT64_MAX;
}

static nanos earlier(nanos a, nanos b)
{
    return a < b ? a : b;
}

// The packet at hand begins an interval, whose timer may be due before that of the conversation.
static void table_begin_interval(struct flow_table *t, struct conversation *c,
                                 const struct packet *p)
{
    c->active_at = c->metered_at = p->watermark;
    c->metered_from = c->metered_last = p->time;
    nanos interval = table_interval_deadline(t, c, p->watermark);
    wheel_put(t, c, earlier(interval, table_deadline(t, c, p->watermark)));
}

// ---- conversations ------------------------------------------------------------------------------

static void table_end(struct flow_table *t, struct conversation *c, enum conversation_end why,
                      nanos watermark)
{
    t->hooks.end(t->hooks.context, c, why, watermark);
    shard_remove(t, shard_of(t, c->hash), c);
    wheel_take(t, c);
    struct accounts *accounts = t->options.accounts;
    if (accounts) {
        uint32_t source = c->accounts[c->first_side];
        if (source) account_at(accounts, source)->conversations--;
        account_give(accounts, c->accounts[0]);
        account_give(accounts, c->accounts[1]);
    }
    c->is_open = false;
    pool_give(&t->pool, table_index(t, c));
}

void flow_table_replace(struct flow_table *t, struct conversation *c, nanos watermark)
{
    table_end(t, c, CONVERSATION_REPLACED, watermark);
}

struct conversation *flow_table_find(struct flow_table *t, const struct packet *p)
{
    if (p->watermark >= t->second_end) flow_table_run(t, p->watermark);
    const struct shard *s = shard_of(t, p->hash);
    uint32_t index = s->slots[shard_slot(t, s, &p->key, p->hash)].index;
    if (!index) return NULL;
    struct conversation *c = table_at(t, index);
    if (p->watermark < table_deadline(t, c, p->watermark)) return c;
    table_end(t, c, CONVERSATION_SILENT, p->watermark);
    return NULL;
}

void flow_table_meter(struct flow_table *t, struct conversation *c, const struct packet *p)
{
    if (c->metered && p->watermark < table_interval_deadline(t, c, p->watermark)) return;
    if (c->metered) t->hooks.interval(t->hooks.context, c, p->watermark);
    wheel_take(t, c);
    table_begin_interval(t, c, p);
}

// A conversation in an order by time; small, since all of a lane are sorted at its end.
struct aged {
    nanos at;
    uint32_t index;
};

static int aged_compare(const void *x, const void *y, void *table)
{
    const struct aged *a = x, *b = y;
    if (a->at != b->at) return a->at < b->at ? -1 : 1;
    const struct conversation *c = table_at(table, a->index), *d = table_at(table, b->index);
    if (c->first_seen != d->first_seen) return c->first_seen < d->first_seen ? -1 : 1;
    if (c->id_hash != d->id_hash) return c->id_hash < d->id_hash ? -1 : 1;
    return 0;
}

// Lists the conversations of a shard by when they were last active, or by when they began: all, or
// those that one source began.
static uint32_t shard_list(const struct flow_table *t, const struct shard *s, bool by_activity,
                           uint32_t source, struct aged *list)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i <= s->mask; i++) {
        uint32_t index = s->slots[i].index;
        if (!index) continue;
        const struct conversation *c = table_at(t, index);
        if (source && c->accounts[c->first_side] != source) continue;
        list[n++] = (struct aged){by_activity ? c->active_at : c->first_seen, index};
    }
    return n;
}

static void aged_swap(struct aged *a, struct aged *b)
{
    struct aged old = *a;
    *a = *b;
    *b = old;
}

// Moves the first of a heap, whose first is the youngest, down to its place.
static void aged_sink(struct flow_table *t, struct aged *heap, uint32_t n)
{
    for (uint32_t at = 0, child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && aged_compare(&heap[child + 1], &heap[child], t) > 0) child++;
        if (aged_compare(&heap[child], &heap[at], t) <= 0) return;
        aged_swap(&heap[child], &heap[at]);
    }
}

// Brings the `count` oldest to the front, in order. Most are only compared with the youngest of
// those, so a flood pays little for each.
static void aged_choose(struct flow_table *t, struct aged *list, uint32_t n, uint32_t count)
{
    qsort_r(list, count, sizeof *list, aged_compare, t);
    for (uint32_t i = 0; i < count / 2; i++) aged_swap(&list[i], &list[count - 1 - i]);
    for (uint32_t i = count; i < n; i++) {
        if (aged_compare(&list[i], &list[0], t) >= 0) continue;
        aged_swap(&list[i], &list[0]);
        aged_sink(t, list, count);
    }
    qsort_r(list, count, sizeof *list, aged_compare, t);
}

// First ends what is overdue by this watermark, which timers would have done; then, if there are
// still `max` of the shard, or of a source in it, the oldest. So the outcome is that of a shard
// whose timers ran before every packet.
static void shard_make_room(struct flow_table *t, struct shard *s, uint32_t source, uint32_t max,
                            nanos watermark)
{
    struct aged *aged = memory_get(s->count * sizeof *aged);
    uint32_t n = shard_list(t, s, true, source, aged), left = 0;
    for (uint32_t i = 0; i < n; i++) {
        struct conversation *c = table_at(t, aged[i].index);
        if (watermark >= table_deadline(t, c, watermark))
            table_end(t, c, CONVERSATION_SILENT, watermark);
        else aged[left++] = aged[i];
    }
    uint32_t count = left >= max ? left / EVICT_SHARE + 1 : 0;
    if (count) aged_choose(t, aged, left, count);
    for (uint32_t i = 0; i < count; i++)
        table_end(t, table_at(t, aged[i].index),
                  source ? CONVERSATION_SOURCE : CONVERSATION_EVICTED, watermark);
    memory_free(aged);
}

// Who is charged for the sides of a conversation to come, once its source has room for it.
static void table_charge(struct flow_table *t, struct shard *s, const struct packet *p,
                         uint32_t indexes[2])
{
    struct accounts *accounts = t->options.accounts;
    indexes[0] = account_take(accounts, p->shard, p->key.a);
    indexes[1] = account_take(accounts, p->shard, p->key.b);
    uint32_t source = indexes[p->side];
    if (source && account_at(accounts, source)->conversations >= t->options.source_max)
        shard_make_room(t, s, source, t->options.source_max, p->watermark);
}

struct conversation *flow_table_add(struct flow_table *t, const struct packet *p)
{
    struct shard *s = shard_of(t, p->hash);
    struct accounts *accounts = t->options.accounts;
    uint32_t charged[2] = {0, 0};
    if (accounts) table_charge(t, s, p, charged);
    if (s->count >= t->options.shard_max)
        shard_make_room(t, s, 0, t->options.shard_max, p->watermark);
    uint32_t index = pool_take(&t->pool);
    if (!index) {
        account_give(accounts, charged[0]);
        account_give(accounts, charged[1]);
        return NULL;
    }
    struct conversation *c = table_at(t, index);
    memcpy(c->accounts, charged, sizeof charged);
    if (charged[p->side]) account_at(accounts, charged[p->side])->conversations++;
    c->is_open = true;
    c->first_side = p->side;
    c->key = p->key;
    c->tunnel_depth = p->tunnel_depth;
    memcpy(c->tunnels, p->tunnels, sizeof c->tunnels);
    c->parent = p->parent;
    c->hash = p->hash;
    c->shard = p->shard;
    c->first_seen = c->last_seen = p->time;
    shard_insert(t, s, c);
    if (!t->wheel_started) {
        t->wheel_started = true;
        t->wheel_second = p->watermark / NANOS_PER_SECOND;
        t->second_end = second_end(t->wheel_second);
    }
    table_begin_interval(t, c, p);
    return c;
}

// ---- as time goes by ----------------------------------------------------------------------------

static void table_run_one(struct flow_table *t, struct conversation *c, nanos watermark)
{
    if (watermark >= table_deadline(t, c, watermark)) {
        table_end(t, c, CONVERSATION_SILENT, watermark);
        return;
    }
    if (c->metered && watermark >= table_interval_deadline(t, c, watermark))
        t->hooks.interval(t->hooks.context, c, watermark);
    nanos due = table_deadline(t, c, watermark);
    if (c->metered) due = earlier(due, table_interval_deadline(t, c, watermark));
    wheel_take(t, c);
    wheel_put(t, c, due);
}

void flow_table_run(struct flow_table *t, nanos watermark)
{
    int64_t now = watermark / NANOS_PER_SECOND;
    t->watermark = watermark;
    if (!t->wheel_started || now <= t->wheel_second) return;
    // After a long pause every slot is due once; going round more often finds nothing new.
    if (now - t->wheel_second > WHEEL_SLOTS) t->wheel_second = now - WHEEL_SLOTS;
    while (t->wheel_second < now) {
        t->wheel_second++;
        // What is put in again goes to one of the other slots.
        uint32_t *slot = &t->wheel[(uint64_t)t->wheel_second % WHEEL_SLOTS];
        while (*slot) table_run_one(t, table_at(t, *slot), watermark);
    }
    t->second_end = second_end(now);
}

void flow_table_end_all(struct flow_table *t)
{
    struct aged *all = memory_get(((size_t)t->pool.used + 1) * sizeof *all);
    uint32_t n = 0;
    for (unsigned i = 0; i < SHARDS; i++) n += shard_list(t, &t->shards[i], false, 0, all + n);
    qsort_r(all, n, sizeof *all, aged_compare, t);
    for (uint32_t i = 0; i < n; i++)
        table_end(t, table_at(t, all[i].index), CONVERSATION_LAST, t->watermark);
    memory_free(all);
}

uint32_t flow_table_count(const struct flow_table *t)
{
    return t->pool.used;
}

uint32_t flow_table_slot(const struct flow_table *t, const struct conversation *c)
{
    return table_index(t, c);
}

struct conversation *flow_table_at(const struct flow_table *t, uint32_t slot)
{
    struct conversation *c = table_at(t, slot);
    return c->is_open ? c : NULL;
}
