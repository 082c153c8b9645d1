#include "collect/exporters.h"

#include <string.h>

#include "base/hash.h"
#include "collect/protocol.h"

static const char magic[] = "weirexp1";
enum { MAGIC_SIZE = sizeof magic - 1 };

// ---- writing ------------------------------------------------------------------------------------

static void put(struct text *to, uint64_t v, unsigned size)
{
    uint8_t octets[sizeof v];
    for (unsigned i = 0; i < size; i++) octets[i] = (uint8_t)(v >> 8 * (size - 1 - i));
    text_put(to, bytes_of(octets, size));
}

static void put_template(struct text *to, const struct template *t)
{
    put(to, t->id, 2);
    put(to, t->field_count, 2);
    put(to, t->scope_count, 2);
    put(to, (uint64_t)t->first, 8);
    put(to, (uint64_t)t->defined, 8);
    put(to, (uint64_t)t->used, 8);
    put(to, t->records, 8);
    for (unsigned i = 0; i < t->field_count; i++) {
        put(to, t->fields[i].enterprise, 4);
        put(to, t->fields[i].number, 2);
        put(to, t->fields[i].length, 2);
    }
}

static void put_key(struct text *to, const struct session_key *key)
{
    put(to, key->address.hi, 8);
    put(to, key->address.lo, 8);
    put(to, key->domain, 4);
    put(to, key->port, 2);
    put(to, key->version, 2);
}

static void put_session(void *context, struct session *s)
{
    struct text *to = context;
    if (s->key.connection) return;
    put_key(to, &s->key);
    put(to, (uint64_t)s->heard, 8);
    put(to, (uint64_t)s->began, 8);
    put(to, (uint64_t)s->exported, 8);
    put(to, s->uptime, 4);
    put(to, s->sequence.is_known, 1);
    put(to, s->sequence.counts_own, 1);
    put(to, s->sequence.last, 4);
    put(to, s->sequence.next, 4);
    put(to, s->sampling.rate, 8);
    put(to, s->sampling.sampler_count, 2);
    for (unsigned i = 0; i < s->sampling.sampler_count; i++) {
        put(to, s->sampling.samplers[i].id, 8);
        put(to, s->sampling.samplers[i].rate, 8);
    }
    put(to, s->template_count, 2);
    for (unsigned i = 0; i < s->template_count; i++) put_template(to, s->templates[i]);
}

void exporters_write(const struct collector *c, struct text *to)
{
    uint8_t digest[SHA256_SIZE];
    size_t from = to->n;
    text_add(to, magic);
    sessions_each(collector_sessions(c), put_session, to);
    struct sha256 h;
    sha256_init(&h);
    sha256_add(&h, bytes_of(to->p + from, to->n - from));
    sha256_end(&h, digest);
    text_put(to, bytes_of(digest, sizeof digest));
}

// ---- reading ------------------------------------------------------------------------------------

static bool take_template(struct session *s, struct reader *r)
{
    struct template_field fields[TEMPLATE_FIELDS_MAX];
    uint16_t id = read_be16(r), count = read_be16(r), scopes = read_be16(r);
    nanos first = (nanos)read_be64(r), defined = (nanos)read_be64(r), used = (nanos)read_be64(r);
    uint64_t records = read_be64(r);
    if (count > TEMPLATE_FIELDS_MAX) return false;
    for (unsigned i = 0; i < count; i++)
        fields[i] = (struct template_field){read_be32(r), read_be16(r), read_be16(r)};
    struct template *t = r->bad ? NULL : template_create(id, fields, count, scopes, defined);
    if (!t) return false;
    t->first = first;
    t->used = used;
    t->records = records;
    session_define(s, t, defined);
    return true;
}

static void take_sampling(struct session *s, struct reader *r)
{
    s->sampling.rate = read_be64(r);
    s->sampling.from = "options";
    uint16_t samplers = read_be16(r);
    if (samplers > SAMPLERS_MAX) r->bad = true;
    for (unsigned i = 0; i < samplers && !r->bad; i++)
        s->sampling.samplers[i] = (struct sampler){read_be64(r), read_be64(r)};
    s->sampling.sampler_count = r->bad ? 0 : samplers;
}

static void forget(void *context, struct session *s)
{
    (void)context;
    (void)s;
}

static bool take_session(struct collector *c, struct reader *r)
{
    struct session_key key = {.address = {read_be64(r), read_be64(r)}};
    key.domain = read_be32(r);
    key.port = read_be16(r);
    key.version = read_be16(r);
    nanos heard = (nanos)read_be64(r);
    if (r->bad) return false;
    struct session *s = session_of(collector_sessions(c), &key, heard, forget, NULL);
    s->began = (nanos)read_be64(r);
    s->exported = (nanos)read_be64(r);
    s->uptime = read_be32(r);
    s->sequence.is_known = read_u8(r);
    s->sequence.counts_own = read_u8(r);
    s->sequence.last = read_be32(r);
    s->sequence.next = read_be32(r);
    take_sampling(s, r);
    uint16_t templates = read_be16(r);
    for (unsigned i = 0; i < templates; i++)
        if (!take_template(s, r)) return false;
    return !r->bad;
}

bool exporters_read(struct collector *c, bytes content)
{
    uint8_t digest[SHA256_SIZE];
    if (content.n < MAGIC_SIZE + SHA256_SIZE || !bytes_start_with(content, magic)) return false;
    bytes told = bytes_first(content, content.n - SHA256_SIZE);
    struct sha256 h;
    sha256_init(&h);
    sha256_add(&h, told);
    sha256_end(&h, digest);
    if (!bytes_equal(bytes_of(digest, sizeof digest), bytes_after(content, told.n))) return false;
    struct reader r = reader_of(bytes_after(told, MAGIC_SIZE));
    while (reader_left(&r))
        if (!take_session(c, &r)) return false;
    return true;
}

// ---- looking ------------------------------------------------------------------------------------

struct looking {
    void *context;
    void (*each)(void *context, const struct exporter_template *t);
};

static void look(void *context, struct session *s)
{
    const struct looking *l = context;
    for (unsigned i = 0; i < s->template_count; i++) {
        struct exporter_template t = {s->key, s->templates[i]};
        l->each(l->context, &t);
    }
}

void exporters_each(const struct collector *c, void *context,
                    void (*each)(void *context, const struct exporter_template *t))
{
    struct looking l = {context, each};
    sessions_each(collector_sessions(c), look, &l);
}
