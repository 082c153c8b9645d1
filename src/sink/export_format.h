// The inside of the exporter: what its formats share. Not for other folders.
#pragma once

#include "sink/export_column.h"
#include "sink/flow_export.h"

// Templates that are in use. When there are more kinds of rows all are forgotten, and their ids are
// used again.
enum { SHAPES_MAX = 1024, TEMPLATE_FIRST = 256 };

// A message being written. Copied to go back to where it stood.
struct open_message {
    struct buf buf;   // empty, or it begins with a header
    uint32_t records; // flows
    uint32_t items;   // with templates
    uint16_t set;     // the open one, 0: none
    size_t set_at;    // where it begins
    nanos latest;     // that was told with one of its records: its own time
    uint32_t rate;    // NetFlow 5: sampling of all its records
};

// Rows that have the same columns: one template.
struct shape {
    uint64_t present, wide;
    uint32_t told; // the round in which it was told last
};

struct flow_export {
    struct flow_export_options options;
    const struct export_format *format;
    struct export_columns columns;
    struct export_values values;
    struct open_message message;
    uint8_t memory[EXPORT_MESSAGE_MAX];
    struct shape shapes[SHAPES_MAX]; // the n-th has the id TEMPLATE_FIRST + n
    uint32_t shape_count;
    uint32_t round; // of telling templates, from 1
    nanos round_began;
    uint32_t round_messages;
    uint32_t sequence; // as the format counts
    nanos now;         // as it was told with the row at hand
    nanos started;     // when uptimes count from; `has_started`
    bool has_started;
    struct flow_export_counts counts;
};

enum export_added {
    EXPORT_ADDED,
    EXPORT_FULL,  // begin a new message, and again
    EXPORT_UNTOLD // never
};

struct export_format {
    const char *name;
    struct column_abilities abilities; // has_reverse: one record tells both directions
    size_t header_size;
    // The values of a row, into a message that has its header.
    enum export_added (*add)(struct flow_export *e, const struct export_values *values);
    // Fills in the header of a message that is complete, and moves the sequence on.
    void (*close)(struct flow_export *e);
};

extern const struct export_format *const export_formats[];
extern const uint32_t export_format_count;

// export_sets.c, which NetFlow 9 and IPFIX have in common: a record behind its template.
struct set_layout {
    uint16_t templates; // id of sets of templates
    unsigned align;     // sets end at a multiple of it
};
enum export_added sets_add(struct flow_export *e, const struct export_values *values,
                           const struct set_layout *layout);
void sets_close(struct open_message *m, const struct set_layout *layout);
