#include "sink/flow_export.h"

#include <stdlib.h>

#include "base/memory.h"
#include "sink/export_format.h"
#include "sink/record_lines.h"

enum { TRIES = 4 };

static const struct export_format *format_named(const char *name)
{
    for (uint32_t i = 0; i < export_format_count; i++)
        if (strcmp(export_formats[i]->name, name) == 0) return export_formats[i];
    return NULL;
}

struct flow_export *flow_export_create(const struct flow_export_options *options,
                                       const struct record_kind *kind, struct err *err)
{
    const struct export_format *format = format_named(options->format);
    if (!format) {
        err_set(err, ERR_USAGE, "\"%s\" is no format; there are %s, %s", options->format,
                flow_export_formats(), record_lines_formats());
        return NULL;
    }
    struct flow_export *e = memory_get(sizeof *e);
    e->options = *options;
    e->format = format;
    e->round = 1;
    e->message.buf = buf_on(e->memory, sizeof e->memory);
    columns_init(&e->columns, kind, &format->abilities);
    return e;
}

void flow_export_destroy(struct flow_export *e)
{
    memory_free(e);
}

struct flow_export_counts flow_export_counts(const struct flow_export *e)
{
    return e->counts;
}

// ---- messages -----------------------------------------------------------------------------------

static void message_begin(struct flow_export *e)
{
    static const uint8_t header[32];
    if (!e->has_started) e->started = e->round_began = e->now - e->now % NANOS_PER_SECOND;
    e->has_started = true;
    e->message.latest = e->now;
    buf_put(&e->message.buf, bytes_of(header, e->format->header_size));
}

// Over datagrams all templates are told again in the next round.
static void round_next(struct flow_export *e)
{
    e->round_messages++;
    if (e->options.is_stream || (e->round_messages < EXPORT_REFRESH_MESSAGES &&
                                 e->now - e->round_began < EXPORT_REFRESH_TIME))
        return;
    e->round++;
    e->round_messages = 0;
    e->round_began = e->now;
}

bool flow_export_flush(struct flow_export *e, struct err *err)
{
    struct open_message *m = &e->message;
    if (!m->items) return true;
    e->format->close(e);
    e->counts.messages++;
    bool ok = e->options.send(e->options.context, buf_bytes(&m->buf), m->records, err);
    *m = (struct open_message){.buf = buf_on(e->memory, sizeof e->memory)};
    round_next(e);
    return ok;
}

// ---- rows ---------------------------------------------------------------------------------------

// A record that fills more than a message goes without its texts.
static void drop_texts(struct flow_export *e)
{
    struct export_values *v = &e->values;
    for (uint32_t i = 0; i < e->columns.count; i++) {
        uint64_t bit = UINT64_C(1) << i;
        if (!(v->present & bit) || column_length(&e->columns.list[i], false) != LENGTH_VARIABLE)
            continue;
        v->present &= ~bit;
        v->left_out++;
    }
}

static bool record_take(struct flow_export *e, const struct export_row *row, struct err *err)
{
    columns_read(&e->columns, row, &e->values);
    enum export_added added = EXPORT_FULL;
    for (unsigned i = 0; i < TRIES && added == EXPORT_FULL; i++) {
        if (!e->message.buf.n) message_begin(e);
        added = e->format->add(e, &e->values);
        if (added == EXPORT_ADDED && e->now > e->message.latest) e->message.latest = e->now;
        if (added != EXPORT_FULL) break;
        if (!e->message.items) drop_texts(e);
        if (!flow_export_flush(e, err)) return false;
    }
    e->counts.left_out += e->values.left_out;
    if (added == EXPORT_ADDED) e->counts.records++;
    else e->counts.untold++;
    return true;
}

static uint64_t count_of(const struct export_row *row, int field, uint64_t otherwise)
{
    return field >= 0 && batch_has(row->batch, field, row->row)
               ? batch_get(row->batch, field, row->row)
               : otherwise;
}

bool flow_export_take(struct flow_export *e, const struct record_batch *batch, uint32_t row,
                      nanos now, struct err *err)
{
    struct export_row r = {batch, row, false};
    bool has_back =
        !e->format->abilities.has_reverse && count_of(&r, e->columns.reverse_packets, 0);
    e->counts.flows++;
    e->now = now;
    // An interval in which only dst spoke is one record, of its direction.
    if (!has_back || count_of(&r, e->columns.packets, 1))
        if (!record_take(e, &r, err)) return false;
    r.is_back = true;
    return !has_back || record_take(e, &r, err);
}
