// Thrift's compact protocol, as far as the headers and the footer of a Parquet file need it.
// (github.com/apache/thrift, doc/specs/thrift-compact-protocol.md)
//
// A struct is a sequence of fields in rising order, each with its number; thrift_end ends it, the
// outermost too, and then another one may begin.
#pragma once

#include "base/text.h"

struct thrift {
    struct text out;
    unsigned depth;
    uint8_t last[16]; // number of the field before, by depth
};

void thrift_int(struct thrift *t, uint8_t field, int32_t v);
void thrift_long(struct thrift *t, uint8_t field, int64_t v);
void thrift_bool(struct thrift *t, uint8_t field, bool v);
void thrift_bytes(struct thrift *t, uint8_t field, bytes v);
// A struct in a field, up to its thrift_end.
void thrift_begin(struct thrift *t, uint8_t field);
void thrift_end(struct thrift *t);
// A list of so many integers, texts or structs; its elements follow by the calls below.
enum thrift_type { THRIFT_INT = 5, THRIFT_BYTES = 8, THRIFT_STRUCT = 12 };
void thrift_list(struct thrift *t, uint8_t field, enum thrift_type type, size_t count);
void thrift_element_int(struct thrift *t, int32_t v);
void thrift_element_bytes(struct thrift *t, bytes v);
void thrift_element_begin(struct thrift *t); // up to its thrift_end
