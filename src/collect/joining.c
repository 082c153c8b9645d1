#include "collect/joining.h"

#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "collect/joining_row.h"
#include "flow/flow_kind.h"
#include "record/community_id.h"

enum { AHEAD = 16 };
enum { BUCKETS = 2 * JOINING_HELD_MAX, WORD_SIZE = 8, ROW_WORDS = JOINING_ROW_MAX / WORD_SIZE };
_Static_assert((BUCKETS & (BUCKETS - 1)) == 0, "a hash is cut to a bucket");
_Static_assert((JOINING_CLOCKS & (JOINING_CLOCKS - 1)) == 0, "a hash is cut to a clock");

// Held rows stand in two queues, oldest first: of all, and of one direction between two ends.
enum queue_number { QUEUE_ALL, QUEUE_WAY, QUEUES };
struct queue {
    uint32_t oldest, newest;
};

struct held {
    uint32_t ends, clock;
    uint8_t way;
    struct {
        uint32_t older, newer;
    } in[QUEUES];
    nanos first, last, came;
    uint64_t *row; // a parcel
    size_t size;   // of it, in bytes
};

// What both directions have in common; `a` is the lower end. Words only, so that it can be hashed.
struct key {
    struct address exporter, a, b;
    uint64_t point, domain, rate, vlan, proto, a_port, b_port;
};

struct ends {
    struct key key;
    uint32_t bucket, before, next; // where it is found, and who else is
    struct queue ways[2];
};

struct joining {
    struct joining_options options;
    struct record_sink sink;
    struct joining_counts counts;
    struct record_batch *out;
    struct text list; // elements of a row of both
    nanos now;
    uint64_t secret;
    struct pool held, ends;
    struct blocks blocks;
    struct queue all;
    nanos clocks[JOINING_CLOCKS];
    uint32_t buckets[BUCKETS];
    uint64_t row[ROW_WORDS]; // the one that is being taken
};

// What there is to know of a row that came.
struct arrival {
    struct key key;
    uint32_t bucket, clock;
    bool is_one_way; // the rest says something only then
    uint8_t way;
    nanos first, last;
    size_t size;
};

// ---- life ---------------------------------------------------------------------------------------

struct joining *joining_create(const struct joining_options *options, struct record_sink sink,
                               struct err *err)
{
    struct joining *j = memory_get(sizeof *j);
    j->options = *options;
    j->sink = sink;
    j->out = batch_create(&flow_kind);
    j->secret = table_secret();
    if (pool_init(&j->held, sizeof(struct held), JOINING_HELD_MAX, err) &&
        pool_init(&j->ends, sizeof(struct ends), JOINING_HELD_MAX, err) &&
        blocks_init(&j->blocks, JOINING_BYTES_MAX, err))
        return j;
    joining_destroy(j);
    return NULL;
}

void joining_destroy(struct joining *j)
{
    if (!j) return;
    batch_destroy(j->out);
    text_deinit(&j->list);
    pool_deinit(&j->held);
    pool_deinit(&j->ends);
    blocks_deinit(&j->blocks);
    memory_free(j);
}

// ---- what comes out -----------------------------------------------------------------------------

void joining_flush(struct joining *j)
{
    if (!j || !j->out->rows) return;
    j->sink.take(j->sink.context, j->out);
    batch_clear(j->out);
}

static struct record_batch *out_begin(struct joining *j, size_t heap_need)
{
    if (!batch_begin(j->out, heap_need)) joining_flush(j);
    bool fits = batch_begin(j->out, heap_need);
    assert(fits); // JOINING_ROW_MAX is far below an empty batch
    (void)fits;
    return j->out;
}

static void out_copy(struct joining *j, const struct record_batch *b, uint32_t row)
{
    if (batch_copy(j->out, b, row)) return;
    joining_flush(j);
    bool fits = batch_copy(j->out, b, row);
    assert(fits);
    (void)fits;
}

