#include "scene.h"

enum { GROUPS_MAX = 4, REUSES_MAX = 3 };
#define BEGIN_TIME (INT64_C(1700000000) * NANOS_PER_SECOND)
#define DURATION_US 12000000

const char *const scene_policies[] = {"first",   "last",       "bsd",   "bsd-right", "linux",
                                      "windows", "windows2k3", "vista", "solaris",   "old-linux",
                                      "hpux10",  "hpux11",     "irix",  "macos"};
enum { POLICIES = sizeof scene_policies / sizeof scene_policies[0] };

uint8_t *scene_bytes(struct scene *s, uint32_t n)
{
    uint8_t *p = arena_take(s->arena, n + 8);
    if (dice_percent(&s->dice, 3)) return memset(p, (int)dice_below(&s->dice, 256), n);
    for (uint32_t i = 0; i < n; i += 8) {
        uint64_t word = dice_next(&s->dice);
        memcpy(p + i, &word, 8);
    }
    return p;
}

// A copy in which some bytes from `from` on are others.
bytes scene_altered(struct scene *s, bytes b, uint32_t from)
{
    if (from >= b.n) return b;
    uint8_t *p = arena_take(s->arena, b.n);
    memcpy(p, b.p, b.n);
    uint32_t room = (uint32_t)b.n - from;
    uint32_t at = from + dice_below(&s->dice, room), n = 1 + dice_below(&s->dice, room);
    for (uint32_t i = at; i < b.n && i < at + n; i++)
        if (i == at || dice_percent(&s->dice, 70))
            p[i] = (uint8_t)(p[i] ^ dice_between(&s->dice, 1, 255));
    return bytes_of(p, b.n);
}

// ---- who ----------------------------------------------------------------------------------------

static uint16_t port_make(struct scene *s, bool is_server)
{
    static const uint16_t known[] = {80, 443, 53, 25, 8080, 22};
    if (is_server && dice_percent(&s->dice, 60))
        return known[dice_below(&s->dice, sizeof known / sizeof known[0])];
    return (uint16_t)dice_between(&s->dice, 20000, 60000);
}

static void endpoint_make(struct scene *s, struct endpoint *e, bool is_v6, bool is_server)
{
    for (unsigned i = 0; i < 16; i++) e->address[i] = (uint8_t)dice_below(&s->dice, 256);
    e->is_v6 = is_v6;
    if (is_v6) memcpy(e->address, "\x20\x01\x0d\xb8", 4);
    else e->address[0] = 10;
    e->port = port_make(s, is_server);
}

static struct carrier *carrier_make(struct scene *s)
{
    struct carrier *c = arena_take(s->arena, sizeof *c);
    bool is_v6 = dice_percent(&s->dice, 30);
    c->form = (enum tunnel_form)dice_below(&s->dice, FORM_COUNT);
    c->network = dice_below(&s->dice, 1 << 24);
    for (unsigned i = 0; i < 2; i++) endpoint_make(s, &c->ends[i], is_v6, false);
    return c;
}

static const struct way *way_make(struct scene *s)
{
    struct way *w = arena_take(s->arena, sizeof *w);
    if (s->tastes.tunnel && dice_percent(&s->dice, 60)) w->depth = dice_between(&s->dice, 1, 2);
    for (uint32_t i = 0; i < w->depth; i++) w->carriers[i] = carrier_make(s);
    if (s->tastes.vlan && dice_percent(&s->dice, 60)) w->vlan_count = dice_between(&s->dice, 1, 2);
    for (uint32_t i = 0; i < w->vlan_count; i++)
        w->vlans[i] = (uint16_t)dice_between(&s->dice, 1, 4094);
    w->has_labels = s->tastes.tunnel && dice_percent(&s->dice, 20);
    return w;
}

