#include "collect/session.h"

#include <stddef.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"

enum { CHAINS = 4096, TEMPLATES_FIRST = 8 };
// Sequence numbers that jump further belong to an exporter that began anew.
enum { SEQUENCE_JUMP_MAX = 1 << 24 };

struct sessions {
    struct pool pool;
    uint32_t chains[CHAINS];
};

_Static_assert(sizeof(struct session_key) == 32, "keys are compared as bytes");

// ---- finding ------------------------------------------------------------------------------------

struct sessions *sessions_create(struct err *err)
{
    struct sessions *s = memory_get(sizeof *s);
    if (pool_init(&s->pool, sizeof(struct session), SESSIONS_MAX, err)) return s;
    memory_free(s);
    return NULL;
}

static struct session *session_at(const struct sessions *s, uint32_t index)
{
    return pool_at(&s->pool, index);
}

static void held_drop_first(struct session *s)
{
    struct held_set *first = s->held;
    s->held = first->next;
    if (!s->held) s->held_end = &s->held;
    s->held_bytes -= sizeof *first + first->length;
    memory_free(first);
}

static void session_clear(struct session *s)
{
    session_withdraw(s, 0);
    memory_free(s->templates);
    while (s->held) held_drop_first(s);
}

void sessions_destroy(struct sessions *s)
{
    if (!s) return;
    for (unsigned i = 0; i < CHAINS; i++)
        for (uint32_t at = s->chains[i]; at; at = session_at(s, at)->chain_next)
            session_clear(session_at(s, at));
    pool_deinit(&s->pool);
    memory_free(s);
}

static uint32_t *session_chain(struct sessions *s, const struct session_key *key)
{
    return &s->chains[table_hash(key, sizeof *key, 0) % CHAINS];
}

static uint32_t session_oldest(const struct sessions *s)
{
    uint32_t oldest = 0;
    for (unsigned i = 0; i < CHAINS; i++)
        for (uint32_t at = s->chains[i]; at; at = session_at(s, at)->chain_next)
            if (!oldest || session_at(s, at)->heard < session_at(s, oldest)->heard) oldest = at;
    return oldest;
}

static void session_remove(struct sessions *s, uint32_t index)
{
    struct session *gone = session_at(s, index);
    uint32_t *link = session_chain(s, &gone->key);
    while (*link != index) link = &session_at(s, *link)->chain_next;
    *link = gone->chain_next;
    session_clear(gone);
    pool_give(&s->pool, index);
}

static void session_end(struct sessions *s, uint32_t index, session_each *gone, void *context)
{
    session_give_up(session_at(s, index));
    gone(context, session_at(s, index));
    session_remove(s, index);
}

void sessions_close(struct sessions *s, uint64_t connection, session_each *gone, void *context)
{
    for (unsigned i = 0; i < CHAINS; i++)
        for (uint32_t at = s->chains[i], next; at; at = next) {
            next = session_at(s, at)->chain_next;
            if (session_at(s, at)->key.connection != connection) continue;
            session_end(s, at, gone, context);
        }
}

struct session *session_of(struct sessions *s, const struct session_key *key, nanos now,
                           session_each *gone, void *context)
{
    uint32_t *chain = session_chain(s, key), at = *chain;
    while (at && memcmp(&session_at(s, at)->key, key, sizeof *key) != 0)
        at = session_at(s, at)->chain_next;
    if (!at && s->pool.used == SESSIONS_MAX) {
        uint32_t oldest = session_oldest(s);
        session_end(s, oldest, gone, context);
    }
    if (!at) {
        at = pool_take(&s->pool);
        struct session *fresh = session_at(s, at);
        *fresh = (struct session){.key = *key, .chain_next = *chain};
        fresh->held_end = &fresh->held;
        *chain = at;
    }
    struct session *found = session_at(s, at);
    found->heard = now;
    return found;
}

