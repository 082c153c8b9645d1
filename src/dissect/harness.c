#include "dissect/harness.h"

#include <assert.h>
#include <inttypes.h>

#include "base/hash.h"
#include "base/memory.h"
#include "dissect/harness_inside.h"
#include "dissect/harness_text.h"

// ---- lines --------------------------------------------------------------------------------------

static struct line *line_add(struct dissect *d, struct text *text)
{
    assert(d->line_count < LINES_MAX);
    struct line *line = &d->lines[d->line_count++];
    *line = (struct line){.text = text->p}; // takes the text over
    return line;
}

static struct record_batch *batch_of(struct dissect *d, const struct record_kind *kind)
{
    for (size_t i = 0; i < KINDS_MAX; i++) {
        assert(d->dissector->kinds[i] != NULL); // the kind must be one of the dissector's
        if (d->dissector->kinds[i] != kind) continue;
        if (!d->batches[i]) d->batches[i] = batch_create(kind);
        batch_clear(d->batches[i]);
        return d->batches[i];
    }
    assert(false); // a row of a kind that the dissector does not declare
    return NULL;
}

static bool field_is_shown(unsigned field)
{
    switch (field) {
    case COMMON_ID:
    case COMMON_CONVERSATION_ID:
    case COMMON_SRC_ADDR:
    case COMMON_SRC_PORT:
    case COMMON_DST_ADDR:
    case COMMON_DST_PORT:
        return false;
    default:
        return true;
    }
}

// The field of the row that is shown as `field` of the record: sides are turned into src and dst at
// the end.
static unsigned field_turned(unsigned field, bool turned)
{
    if (!turned || field < COMMON_SRC_OFFSET || field > COMMON_DST_LENGTH) return field;
    return field < COMMON_DST_OFFSET ? field + 2 : field - 2;
}

static void line_of_record(struct dissect *d, const struct record_batch *batch,
                           const struct row *row)
{
    const struct record_kind *kind = batch->kind;
    struct text text = {0};
    char **values = memory_get(kind->field_count * sizeof *values);
    text_add(&text, kind->name);
    for (unsigned i = 0; i < kind->field_count; i++) {
        struct text value = {0};
        harness_put_value(&value, batch, field_turned(i, d->turned));
        values[i] = value.p;
        if (value.p && field_is_shown(i))
            text_format(&text, " %s=%s", kind->fields[i].name, value.p);
    }
    if (row->truncated || row->buf.full) text_add(&text, " truncated=true");
    struct line *line = line_add(d, &text);
    line->values = values;
    line->kind = kind;
}

// ---- services: rows -----------------------------------------------------------------------------

void *dissect_state(struct dissect *d)
{
    return d->state;
}

enum transport dissect_transport(const struct dissect *d)
{
    return d->transport;
}

uint16_t dissect_port(const struct dissect *d, uint8_t side)
{
    return d->ports[side];
}

nanos dissect_time_at(const struct dissect *d, uint8_t side, uint64_t position)
{
    assert(side < 2);
    const struct direction *direction = &d->directions[side];
    assert(position >= direction->shown_from); // what was consumed is forgotten
    nanos time = d->now;
    for (size_t i = 0; i < direction->segment_count; i++) {
        if (direction->segments[i].position > position) break;
        time = direction->segments[i].time;
    }
    return time;
}

void *dissect_state_resize(struct dissect *d, size_t size)
{
    assert(size >= d->state_size && size <= DISSECT_STATE_MAX);
    uint8_t *state = memory_get(size);
    memcpy(state, d->state, d->state_size);
    memory_free(d->state);
    d->state_size = size;
    return d->state = state;
}

struct row *dissect_row(struct dissect *d, const struct record_kind *kind, uint8_t side,
                        uint64_t position, nanos ts)
{
    const struct row *before = &d->row;
    bool same = before->kind == kind && before->side == side && before->position == position;
    d->ordinal = same ? d->ordinal + 1 : 0;
    row_init(&d->row, kind, d->row_memory, sizeof d->row_memory);
    d->row.side = side;
    d->row.position = position;
    d->row.ts = ts;
    d->row.ordinal = d->ordinal;
    return &d->row;
}

void dissect_emit(struct dissect *d, struct row *row)
{
    assert(row == &d->row); // neither an older row nor one that is held
    assert(!d->ended && !d->switched);
    struct record_batch *batch = batch_of(d, row->kind);
    row_time(row, COMMON_TS, row->ts);
    row_id(row, COMMON_ID, dissect_row_id(d, row));
    bool fits = batch_append(batch, row);
    assert(fits);
    line_of_record(d, batch, row);
    d->emitted = true;
}

struct record_id dissect_row_id(const struct dissect *d, const struct row *row)
{
    (void)d;
    return record_id_under(1, row->kind->name, row->side, row->position, row->ordinal, row->ts);
}

uint32_t dissect_hold(struct dissect *d, const struct row *row)
{
    assert(row == &d->row);
    for (uint32_t i = 0; i < DISSECT_HELD_MAX; i++) {
        struct held *held = &d->held[i];
        if (held->used) continue;
        *held = (struct held){.row = *row, .used = true};
        held->row.buf.p = memory_get(row->buf.n);
        memcpy(held->row.buf.p, row->buf.p, row->buf.n);
        return i + 1;
    }
    return 0;
}

