// Which element tells which field of `flow`, and the values of a row as they are told.
#pragma once

#include "base/buf.h"
#include "base/time.h"
#include "record/batch.h"
#include "record/element.h"

enum { COLUMNS_MAX = 64, COLUMN_TEXTS_MAX = 4096, LENGTH_VARIABLE = 65535 };

enum column_how {
    COLUMN_NUMBER,  // wide: more bytes than others expect
    COLUMN_TIME,    // in milliseconds, which everybody reads
    COLUMN_FINE,    // the same in nanoseconds, where milliseconds are not exact
    COLUMN_ADDRESS, // wide: IPv6
    COLUMN_MAC,
    COLUMN_REASON, // flowEndReason
    COLUMN_TEXT,
    COLUMN_HASH,
    COLUMN_ICMP,   // type and code, from the ports; wide: ICMPv6
    COLUMN_UNTOLD, // no element tells it
};

struct export_column {
    uint8_t how;
    uint8_t size, wide_size; // on the wire; 0: variable
    bool is_reverse;         // of the other direction (RFC 5103)
    int field, back;         // back: field with the same meaning for who answered, or -1
    const struct element *element, *wide; // wide may be NULL
};

struct export_columns {
    struct export_column list[COLUMNS_MAX];
    uint32_t count;
    int proto, src_port, dst_port, packets, reverse_packets; // fields
};

// What a template can say of its fields.
struct column_abilities {
    bool has_enterprises, has_variable, has_reverse, has_fine_times;
};

struct column_value {
    uint64_t word;
    struct address address;
    bytes text;
};

// Bit c of `present` and `wide` stands for column c.
struct export_values {
    uint64_t present, wide, left_out;
    struct column_value of[COLUMNS_MAX];
    uint8_t texts[COLUMN_TEXTS_MAX];
    size_t texts_used;
};

struct export_row {
    const struct record_batch *batch;
    uint32_t row;
    bool is_back; // as a record of the other direction
};

void columns_init(struct export_columns *columns, const struct record_kind *kind,
                  const struct column_abilities *abilities);
void columns_read(const struct export_columns *columns, const struct export_row *row,
                  struct export_values *values);

// How a column stands in a template, and its value behind it.
uint16_t column_length(const struct export_column *c, bool is_wide);
const struct element *column_element(const struct export_column *c, bool is_wide);
void column_put(struct buf *b, const struct export_column *c, const struct column_value *v,
                bool is_wide);

// A number of `size` bytes, most significant first.
static inline void buf_be(struct buf *b, uint64_t v, unsigned size)
{
    for (unsigned i = size; i > 0; i--) buf_u8(b, (uint8_t)(v >> 8 * (i - 1)));
}