static void out_parcel(struct joining *j, const struct parcel *p)
{
    struct record_batch *b = out_begin(j, parcel_heap(p));
    for (uint64_t left = p->present; left; left &= left - 1) {
        unsigned field = (unsigned)__builtin_ctzll(left);
        parcel_put(b, field, p, field);
    }
    batch_end(b);
}

static void out_both(struct joining *j, const struct parcel *one, const struct parcel *other)
{
    bool begins = joining_begins(one, other);
    const struct parcel *first = begins ? one : other, *second = begins ? other : one;
    struct record_batch *b = out_begin(j, joining_heap(first, second));
    joining_put(b, first, second, j->options.elements ? &j->list : NULL);
    batch_end(b);
}

// ---- queues -------------------------------------------------------------------------------------

static void prefetch(const void *p, size_t size)
{
    enum { CACHE_LINE = 64 };
    for (size_t at = 0; at < size && at < 8 * CACHE_LINE; at += CACHE_LINE)
        __builtin_prefetch((const char *)p + at);
}

static struct held *held_at(const struct joining *j, uint32_t index)
{
    return pool_at(&j->held, index);
}

static struct ends *ends_at(const struct joining *j, uint32_t index)
{
    return pool_at(&j->ends, index);
}

static void queue_add(struct joining *j, struct queue *q, enum queue_number n, uint32_t index)
{
    held_at(j, index)->in[n].older = q->newest;
    if (q->newest) held_at(j, q->newest)->in[n].newer = index;
    else q->oldest = index;
    q->newest = index;
}

static void queue_remove(struct joining *j, struct queue *q, enum queue_number n, uint32_t index)
{
    const struct held *h = held_at(j, index);
    uint32_t older = h->in[n].older, newer = h->in[n].newer;
    if (older) held_at(j, older)->in[n].newer = newer;
    else q->oldest = newer;
    if (newer) held_at(j, newer)->in[n].older = older;
    else q->newest = older;
}

// ---- ends ---------------------------------------------------------------------------------------

static uint32_t ends_find(const struct joining *j, const struct arrival *a)
{
    uint32_t index = j->buckets[a->bucket];
    while (index && memcmp(&ends_at(j, index)->key, &a->key, sizeof a->key) != 0)
        index = ends_at(j, index)->next;
    return index;
}

// There are no more ends than held rows.
static uint32_t ends_add(struct joining *j, const struct arrival *a)
{
    uint32_t index = pool_take(&j->ends);
    struct ends *e = ends_at(j, index);
    e->key = a->key;
    e->bucket = a->bucket;
    e->next = j->buckets[a->bucket];
    if (e->next) ends_at(j, e->next)->before = index;
    j->buckets[a->bucket] = index;
    return index;
}

static void ends_drop(struct joining *j, uint32_t index)
{
    const struct ends *e = ends_at(j, index);
    if (e->ways[0].oldest || e->ways[1].oldest) return;
    if (e->before) ends_at(j, e->before)->next = e->next;
    else j->buckets[e->bucket] = e->next;
    if (e->next) ends_at(j, e->next)->before = e->before;
    pool_give(&j->ends, index);
}

// ---- rows that are held -------------------------------------------------------------------------

static void give(struct joining *j, uint32_t index)
{
    struct held *h = held_at(j, index);
    uint32_t ends = h->ends;
    queue_remove(j, &j->all, QUEUE_ALL, index);
    queue_remove(j, &ends_at(j, ends)->ways[h->way], QUEUE_WAY, index);
    blocks_give(&j->blocks, h->row, h->size);
    pool_give(&j->held, index);
    ends_drop(j, ends);
}

