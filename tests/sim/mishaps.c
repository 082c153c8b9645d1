// Between the network and the capture: frames are lost, repeated, and come in another order.
#include "scene.h"

static uint32_t loss_percent(struct scene *s)
{
    if (s->tastes.loss_heavy) return dice_between(&s->dice, 10, 50);
    return s->tastes.loss ? dice_between(&s->dice, 1, 8) : 0;
}

static bool is_lost(struct scene *s, const struct frame *f, uint32_t percent, uint32_t silent)
{
    return f->piece->of->side == silent || dice_percent(&s->dice, percent);
}

static void frames_lose(struct scene *s, struct list *l)
{
    uint32_t percent = loss_percent(s), silent = 2, kept = 0;
    if (s->tastes.one_way && dice_percent(&s->dice, 60)) silent = dice_below(&s->dice, 2);
    for (uint32_t i = 0; i < l->count; i++)
        if (!is_lost(s, l->items[i], percent, silent)) l->items[kept++] = l->items[i];
    l->count = kept;
}

static uint32_t place_near(struct scene *s, const struct list *l, uint32_t at, uint32_t reach)
{
    uint32_t to = at + 1 + dice_below(&s->dice, reach);
    return to < l->count ? to : l->count - 1;
}

static void frames_repeat(struct scene *s, struct list *l)
{
    uint32_t percent = dice_between(&s->dice, 1, 30), count = l->count;
    for (uint32_t i = 0; i < count; i++) {
        if (!dice_percent(&s->dice, percent)) continue;
        struct frame *again = arena_take(s->arena, sizeof *again);
        *again = *(const struct frame *)l->items[i];
        list_add(s->arena, l, again);
        list_move(l, l->count - 1, place_near(s, l, i, 20));
    }
}

static void frames_reorder(struct scene *s, struct list *l, uint32_t percent, uint32_t reach)
{
    for (uint32_t i = 0; i + 1 < l->count; i++)
        if (dice_percent(&s->dice, percent)) list_move(l, i, place_near(s, l, i, reach));
}

static void frames_append(struct scene *s, struct list *to, const struct list *from)
{
    for (uint32_t i = 0; i < from->count; i++) list_add(s->arena, to, from->items[i]);
}

static const struct message *message_of(const struct frame *f)
{
    const struct datagram *d = f->piece->of;
    while (d->inner) d = d->inner->of;
    return d->message;
}

void mishaps(struct scene *s, struct talk *t)
{
    struct list first = {0}, middle = {0}, last = {0};
    for (uint32_t i = 0; i < t->frames.count; i++) {
        struct frame *f = t->frames.items[i];
        bool pinned = message_of(f)->pinned;
        list_add(s->arena, !pinned ? &middle : middle.count ? &last : &first, f);
    }
    frames_lose(s, &middle);
    if (s->tastes.duplicate) frames_repeat(s, &middle);
    if (s->tastes.reorder) frames_reorder(s, &middle, dice_between(&s->dice, 1, 40), 3);
    if (s->tastes.reorder_far) frames_reorder(s, &middle, dice_between(&s->dice, 1, 10), 60);
    t->frames = first;
    frames_append(s, &t->frames, &middle);
    frames_append(s, &t->frames, &last);
}
