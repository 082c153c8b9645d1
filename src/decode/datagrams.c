#include "decode/datagrams.h"

#include <assert.h>

#include "base/hash.h"

// Blocks of different sizes do not become each other: the range holds more than the budget.
enum { FRAMES_FIRST = 4 }; // room at first
#define FRAGMENT_RANGE ((size_t)FRAGMENT_BYTES_MAX * 2)

struct fragments *fragments_create(void)
{
    struct fragments *f = memory_get(sizeof *f);
    struct err ignored;
    if (pool_init(&f->datagrams, sizeof(struct datagram), FRAGMENT_DATAGRAMS_MAX, &ignored) &&
        pool_init(&f->sources, sizeof(struct datagram_source), FRAGMENT_DATAGRAMS_MAX, &ignored) &&
        blocks_init(&f->blocks, FRAGMENT_RANGE, &ignored))
        return f;
    fragments_destroy(f);
    return NULL;
}

void fragments_destroy(struct fragments *f)
{
    if (!f) return;
    pool_deinit(&f->datagrams);
    pool_deinit(&f->sources);
    if (f->blocks.range) blocks_deinit(&f->blocks);
    memory_free(f);
}

// ---- finding ------------------------------------------------------------------------------------

static uint32_t *datagram_chain(struct fragments *f, const struct datagram_key *key)
{
    return &f->datagram_chains[table_hash(key, sizeof *key, 0) % DATAGRAM_BUCKETS];
}

uint32_t datagram_find(const struct fragments *f, const struct datagram_key *key)
{
    _Static_assert(sizeof *key == 48, "the key has no padding");
    uint32_t at = f->datagram_chains[table_hash(key, sizeof *key, 0) % DATAGRAM_BUCKETS];
    while (at && memcmp(&datagram_at(f, at)->key, key, sizeof *key) != 0)
        at = datagram_at(f, at)->chain_next;
    return at;
}

static struct datagram_source *source_at(const struct fragments *f, uint32_t index)
{
    return pool_at(&f->sources, index);
}

static uint32_t *source_chain(struct fragments *f, const struct address *address)
{
    return &f->source_chains[table_hash(address, sizeof *address, 0) % DATAGRAM_BUCKETS];
}

// The sender's account, made if it has none; 0 when too many senders have the same hash.
static uint32_t source_get(struct fragments *f, struct address address)
{
    uint32_t *chain = source_chain(f, &address), length = 0;
    for (uint32_t at = *chain; at; at = source_at(f, at)->chain_next, length++)
        if (address_equal(source_at(f, at)->address, address)) return at;
    uint32_t index = length < FRAGMENT_CHAIN_MAX ? pool_take(&f->sources) : 0;
    if (!index) return 0;
    *source_at(f, index) = (struct datagram_source){.address = address, .chain_next = *chain};
    *chain = index;
    return index;
}

static void source_drop(struct fragments *f, uint32_t index)
{
    uint32_t *link = source_chain(f, &source_at(f, index)->address);
    while (*link != index) link = &source_at(f, *link)->chain_next;
    *link = source_at(f, index)->chain_next;
    pool_give(&f->sources, index);
}

// ---- lists by age -------------------------------------------------------------------------------

static void datagram_link(struct fragments *f, uint32_t index)
{
    struct datagram *g = datagram_at(f, index);
    unsigned family = g->key.is_v6;
    g->older = f->newest[family];
    *(g->older ? &datagram_at(f, g->older)->newer : &f->oldest[family]) = index;
    f->newest[family] = index;
    struct datagram_source *s = source_at(f, g->source);
    g->older_of = s->newest;
    *(g->older_of ? &datagram_at(f, g->older_of)->newer_of : &s->oldest) = index;
    s->newest = index;
    uint32_t *chain = datagram_chain(f, &g->key);
    g->chain_next = *chain;
    *chain = index;
}

static void datagram_unlink(struct fragments *f, uint32_t index)
{
    struct datagram *g = datagram_at(f, index);
    unsigned family = g->key.is_v6;
    *(g->older ? &datagram_at(f, g->older)->newer : &f->oldest[family]) = g->newer;
    *(g->newer ? &datagram_at(f, g->newer)->older : &f->newest[family]) = g->older;
    struct datagram_source *s = source_at(f, g->source);
    *(g->older_of ? &datagram_at(f, g->older_of)->newer_of : &s->oldest) = g->newer_of;
    *(g->newer_of ? &datagram_at(f, g->newer_of)->older_of : &s->newest) = g->older_of;
    uint32_t *link = datagram_chain(f, &g->key);
    while (*link != index) link = &datagram_at(f, *link)->chain_next;
    *link = g->chain_next;
}