// Who is next in the queue leaves soon.
static void prefetch_next(const struct joining *j, const struct held *h)
{
    if (!h->in[QUEUE_ALL].newer) return;
    h = held_at(j, h->in[QUEUE_ALL].newer);
    prefetch(h->row, h->size);
    prefetch(ends_at(j, h->ends), sizeof(struct ends));
    if (h->in[QUEUE_ALL].newer) prefetch(held_at(j, h->in[QUEUE_ALL].newer), sizeof *h);
}

static void leave(struct joining *j, uint32_t index, enum joining_reason why)
{
    struct parcel p;
    uint64_t *const counts[] = {
#define COUNT_AT(name, help) &j->counts.name,
        JOINING_REASONS(COUNT_AT)
#undef COUNT_AT
    };
    prefetch_next(j, held_at(j, index));
    parcel_open(&p, &flow_kind, held_at(j, index)->row);
    out_parcel(j, &p);
    give(j, index);
    ++*counts[why];
}

// Nothing that comes now can be joined with it.
static bool is_over(const struct joining *j, const struct held *h)
{
    nanos time = j->clocks[h->clock];
    return time > h->last && time - h->last > j->options.window;
}

static void leave_oldest(struct joining *j, enum joining_reason why)
{
    uint32_t index = j->all.oldest;
    leave(j, index, is_over(j, held_at(j, index)) ? JOINING_window : why);
}

static void leave_over(struct joining *j)
{
    while (j->all.oldest && is_over(j, held_at(j, j->all.oldest))) leave_oldest(j, JOINING_window);
}

// Room for what comes; the oldest make it.
static uint32_t hold_begin(struct joining *j, size_t size)
{
    if (j->held.used == j->held.items_max) leave_oldest(j, JOINING_full);
    uint64_t *row = blocks_take(&j->blocks, size);
    while (!row && j->all.oldest) {
        leave_oldest(j, JOINING_full);
        row = blocks_take(&j->blocks, size);
    }
    if (!row) return 0;
    uint32_t index = pool_take(&j->held);
    struct held *h = held_at(j, index);
    memcpy(row, j->row, size);
    h->row = row;
    h->size = size;
    return index;
}

static bool hold(struct joining *j, const struct arrival *a)
{
    uint32_t index = hold_begin(j, a->size);
    if (!index) return false;
    struct held *h = held_at(j, index);
    uint32_t found = ends_find(j, a);
    h->ends = found ? found : ends_add(j, a);
    h->clock = a->clock;
    h->way = a->way;
    h->first = a->first;
    h->last = a->last;
    h->came = j->now;
    queue_add(j, &j->all, QUEUE_ALL, index);
    queue_add(j, &ends_at(j, h->ends)->ways[a->way], QUEUE_WAY, index);
    return true;
}

// ---- pairs --------------------------------------------------------------------------------------

static bool is_near(const struct joining *j, const struct arrival *a, const struct held *h)
{
    nanos gap = a->first > h->last ? a->first - h->last : h->first - a->last;
    return gap <= j->options.window;
}

static uint64_t distance(const struct arrival *a, const struct held *h)
{
    return (uint64_t)(a->first > h->first ? a->first - h->first : h->first - a->first);
}

// The held row that it makes a pair with; 0 when there is none. What is over and waits behind
// others leaves here, so that it hides nothing.
static uint32_t partner_of(struct joining *j, const struct arrival *a)
{
    uint32_t ends = ends_find(j, a), best = 0, seen = 0, newer;
    uint32_t i = ends ? ends_at(j, ends)->ways[!a->way].oldest : 0;
    for (; i && seen < JOINING_LOOKED_AT; i = newer) {
        const struct held *h = held_at(j, i);
        newer = h->in[QUEUE_WAY].newer;
        if (is_over(j, h)) {
            leave(j, i, JOINING_window);
            continue;
        }
        seen++;
        if (is_near(j, a, h) && (!best || distance(a, h) < distance(a, held_at(j, best)))) best = i;
    }
    return best;
}

