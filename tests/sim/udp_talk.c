// What is said in datagrams: a handful of both sides, of any size.
#include "scene.h"

enum { DATAGRAMS_MAX = 40, NOT_A_TUNNEL = 0x80 };

static uint32_t datagram_size(struct scene *s)
{
    uint32_t form = dice_below(&s->dice, 10);
    if (form == 0) return 0;
    if (form < 5) return dice_between(&s->dice, 1, 60);
    return form < 9 ? dice_between(&s->dice, 60, 1400) : dice_between(&s->dice, 1400, 9000);
}

void udp_talk_fill(struct scene *s, struct talk *t)
{
    uint32_t count = dice_between(&s->dice, 1, DATAGRAMS_MAX);
    uint32_t silent = dice_percent(&s->dice, 20) ? 1 : 2; // a side that never answers
    for (uint32_t i = 0; i < count; i++) {
        struct message *m = arena_take(s->arena, sizeof *m);
        uint32_t n = datagram_size(s);
        uint8_t *p = scene_bytes(s, n);
        // Teredo is recognised on any port, by its first bytes.
        if (n) p[0] |= NOT_A_TUNNEL;
        uint8_t side = i && dice_percent(&s->dice, 50);
        *m = (struct message){
            .talk = t, .side = side == silent ? 0 : side, .payload = bytes_of(p, n)};
        list_add(s->arena, &t->messages, m);
    }
}
