// Records of exporters as rows of `flow`.
//
// One writer, one thread. Values are taken as they are told: nothing is multiplied by a sampling
// rate, and what is not told is absent. A record whose times cannot be told has those of its
// message.
#pragma once

#include "base/text.h"
#include "collect/sampled.h"
#include "collect/template.h"
#include "record/writer.h"

enum { SAMPLERS_MAX = 16 };

struct sampler {
    uint64_t id, rate;
};

// What options of an exporter tell of its samplers.
struct sampling {
    uint64_t rate; // of all that name no sampler; 0: not known
    const char *from;
    struct sampler samplers[SAMPLERS_MAX];
    uint32_t sampler_count;
};

// What is known beside the record itself.
struct flow_origin {
    struct address exporter;
    const char *point; // "" when it has no name
    uint32_t domain;
    nanos exported;  // time of the message
    uint32_t uptime; // what the exporter's system counted at that time, in milliseconds
    bool has_uptime;
    const struct sampling *sampling;
};

struct flow_rows {
    struct record_writer *writer;
    bool elements;           // keep what has no field
    struct text list, value; // of one row
    struct sampled sampled;
    uint64_t rows, elements_cut;
};

void flow_rows_init(struct flow_rows *rows, struct record_writer *writer, bool elements);
void flow_rows_deinit(struct flow_rows *rows);

// One record, as `t` lays it out; `record` has t->length bytes, or is all that is left of the set
// when the template is variable. Returns how many bytes it took; 0 when it goes beyond its set.
size_t flow_row(struct flow_rows *rows, const struct template *t, const struct flow_origin *origin,
                bytes record);

// For formats without templates: begins a row with what is known of its origin. The caller sets the
// columns and calls flow_end.
struct record_batch *flow_begin(struct flow_rows *rows, const struct flow_origin *origin,
                                size_t heap_need);
// The same of up to *count rows, column by column: `heap_need` is that of all texts together, and
// *count becomes how many there is room for.
struct record_batch *flow_begin_rows(struct flow_rows *rows, const struct flow_origin *origin,
                                     size_t heap_need, uint32_t *count);
void flow_end_rows(struct record_batch *b, uint32_t count);
// Keeps what has no field, as NAME=VALUE; what is beyond FLOW_NOTES_MAX bytes of a row is dropped.
// Of heap they need FLOW_NOTES_NEED.
enum { FLOW_NOTES_MAX = 128, FLOW_NOTES_NEED = 256 };
void flow_note(struct flow_rows *rows, const char *name, uint64_t value);
void flow_end(struct flow_rows *rows, struct record_batch *b);
// When the exporter's system counted `uptime`: within 24.8 days of the message on either side, as
// the counter starts anew after 49.7.
nanos flow_time(const struct flow_origin *origin, uint32_t uptime);
// Appends to an encoded list of texts; false when it has no room for more.
bool flow_list_put(struct text *list, bytes value);
// Text up to a bound, escaped, without the zeros that pad it.
void flow_put_text(struct record_batch *b, unsigned field, bytes v);
// flowEndReason; nothing when the number has no word.
void flow_put_reason(struct record_batch *b, uint64_t reason);
// Type and code in place of ports; zero is no news.
void flow_put_icmp(struct record_batch *b, uint64_t type_code);
// What stands in place of ports where the protocol is ICMP, once all of the row is told.
void flow_icmp_ports(struct record_batch *b);
// The rate and who told it; nothing when it is not known.
void flow_put_sampling(struct record_batch *b, uint64_t rate, const char *from);
void flow_put_sampling_rows(struct record_batch *b, uint32_t count, uint64_t rate,
                            const char *from);
