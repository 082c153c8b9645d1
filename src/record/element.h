// Information elements: what the numbers in the templates of NetFlow 9 and IPFIX mean (RFC 7011,
// RFC 7012).
//
// The table is made of elements.tsv: IANA's registry and vendors' published lists, with the field
// of `flow` that each fills. Constant once what users add was added; any thread.
#pragma once

#include <stdint.h>

#include "base/address.h"
#include "base/text.h"
#include "base/time.h"

// Abstract data types, as RFC 7012 section 3.1 names them.
// clang-format off
#define ELEMENT_TYPES(X) \
    X(octetArray) X(unsigned8) X(unsigned16) X(unsigned32) \
    X(unsigned64) X(signed8) X(signed16) X(signed32) \
    X(signed64) X(float32) X(float64) X(boolean) \
    X(macAddress) X(string) X(dateTimeSeconds) X(dateTimeMilliseconds) \
    X(dateTimeMicroseconds) X(dateTimeNanoseconds) X(ipv4Address) X(ipv6Address) \
    X(basicList) X(subTemplateList) X(subTemplateMultiList)
// clang-format on
enum element_type {
#define ELEMENT_TYPE_NUMBER(name) ELEMENT_##name,
    ELEMENT_TYPES(ELEMENT_TYPE_NUMBER)
#undef ELEMENT_TYPE_NUMBER
};

// Elements of the other direction of a biflow (RFC 5103 section 6.1).
enum { ENTERPRISE_REVERSE = 29305 };

// Seconds from 1900, where NTP begins (RFC 5905 section 6), to 1970.
#define NTP_EPOCH UINT64_C(2208988800)

struct element {
    uint32_t enterprise;
    uint16_t number;
    uint8_t type; // enum element_type
    const char *name;
    const char *fills; // field of `flow`, or NULL
};

// NULL when nobody has published what it means.
const struct element *element_find(uint32_t enterprise, uint16_t number);
// Adds elements that are not in the table, or takes their place; kept, with their names, until the
// end. Before any other thread is there. False when one comes twice.
bool element_extend(const struct element *list, uint32_t count);
// The first of that name, IANA's before all others; NULL when there is none. Looks at every row.
const struct element *element_named(bytes name);

bool element_type_named(bytes name, enum element_type *type);

// A number of 1 to 8 bytes, most significant first, as reduced-size encoding has it (RFC 7011
// section 6.2); 0 when it is longer.
uint64_t element_number(bytes value);
// A time of one of the four types; 0 when it is before 1970 or cannot be told.
nanos element_time(enum element_type type, bytes value);
// Of 4 or 16 bytes.
struct address element_address(bytes value);
// What flowEndReason says (RFC 5102 section 5.11.3), as `flow` has it; NULL and 0 when it is none.
const char *element_end_reason(uint64_t number);
uint8_t element_end_reason_number(bytes reason);
// The lowest of IANA's, else of an enterprise, that fills `field` and is of a type from `from` to
// `to`; NULL when there is none.
const struct element *element_filling(const char *field, enum element_type from,
                                      enum element_type to);
// Appends the value as people read it; `element` NULL or of a type that does not fit: hexadecimal
// digits behind 0x. A list of one element (RFC 6313) is "allOf NAME[a, b]", cut at 64 values; other
// lists are digits, too.
void element_format(struct text *text, const struct element *element, bytes value);
