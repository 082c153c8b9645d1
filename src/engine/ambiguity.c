#include "engine/ambiguity.h"

#include "flow/flow.h"
#include "record/kinds.h"

enum { AMBIGUITY_ROW_SIZE = 4096 };

static void row_doubts(struct row *row, unsigned field, unsigned doubts)
{
    static const char *const names[] = {"bad_checksum", "low_ttl", "old_timestamp",
                                        "out_of_window"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (doubts >> i & 1) row_text(row, field, bytes_text(names[i]));
}

static void row_reading(struct row *row, const struct stream_reading *reading, unsigned field,
                        unsigned marks)
{
    // The readings of fragments stand in the record of their datagram.
    if (reading->data.n) row_hash(row, field, reading->data);
    row_doubts(row, marks, reading->doubts);
}

static void row_of_ambiguity(struct row *row, const struct conversation *c,
                             const struct stream_ambiguity *a)
{
    bool is_src = conversation_is_src(c, a->side);
    row_id(row, COMMON_ID,
           record_id_under(c->id_hash, ambiguity_kind.name, a->side, a->position, c->ambiguities,
                           a->time));
    row_time(row, COMMON_TS, a->time);
    conversation_fill(c, row);
    row_range(row, !is_src, a->position, a->length);
    row_text(row, AMBIGUITY_LAYER, bytes_text(a->of_fragments ? "ip" : "tcp"));
    row_text(row, AMBIGUITY_SIDE, bytes_text(is_src ? "src" : "dst"));
    row_uint(row, AMBIGUITY_OFFSET, a->position);
    row_uint(row, AMBIGUITY_LENGTH, a->length);
    row_text(row, AMBIGUITY_POLICY, bytes_text(a->policy));
    row_reading(row, &a->taken, AMBIGUITY_TAKEN, AMBIGUITY_TAKEN_MARKS);
    row_reading(row, &a->other, AMBIGUITY_OTHER, AMBIGUITY_OTHER_MARKS);
    if (a->taken.time) row_time(row, AMBIGUITY_TAKEN_TS, a->taken.time);
}

bool ambiguity_write(struct conversation *c, const struct stream_ambiguity *a,
                     struct record_writer *writer)
{
    if (c->ambiguities < AMBIGUITIES_MAX) {
        uint8_t memory[AMBIGUITY_ROW_SIZE];
        struct row row;
        row_init(&row, &ambiguity_kind, memory, sizeof memory);
        row_of_ambiguity(&row, c, a);
        // From now on a record says who is src.
        c->settled = true;
        writer_emit(writer, &row);
    }
    if (c->ambiguities < UINT16_MAX) c->ambiguities++;
    return c->ambiguities <= AMBIGUITIES_MAX;
}
