#include "collect/session.h"

#include <stddef.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"

enum { CHAINS = 4096 };

struct sessions {
    struct pool pool;
    uint32_t chains[CHAINS];
    uint32_t silent, latest; // ends of the list by when they were heard last
    size_t bytes;            // of templates and data that wait, of all
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

static void session_clear(struct session *s)
{
    session_withdraw(s, WITHDRAW_ALL);
    memory_free(s->templates);
    session_give_up(s);
}

void sessions_destroy(struct sessions *s)
{
    if (!s) return;
    for (uint32_t at = s->silent; at; at = session_at(s, at)->later)
        session_clear(session_at(s, at));
    pool_deinit(&s->pool);
    memory_free(s);
}

static uint32_t *session_chain(struct sessions *s, const struct session_key *key)
{
    return &s->chains[table_hash(key, sizeof *key, 0) % CHAINS];
}

static void list_remove(struct sessions *s, const struct session *of)
{
    *(of->earlier ? &session_at(s, of->earlier)->later : &s->silent) = of->later;
    *(of->later ? &session_at(s, of->later)->earlier : &s->latest) = of->earlier;
}

static void list_append(struct sessions *s, uint32_t index)
{
    struct session *of = session_at(s, index);
    of->earlier = s->latest;
    of->later = 0;
    *(s->latest ? &session_at(s, s->latest)->later : &s->silent) = index;
    s->latest = index;
}

// ---- ends and beginnings ------------------------------------------------------------------------

static void session_remove(struct sessions *s, uint32_t index)
{
    struct session *gone = session_at(s, index);
    uint32_t *link = session_chain(s, &gone->key);
    while (*link != index) link = &session_at(s, *link)->chain_next;
    *link = gone->chain_next;
    list_remove(s, gone);
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
    for (uint32_t at = s->silent, next; at; at = next) {
        next = session_at(s, at)->later;
        if (session_at(s, at)->key.connection == connection) session_end(s, at, gone, context);
    }
}

static uint32_t session_begin(struct sessions *s, const struct session_key *key, uint32_t *chain)
{
    uint32_t at = pool_take(&s->pool);
    struct session *fresh = session_at(s, at);
    *fresh = (struct session){.key = *key, .chain_next = *chain, .bytes_of_all = &s->bytes};
    fresh->held_end = &fresh->held;
    *chain = at;
    return at;
}

struct session *session_of(struct sessions *s, const struct session_key *key, nanos now,
                           session_each *gone, void *context)
{
    uint32_t *chain = session_chain(s, key), at = *chain;
    while (at && memcmp(&session_at(s, at)->key, key, sizeof *key) != 0)
        at = session_at(s, at)->chain_next;
    if (at) list_remove(s, session_at(s, at));
    // Not this one: it is no longer in the list.
    while (s->silent && (s->bytes > SESSIONS_BYTES || (!at && s->pool.used == SESSIONS_MAX)))
        session_end(s, s->silent, gone, context);
    if (!at) at = session_begin(s, key, chain);
    list_append(s, at);
    struct session *found = session_at(s, at);
    found->heard = now;
    return found;
}

void sessions_each(struct sessions *s, session_each *each, void *context)
{
    for (uint32_t at = s->silent; at; at = session_at(s, at)->later)
        each(context, session_at(s, at));
}
