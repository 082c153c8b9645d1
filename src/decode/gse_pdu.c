#include "decode/gse_pdu.h"

#include "decode/datagrams.h"

enum { GSE_PROTO = 0x100, GSE_IMAGE_FIRST = 2048 }; // no IP protocol

// CRC-32 of MPEG-2 systems (ISO/IEC 13818-1 annex A), as ULE has it (RFC 4326 section 4.6): the
// highest bit first, nothing turned round.
static uint32_t gse_crc(bytes b)
{
    static const uint32_t of_nibble[] = {
        0x00000000, 0x04c11db7, 0x09823b6e, 0x0d4326d9, 0x130476dc, 0x17c56b6b,
        0x1a864db2, 0x1e475005, 0x2608edb8, 0x22c9f00f, 0x2f8ad6d6, 0x2b4bcb61,
        0x350c9b64, 0x31cd86d3, 0x3c8ea00a, 0x384fbdbd,
    };
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < b.n; i++) {
        crc = crc << 4 ^ of_nibble[(crc >> 28 ^ b.p[i] >> 4) & 15];
        crc = crc << 4 ^ of_nibble[(crc >> 28 ^ b.p[i]) & 15];
    }
    return crc;
}

static bool gse_append(struct walk *w, uint32_t index, const struct gse_piece *piece)
{
    struct datagram *g = datagram_at(w->decoder->fragments, index);
    uint32_t end = g->end + (uint32_t)piece->data.n;
    if (end > g->image_size) {
        uint32_t size = end < GSE_IMAGE_FIRST ? GSE_IMAGE_FIRST : end;
        uint8_t *image = datagram_resize(w->decoder, index, g->image, &g->image_size, g->end, size);
        if (!image) return false;
        g->image = image;
    }
    if (!datagram_note(w->decoder, index, w->packet, (struct datagram_frame){0})) return false;
    if (piece->data.n) memcpy(g->image + g->end, piece->data.p, piece->data.n);
    g->end = end;
    return true;
}

// What is all together is right: as long as its start said, and with the check sum of its end.
static bool gse_is_right(const struct datagram *g)
{
    if (g->end != GSE_LENGTH_SIZE + g->total + GSE_CRC_SIZE) return false;
    struct reader r = reader_of(bytes_of(g->image, g->end));
    uint32_t crc = gse_crc(read_bytes(&r, GSE_LENGTH_SIZE + g->total));
    return read_be32(&r) == crc;
}

static enum layer_result gse_give_up(struct walk *w, uint32_t index, enum decode_reason reason)
{
    datagram_drop(w->decoder, index, reason);
    return layer_end(w, reason);
}

// The same when the packet at hand was noted as its piece.
static enum layer_result gse_refuse(struct walk *w, uint32_t index, enum decode_reason reason)
{
    datagram_forget(datagram_at(w->decoder->fragments, index), w->packet);
    return gse_give_up(w, index, reason);
}

static enum layer_result gse_whole(struct walk *w, uint32_t index)
{
    struct datagram *g = datagram_at(w->decoder->fragments, index);
    struct packet *p = w->packet;
    if (!gse_is_right(g)) return gse_refuse(w, index, REASON_BAD_CHECKSUM);
    bytes whole = bytes_of(g->image + GSE_LENGTH_SIZE, g->total);
    const struct packet_frame *frames;
    struct packet_buffer *b = datagram_buffer(g, bytes_of(NULL, 0), whole, &frames);
    bool kept = walk_keep(w, b);
    packet_buffer_unref(b);
    if (!kept) return gse_refuse(w, index, REASON_FRAGMENT_CAP);
    p->data = b->data;
    p->captured = p->length = g->total;
    p->frames = frames;
    p->frame_count = (uint16_t)(g->frame_count - 1);
    p->shared_count = g->shared_count;
    w->r = reader_of(bytes_of(p->data, p->captured));
    w->sent_end = p->length;
    g->is_joined = true; // its frames are counted with the packet
    datagram_drop(w->decoder, index, REASON_FRAGMENT_JOINED);
    return LAYER_NEXT;
}

// The one that the piece belongs to; 0 when there is none, or no room for it.
static uint32_t gse_find(struct walk *w, const struct gse_piece *piece)
{
    struct decoder *d = w->decoder;
    if (!d->fragments) d->fragments = fragments_create();
    if (!d->fragments) return 0;
    struct datagram_key key = {
        .src = w->src,
        .dst = w->dst,
        .scope = piece->link,
        .identification = piece->identifier,
        .proto = GSE_PROTO,
    };
    uint32_t index = datagram_find(d->fragments, &key);
    bool is_due = index && datagram_is_due(datagram_at(d->fragments, index), w->packet->watermark);
    if (is_due) datagram_drop(d, index, REASON_FRAGMENT_TIMEOUT);
    else if (index && piece->is_start) datagram_drop(d, index, REASON_FRAGMENT_REPLACED);
    if (piece->is_start) return datagram_add(d, &key, w->packet);
    return is_due ? 0 : index;
}

enum layer_result gse_join(struct walk *w, const struct gse_piece *piece, uint8_t *label)
{
    if (piece->data.n < piece->sent) return layer_end(w, REASON_CUT_HEADER);
    uint32_t index = gse_find(w, piece);
    if (!index) return layer_end(w, piece->is_start ? REASON_FRAGMENT_CAP : REASON_FRAGMENT_ORPHAN);
    struct datagram *g = datagram_at(w->decoder->fragments, index);
    if (piece->is_start) {
        struct reader r = reader_of(piece->data);
        g->total = read_be16(&r);
        g->header[0] = piece->label;
        g->header_size = 1;
    }
    *label = g->header[0];
    if (g->end + piece->data.n > GSE_LENGTH_SIZE + g->total + (uint64_t)GSE_CRC_SIZE)
        return gse_give_up(w, index, REASON_BAD_FRAGMENT);
    if (!gse_append(w, index, piece)) return gse_give_up(w, index, REASON_FRAGMENT_CAP);
    return piece->is_end ? gse_whole(w, index) : layer_end(w, REASON_FRAGMENT_HELD);
}
