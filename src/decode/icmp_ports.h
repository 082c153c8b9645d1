// ICMP's type and code where other protocols have ports, as Community ID maps them
// (https://github.com/corelight/community-id-spec, after Zeek).
//
// A type with a counterpart has its own type as the sender's port and the counterpart as the
// other's, whatever the code: request and reply meet in one key. Any other type is one-way: the
// sender's port is the type, the other one the code, and the key is not ordered (decode/key.h).
#pragma once

#include "decode/layer.h"

enum { ICMP_SIZE = 8 };

struct icmp_pair {
    uint8_t request, reply;
};

static inline enum layer_result icmp_message(struct walk *w, const struct icmp_pair *pairs,
                                             size_t count)
{
    struct reader r = w->r;
    uint8_t type = read_u8(&r), code = read_u8(&r);
    if (r.bad) return layer_short(w, 2);
    uint16_t other = code;
    bool one_way = true;
    for (size_t i = 0; i < count; i++) {
        if (type != pairs[i].request && type != pairs[i].reply) continue;
        other = type == pairs[i].request ? pairs[i].reply : pairs[i].request;
        one_way = false;
        break;
    }
    walk_conversation(w, type, other, one_way);
    read_bytes(&w->r, reader_left(&w->r) < ICMP_SIZE ? reader_left(&w->r) : ICMP_SIZE);
    walk_payload(w);
    return layer_end(w, REASON_OK);
}
