#include "engine/tell.h"

#include <stdlib.h>

#include "base/memory.h"
#include "record/kinds.h"
#include "record/loss.h"
#include "source/capture_kind.h"

enum { CAPTURE_ROW = 8192 };

struct telling {
    struct record_writer *writer;
    const char *point;
    uint64_t reading;
    uint8_t memory[CAPTURE_ROW];
};

static void tell_loss(struct telling *t, struct loss loss)
{
    loss.point = t->point;
    loss_tell(t->writer, &loss);
}

static void tell_interface_loss(struct telling *t, const struct capture_info *c,
                                const struct capture_loss *lost)
{
    tell_loss(t, (struct loss){"source", lost->reason, lost->from, lost->to,
                               .packets = lost->packets, .count = lost->messages,
                               .capture = c->path, .interface = lost->interface});
}

static void tell_capture_losses(struct telling *t, const struct capture_info *c)
{
    struct loss loss = {"source", "file_cut", c->last_seen, c->last_seen, .capture = c->path};
    if (c->first_seen > c->last_seen) loss.from = c->first_seen;
    loss.bytes = c->cut_bytes;
    if (c->truncated) tell_loss(t, loss);
    loss.from = c->first_seen;
    loss.reason = "damaged";
    loss.bytes = c->damaged_bytes;
    if (c->damaged_bytes) tell_loss(t, loss);
    loss.reason = "interface_drops";
    loss.bytes = 0;
    loss.packets = c->interface_drops - c->timed_drops;
    if (loss.packets) tell_loss(t, loss);
    for (uint32_t i = 0; i < c->loss_count; i++) tell_interface_loss(t, c, &c->losses[i]);
}

static void tell_capture(struct telling *t, const struct capture_info *c)
{
    struct row row;
    row_init(&row, &capture_kind, t->memory, sizeof t->memory);
    capture_row(c, &row);
    row_uint(&row, CAPTURE_READING, t->reading);
    // A case is asked from other places than where it was read.
    char *path = c->is_stream ? NULL : realpath(c->path, NULL);
    if (path) row_text(&row, CAPTURE_PATH, bytes_text(path));
    free(path);
    writer_emit(t->writer, &row);
    tell_capture_losses(t, c);
}

static void tell_decode(struct telling *t, const struct reading_counts *n, nanos from, nanos to)
{
    for (unsigned reason = 0; reason < REASON_COUNT; reason++) {
        if (!n->reasons[reason] || decode_reason_class(reason) <= PACKET_NOT_IP) continue;
        tell_loss(t, (struct loss){"decode", decode_reason_name(reason), from, to,
                                   .packets = n->reasons[reason]});
    }
}

// What reached a limit of the process or of a conversation and is told nowhere else. The first
// three say that the reading is not reproducible: with more memory it would say more.
static void tell_lanes(struct telling *t, const struct lane_counters *n, nanos from, nanos to)
{
    const struct loss losses[] = {
        {"flow", "process_full", from, to, .packets = n->packets_shed},
        {"stream", "process_full", from, to, .packets = n->packets_unread},
        {"flow", "references_full", from, to, .packets = n->references_lost},
        {"dissect", "given_up", from, to, .count = n->given_up},
        {"dissect", "held_full", from, to, .count = n->held_full},
        {"dissect", "row_cut", from, to, .count = n->rows_truncated},
        {"dissect", "anomalies_untold", from, to, .count = n->anomalies_untold},
        {"extract", "files_refused", from, to, .count = n->files_refused},
    };
    for (size_t i = 0; i < sizeof losses / sizeof losses[0]; i++)
        if (losses[i].packets || losses[i].count) tell_loss(t, losses[i]);
}

static void tell_count(struct telling *t, const char *stage, const char *name, uint64_t value,
                       const char *unit, const char *help)
{
    struct row row;
    if (!value) return;
    row_init(&row, &counter_kind, t->memory, sizeof t->memory);
    row_text(&row, COUNTER_STAGE, bytes_text(stage));
    row_text(&row, COUNTER_NAME, bytes_text(name));
    row_uint(&row, COUNTER_VALUE, value);
    row_text(&row, COUNTER_UNIT, bytes_text(unit));
    row_text(&row, COUNTER_HELP, bytes_text(help));
    row_uint(&row, COUNTER_READING, t->reading);
    writer_emit(t->writer, &row);
}

// Packets of the captures = filtered + decoded; decoded + more = all reasons; those of
// conversations = counted + shed.
static void tell_counters(struct telling *t, const struct source *source,
                          const struct reading_counts *n)
{
    struct source_sums sums = source_sums(source);
    tell_count(t, "source", "packets", sums.packets, "packets", "Packets of all captures");
    tell_count(t, "source", "packets_filtered", sums.filtered, "packets",
               "Left out by the filter over packets");
    tell_count(t, "decode", "packets", n->packets, "packets", "Packets that were decoded");
    tell_count(t, "decode", "more", n->more, "packets", "Packets behind the first of their frame");
    for (unsigned reason = 0; reason < REASON_COUNT; reason++)
        tell_count(t, "decode", decode_reason_name(reason), n->reasons[reason], "packets",
                   decode_reason_help(reason));
#define TELL_LANE(name, unit, help) tell_count(t, "lane", #name, n->lanes.name, unit, help);
    LANE_COUNTERS(TELL_LANE)
#undef TELL_LANE
}

void reading_tell_rest(struct source *source, const struct reading_options *options,
                       struct record_writer *writer)
{
    struct telling t = {
        .writer = writer, .point = options->lane.point, .reading = options->lane.reading};
    for (uint32_t i = 0; i < source_capture_count(source); i++) {
        const struct capture_info *c = source_capture(source, i);
        bool is_over = source_capture_is_over(source, i);
        for (uint32_t n = 0; n < c->loss_count; n++) tell_interface_loss(&t, c, &c->losses[n]);
        source_forget_losses(source, i);
        if (is_over) tell_capture(&t, c);
    }
    source_forget_captures(source);
    writer_flush(writer);
}

void reading_tell(const struct source *source, const struct reading_options *options,
                  const struct reading_counts *counts, struct record_writer *writer)
{
    struct telling *t = memory_get(sizeof *t);
    t->writer = writer;
    t->point = options->lane.point;
    t->reading = options->lane.reading;
    nanos from = INT64_MAX;
    for (uint32_t i = 0; i < source_capture_count(source); i++) {
        const struct capture_info *c = source_capture(source, i);
        if (c->first_seen <= c->last_seen && c->first_seen < from) from = c->first_seen;
        tell_capture(t, c);
    }
    tell_decode(t, counts, from, counts->last_seen);
    tell_lanes(t, &counts->lanes, from, counts->last_seen);
    tell_counters(t, source, counts);
    memory_free(t);
}
