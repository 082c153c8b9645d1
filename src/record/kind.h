// A record kind is a table of fields. Columns, JSON, filter names, `weir fields` and the manual are
// made from it.
//
// Kinds are constant and declared where their records are produced; engine/catalogue joins them
// all. Fields are only ever appended: a segment on disk carries the number of fields it was written
// with (its schema number).
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum field_type {
    FIELD_TIME,      // nanoseconds since 1970
    FIELD_DURATION,  // nanoseconds; shown in seconds
    FIELD_UINT,      // unsigned, 64 bits
    FIELD_REAL,      // IEEE double
    FIELD_BOOL,      // 0 or 1
    FIELD_MAC,       // hardware address, 48 bits (base/mac.h)
    FIELD_ADDRESS,   // struct address, two words
    FIELD_ID,        // struct record_id, two words
    FIELD_TEXT,      // UTF-8 (base/text.h)
    FIELD_HASH,      // bytes, shown as hexadecimal digits
    FIELD_BLOB,      // bytes for the program itself, never shown
    FIELD_TEXTS,     // list of text
    FIELD_UINTS,     // list of unsigned
    FIELD_ADDRESSES, // list of addresses
};

enum field_flag {
    FIELD_HIDDEN = 1,     // a reference for the program: not in tables, JSON or `weir fields`
    FIELD_UNDIGESTED = 2, // may differ between runs over the same packets (paths, file forms): not
                          // in `weir digest`
    FIELD_ASKED = 4, // follows from other rows: not stored, made where SQL or a filter names it
};

struct field {
    const char *name;
    enum field_type type;
    const char *unit; // "bytes", "packets", "s", ...; NULL where it has none
    const char *help; // one line
    const char *ecs;  // name in the Elastic Common Schema, or NULL
    const char *zeek; // name in Zeek's logs where it differs, or IPFIX element name, or NULL
    unsigned flags;   // enum field_flag
};

enum { KIND_FIELDS_MAX = 64 };

struct record_kind {
    const char *name; // singular noun; the table's name in SQL
    const char *help;
    const struct field *fields;
    uint32_t field_count;
    bool hidden;     // for the program itself: not listed, not digested
    bool undigested; // what hangs on when, where or from which file it was made
};

// Every kind that hangs on a conversation begins with these, so that nobody must join to see who
// spoke. The ranges tell which bytes of the two directions the record was made of; the last two are
// set where those bytes have a second reading, or are not all there.
enum common_field {
    COMMON_ID,
    COMMON_TS,
    COMMON_CONVERSATION_ID,
    COMMON_SRC_ADDR,
    COMMON_SRC_PORT,
    COMMON_DST_ADDR,
    COMMON_DST_PORT,
    COMMON_PROTO,
    COMMON_SRC_OFFSET,
    COMMON_SRC_LENGTH,
    COMMON_DST_OFFSET,
    COMMON_DST_LENGTH,
    COMMON_AMBIGUOUS,
    COMMON_INCOMPLETE,
    COMMON_COUNT,
};

// clang-format off
#define RECORD_COMMON_FIELDS \
    {"id", FIELD_ID, NULL, \
     "Name of the record, the same in every run over the same packets", "event.id", NULL, 0}, \
    {"ts", FIELD_TIME, NULL, "Time of its first packet", "@timestamp", NULL, 0}, \
    {"conversation_id", FIELD_ID, NULL, \
     "The conversation it was seen in", "network.session_id", "uid", 0}, \
    {"src_addr", FIELD_ADDRESS, NULL, "Address of who began", "source.ip", "id.orig_h", 0}, \
    {"src_port", FIELD_UINT, NULL, "Port of who began", "source.port", "id.orig_p", 0}, \
    {"dst_addr", FIELD_ADDRESS, NULL, \
     "Address of who answered", "destination.ip", "id.resp_h", 0}, \
    {"dst_port", FIELD_UINT, NULL, "Port of who answered", "destination.port", "id.resp_p", 0}, \
    {"proto", FIELD_UINT, NULL, "IP protocol number", "network.iana_number", "ip_proto", 0}, \
    {"src_offset", FIELD_UINT, "bytes", \
     "Where it begins in the stream of src", NULL, NULL, FIELD_HIDDEN}, \
    {"src_length", FIELD_UINT, "bytes", \
     "How long it is in the stream of src", NULL, NULL, FIELD_HIDDEN}, \
    {"dst_offset", FIELD_UINT, "bytes", \
     "Where it begins in the stream of dst", NULL, NULL, FIELD_HIDDEN}, \
    {"dst_length", FIELD_UINT, "bytes", \
     "How long it is in the stream of dst", NULL, NULL, FIELD_HIDDEN}, \
    {"ambiguous", FIELD_BOOL, NULL, \
     "Some of its bytes came with two readings: see ambiguity", NULL, NULL, 0}, \
    {"incomplete", FIELD_BOOL, NULL, \
     "Some of its bytes are missing: see loss", NULL, NULL, 0}
// clang-format on

// Words of 8 bytes that a value takes in a batch's column.
static inline unsigned field_words(enum field_type type)
{
    return type == FIELD_ADDRESS || type == FIELD_ID ? 2 : 1;
}

static inline bool field_is_list(enum field_type type)
{
    return type == FIELD_TEXTS || type == FIELD_UINTS || type == FIELD_ADDRESSES;
}

// Whether a batch's column has places in the heap.
static inline bool field_is_in_heap(enum field_type type)
{
    return type == FIELD_TEXT || type == FIELD_HASH || type == FIELD_BLOB || field_is_list(type);
}

// Index of the field `name`, or -1.
int kind_field(const struct record_kind *kind, bytes name);
// Bit f for each field f that has FIELD_ASKED.
uint64_t kind_asked_fields(const struct record_kind *kind);
// Whether it begins with the common fields, and so tells of which bytes its records were made.
bool kind_has_common_fields(const struct record_kind *kind);
const char *field_type_name(enum field_type type);
