// Templates: how the records of a set are laid out (RFC 7011 section 3.4, RFC 3954 section 5), made
// into steps that say which bytes of a record fill which field of `flow`.
//
// Memory: one piece a template. Whoever holds templates bounds their number and size
// (collect/session.h). One thread.
#pragma once

#include "base/time.h"
#include "record/element.h"

// A template of more fields is refused: a record of them would be longer than any message that is
// not made to harm.
enum { TEMPLATE_FIELDS_MAX = 1024, TEMPLATE_VARIABLE = 65535 };
// Stands for an enterprise: NetFlow 9 numbers the scopes of options by themselves.
enum { TEMPLATE_SCOPE_9 = 0x7fffffff };

struct template_field {
    uint32_t enterprise;
    uint16_t number;
    uint16_t length; // TEMPLATE_VARIABLE: each record tells its own
};

// What becomes of a value.
enum step_how {
    STEP_NUMBER,
    STEP_COUNT, // a number that stays absent when another step has told it
    STEP_SIZE,  // a number: of the packet whose beginning another step tells
    STEP_TIME,
    STEP_UPTIME, // milliseconds since the exporter's system began to count
    STEP_BEGAN,  // when that was
    STEP_DELTA,  // microseconds before the message was sent
    STEP_ADDRESS,
    STEP_MAC,
    STEP_TEXT,
    STEP_HASH,
    STEP_ICMP,    // type and code, which stand in place of ports
    STEP_REASON,  // flowEndReason
    STEP_RATE,    // one packet in so many
    STEP_SAMPLER, // number of a sampler that options tell of
    STEP_PACKET,  // the beginning of a packet; kept as STEP_ELEMENT is
    STEP_ELEMENT, // kept as NAME=VALUE
    STEP_SKIP,
};

struct step {
    uint8_t how;     // enum step_how
    uint8_t field;   // of `flow`
    bool is_again;   // an earlier step may have filled the field: zero is no news
    uint16_t offset; // in the record; of records with variable fields the steps are all fields in
                     // order
    struct template_field wire;
    const struct element *element; // NULL when nobody knows what it is
};

struct template
{
    uint16_t id;
    uint16_t field_count, scope_count; // scopes come first; 0: its records are flows
    uint16_t step_count;
    uint32_t length;    // of a record at least
    uint32_t heap_need; // bytes of text that a row of it may take
    bool is_variable;
    nanos first;   // when its exporter told it first
    nanos defined; // and last
    nanos used;    // when a record of it came last; 0: none has
    uint64_t records;
    struct step *steps; // behind the fields, in the same piece of memory
    struct template_field fields[];
};

// What becomes of one field, wherever it stands.
struct step template_step(const struct template_field *wire);

// What people call it: the element's name, or ENTERPRISE/NUMBER.
void template_field_name(struct text *text, const struct template_field *field);

// NULL when the definition makes no sense: too many fields, or records without length.
struct template *template_create(uint16_t id, const struct template_field *fields,
                                 uint32_t field_count, uint32_t scope_count, nanos now);
void template_destroy(struct template *t);  // NULL is fine
size_t template_size(uint32_t field_count); // in memory
bool template_is(const struct template *t, const struct template_field *fields,
                 uint32_t field_count, uint32_t scope_count);

// The bytes of the next field of a record (RFC 7011 section 7).
static inline bytes template_value(const struct template_field *field, struct reader *r)
{
    size_t n = field->length;
    if (n == TEMPLATE_VARIABLE) {
        n = read_u8(r);
        if (n == 255) n = read_be16(r);
    }
    return read_bytes(r, n);
}
