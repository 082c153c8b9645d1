// Which bytes of a conversation are missing or have two readings, so that what is made of them says
// so.
#include "dissect/inside.h"

static bool flaw_touches(const struct flaw *a, const struct flaw *b)
{
    return a->side == b->side && a->what == b->what && a->from <= b->to && b->from <= a->to;
}

static void flaw_join(struct flaw *to, const struct flaw *with)
{
    if (with->from < to->from) to->from = with->from;
    if (with->to > to->to) to->to = with->to;
}

static void flaws_remove(struct flaws *flaws, uint32_t i)
{
    flaws->at[i] = flaws->at[--flaws->count];
}

// Takes all in that touch the one at `i`.
static void flaws_join(struct flaws *flaws, uint32_t i)
{
    for (uint32_t k = 0; k < flaws->count;) {
        if (k == i || !flaw_touches(&flaws->at[i], &flaws->at[k])) {
            k++;
            continue;
        }
        flaw_join(&flaws->at[i], &flaws->at[k]);
        flaws_remove(flaws, k);
        // What was last stands at k now, and may be the one that takes the others in.
        if (i == flaws->count) i = k;
        k = 0;
    }
}

static uint64_t flaw_distance(const struct flaw *a, const struct flaw *b)
{
    if (a->side != b->side || a->what != b->what) return UINT64_MAX;
    return a->from > b->from ? a->from - b->to : b->from - a->to;
}

// Makes room for one: with FLAWS_MAX of two sides and two sorts some pair is alike.
static void flaws_thin(struct flaws *flaws)
{
    uint32_t x = 0, y = 0;
    uint64_t least = UINT64_MAX;
    for (uint32_t i = 0; i < flaws->count; i++)
        for (uint32_t k = 0; k < i; k++) {
            uint64_t distance = flaw_distance(&flaws->at[i], &flaws->at[k]);
            if (distance >= least) continue;
            least = distance;
            x = k;
            y = i;
        }
    flaw_join(&flaws->at[x], &flaws->at[y]);
    flaws_remove(flaws, y);
}

void flaws_note(struct dissect *d, uint8_t side, uint64_t from, uint64_t to, enum dissect_flaw what)
{
    if (!d->flaws) {
        d->flaws = blocks_take(d->stage->blocks, sizeof *d->flaws);
        if (!d->flaws) return;
        d->flaws->count = 0;
    }
    if (d->flaws->count == FLAWS_MAX) flaws_thin(d->flaws);
    d->flaws->at[d->flaws->count++] = (struct flaw){from, to, side, (uint8_t)what};
    flaws_join(d->flaws, d->flaws->count - 1);
}

static void flag_side(const struct flaws *flaws, struct row *row, unsigned side, uint8_t key_side)
{
    static const unsigned fields[] = {
        [FLAW_AMBIGUOUS] = COMMON_AMBIGUOUS, [FLAW_INCOMPLETE] = COMMON_INCOMPLETE};
    uint64_t offset, length;
    if (!row_get_range(row, side, &offset, &length)) return;
    for (uint32_t i = 0; i < flaws->count; i++) {
        const struct flaw *f = &flaws->at[i];
        if (f->side == key_side && f->from < offset + length && offset < f->to)
            row_uint(row, fields[f->what], 1);
    }
}

void flaws_flag(const struct dissect *d, struct row *row)
{
    if (!d->flaws) return;
    uint8_t src = d->conversation->src_side;
    flag_side(d->flaws, row, 0, src);
    flag_side(d->flaws, row, 1, src ^ 1);
}

void flaws_give(struct dissect *d)
{
    if (!d->flaws) return;
    blocks_give(d->stage->blocks, d->flaws, sizeof *d->flaws);
    d->flaws = NULL;
}