void sessions_each(struct sessions *s, session_each *each, void *context)
{
    for (unsigned i = 0; i < CHAINS; i++)
        for (uint32_t at = s->chains[i]; at; at = session_at(s, at)->chain_next)
            each(context, session_at(s, at));
}

// ---- what is missing ----------------------------------------------------------------------------

void session_lose(struct session *s, enum export_loss why, uint64_t n, nanos now)
{
    if (!n) return;
    if (!s->lost_from || now < s->lost_from) s->lost_from = now;
    if (now > s->lost_to) s->lost_to = now;
    s->lost[why] += n;
}

// Nothing that was counted as lost is lost any more: at most what was not told yet.
static void session_find(struct session *s, uint64_t n)
{
    uint64_t *lost = &s->lost[EXPORT_LOSS_sequence_gap];
    *lost -= n < *lost ? n : *lost;
}

// Whether the count stands before a message (RFC 7011 section 3.1) or behind it shows in two
// messages of different length. Behind a loss it may look so by chance: the next such message says.
static void session_style(struct session *s, uint32_t sequence, uint32_t n)
{
    bool is_before = sequence == s->next_sequence, is_behind = sequence == s->last_sequence + n;
    if (is_before == is_behind) return;
    // No message begins in the middle of one before.
    bool is_certain = s->doubted || (int32_t)(sequence - s->next_sequence) < 0;
    if (is_behind && is_certain) session_find(s, s->doubted);
    s->counts_own = is_behind && (s->counts_own || is_certain);
    s->doubted = is_behind && !s->counts_own ? sequence - s->next_sequence : 0;
}

void session_sequence(struct session *s, uint32_t sequence, uint32_t n, nanos now)
{
    if (!s->has_sequence) s->counts_own = n && sequence == n; // the first of all
    else session_style(s, sequence, n);
    uint32_t expected = s->counts_own ? s->last_sequence + n : s->next_sequence;
    int32_t ahead = (int32_t)(sequence - expected);
    bool is_jump = ahead > SEQUENCE_JUMP_MAX || ahead < -SEQUENCE_JUMP_MAX;
    if (s->has_sequence && ahead > 0 && !is_jump)
        session_lose(s, EXPORT_LOSS_sequence_gap, (uint64_t)ahead, now);
    // One that comes late was counted as lost when the one behind it came.
    if (s->has_sequence && ahead < 0 && !is_jump) {
        session_find(s, n ? n : 1);
        return;
    }
    s->has_sequence = true;
    s->last_sequence = sequence;
    s->next_sequence = sequence + n;
}

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
    s->template_bytes -= template_size(s->templates[at]->field_count);
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
    uint32_t at = template_place(s, id);
    if (id && template_is_at(s, at, id)) template_remove(s, at);
    while (!id && s->template_count) template_remove(s, s->template_count - 1);
}

// ---- data that wait -----------------------------------------------------------------------------

void session_hold(struct session *s, uint16_t id, const struct flow_origin *origin, bytes set)
{
    struct held_set *h = memory_get(sizeof *h + set.n);
    *h = (struct held_set){.id = id, .length = (uint16_t)set.n, .origin = *origin};
    if (set.n) memcpy(h->data, set.p, set.n);
    *s->held_end = h;
    s->held_end = &h->next;
    s->held_bytes += sizeof *h + set.n;
    while (s->held_bytes > SESSION_HELD_BYTES) {
        session_lose(s, EXPORT_LOSS_no_template, 1, s->held->origin.exported);
        held_drop_first(s);
    }
}

void session_give_up(struct session *s)
{
    while (s->held) {
        session_lose(s, EXPORT_LOSS_no_template, 1, s->held->origin.exported);
        held_drop_first(s);
    }
}

struct held_set *session_unhold(struct session *s, uint16_t id)
{
    struct held_set **link = &s->held;
    while (*link && (*link)->id != id) link = &(*link)->next;
    struct held_set *found = *link;
    if (!found) return NULL;
    *link = found->next;
    if (s->held_end == &found->next) s->held_end = link;
    s->held_bytes -= sizeof *found + found->length;
    return found;
}
