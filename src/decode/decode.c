#include "decode/decode.h"

#include <assert.h>
#include <stddef.h>

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
}

static enum decode_reason unknown_in(enum layer_space space)
{
    static const enum decode_reason unknown[] = {
        [SPACE_LINK] = REASON_UNKNOWN_LINK_TYPE,
        [SPACE_ETHERTYPE] = REASON_UNKNOWN_ETHERTYPE,
        [SPACE_PPP] = REASON_UNKNOWN_PPP,
        [SPACE_IP] = REASON_BAD_VERSION, // not reached: IP_ANY takes what has no layer
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

static void packet_clear(struct packet *p)
{
    size_t from = offsetof(struct packet, class_);
    memset((uint8_t *)p + from, 0, sizeof *p - from);
}

static void decode_packet(struct decoder *d, struct packet *p)
{
    packet_clear(p);
    p->watermark = watermark_next(&d->watermark, p->time);
    struct walk w = {
        .packet = p,
        .r = reader_of(bytes_of(p->data, p->captured)),
        .sent_end = p->length > p->captured ? p->length : p->captured,
        .space = SPACE_LINK,
        .number = p->link_type,
    };
    p->reason = (uint8_t)decode_layers(d, &w);
    p->class_ = (uint8_t)reasons[p->reason].class_;
    d->reasons[p->reason]++;
    d->classes[p->class_]++;
    if (p->class_ != PACKET_IP) return;
    p->hash = conversation_hash(&p->key);
    p->shard = conversation_shard(p->hash);
}

void decode_batch(struct decoder *d, struct packet_batch *batch)
{
    assert(batch->count <= PACKETS_MAX);
    for (uint32_t i = 0; i < batch->count; i++) decode_packet(d, &batch->packets[i]);
    d->packets += batch->count;
}
