// Information elements: what the numbers in the templates of NetFlow 9 and IPFIX mean (RFC 7011,
// RFC 7012).
//
// The table is made of elements.tsv: IANA's registry and vendors' published lists, with the field
// of `flow` that each fills. Constant; any thread.
#pragma once

#include <stdint.h>

#include "base/address.h"
#include "base/text.h"
#include "base/time.h"

// Abstract data types, as RFC 7012 section 3.1 names them.
enum element_type {
    ELEMENT_octetArray,
    ELEMENT_unsigned8,
    ELEMENT_unsigned16,
    ELEMENT_unsigned32,
    ELEMENT_unsigned64,
    ELEMENT_signed8,
    ELEMENT_signed16,
    ELEMENT_signed32,
    ELEMENT_signed64,
    ELEMENT_float32,
    ELEMENT_float64,
    ELEMENT_boolean,
    ELEMENT_macAddress,
    ELEMENT_string,
    ELEMENT_dateTimeSeconds,
    ELEMENT_dateTimeMilliseconds,
    ELEMENT_dateTimeMicroseconds,
    ELEMENT_dateTimeNanoseconds,
    ELEMENT_ipv4Address,
    ELEMENT_ipv6Address,
    ELEMENT_basicList,
    ELEMENT_subTemplateList,
    ELEMENT_subTemplateMultiList,
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
// The first of that name, IANA's before all others; NULL when there is none. Looks at every row.
const struct element *element_named(bytes name);

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
// digits behind 0x.
void element_format(struct text *text, const struct element *element, bytes value);
