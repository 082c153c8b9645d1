#include "decode/decode.h"

#include <assert.h>
#include <stddef.h>

#include "base/memory.h"
#include "decode/fragments.h"
#include "decode/layer.h"
#include "decode/layer_list.h"
#include "decode/shard.h"

#define LAYER_DECLARE(name) extern const struct layer name##_layer;
DECODE_LAYERS(LAYER_DECLARE)

// Number 0 names no layer.
static const struct layer *const layers[] = {NULL,
#define LAYER_ENTRY(name) &name##_layer,
                                             DECODE_LAYERS(LAYER_ENTRY)};

enum { LAYER_COUNT = sizeof layers / sizeof layers[0] - 1 };
_Static_assert((int)LAYER_COUNT < (int)DECODE_LAYERS_MAX, "the decoder counts each layer");

_Static_assert(REASON_COUNT <= UINT8_MAX, "a packet's reason is one byte");

static const struct {
    const char *name, *help;
    enum packet_class class_;
} reasons[] = {
#define REASON_ROW(constant, name, class, help) {name, help, PACKET_##class},
    DECODE_REASONS(REASON_ROW)};

const char *decode_reason_name(enum decode_reason reason)
{
    assert(reason < REASON_COUNT);
    return reasons[reason].name;
}

const char *decode_reason_help(enum decode_reason reason)
{
    assert(reason < REASON_COUNT);
    return reasons[reason].help;
}

enum packet_class decode_reason_class(enum decode_reason reason)
{
    assert(reason < REASON_COUNT);
    return reasons[reason].class_;
}

unsigned decode_layer_count(void)
{
    return LAYER_COUNT;
}

const char *decode_layer_name(unsigned layer)
{
    return layer >= 1 && layer <= LAYER_COUNT ? layers[layer]->name : NULL;
}

const char *tunnel_name(enum tunnel tunnel)
{
    static const char *const names[] = {NULL,
#define TUNNEL_NAME(constant, name) name,
                                        DECODE_TUNNELS(TUNNEL_NAME)};
    assert(tunnel < TUNNEL_COUNT);
    return names[tunnel];
}

static void decoder_register(struct decoder *d, unsigned layer)
{
    assert(layers[layer]->name && layers[layer]->step && layers[layer]->keys);
    for (const struct layer_key *key = layers[layer]->keys; key->space != SPACE_END; key++) {
        assert(d->layer_of[key->space][key->number] == 0);
        d->layer_of[key->space][key->number] = (uint8_t)layer;
    }
}

void decoder_init(struct decoder *d)
{
    memset(d, 0, sizeof *d);
    for (unsigned layer = 1; layer <= LAYER_COUNT; layer++) decoder_register(d, layer);
    // An IP protocol without a layer of its own is a conversation without ports.
    uint8_t any = d->layer_of[SPACE_IP][IP_ANY];
    for (unsigned proto = 0; proto < 256; proto++)
        if (!d->layer_of[SPACE_IP][proto]) d->layer_of[SPACE_IP][proto] = any;
    d->fragments_due = NANOS_NEVER;
}

void decoder_deinit(struct decoder *d)
{
    if (!d) return;
    fragments_destroy(d->fragments);
    d->fragments = NULL;
    memory_free(d->branches);
    d->branches = NULL;
}

void decoder_end(struct decoder *d)
{
    fragments_end(d);
}

static enum decode_reason unknown_in(enum layer_space space)
{
    static const enum decode_reason unknown[] = {
        [SPACE_LINK] = REASON_UNKNOWN_LINK_TYPE,
        [SPACE_ETHERTYPE] = REASON_UNKNOWN_ETHERTYPE,
        [SPACE_PPP] = REASON_UNKNOWN_PPP,
        // Not reached: IP_ANY takes what has no layer, and who goes on by the others knows one.
        [SPACE_IP] = REASON_BAD_VERSION,
        [SPACE_UDP] = REASON_BAD_VERSION,
        [SPACE_INSIDE] = REASON_BAD_VERSION,
    };
    assert(space < SPACE_END);
    return unknown[space];
}

static enum decode_reason decode_layers(struct decoder *d, struct walk *w)
{
    for (unsigned depth = 0; depth < LAYERS_DEEP_MAX; depth++) {
        uint8_t layer = d->layer_of[w->space][w->number];
        if (!layer) return unknown_in(w->space);
        d->layers[layer]++;
        if (layers[layer]->step(w) == LAYER_END) return w->reason;
    }
    return REASON_TOO_MANY_LAYERS;
}

enum layer_result layer_enter(struct walk *w, enum tunnel tunnel, enum layer_space space,
                              uint16_t number)
{
    struct packet *p = w->packet;
    if (w->has_network) {
        if (w->carriers == CARRIERS_MAX) return layer_end(w, REASON_TOO_MANY_LAYERS);
        struct packet *carrier = &w->decoder->carriers[w->carriers++];
        *carrier = *p;
        carrier->carries = (uint8_t)tunnel;
    }
    if (p->tunnel_depth < PACKET_TUNNELS_MAX) p->tunnels[p->tunnel_depth] = (uint8_t)tunnel;
    p->tunnel_depth++;
    p->pieces = 1;
    p->has_transport = false;
    p->payload_offset = p->payload_captured = p->payload_length = 0;
    w->has_network = false;
    w->scope = 0;
    return layer_next(w, space, number);
}

// ---- frames that hold several packets -----------------------------------------------------------

