#include "engine/referred.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/text.h"
#include "flow/references.h"
#include "store/case.h"

enum { SLOTS_MIN = 64, IDS_IN_CONDITION_MAX = 64 };

struct loading {
    struct referred *r;
    bool damaged;
};

// ---- the conversations --------------------------------------------------------------------------

static struct referred_conversation *slot_of(const struct referred *r, struct record_id id)
{
    size_t at = id.hash & r->mask;
    while (r->slots[at].is_taken && !record_id_equal(r->slots[at].id, id)) at = (at + 1) & r->mask;
    return &r->slots[at];
}

static void make_room(struct referred *r)
{
    if (r->slots && 2 * (r->count + 1) <= r->mask) return;
    struct referred old = *r;
    size_t size = old.slots ? 2 * (old.mask + 1) : SLOTS_MIN;
    r->mask = size - 1;
    r->slots = memory_get(size * sizeof *r->slots);
    for (size_t i = 0; old.slots && i <= old.mask; i++)
        if (old.slots[i].is_taken) *slot_of(r, old.slots[i].id) = old.slots[i];
    memory_free(old.slots);
}

static struct referred_conversation *need_conversation(struct referred *r, struct record_id id)
{
    make_room(r);
    struct referred_conversation *c = slot_of(r, id);
    if (c->is_taken) return c;
    *c = (struct referred_conversation){.id = id, .is_taken = true};
    r->count++;
    return c;
}

const struct referred_conversation *referred_find(const struct referred *r, struct record_id id)
{
    if (!r->slots) return NULL;
    const struct referred_conversation *c = slot_of(r, id);
    return c->is_taken && c->has_packets ? c : NULL;
}

// ---- their packets ------------------------------------------------------------------------------

static struct referred_conversation *asked_for(struct referred *r, struct record_id id)
{
    if (r->is_all) return need_conversation(r, id);
    struct referred_conversation *c = slot_of(r, id);
    return c->is_taken ? c : NULL;
}

// First pass: the first reading that has each conversation.
static bool take_readings(void *context, const struct record_batch *b)
{
    struct loading *l = context;
    for (uint32_t row = 0; row < b->rows; row++) {
        struct record_id id = batch_get_id(b, PACKETS_CONVERSATION_ID, row);
        uint64_t reading = batch_get(b, PACKETS_READING, row);
        struct referred_conversation *c = asked_for(l->r, id);
        if (!c) continue;
        if (!c->has_packets || reading < c->reading) c->reading = reading;
        c->has_packets = true;
    }
    return true;
}

struct referred_reading *referred_reading(struct referred *r, uint64_t number)
{
    size_t at = 0;
    while (at < r->reading_count && r->readings[at].number < number) at++;
    if (at < r->reading_count && r->readings[at].number == number) return &r->readings[at];
    r->readings = memory_resize(r->readings, (r->reading_count + 1) * sizeof *r->readings);
    memmove(r->readings + at + 1, r->readings + at, (r->reading_count - at) * sizeof *r->readings);
    r->reading_count++;
    r->readings[at] = (struct referred_reading){.number = number};
    return &r->readings[at];
}

static bool take_part(struct referred *r, struct referred_conversation *c, uint64_t part,
                      bytes entries)
{
    struct referred_reading *reading = referred_reading(r, c->reading);
    struct reader in = reader_of(entries);
    struct reference at = {0};
    struct packet_frame frame = {0};
    while (reference_next(&in, &at)) {
        frame = (struct packet_frame){at.ordinal, at.capture};
        if (!frames_add(&reading->frames, frame)) return false;
    }
    if (in.bad) return false;
    if (part >= c->part && entries.n) {
        c->part = part;
        c->last = frame;
    }
    return true;
}

// Second pass: the packets.
static bool take_references(void *context, const struct record_batch *b)
{
    struct loading *l = context;
    for (uint32_t row = 0; row < b->rows && !l->damaged; row++) {
        struct referred_conversation *c =
            slot_of(l->r, batch_get_id(b, PACKETS_CONVERSATION_ID, row));
        if (!c->has_packets || batch_get(b, PACKETS_READING, row) != c->reading) continue;
        l->damaged = !take_part(l->r, c, batch_get(b, PACKETS_PART, row),
                                batch_get_bytes(b, PACKETS_REFERENCES, row));
    }
    return !l->damaged;
}

// ---- the whole ----------------------------------------------------------------------------------

// A few conversations are found by index; for many all rows are looked at.
static void put_condition(struct text *where, const struct referred_options *o)
{
    text_add(where, "true");
    if (o->reading) text_format(where, " AND reading = %llu", (unsigned long long)o->reading);
    if (!o->ids || !o->id_count || o->id_count > IDS_IN_CONDITION_MAX) return;
    for (size_t i = 0; i < o->id_count; i++) {
        char one[CASE_ID_CONDITION_MAX];
        case_id_condition(one, "conversation_id", o->ids[i]);
        text_format(where, "%s(%s)", i ? " OR " : " AND (", one);
    }
    text_add(where, ")");
}

static bool have_packets_gone(const struct case_reader *reader)
{
    const struct catalogue *c = case_catalogue(reader);
    for (size_t i = 0; c && i < c->reading_count; i++)
        for (size_t k = 0; k < c->readings[i].extent_count; k++)
            if (c->readings[i].extents[k].removed_by) return true;
    return false;
}

static bool is_unknown(const struct loading *l, const struct case_reader *reader, struct err *err)
{
    const char *what =
        l->r->is_all || l->r->count != 1 ? "these conversations are" : "this conversation is";
    if (have_packets_gone(reader))
        return err_set(err, ERR_INPUT,
                       "the case does not know which packets %s made of: they were not kept, or "
                       "went by age or size",
                       what);
    return err_set(err, ERR_INPUT,
                   "the case does not know which packets %s made of (of an interface it does "
                   "when these were kept: weir read -i NAME --keep, or keep: yes of weir run)",
                   what);
}

static bool load(struct loading *l, struct case_reader *reader, const char *where, bool some,
                 struct err *err)
{
    uint64_t names = 1u << PACKETS_CONVERSATION_ID | 1u << PACKETS_READING;
    struct case_scan first = {&packets_kind, names, where, take_readings, l};
    struct case_scan second = {&packets_kind, CASE_ALL_FIELDS, where, take_references, l};
    if (!case_scan(reader, &first, err)) return false;
    if (!l->r->slots) make_room(l->r);
    if (!case_scan(reader, &second, err)) return false;
    if (l->damaged)
        return err_set(err, ERR_INPUT, "what the case says of packets is damaged: weir verify");
    return l->r->reading_count || !some || is_unknown(l, reader, err);
}

bool referred_load(struct referred *r, struct case_reader *reader,
                   const struct referred_options *options, struct err *err)
{
    *r = (struct referred){.is_all = !options->ids};
    for (size_t i = 0; options->ids && i < options->id_count; i++)
        need_conversation(r, options->ids[i]);
    struct loading loading = {.r = r};
    struct text where = {0};
    put_condition(&where, options);
    bool ok = load(&loading, reader, where.p, !options->reading, err);
    text_deinit(&where);
    return ok;
}

void referred_deinit(struct referred *r)
{
    memory_free(r->slots);
    for (size_t i = 0; i < r->reading_count; i++) frames_deinit(&r->readings[i].frames);
    memory_free(r->readings);
    *r = (struct referred){0};
}
