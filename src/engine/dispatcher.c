#include "engine/dispatcher.h"

#include "base/memory.h"
#include "engine/carriers.h"
#include "record/kinds.h"
#include "record/writer.h"

enum { AMBIGUITY_ROW = 1024 };

struct dispatcher {
    struct decoder decoder;
    struct record_writer *writer;
    struct carriers *carriers;
};

// ---- fragments that disagree --------------------------------------------------------------------

// The name of the record is made of where the other reading stands, which no two have in common.
static struct record_id ambiguity_id(const struct fragment_ambiguity *a)
{
    uint64_t words[] = {a->src.hi, a->src.lo, a->dst.hi, a->dst.lo,         a->scope,
                        a->proto,  a->offset, a->length, a->identification, a->is_length};
    return record_id_of(a->time, bytes_of(words, sizeof words));
}

static void dispatcher_ambiguous(void *context, const struct fragment_ambiguity *a)
{
    struct dispatcher *d = context;
    uint8_t memory[AMBIGUITY_ROW];
    struct row row;
    row_init(&row, &ambiguity_kind, memory, sizeof memory);
    row_id(&row, COMMON_ID, ambiguity_id(a));
    row_time(&row, COMMON_TS, a->time);
    row_address(&row, COMMON_SRC_ADDR, a->src);
    row_address(&row, COMMON_DST_ADDR, a->dst);
    row_uint(&row, COMMON_PROTO, a->proto);
    row_text(&row, AMBIGUITY_LAYER, bytes_text("ip"));
    row_text(&row, AMBIGUITY_SIDE, bytes_text("src"));
    row_uint(&row, AMBIGUITY_OFFSET, a->offset);
    row_uint(&row, AMBIGUITY_LENGTH, a->length);
    row_text(&row, AMBIGUITY_POLICY, bytes_text("first"));
    // Readings that disagree on where the datagram ends need not share a byte.
    if (a->taken.n) row_hash(&row, AMBIGUITY_TAKEN, a->taken);
    row_hash(&row, AMBIGUITY_OTHER, a->other);
    row_uint(&row, AMBIGUITY_DATAGRAM, a->identification);
    writer_emit(d->writer, &row);
}

// ---- batches ------------------------------------------------------------------------------------

static void dispatcher_carried(void *context, struct packet *p, const struct packet *around,
                               unsigned n)
{
    struct dispatcher *d = context;
    carriers_packet(d->carriers, p, around, n);
}

struct dispatcher *dispatcher_create(const struct lane_options *options,
                                     const struct record_kind *const *kinds, uint32_t kind_count,
                                     struct record_sink sink, struct err *err)
{
    struct dispatcher *d = memory_get(sizeof *d);
    decoder_init(&d->decoder);
    d->decoder.hooks = (struct decode_hooks){d, dispatcher_carried, dispatcher_ambiguous};
    d->writer = writer_create(kinds, kind_count, sink);
    d->carriers = carriers_create(options, d->writer, err);
    if (d->carriers) return d;
    dispatcher_destroy(d);
    return NULL;
}

void dispatcher_destroy(struct dispatcher *d)
{
    if (!d) return;
    decoder_deinit(&d->decoder);
    carriers_destroy(d->carriers);
    writer_destroy(d->writer);
    memory_free(d);
}

void dispatcher_batch(struct dispatcher *d, struct packet_batch *batch)
{
    decode_batch(&d->decoder, batch);
    lane_deal(batch);
    if (batch->count) carriers_run(d->carriers, batch->packets[batch->count - 1].watermark);
    if (batch->rests) writer_flush(d->writer);
}

void dispatcher_end(struct dispatcher *d)
{
    decoder_end(&d->decoder);
    carriers_end(d->carriers);
    writer_flush(d->writer);
}

const struct decoder *dispatcher_decoder(const struct dispatcher *d)
{
    return &d->decoder;
}