// A place in a frame where another packet begins: the walk as it was there.
enum { BRANCHES_MAX = 4 };
struct branch {
    struct walk walk;
    struct packet packet;
};

// The rest of a frame that is not followed is a packet, too.
static void branch_refuse(struct decoder *d)
{
    d->more++;
    d->reasons[REASON_TOO_MANY_LAYERS]++;
    d->classes[PACKET_UNDECODABLE]++;
}

void walk_branch(struct walk *w, struct reader rest, uint64_t sent, enum layer_space space,
                 uint16_t number)
{
    struct decoder *d = w->decoder;
    if (d->branch_count == BRANCHES_MAX) {
        branch_refuse(d);
        return;
    }
    if (!d->branches) d->branches = memory_get(BRANCHES_MAX * sizeof *d->branches);
    struct branch *b = &d->branches[d->branch_count++];
    b->walk = *w;
    b->packet = *w->packet;
    b->packet.is_more = true;
    b->packet.shared_count = b->packet.frame_count;
    b->walk.joined = 0;
    b->walk.r = rest;
    b->walk.sent_end = (uint64_t)(rest.at - w->packet->data) + sent;
    layer_next(&b->walk, space, number);
}

bool walk_keep(struct walk *w, struct packet_buffer *buffer)
{
    if (w->decoder->joined_count == FRAME_JOINED_MAX) return false;
    w->decoder->joined_count++;
    return packet_batch_keep(w->batch, buffer);
}

// ---- one packet ---------------------------------------------------------------------------------

static void packet_clear(struct packet *p)
{
    size_t from = offsetof(struct packet, class_);
    memset((uint8_t *)p + from, 0, sizeof *p - from);
    p->pieces = 1;
}

// What is inside the innermost tunnel belongs to no conversation: the packet belongs to the one
// that carries it. The frames that it was joined from stay with it.
static enum decode_reason walk_retreat(struct walk *w, enum decode_reason reason)
{
    struct packet *p = w->packet, inside = *p;
    *p = w->decoder->carriers[--w->carriers];
    p->carries = 0;
    p->frames = inside.frames;
    p->frame_count = inside.frame_count;
    p->shared_count = inside.shared_count;
    p->is_ambiguous = inside.is_ambiguous;
    return reasons[reason].class_ == PACKET_NOT_IP ? REASON_TUNNEL_NOT_IP : REASON_TUNNEL_BROKEN;
}

static void packet_tell_carriers(struct walk *w)
{
    struct decoder *d = w->decoder;
    if (!d->hooks.carried) return;
    for (unsigned i = 0; i < w->carriers; i++) {
        struct packet *carrier = &d->carriers[i];
        carrier->class_ = PACKET_IP;
        carrier->hash = conversation_hash(&carrier->key);
        carrier->shard = conversation_shard(carrier->hash);
    }
    d->hooks.carried(d->hooks.context, w->packet, d->carriers, w->carriers);
}

static void packet_count(struct decoder *d, struct packet *p, enum decode_reason reason)
{
    p->reason = (uint8_t)reason;
    p->class_ = (uint8_t)reasons[reason].class_;
    d->reasons[reason]++;
    d->classes[p->class_]++;
    if (p->class_ != PACKET_IP) return;
    p->hash = conversation_hash(&p->key);
    p->shard = conversation_shard(p->hash);
}

static void decode_walk(struct walk *w)
{
    struct decoder *d = w->decoder;
    struct packet *p = w->packet;
    enum decode_reason reason = decode_layers(d, w);
    enum packet_class class = reasons[reason].class_;
    // What carries several packets is not the conversation of those that are broken.
    bool is_inside = w->carriers && !p->is_more;
    if (is_inside && class != PACKET_IP && class != PACKET_HELD) reason = walk_retreat(w, reason);
    packet_count(d, p, reason);
    if (p->frame_count || w->joined) fragments_settle(w);
    if (w->carriers) packet_tell_carriers(w);
}

// What else is in the frame of packets[after].
static void decode_more(struct decoder *d, struct packet_batch *batch, uint32_t after)
{
    for (unsigned n = 1; d->branch_count && n < FRAME_PACKETS_MAX; n++) {
        struct branch *b = &d->branches[--d->branch_count];
        struct packet *p = packet_batch_more(batch, after);
        struct walk w = b->walk;
        *p = b->packet;
        w.packet = p;
        d->more++;
        decode_walk(&w);
    }
    for (; d->branch_count; d->branch_count--) branch_refuse(d);
}

static void decode_packet(struct decoder *d, struct packet_batch *batch, struct packet *p)
{
    packet_clear(p);
    d->joined_count = 0;
    p->watermark = watermark_next(&d->watermark, p->time);
    if (p->watermark >= d->fragments_due) fragments_expire(d, p->watermark);
    struct walk w = {
        .decoder = d,
        .batch = batch,
        .packet = p,
        .r = reader_of(bytes_of(p->data, p->captured)),
        .sent_end = p->length > p->captured ? p->length : p->captured,
        .space = SPACE_LINK,
        .number = p->link_type,
    };
    decode_walk(&w);
}

void decode_batch(struct decoder *d, struct packet_batch *batch)
{
    assert(batch->count <= PACKETS_MAX);
    for (uint32_t i = 0; i < batch->count; i++) {
        decode_packet(d, batch, &batch->packets[i]);
        if (d->branch_count) decode_more(d, batch, i);
    }
    d->packets += batch->count;
}