struct row *dissect_take(struct dissect *d, uint32_t handle)
{
    assert(handle > 0 && handle <= DISSECT_HELD_MAX && d->held[handle - 1].used);
    struct held *held = &d->held[handle - 1];
    d->row = held->row;
    d->row.buf.p = d->row_memory;
    memcpy(d->row_memory, held->row.buf.p, held->row.buf.n);
    memory_free(held->row.buf.p);
    *held = (struct held){0};
    return &d->row;
}

void dissect_anomaly(struct dissect *d, const char *name, uint8_t side, uint64_t position,
                     nanos time, bytes detail)
{
    (void)time;
    struct text text = {0};
    text_format(&text, "anomaly name=%s side=%u position=%" PRIu64, name, side, position);
    if (detail.n) harness_put_text(&text, "detail", bytes_first(detail, 256));
    line_add(d, &text);
}

void dissect_client_is(struct dissect *d, uint8_t side)
{
    assert(side < 2);
    if (side == 0 || d->emitted || d->turned) return;
    struct text text = {0};
    text_format(&text, "client side=%u", side);
    line_add(d, &text);
    d->turned = true;
}

void dissect_switch(struct dissect *d, const char *name)
{
    struct text text = {0};
    text_format(&text, "switch name=%s", name ? name : "?");
    line_add(d, &text);
    d->switched = true;
    for (size_t i = 0; i < DISSECT_HELD_MAX; i++) assert(!d->held[i].used);
}

void dissect_tunnel(struct dissect *d, const char *name)
{
    struct text text = {0};
    text_format(&text, "tunnel name=%s", name);
    line_add(d, &text);
}

// ---- services: bodies ---------------------------------------------------------------------------

static struct body *body_of(struct dissect *d, uint32_t handle)
{
    assert(handle > 0 && handle <= d->body_count && d->bodies[handle - 1].handle == handle);
    return &d->bodies[handle - 1];
}

static void body_describe(struct text *line, const struct body_start *start)
{
    static const char *const NAMES[] = {
        [BODY_PLAIN] = "plain",   [BODY_GZIP] = "gzip", [BODY_DEFLATE] = "deflate",
        [BODY_BROTLI] = "brotli", [BODY_ZSTD] = "zstd",
    };
    assert(start->coding_count <= BODY_CODINGS_MAX);
    text_format(line, "file source=%s side=%u position=%" PRIu64, start->source, start->side,
                start->position);
    harness_put_text(line, "name", start->file_name);
    harness_put_text(line, "type", start->media_type);
    if (start->has_length) text_format(line, " length=%" PRIu64, start->length);
    text_add(line, " codings=[");
    for (size_t i = 0; i < start->coding_count; i++) {
        text_format(line, "%s%s", i ? "," : "", NAMES[start->codings[i]]);
    }
    text_add(line, "]");
}

uint32_t dissect_body_open(struct dissect *d, const struct body_start *start)
{
    size_t open = 0;
    for (size_t i = 0; i < d->body_count; i++) open += d->bodies[i].handle != 0;
    if (open == BODIES_OPEN_MAX || d->body_count == BODIES_MAX) return 0;
    struct body *body = &d->bodies[d->body_count++];
    *body = (struct body){.handle = (uint32_t)d->body_count};
    body_describe(&body->line, start);
    return body->handle;
}

void dissect_body_data(struct dissect *d, uint32_t handle, bytes data)
{
    if (handle) text_put(&body_of(d, handle)->data, data);
}

void dissect_body_gap(struct dissect *d, uint32_t handle, uint64_t length)
{
    if (!handle) return;
    struct body *body = body_of(d, handle);
    text_format(&body->line, " gap=%zu+%" PRIu64, body->data.n, length);
}

static void body_close(struct dissect *d, struct body *body, const char *how,
                       struct body_summary *summary)
{
    char digest[HEX_SHA256_SIZE];
    bytes data = bytes_of(body->data.p, body->data.n);
    *summary = (struct body_summary){.seen_bytes = data.n, .file_bytes = data.n};
    sha256_of(data, summary->sha256);
    hex_format(digest, bytes_of(summary->sha256, SHA256_SIZE));
    text_format(&body->line, " bytes=%zu sha256=%.16s %s", data.n, digest, how);
    line_add(d, &body->line);
    body->line = (struct text){0};
    body->handle = 0;
}

void dissect_body_close(struct dissect *d, uint32_t handle, bool complete,
                        struct body_summary *summary)
{
    struct body_summary unused;
    if (summary) *summary = (struct body_summary){0};
    if (!handle) return;
    if (!summary) summary = &unused;
    body_close(d, body_of(d, handle), complete ? "complete=true" : "complete=false", summary);
    summary->complete = complete;
}

void harness_body_left(struct dissect *d, struct body *body)
{
    struct body_summary unused;
    body_close(d, body, "left_open=true", &unused);
}
