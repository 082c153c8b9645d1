// Two readings of the same bytes, told with what speaks against each.
#include "stream/side.h"

static bytes reading_cut(bytes data)
{
    return bytes_first(data, STREAM_AMBIGUITY_BYTES);
}

void ambiguity_find(bytes a, bytes b, uint64_t at, uint64_t *first, uint64_t *end)
{
    if (bytes_equal(a, b)) return;
    size_t from = 0, to = a.n;
    while (a.p[from] == b.p[from]) from++;
    while (a.p[to - 1] == b.p[to - 1]) to--;
    if (*first == *end) *first = at + from;
    *end = at + to;
}

void ambiguity_tell(struct turn *turn, const struct dispute *dispute)
{
    const struct stream_hooks *hooks = &turn->s->hooks;
    if (!hooks->ambiguous) return;
    const struct origin *origin = dispute->origin;
    struct stream_reading earlier = {reading_cut(dispute->earlier), 0, dispute->doubts};
    struct stream_reading later = {reading_cut(dispute->later), turn->origin.time,
                                   turn->origin.doubts};
    if (doubt_packet_sum(turn)) later.doubts |= DOUBT_BAD_CHECKSUM;
    if (origin) {
        earlier.time = origin->time;
        earlier.doubts |= origin->doubts;
        if (origin->ttl < turn->origin.ttl) earlier.doubts |= DOUBT_LOW_TTL;
        if (origin->ttl > turn->origin.ttl) later.doubts |= DOUBT_LOW_TTL;
    }
    struct stream_ambiguity a = {
        .position = dispute->position,
        .length = dispute->length,
        .time = turn->origin.time,
        .side = turn->side,
        .policy = dispute->policy,
        .taken = dispute->later_wins ? later : earlier,
        .other = dispute->later_wins ? earlier : later,
    };
    hooks->ambiguous(hooks->context, turn->owner, &a);
}

struct stream_ambiguity ambiguity_of_fragments(const struct packet *p, uint64_t position)
{
    return (struct stream_ambiguity){
        .position = position,
        .length = p->payload_length,
        .time = p->time,
        .side = p->side,
        .of_fragments = true,
        .policy = overlap_name(OVERLAP_FIRST),
        .taken = {.time = p->time},
    };
}
