// DVB GSE (ETSI TS 102 606-1): IP and other packets in DVB-S2 base band frames (EN 302 307-1
// section 5.1.6), as receivers pass them on in UDP, bare or behind a mode adaptation header (annex
// I).
//
// No port is theirs, so a frame is known by content: the kind of stream, the check sum of its
// header, and packets that fill its data field exactly, but for padding at the end. All packets of
// a frame are followed; the input stream belongs to one direction and tells no conversations apart.
#include "decode/gse_pdu.h"
#include "decode/scope.h"

enum { // of a base band frame
    FRAME_SYNC = 0xb8,
    FRAME_KIND = 0xc0, // of MATYPE-1
    FRAME_IS_GENERIC = 0x40,
    FRAME_IS_SINGLE = 0x20, // else MATYPE-2 names the input stream
    FRAME_HEADER_SIZE = 10,
    FRAME_CRC_POLYNOMIAL = 0xd5,
};

enum { // of a GSE packet, section 4.2.1
    PACKET_START = 0x8000,
    PACKET_END = 0x4000,
    PACKET_LABEL = 0x3000,
    PACKET_LABEL_SHIFT = 12,
    PACKET_LENGTH = 0x0fff,
    EXTENSION_BRIDGED = 0x0001, // RFC 4326 section 5.2
    EXTENSIONS_MAX = 8,
};

// ---- base band frames ---------------------------------------------------------------------------

static uint8_t frame_crc(bytes b)
{
    uint8_t crc = 0;
    for (size_t i = 0; i < b.n; i++) {
        crc ^= b.p[i];
        for (unsigned bit = 0; bit < 8; bit++)
            crc = (uint8_t)(crc << 1 ^ (crc & 0x80 ? FRAME_CRC_POLYNOMIAL : 0));
    }
    return crc;
}

static bool is_padding(struct reader r)
{
    uint16_t header = read_be16(&r);
    return r.bad || !(header & ~PACKET_LENGTH);
}

// Whether packets fill the field up to its end or to padding, and there is at least one.
static bool field_is_chain(struct reader field)
{
    unsigned packets = 0;
    for (; !is_padding(field); packets++) {
        uint16_t header = read_be16(&field);
        read_bytes(&field, header & PACKET_LENGTH);
        if (field.bad) return false;
    }
    return packets > 0;
}

// A base band frame with GSE at r. Returns its data field and the input stream.
static bool read_frame(struct reader r, struct reader *field, uint8_t *stream)
{
    struct reader header = r, sum = r;
    uint8_t kind = read_u8(&header), identifier = read_u8(&header);
    uint16_t packet_length = read_be16(&header), bits = read_be16(&header);
    if ((kind & FRAME_KIND) != FRAME_IS_GENERIC || packet_length || bits % 8) return false;
    bytes summed = read_bytes(&sum, FRAME_HEADER_SIZE - 1);
    uint8_t crc = read_u8(&sum);
    if (sum.bad || frame_crc(summed) != crc) return false;
    *field = read_sub(&sum, bits / 8);
    *stream = kind & FRAME_IS_SINGLE ? 0 : identifier;
    return !sum.bad && field_is_chain(*field);
}

static enum layer_result frame_step(struct walk *w)
{
    static const size_t adaptations[] = {0, 2, 4}; // none, L.2 and L.3
    struct reader field = {0};
    uint8_t stream = 0;
    bool found = false;
    for (unsigned i = 0; i < sizeof adaptations / sizeof adaptations[0] && !found; i++) {
        struct reader r = w->r, first = w->r;
        if (adaptations[i] && read_u8(&first) != FRAME_SYNC) break;
        read_bytes(&r, adaptations[i]);
        found = read_frame(r, &field, &stream);
    }
    if (!found) return layer_next(w, SPACE_UDP, UDP_ANY);
    w->r = field;
    w->sent_end = walk_offset(w) + reader_left(&field);
    w->stream = stream;
    return layer_enter(w, TUNNEL_GSE, SPACE_INSIDE, INSIDE_GSE);
}

// ---- packets ------------------------------------------------------------------------------------

// From the protocol type on, section 4.2.1; optional extensions are skipped (RFC 4326 section 5).
static enum layer_result gse_content(struct walk *w, uint8_t label)
{
    static const uint8_t label_sizes[] = {6, 3, 0, 0}; // none: for all, or as before
    uint16_t type = read_be16(&w->r);
    read_bytes(&w->r, label_sizes[label]);
    for (unsigned i = 0; i < EXTENSIONS_MAX && type >> 8 && type < ETHERTYPE_MIN; i++) {
        read_bytes(&w->r, (size_t)(type >> 8) * 2 - 2);
        type = read_be16(&w->r);
    }
    if (w->r.bad) return layer_end(w, REASON_BAD_LENGTH);
    if (type == EXTENSION_BRIDGED) return layer_next(w, SPACE_LINK, LINK_ETHERNET);
    if (type < ETHERTYPE_MIN) return layer_end(w, REASON_UNKNOWN_ETHERTYPE);
    return layer_next(w, SPACE_ETHERTYPE, type);
}

// What names the pieces of one carrier and input stream.
static uint64_t link_of(const struct walk *w)
{
    if (!w->carriers) return w->stream;
    const struct packet *around = &w->decoder->carriers[w->carriers - 1];
    uint64_t ports = (uint64_t)around->key.port_a << 16 | around->key.port_b;
    return scope_mix(scope_mix(around->key.scope, ports), w->stream);
}

static enum layer_result gse_piece(struct walk *w, uint16_t header)
{
    struct gse_piece piece = {
        .link = link_of(w),
        .identifier = read_u8(&w->r),
        .label = (header & PACKET_LABEL) >> PACKET_LABEL_SHIFT,
        .is_start = header & PACKET_START,
        .is_end = header & PACKET_END,
        .data = reader_rest(&w->r),
        .sent = walk_sent_left(w),
    };
    if (w->r.bad) return layer_end(w, REASON_BAD_LENGTH);
    uint8_t label;
    enum layer_result result = gse_join(w, &piece, &label);
    return result == LAYER_NEXT ? gse_content(w, label) : result;
}

static enum layer_result gse_step(struct walk *w)
{
    if (w->number == INSIDE_BASE_BAND) return frame_step(w);
    uint16_t header = read_be16(&w->r);
    uint16_t length = header & PACKET_LENGTH;
    struct reader rest = w->r;
    read_bytes(&rest, length);
    if (rest.bad) return layer_end(w, REASON_BAD_LENGTH);
    if (!is_padding(rest))
        walk_branch(w, rest, walk_sent_left(w) - length, SPACE_INSIDE, INSIDE_GSE);
    walk_narrow(w, length);
    uint16_t whole = PACKET_START | PACKET_END;
    if ((header & whole) != whole) return gse_piece(w, header);
    return gse_content(w, (header & PACKET_LABEL) >> PACKET_LABEL_SHIFT);
}

static const struct layer_key keys[] = {
    {SPACE_INSIDE, INSIDE_BASE_BAND}, {SPACE_INSIDE, INSIDE_GSE}, {SPACE_END, 0}};
const struct layer gse_layer = {.name = "gse", .keys = keys, .step = gse_step};
