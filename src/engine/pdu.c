#include "engine/pdu.h"

void pdu_cutter_init(struct pdu_cutter *c, void *context,
                     void (*take)(void *context, const struct pdu *pdu))
{
    *c = (struct pdu_cutter){.context = context, .take = take};
}

void pdu_cutter_deinit(struct pdu_cutter *c)
{
    text_deinit(&c->data);
}

void pdu_cutter_flush(struct pdu_cutter *c)
{
    if (!c->is_open) return;
    c->is_open = false;
    c->open.data = bytes_of(c->data.p, c->data.n);
    c->take(c->context, &c->open);
}

void pdu_cutter_gap(struct pdu_cutter *c, uint8_t side, uint64_t length, enum gap_kind kind)
{
    if (c->is_open && c->open.side == side) pdu_cutter_flush(c);
    c->gap[side] += length;
    c->gap_kind[side] = kind;
}

void pdu_cutter_add(struct pdu_cutter *c, const struct stream_delivery *piece)
{
    if (c->is_open && c->open.side != piece->side) pdu_cutter_flush(c);
    if (!c->is_open) {
        c->is_open = true;
        c->open = (struct pdu){
            .side = piece->side,
            .position = piece->position,
            .first_seen = piece->time,
            .gap_before = c->gap[piece->side],
            .gap_kind = c->gap_kind[piece->side],
        };
        c->gap[piece->side] = 0;
        text_clear(&c->data);
    }
    text_put(&c->data, piece->data);
    c->open.last_seen = piece->time;
    if (piece->push) pdu_cutter_flush(c);
}
