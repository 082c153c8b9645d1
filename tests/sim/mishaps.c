// Between the network and the capture: frames are lost, repeated, and come in another order.
#include "scene.h"

// A connection that follows, or precedes, another on the same ports is known by its SYN.
static bool talk_is_pinned(const struct scene *s, const struct talk *t)
{
    return t->is_tcp && s->tastes.reuse;
}

static uint32_t loss_percent(struct scene *s)
{
    if (s->tastes.loss_heavy) return dice_between(&s->dice, 10, 50);
    return s->tastes.loss ? dice_between(&s->dice, 1, 8) : 0;
}

static void frames_lose(struct scene *s, struct talk *t, uint32_t from)
{
    uint32_t percent = loss_percent(s), silent = 2, kept = from;
    if (s->tastes.one_way && dice_percent(&s->dice, 60)) silent = dice_below(&s->dice, 2);
    struct list *l = &t->frames;
    for (uint32_t i = from; i < l->count; i++) {
        const struct frame *f = l->items[i];
        if (f->piece->of->side == silent || dice_percent(&s->dice, percent)) continue;
        l->items[kept++] = l->items[i];
    }
    l->count = kept;
}

static uint32_t place_near(struct scene *s, const struct list *l, uint32_t at, uint32_t reach)
{
    uint32_t to = at + 1 + dice_below(&s->dice, reach);
    return to < l->count ? to : l->count - 1;
}

static void frames_repeat(struct scene *s, struct talk *t, uint32_t from)
{
    uint32_t percent = dice_between(&s->dice, 1, 30), count = t->frames.count;
    for (uint32_t i = from; i < count; i++) {
        if (!dice_percent(&s->dice, percent)) continue;
        struct frame *again = arena_take(s->arena, sizeof *again);
        *again = *(const struct frame *)t->frames.items[i];
        list_add(s->arena, &t->frames, again);
        list_move(&t->frames, t->frames.count - 1, place_near(s, &t->frames, i, 20));
    }
}

static void frames_reorder(struct scene *s, struct talk *t, uint32_t from, uint32_t percent,
                           uint32_t reach)
{
    for (uint32_t i = from; i + 1 < t->frames.count; i++)
        if (dice_percent(&s->dice, percent))
            list_move(&t->frames, i, place_near(s, &t->frames, i, reach));
}

void mishaps(struct scene *s, struct talk *t)
{
    if (!t->frames.count) return;
    uint32_t from = talk_is_pinned(s, t) ? 1 : 0;
    frames_lose(s, t, from);
    if (t->frames.count <= from) return;
    if (s->tastes.duplicate) frames_repeat(s, t, from);
    if (s->tastes.reorder) frames_reorder(s, t, from, dice_between(&s->dice, 1, 40), 3);
    if (s->tastes.reorder_far) frames_reorder(s, t, from, dice_between(&s->dice, 1, 10), 60);
}
