// PDUs of one conversation in the order in which they were first seen.
//
// They are cut in the order of delivery, in which what waited behind a gap comes late: both
// directions are merged by time, and each stays in the order of its stream. Owns copies of all
// data, since it serves one conversation that a person asked for.
#pragma once

#include "engine/pdu.h"

struct pdu_list {
    struct pdu *pdus; // their data stand in `data`; set by pdu_list_order
    nanos *times;     // a PDU's place: when it was first seen, or what it stands behind
    size_t count, size;
    size_t *order;
    struct text data;
};

void pdu_list_add(struct pdu_list *l, const struct pdu *pdu);
// Puts them in order; nothing may be added after that.
void pdu_list_order(struct pdu_list *l);
const struct pdu *pdu_list_at(const struct pdu_list *l, size_t place);
void pdu_list_deinit(struct pdu_list *l);