static void join(struct joining *j, uint32_t partner)
{
    struct parcel held, row;
    parcel_open(&held, &flow_kind, held_at(j, partner)->row);
    parcel_open(&row, &flow_kind, j->row);
    out_both(j, &held, &row);
    give(j, partner);
    j->counts.joined++;
}

// ---- rows that come -----------------------------------------------------------------------------

static bool is_one_way(const struct record_batch *b, uint32_t row)
{
    static const uint8_t needed[] = {FLOW_FIRST_SEEN, FLOW_LAST_SEEN, FLOW_PROTO, FLOW_SRC_ADDR,
                                     FLOW_DST_ADDR};
    for (size_t i = 0; i < sizeof needed; i++)
        if (!batch_has(b, needed[i], row)) return false;
    return (batch_has(b, FLOW_PACKETS, row) || batch_has(b, FLOW_BYTES, row)) &&
           !batch_has(b, FLOW_REVERSE_PACKETS, row) && !batch_has(b, FLOW_REVERSE_BYTES, row) &&
           !batch_has(b, FLOW_REVERSE_TCP_FLAGS, row);
}

static uint64_t number(const struct record_batch *b, unsigned field, uint32_t row)
{
    return batch_has(b, field, row) ? batch_get(b, field, row) : 0;
}

// Only requests and answers have an opposite. Zeros are an echo's answer, or that nothing was told.
static bool ports_of(const struct record_batch *b, uint32_t row, uint64_t proto, uint64_t ports[2])
{
    enum { ICMP = 1, ICMPV6 = 58, ECHO = 8 };
    uint8_t answer;
    ports[0] = number(b, FLOW_SRC_PORT, row);
    ports[1] = number(b, FLOW_DST_PORT, row);
    if (proto != ICMP && proto != ICMPV6) return true;
    if (proto == ICMP && !ports[0] && !ports[1]) ports[1] = ECHO;
    return ports[0] <= UINT8_MAX && icmp_counterpart((uint32_t)proto, (uint8_t)ports[0], &answer) &&
           ports[1] == answer;
}

static bool times_of(const struct record_batch *b, uint32_t row, struct arrival *a)
{
    a->first = (nanos)batch_get(b, FLOW_FIRST_SEEN, row);
    a->last = (nanos)batch_get(b, FLOW_LAST_SEEN, row);
    if (a->last < a->first) a->last = a->first;
    return a->first >= 0;
}

static bool ends_of(const struct record_batch *b, uint32_t row, struct arrival *a)
{
    struct key *key = &a->key;
    uint64_t ports[2];
    struct address ends[2] = {batch_get_address(b, FLOW_SRC_ADDR, row),
                              batch_get_address(b, FLOW_DST_ADDR, row)};
    key->proto = batch_get(b, FLOW_PROTO, row);
    if (!ports_of(b, row, key->proto, ports)) return false;
    int order = address_compare(ends[0], ends[1]);
    a->way = order ? order > 0 : ports[0] > ports[1];
    key->a = ends[a->way], key->b = ends[!a->way];
    key->a_port = ports[a->way], key->b_port = ports[!a->way];
    return order || ports[0] != ports[1];
}

// Who told it: what shares a clock.
static void origin_of(const struct record_batch *b, uint32_t row, struct arrival *a)
{
    struct key *key = &a->key;
    if (batch_has(b, FLOW_EXPORTER, row)) key->exporter = batch_get_address(b, FLOW_EXPORTER, row);
    key->domain = number(b, FLOW_DOMAIN, row);
    if (batch_has(b, FLOW_POINT, row)) {
        bytes point = batch_get_bytes(b, FLOW_POINT, row);
        key->point = table_hash(point.p, point.n, 0);
    }
    uint64_t origin[] = {key->exporter.hi, key->exporter.lo, key->domain, key->point};
    a->clock = (uint32_t)table_hash(origin, sizeof origin, 0) & (JOINING_CLOCKS - 1);
}

