#include "flow/references.h"

enum { REFERENCE_MAX = 16, REFERENCES_MIN = 32 }; // bytes of one entry at most; first block

static const struct field packets_fields[PACKETS_COUNT] = {
    {"conversation_id", FIELD_ID, NULL, "The conversation", NULL, NULL, 0},
    {"part", FIELD_UINT, NULL, "Number of this part, from 0", NULL, NULL, 0},
    {"references", FIELD_BLOB, NULL, "Packet numbers (docs/formats/case.md)", NULL, NULL, 0},
    {"reading", FIELD_UINT, NULL, "Number of the reading in the log; its captures are meant", NULL,
     NULL, 0},
};

const struct record_kind packets_kind = {
    .name = "packets",
    .help = "Which packets each conversation is made of",
    .fields = packets_fields,
    .field_count = PACKETS_COUNT,
    .hidden = true,
    .undigested = true,
};

static void references_write(struct conversation *c, const struct references *to)
{
    struct record_batch *b = writer_begin(to->writer, &packets_kind, c->references_used);
    batch_words(b, PACKETS_CONVERSATION_ID,
                (uint64_t)(c->first_seen > 0 ? c->first_seen / NANOS_PER_MICRO : 0), c->id_hash);
    batch_word(b, PACKETS_PART, c->references_part++);
    batch_text(b, PACKETS_REFERENCES, bytes_of(c->references, c->references_used));
    batch_word(b, PACKETS_READING, to->reading);
    batch_end(b);
    c->references_used = 0;
    c->last_capture = 0;
    c->last_ordinal = 0;
}

// Room for one more entry: a larger block, or a written part.
static bool references_room(struct conversation *c, struct references *to)
{
    if (c->references_used + REFERENCE_MAX <= c->references_size) return true;
    if (c->references_size == REFERENCES_MAX) {
        references_write(c, to);
        return true;
    }
    uint32_t size = c->references_size ? c->references_size * 4 : REFERENCES_MIN;
    if (size > REFERENCES_MAX) size = REFERENCES_MAX;
    uint8_t *larger = blocks_take(to->blocks, size);
    if (!larger) return false;
    if (c->references) {
        memcpy(larger, c->references, c->references_used);
        blocks_give(to->blocks, c->references, c->references_size);
    }
    c->references = larger;
    c->references_size = size;
    return true;
}

static void references_add_frame(struct references *to, struct conversation *c,
                                 struct packet_frame frame)
{
    bool is_again =
        c->references_used && frame.capture == c->last_capture && frame.ordinal == c->last_ordinal;
    if (is_again) return; // a frame that holds several packets
    if (!references_room(c, to)) {
        to->lost++;
        return;
    }
    struct buf buf = buf_on(c->references + c->references_used, REFERENCE_MAX);
    bool other = frame.capture != c->last_capture;
    int64_t step = (int64_t)(frame.ordinal - (other ? 0 : c->last_ordinal));
    uint64_t zigzag = (uint64_t)step << 1 ^ (uint64_t)(step >> 63);
    buf_varint(&buf, zigzag << 1 | other);
    if (other) buf_varint(&buf, frame.capture);
    c->references_used += (uint32_t)buf.n;
    c->last_capture = frame.capture;
    c->last_ordinal = frame.ordinal;
}

void references_add(struct references *to, struct conversation *c, const struct packet *p)
{
    for (uint32_t i = 0; i < p->frame_count; i++) references_add_frame(to, c, p->frames[i]);
    references_add_frame(to, c, (struct packet_frame){p->ordinal, p->capture});
}

void references_end(struct references *to, struct conversation *c)
{
    if (!c->references) return;
    if (c->references_used) references_write(c, to);
    blocks_give(to->blocks, c->references, c->references_size);
    c->references = NULL;
    c->references_size = 0;
}

bool reference_next(struct reader *r, struct reference *at)
{
    if (!reader_left(r)) return false;
    uint64_t entry = read_varint(r), zigzag = entry >> 1;
    int64_t step = (int64_t)(zigzag >> 1) ^ -(int64_t)(zigzag & 1);
    if (entry & 1) *at = (struct reference){(uint32_t)read_varint(r), 0};
    at->ordinal += (uint64_t)step;
    return !r->bad;
}
