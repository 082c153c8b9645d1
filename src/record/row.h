// One record while it is being made: fields in the order in which they were learnt, in bounded
// memory without pointers.
//
// A dissector fills a row by field number, may hold it until the answer comes (dissect/dissect.h),
// and then emits it into a columnar batch. A field set twice has its last value; a list field grows
// by each call. When the room is used up the row is `full`: later fields are left out, and whoever
// emits it counts that.
#pragma once

#include "base/address.h"
#include "base/buf.h"
#include "base/time.h"
#include "record/id.h"
#include "record/kind.h"

enum { ROW_SIZE_MAX = 32768, ROW_TEXT_MAX = 8192, ROW_LIST_MAX = 256 };

struct row {
    const struct record_kind *kind;
    struct buf buf;       // entries, see below
    bool truncated;       // something did not fit, or was cut at a limit
    uint8_t side;         // 0 src, 1 dst: where its first byte stands
    uint32_t ordinal;     // tells records apart that begin at the same position
    uint64_t position;    // of its first byte in that direction's stream
    nanos ts;             // of its first packet
    uint64_t list_fields; // bit n: list_counts[n] holds how many elements list field n has
    uint16_t list_counts[KIND_FIELDS_MAX];
};

// An entry is a byte of field number and shape; then a word, two words, or a 16-bit length and as
// many bytes. An element of a list looks as its type asks for. All in the byte order of the
// machine: rows do not leave the process.
enum row_shape { ROW_WORD, ROW_PAIR, ROW_BYTES, ROW_ELEMENT };
enum { ROW_FIELD_BITS = 6, ROW_LENGTH_SIZE = 2 };
_Static_assert(KIND_FIELDS_MAX <= 1 << ROW_FIELD_BITS,
               "a field number fits into an entry's first byte");

void row_init(struct row *row, const struct record_kind *kind, void *memory, size_t size);

void row_uint(struct row *row, unsigned field,
              uint64_t v); // FIELD_UINT, FIELD_BOOL, FIELD_MAC; adds to FIELD_UINTS
void row_time(struct row *row, unsigned field, nanos v); // FIELD_TIME, FIELD_DURATION
void row_real(struct row *row, unsigned field, double v);
void row_address(struct row *row, unsigned field, struct address v); // adds to FIELD_ADDRESSES
void row_id(struct row *row, unsigned field, struct record_id v);
void row_text(struct row *row, unsigned field,
              bytes v); // escapes what is not UTF-8; cut at ROW_TEXT_MAX; adds to FIELD_TEXTS
void row_hash(struct row *row, unsigned field, bytes v); // FIELD_HASH, FIELD_BLOB
// The text that `field` has so far, escaped as it is, valid until the row changes; false when it
// has none. Not for lists.
bool row_get_text(const struct row *row, unsigned field, bytes *v);
// Which bytes of direction `side` the record was made of, as one range.
void row_range(struct row *row, unsigned side, uint64_t offset, uint64_t length);
// What row_range said last of direction `side`; false when that is no byte.
bool row_get_range(const struct row *row, unsigned side, uint64_t *offset, uint64_t *length);
// Exchanges the ranges of both directions: who began turned out to be the other.
void row_swap_sides(struct row *row);