static struct talk *talk_make(struct scene *s)
{
    struct talk *t = &s->talks[s->talk_count];
    t->number = (uint8_t)s->talk_count++;
    t->is_tcp = dice_percent(&s->dice, 80);
    t->has_options = dice_percent(&s->dice, 50);
    const struct talk *shared = t->number && dice_percent(&s->dice, 25) ? &s->talks[0] : NULL;
    t->way = shared ? shared->way : way_make(s);
    bool is_v6 = dice_percent(&s->dice, 40);
    for (unsigned i = 0; i < 2; i++) endpoint_make(s, &t->ends[i], is_v6, i == 1);
    return t;
}

// ---- when ---------------------------------------------------------------------------------------

static void talk_frames(struct scene *s, struct talk *t)
{
    if (t->is_tcp) tcp_talk_fill(s, t);
    else udp_talk_fill(s, t);
    for (uint32_t i = 0; i < t->messages.count; i++) wire_message(s, t->messages.items[i]);
    mishaps(s, t);
}

// Connections on the same ports, one behind the other, and all of them beside the other talks.
static void scene_talks(struct scene *s, struct list groups[GROUPS_MAX], uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct talk *first = talk_make(s);
        uint32_t more = first->is_tcp && s->tastes.reuse ? dice_below(&s->dice, REUSES_MAX) : 0;
        for (uint32_t n = 0; n <= more; n++) {
            struct talk *t = first;
            if (n) {
                t = &s->talks[s->talk_count];
                *t = *first;
                t->messages = t->frames = (struct list){0};
                t->number = (uint8_t)s->talk_count++;
                t->earlier = (uint8_t)n;
            }
            talk_frames(s, t);
            for (uint32_t f = 0; f < t->frames.count; f++)
                list_add(s->arena, &groups[i], t->frames.items[f]);
        }
    }
}

static void scene_interleave(struct scene *s, struct list groups[GROUPS_MAX], uint32_t count)
{
    uint32_t done[GROUPS_MAX] = {0}, left = 0, group = 0;
    bool bursts = dice_percent(&s->dice, 50);
    for (uint32_t i = 0; i < count; i++) left += groups[i].count;
    for (; left; left--) {
        if (!bursts || dice_percent(&s->dice, 20)) group = dice_below(&s->dice, count);
        while (done[group] == groups[group].count) group = (group + 1) % count;
        list_add(s->arena, &s->frames, groups[group].items[done[group]++]);
    }
}

// No two frames have the same time: talks are told apart by that of their first.
static void scene_times(struct scene *s)
{
    uint32_t n = s->frames.count, step_max = n ? DURATION_US / n : 0;
    if (step_max > 5000) step_max = 5000;
    int64_t now = 0;
    for (uint32_t i = 0; i < n; i++) {
        struct frame *f = s->frames.items[i];
        now += 2 + dice_below(&s->dice, step_max);
        bool back = s->tastes.time_back && dice_percent(&s->dice, 10);
        int64_t at = back ? now - dice_below(&s->dice, 30000) : now;
        f->number = i;
        f->time = BEGIN_TIME + at * NANOS_PER_MICRO + i % 1000;
        f->captured = f->wire.n < s->snap ? (uint32_t)f->wire.n : s->snap;
    }
}

void scene_make(struct scene *s, struct arena *arena, uint64_t seed)
{
    *s = (struct scene){.seed = seed, .dice = {seed}, .arena = arena, .snap = UINT32_MAX};
    s->dice.state = dice_next(&s->dice); // neighbours have nothing in common
    uint32_t liking = dice_between(&s->dice, 5, 60);
#define TASTE_CHOOSE(name) s->tastes.name = dice_percent(&s->dice, liking);
    TASTES(TASTE_CHOOSE)
#undef TASTE_CHOOSE
    if (s->tastes.snap) s->snap = dice_between(&s->dice, SNAP_MIN, 1600);
    s->policy = scene_policies[s->tastes.policy ? dice_below(&s->dice, POLICIES) : 0];
    struct list groups[GROUPS_MAX] = {0};
    uint32_t count = dice_between(&s->dice, 1, GROUPS_MAX);
    scene_talks(s, groups, count);
    scene_interleave(s, groups, count);
    scene_times(s);
}
