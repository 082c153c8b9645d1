// What speaks against a segment: its checksum, its timestamp, the window of its receiver.
#include "base/checksum.h"
#include "stream/side.h"

enum {
    TCP_SIZE_MIN = 20,
    TCP_SIZE_MAX = 60,
    PROTO_TCP = 6,
    OPTION_END = 0,
    OPTION_NOTHING = 1,
    OPTION_SCALE = 3,
    OPTION_TIMESTAMPS = 8,
    OPTION_SIZE_MIN = 2,
    SCALE_MAX = 14,
};

// How nearly all senders write it: no-operation twice, timestamps, length 10 (RFC 7323 appendix A).
#define TIMESTAMPS_ALIGNED 0x0101080a

// ---- options ------------------------------------------------------------------------------------

static bytes options_of(const struct packet *p)
{
    return bytes_of(p->data + p->payload_offset - p->tcp_options_length, p->tcp_options_length);
}

// What stands in the option `kind`, RFC 9293 section 3.1.
static bool option_find(bytes options, uint8_t kind, struct reader *value)
{
    struct reader r = reader_of(options);
    while (reader_left(&r)) {
        uint8_t at = read_u8(&r);
        if (at == OPTION_END) return false;
        if (at == OPTION_NOTHING) continue;
        uint8_t size = read_u8(&r);
        if (size < OPTION_SIZE_MIN) return false;
        *value = read_sub(&r, size - (size_t)OPTION_SIZE_MIN);
        if (at == kind) return !value->bad;
    }
    return false;
}

static bool timestamp_of(const struct packet *p, uint32_t *timestamp)
{
    if (!p->tcp_options_length) return false;
    struct reader value = reader_of(options_of(p));
    if (read_be32(&value) != TIMESTAMPS_ALIGNED &&
        !option_find(options_of(p), OPTION_TIMESTAMPS, &value))
        return false;
    *timestamp = read_be32(&value);
    return !value.bad;
}

static bool is_older(uint32_t timestamp, uint32_t than)
{
    return (int32_t)(timestamp - than) < 0;
}

// ---- what is known of a direction ---------------------------------------------------------------

void doubt_note_syn(struct stream_side *side, const struct packet *p)
{
    struct reader value;
    side->has_syn = true;
    side->has_scale = p->tcp_options_length && option_find(options_of(p), OPTION_SCALE, &value);
    side->scale = side->has_scale ? read_u8(&value) : 0;
    if (side->scale > SCALE_MAX) side->scale = SCALE_MAX;
}

// The edge never moves back: what was offered may be on its way (RFC 9293 section 3.8.6).
void doubt_note_window(struct turn *turn, const struct packet *p, uint64_t acked)
{
    const struct stream_side *teller = &turn->st->side[p->side];
    struct stream_side *other = &turn->st->side[p->side ^ 1];
    // What scales the window was said in both SYN, or is not known.
    if (!teller->has_syn || !other->has_syn || (p->tcp_flags & TCP_SYN)) return;
    unsigned scale = teller->has_scale && other->has_scale ? teller->scale : 0;
    uint64_t end = acked + ((uint64_t)p->tcp_window << scale);
    if (end > other->window_end) other->window_end = end;
}

// RFC 7323 section 4.3: of a segment that begins no later than what was acknowledged last.
void doubt_note_timestamp(struct stream_side *side, const struct packet *p, uint64_t position)
{
    uint32_t timestamp;
    if (position > (side->acked ? side->acked : side->next) || !timestamp_of(p, &timestamp)) return;
    if (side->has_timestamp && is_older(timestamp, side->timestamp)) return;
    side->has_timestamp = true;
    side->timestamp = timestamp;
}

// ---- a segment ----------------------------------------------------------------------------------

static uint64_t address_sum(struct address a)
{
    // The prefix that marks IPv4 addresses is 0xffff, which adds nothing.
    return (a.hi >> 32) + (uint32_t)a.hi + (a.lo >> 32) + (uint32_t)a.lo;
}

// What the payload must add up to, by the header and what stands before it (RFC 9293 section 3.1,
// RFC 8200 section 8.1). False when the header or the payload is not all there.
static bool sum_expected(const struct packet *p, uint16_t *sum)
{
    size_t size = p->payload_offset - (size_t)p->transport_offset;
    if (size < TCP_SIZE_MIN || size > TCP_SIZE_MAX || p->payload_captured < p->payload_length)
        return false;
    uint64_t before = address_sum(p->key.a) + address_sum(p->key.b) + PROTO_TCP + size;
    bytes header = {p->data + p->transport_offset, size};
    *sum = (uint16_t)~internet_sum(before + p->payload_length, header);
    return true;
}

bool origin_has_bad_sum(const struct origin *origin, bytes payload)
{
    if (!origin->has_sum) return false;
    // 0 and 0xffff are the same number.
    uint16_t sum = internet_sum(0, payload);
    return sum % 0xffff != origin->sum % 0xffff;
}

bool doubt_packet_sum(const struct turn *turn)
{
    const struct packet *p = turn->packet;
    return origin_has_bad_sum(&turn->origin,
                              bytes_of(p->data + p->payload_offset, p->payload_captured));
}

struct origin origin_of(const struct turn *turn, uint64_t position)
{
    const struct packet *p = turn->packet;
    const struct stream_side *side = &turn->st->side[turn->side];
    struct origin origin = {
        .time = p->time, .position = position, .length = p->payload_length, .ttl = p->ttl};
    origin.has_sum = sum_expected(p, &origin.sum);
    uint32_t timestamp;
    if (side->has_timestamp && timestamp_of(p, &timestamp) && is_older(timestamp, side->timestamp))
        origin.doubts |= DOUBT_OLD_TIMESTAMP;
    bool is_behind = side->window_end && position >= side->window_end;
    if (is_behind || position + p->payload_length <= side->acked)
        origin.doubts |= DOUBT_OUT_OF_WINDOW;
    return origin;
}