static void arrive(const struct joining *j, const struct record_batch *b, uint32_t row,
                   struct arrival *a)
{
    *a = (struct arrival){0};
    if (!is_one_way(b, row) || !times_of(b, row, a) || !ends_of(b, row, a)) return;
    origin_of(b, row, a);
    a->key.rate = number(b, FLOW_SAMPLING_RATE, row);
    if (batch_has(b, FLOW_VLAN, row)) a->key.vlan = batch_get(b, FLOW_VLAN, row) + 1;
    a->bucket = (uint32_t)table_hash(&a->key, sizeof a->key, j->secret) & (BUCKETS - 1);
    a->is_one_way = true;
    __builtin_prefetch(&j->buckets[a->bucket]);
}

static void clock_set(nanos *clock, nanos last)
{
    if (last > *clock || *clock - last > JOINING_BACK) *clock = last;
}

// Joins or holds it; false when there is no room for it.
static bool take_one_way(struct joining *j, const struct record_batch *b, uint32_t row,
                         struct arrival *a)
{
    a->size = WORD_SIZE * parcel_pack(j->row, ROW_WORDS, b, row);
    uint32_t partner = a->size ? partner_of(j, a) : 0;
    if (partner) join(j, partner);
    else if (!a->size || !hold(j, a)) return false;
    clock_set(&j->clocks[a->clock], a->last);
    leave_over(j);
    return true;
}

static void take_row(struct joining *j, const struct record_batch *b, uint32_t row,
                     struct arrival *a)
{
    j->counts.taken++;
    if (a->is_one_way && take_one_way(j, b, row, a)) return;
    out_copy(j, b, row);
    if (a->is_one_way) j->counts.full++;
    else j->counts.passed++;
}

// The table is far larger than the processor's caches: so some rows are looked at before the first
// of them is taken, and the memory for all of them comes at once.
static void take_rows(struct joining *j, const struct record_batch *b, uint32_t first, uint32_t n)
{
    struct arrival list[AHEAD];
    for (uint32_t i = 0; i < n; i++) arrive(j, b, first + i, &list[i]);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t ends = list[i].is_one_way ? j->buckets[list[i].bucket] : 0;
        if (ends) prefetch(ends_at(j, ends), sizeof(struct ends));
    }
    for (uint32_t i = 0; i < n; i++) take_row(j, b, first + i, &list[i]);
}

static void take(void *context, const struct record_batch *b)
{
    struct joining *j = context;
    if (b->kind != &flow_kind) {
        j->sink.take(j->sink.context, b);
        return;
    }
    for (uint32_t row = 0; row < b->rows; row += AHEAD)
        take_rows(j, b, row, b->rows - row < AHEAD ? b->rows - row : AHEAD);
}

struct record_sink joining_sink(struct joining *j)
{
    return (struct record_sink){j, take};
}

// ---- what does not come -------------------------------------------------------------------------

void joining_turn(struct joining *j, nanos now)
{
    if (!j) return;
    j->now = now;
    leave_over(j);
    while (j->all.oldest && now - held_at(j, j->all.oldest)->came > j->options.window)
        leave_oldest(j, JOINING_window);
}

void joining_end(struct joining *j, enum joining_reason why)
{
    if (!j) return;
    while (j->all.oldest) leave_oldest(j, why);
    joining_flush(j);
}

void joining_counts_add(struct joining_counts *sum, const struct joining_counts *n)
{
    sum->taken += n->taken;
    sum->passed += n->passed;
    sum->joined += n->joined;
    sum->held += n->held;
#define COUNT_ADD(name, help) sum->name += n->name;
    JOINING_REASONS(COUNT_ADD)
#undef COUNT_ADD
}

struct joining_counts joining_counts(const struct joining *j)
{
    if (!j) return (struct joining_counts){0};
    struct joining_counts n = j->counts;
    n.held = j->held.used;
    return n;
}