static uint32_t datagram_oldest(const struct fragments *f)
{
    uint32_t a = f->oldest[0], b = f->oldest[1];
    if (!a || !b) return a ? a : b;
    return datagram_at(f, a)->serial < datagram_at(f, b)->serial ? a : b;
}

// ---- memory -------------------------------------------------------------------------------------

static void datagram_give(struct fragments *f, const struct datagram *g, void *block, uint32_t size)
{
    if (!block) return;
    blocks_give(&f->blocks, block, size);
    source_at(f, g->source)->bytes -= size;
    f->bytes -= size;
}

void datagram_empty(struct fragments *f, struct datagram *g)
{
    datagram_give(f, g, g->image, g->image_size);
    g->image = NULL;
    g->image_size = 0;
}

// Gives up older ones until `size` more bytes are within both budgets. False when only `keep` is
// left of what could be given up.
static bool datagrams_make_room(struct decoder *d, uint32_t keep, uint32_t size)
{
    struct fragments *f = d->fragments;
    struct datagram_source *s = source_at(f, datagram_at(f, keep)->source);
    while (s->bytes + size > FRAGMENT_SOURCE_BYTES_MAX) {
        uint32_t victim = s->oldest == keep ? datagram_at(f, keep)->newer_of : s->oldest;
        if (!victim) return false;
        datagram_drop(d, victim, REASON_FRAGMENT_CAP);
    }
    while (f->bytes + size > FRAGMENT_BYTES_MAX) {
        uint32_t victim = datagram_oldest(f);
        if (victim == keep) return false;
        datagram_drop(d, victim, REASON_FRAGMENT_CAP);
    }
    return true;
}

void *datagram_resize(struct decoder *d, uint32_t index, void *old, uint32_t *size, uint32_t used,
                      uint32_t wanted)
{
    struct fragments *f = d->fragments;
    struct datagram *g = datagram_at(f, index);
    if (wanted > BLOCK_SIZE_MAX) return NULL;
    uint32_t taken = (uint32_t)block_size(wanted);
    if (!datagrams_make_room(d, index, taken)) return NULL;
    void *block = blocks_take(&f->blocks, taken);
    if (!block) return NULL;
    if (old) memcpy(block, old, used);
    datagram_give(f, g, old, *size);
    source_at(f, g->source)->bytes += taken;
    f->bytes += taken;
    *size = taken;
    return block;
}

// ---- what it is made of -------------------------------------------------------------------------

bool datagram_note(struct decoder *d, uint32_t index, const struct packet *p,
                   struct datagram_frame frame)
{
    struct datagram *g = datagram_at(d->fragments, index);
    uint32_t frames = g->frame_count + 1u + p->frame_count;
    if (frames > FRAGMENT_FRAMES_MAX) return false;
    size_t size = (frames < FRAMES_FIRST ? FRAMES_FIRST : frames) * sizeof *g->frames;
    if (size > g->frames_size) {
        struct datagram_frame *larger =
            datagram_resize(d, index, g->frames, &g->frames_size,
                            (uint32_t)(g->frame_count * sizeof *g->frames), (uint32_t)size);
        if (!larger) return false;
        g->frames = larger;
    }
    for (uint32_t i = 0; i < p->frame_count; i++)
        g->frames[g->frame_count++] = (struct datagram_frame){.frame = p->frames[i]};
    g->shared_count = (uint16_t)(g->shared_count + p->shared_count);
    frame.frame = (struct packet_frame){p->ordinal, p->capture};
    g->frames[g->frame_count++] = frame;
    g->piece_count++;
    g->ip_length += p->ip_length;
    return true;
}

void datagram_forget(struct datagram *g, const struct packet *p)
{
    g->frame_count = (uint16_t)(g->frame_count - 1 - p->frame_count);
    g->shared_count = (uint16_t)(g->shared_count - p->shared_count);
}

