#include "engine/dispatcher.h"

#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/carriers.h"
#include "record/kinds.h"
#include "record/writer.h"

enum { AMBIGUITY_ROW = 1024, DETAIL_BYTES = 16 };

struct dispatcher {
    struct decoder decoder;
    struct record_writer *writer;
    struct carriers *carriers;
    struct text detail;
};

// ---- fragments that disagree --------------------------------------------------------------------

static void put_reading(struct text *t, const char *name, bytes b)
{
    char hex[2 * DETAIL_BYTES + 1];
    hex_format(hex, bytes_first(b, DETAIL_BYTES));
    text_format(t, ", %s %s%s", name, hex, b.n > DETAIL_BYTES ? "..." : "");
}

static void put_detail(struct text *t, const struct fragment_ambiguity *a)
{
    text_clear(t);
    text_format(t, "bytes %u to %u of datagram %u%s", a->offset, a->offset + a->length - 1,
                a->identification, a->is_length ? " contradict where it ends" : "");
    if (a->taken.n) put_reading(t, "taken", a->taken);
    put_reading(t, "other", a->other);
}

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
    row_init(&row, &anomaly_kind, memory, sizeof memory);
    row_id(&row, COMMON_ID, ambiguity_id(a));
    row_time(&row, COMMON_TS, a->time);
    row_address(&row, COMMON_SRC_ADDR, a->src);
    row_address(&row, COMMON_DST_ADDR, a->dst);
    row_text(&row, ANOMALY_NAME, bytes_text("fragment_overlap"));
    row_text(&row, ANOMALY_SERVICE, bytes_text("ip"));
    row_text(&row, ANOMALY_SIDE, bytes_text("src"));
    put_detail(&d->detail, a);
    row_text(&row, ANOMALY_DETAIL, bytes_of(d->detail.p, d->detail.n));
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
    text_deinit(&d->detail);
    memory_free(d);
}

void dispatcher_batch(struct dispatcher *d, struct packet_batch *batch)
{
    decode_batch(&d->decoder, batch);
    lane_deal(batch);
    if (batch->count) carriers_run(d->carriers, batch->packets[batch->count - 1].watermark);
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
