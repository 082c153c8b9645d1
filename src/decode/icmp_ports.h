// ICMP's type and code where other protocols have ports, as Community ID maps them
// (https://github.com/corelight/community-id-spec, after Zeek).
//
// A type with a counterpart has its own type as the sender's port and the counterpart as the
// other's, whatever the code: request and reply meet in one key. Any other type is one-way: the
// sender's port is the type, the other one the code, and the key is not ordered (decode/key.h).
#pragma once

#include "decode/layer.h"
#include "record/community_id.h"

enum { ICMP_SIZE = 8 };

static inline enum layer_result icmp_message(struct walk *w, uint32_t proto)
{
    struct reader r = w->r;
    uint8_t type = read_u8(&r), code = read_u8(&r), counterpart;
    if (r.bad) return layer_short(w, 2);
    bool one_way = !icmp_counterpart(proto, type, &counterpart);
    walk_conversation(w, type, one_way ? code : counterpart, one_way);
    read_bytes(&w->r, reader_left(&w->r) < ICMP_SIZE ? reader_left(&w->r) : ICMP_SIZE);
    walk_payload(w);
    return layer_end(w, REASON_OK);
}