struct packet_buffer *datagram_buffer(const struct datagram *g, bytes header, bytes payload,
                                      const struct packet_frame **frames)
{
    size_t size = header.n + payload.n;
    size_t align = _Alignof(struct packet_frame), at = (size + align - 1) / align * align;
    size_t room = at + align + g->frame_count * sizeof **frames;
    struct packet_buffer *b = packet_buffer_create((uint32_t)room);
    if (header.n) memcpy(b->data, header.p, header.n);
    memcpy(b->data + header.n, payload.p, payload.n);
    at += (align - ((uintptr_t)b->data + at) % align) % align;
    struct packet_frame *copy = (struct packet_frame *)(void *)(b->data + at);
    for (uint32_t i = 0; i + 1 < g->frame_count; i++) copy[i] = g->frames[i].frame;
    *frames = copy;
    return b;
}

// ---- coming and going ---------------------------------------------------------------------------

static nanos datagram_deadline(const struct datagram *g, nanos watermark)
{
    nanos timeout = g->key.is_v6 ? FRAGMENT_TIMEOUT_V6 : FRAGMENT_TIMEOUT_V4;
    bool is_believed = g->begun > g->begun_at && g->begun <= watermark;
    nanos since = is_believed ? g->begun : g->begun_at;
    return since > NANOS_NEVER - 1 - timeout ? NANOS_NEVER - 1 : since + timeout;
}

bool datagram_is_due(const struct datagram *g, nanos watermark)
{
    return watermark >= datagram_deadline(g, watermark);
}

// Whoever makes keys of one hash pushes out those keys.
static void chain_make_room(struct decoder *d, const struct datagram_key *key)
{
    struct fragments *f = d->fragments;
    uint32_t length = 0, oldest = 0;
    for (uint32_t at = *datagram_chain(f, key); at; at = datagram_at(f, at)->chain_next, length++)
        oldest = at; // new ones are put in front
    if (length >= FRAGMENT_CHAIN_MAX) datagram_drop(d, oldest, REASON_FRAGMENT_CAP);
}

uint32_t datagram_add(struct decoder *d, const struct datagram_key *key, const struct packet *p)
{
    struct fragments *f = d->fragments;
    chain_make_room(d, key);
    if (f->datagrams.used == FRAGMENT_DATAGRAMS_MAX)
        datagram_drop(d, datagram_oldest(f), REASON_FRAGMENT_CAP);
    uint32_t source = source_get(f, key->src);
    if (!source) return 0;
    uint32_t index = pool_take(&f->datagrams);
    assert(index);
    struct datagram *g = datagram_at(f, index);
    *g = (struct datagram){.key = *key,
                           .serial = ++f->serial,
                           .source = source,
                           .cut_from = UINT32_MAX,
                           .begun = p->time,
                           .begun_at = p->watermark};
    datagram_link(f, index);
    nanos deadline = datagram_deadline(g, p->watermark);
    if (deadline < d->fragments_due) d->fragments_due = deadline;
    return index;
}

void datagram_drop(struct decoder *d, uint32_t index, enum decode_reason reason)
{
    struct fragments *f = d->fragments;
    struct datagram *g = datagram_at(f, index);
    assert(g->serial);
    if (!g->is_joined) {
        uint32_t frames = (uint32_t)g->frame_count - g->shared_count;
        d->reasons[REASON_FRAGMENT_HELD] -= frames;
        d->classes[PACKET_HELD] -= frames;
        d->reasons[reason] += frames;
        d->classes[decode_reason_class(reason)] += frames;
    }
    datagram_empty(f, g);
    datagram_give(f, g, g->frames, g->frames_size);
    datagram_unlink(f, index);
    uint32_t source = g->source;
    pool_give(&f->datagrams, index);
    g->serial = 0;
    if (!source_at(f, source)->oldest) source_drop(f, source);
}

void fragments_expire(struct decoder *d, nanos watermark)
{
    struct fragments *f = d->fragments;
    d->fragments_due = NANOS_NEVER;
    for (unsigned family = 0; f && family < 2; family++) {
        uint32_t *oldest = &f->oldest[family];
        while (*oldest && datagram_is_due(datagram_at(f, *oldest), watermark))
            datagram_drop(d, *oldest, REASON_FRAGMENT_TIMEOUT);
        if (!*oldest) continue;
        nanos deadline = datagram_deadline(datagram_at(f, *oldest), watermark);
        if (deadline < d->fragments_due) d->fragments_due = deadline;
    }
}

void fragments_end(struct decoder *d)
{
    fragments_expire(d, NANOS_NEVER);
}
