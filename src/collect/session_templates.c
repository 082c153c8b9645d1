// What a session was told of templates, and the data that wait for one.
#include <string.h>

#include "base/memory.h"
#include "collect/session.h"

enum { TEMPLATES_FIRST = 8 };

// ---- templates ----------------------------------------------------------------------------------

// Where `id` is, or belongs.
static uint32_t template_place(const struct session *s, uint16_t id)
{
    uint32_t from = 0, to = s->template_count;
    while (from < to) {
        uint32_t at = (from + to) / 2;
        if (s->templates[at]->id < id) from = at + 1;
        else to = at;
    }
    return from;
}

static bool template_is_at(const struct session *s, uint32_t at, uint16_t id)
{
    return at < s->template_count && s->templates[at]->id == id;
}

struct template *session_template(const struct session *s, uint16_t id, nanos now)
{
    uint32_t at = template_place(s, id);
    if (!template_is_at(s, at, id)) return NULL;
    // Only templates over UDP grow old (RFC 7011 section 8.4).
    bool is_old = !s->key.connection && now - s->templates[at]->defined > TEMPLATE_LIFETIME;
    return is_old ? NULL : s->templates[at];
}

static void template_remove(struct session *s, uint32_t at)
{
    size_t size = template_size(s->templates[at]->field_count);
    s->template_bytes -= size;
    *s->bytes_of_all -= size;
    template_destroy(s->templates[at]);
    s->template_count--;
    memmove(s->templates + at, s->templates + at + 1,
            (s->template_count - at) * sizeof *s->templates);
}

static uint32_t template_oldest(const struct session *s)
{
    uint32_t oldest = 0;
    for (uint32_t i = 1; i < s->template_count; i++)
        if (s->templates[i]->defined < s->templates[oldest]->defined) oldest = i;
    return oldest;
}

static void template_insert(struct session *s, struct template *t)
{
    if (s->template_count == s->template_room) {
        s->template_room = s->template_room ? 2 * s->template_room : TEMPLATES_FIRST;
        s->templates = memory_resize(s->templates, s->template_room * sizeof *s->templates);
    }
    uint32_t at = template_place(s, t->id);
    memmove(s->templates + at + 1, s->templates + at,
            (s->template_count - at) * sizeof *s->templates);
    s->templates[at] = t;
    s->template_count++;
    s->template_bytes += template_size(t->field_count);
    *s->bytes_of_all += template_size(t->field_count);
}

void session_define(struct session *s, struct template *t, nanos now)
{
    uint32_t at = template_place(s, t->id);
    if (template_is_at(s, at, t->id)) template_remove(s, at);
    while (s->template_count && (s->template_count == SESSION_TEMPLATES_MAX ||
                                 s->template_bytes > SESSION_TEMPLATE_BYTES)) {
        template_remove(s, template_oldest(s));
        session_lose(s, EXPORT_LOSS_templates_full, 1, now);
    }
    template_insert(s, t);
}

void session_withdraw(struct session *s, uint16_t id)
{
    for (uint32_t at = s->template_count; at > 0; at--) {
        const struct template *t = s->templates[at - 1];
        bool is_meant = id == WITHDRAW_ALL || id == t->id ||
                        id == (t->scope_count ? WITHDRAW_OPTIONS : WITHDRAW_FLOWS);
        if (is_meant) template_remove(s, at - 1);
    }
}

// ---- data that wait -----------------------------------------------------------------------------

static void held_bytes_add(struct session *s, size_t n)
{
    s->held_bytes += n;
    *s->bytes_of_all += n;
}

static void held_drop_first(struct session *s)
{
    struct held_set *first = s->held;
    session_lose(s, EXPORT_LOSS_no_template, 1, first->received);
    s->held = first->next;
    if (!s->held) s->held_end = &s->held;
    held_bytes_add(s, -(sizeof *first + first->length));
    memory_free(first);
}

void session_hold(struct session *s, uint16_t id, const struct flow_origin *origin, bytes set,
                  nanos now)
{
    struct held_set *h = memory_get(sizeof *h + set.n);
    *h = (struct held_set){.id = id, .length = (uint16_t)set.n, .received = now, .origin = *origin};
    if (set.n) memcpy(h->data, set.p, set.n);
    *s->held_end = h;
    s->held_end = &h->next;
    held_bytes_add(s, sizeof *h + set.n);
    while (s->held_bytes > SESSION_HELD_BYTES) held_drop_first(s);
}

void session_give_up(struct session *s)
{
    while (s->held) held_drop_first(s);
}

struct held_set *session_unhold(struct session *s, uint16_t id)
{
    struct held_set **link = &s->held;
    while (*link && (*link)->id != id) link = &(*link)->next;
    struct held_set *found = *link;
    if (!found) return NULL;
    *link = found->next;
    if (s->held_end == &found->next) s->held_end = link;
    held_bytes_add(s, -(sizeof *found + found->length));
    return found;
}
