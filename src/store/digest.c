#include "store/digest.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/memory.h"
#include "base/text.h"

enum { NAME_HASH_SIZE = 16, ENTRIES_FIRST = 256 };

// A record: its id and the first half of its hash, to be compared as bytes.
struct digest_entry {
    uint8_t id[16], hash[NAME_HASH_SIZE];
};

struct digest_kind {
    struct digest_entry *entries;
    size_t count, size;
    uint64_t fields;
    int id; // field of that name, or -1
    bool sorted;
};

struct digest {
    const struct record_kind *const *kinds;
    struct digest_kind *of;
    unsigned kind_count;
    struct text scratch;
};

uint64_t digest_fields(const struct record_kind *kind)
{
    uint64_t fields = 0;
    if (kind->hidden || kind->undigested) return 0;
    for (uint32_t f = 0; f < kind->field_count; f++) {
        const struct field *field = &kind->fields[f];
        if (field->type == FIELD_BLOB ||
            field->flags & (FIELD_HIDDEN | FIELD_UNDIGESTED | FIELD_ASKED))
            continue;
        fields |= UINT64_C(1) << f;
    }
    return fields;
}

uint64_t digest_fields_whole(const struct record_kind *kind)
{
    uint64_t fields = 0;
    // Of the undigested kinds only this one follows from the packets alone.
    if (kind->undigested && strcmp(kind->name, "packets") != 0) return 0;
    for (uint32_t f = 0; f < kind->field_count; f++)
        if (!(kind->fields[f].flags & FIELD_UNDIGESTED) ||
            strcmp(kind->fields[f].name, "artifact") == 0)
            fields |= UINT64_C(1) << f;
    return fields & ~kind_asked_fields(kind);
}

static struct digest *create(const struct record_kind *const *kinds, unsigned kind_count,
                             uint64_t (*fields)(const struct record_kind *kind))
{
    struct digest *d = memory_get(sizeof *d);
    d->kinds = kinds;
    d->kind_count = kind_count;
    d->of = memory_get(kind_count * sizeof *d->of);
    for (unsigned i = 0; i < kind_count; i++) {
        d->of[i].fields = fields(kinds[i]);
        d->of[i].id = kind_field(kinds[i], bytes_text("id"));
        if (d->of[i].id >= 0 && kinds[i]->fields[d->of[i].id].type != FIELD_ID) d->of[i].id = -1;
    }
    return d;
}

struct digest *digest_create(const struct record_kind *const *kinds, unsigned kind_count)
{
    return create(kinds, kind_count, digest_fields);
}

struct digest *digest_create_whole(const struct record_kind *const *kinds, unsigned kind_count)
{
    struct digest *d = create(kinds, kind_count, digest_fields_whole);
    // What has no id of its own may belong to a conversation.
    for (unsigned i = 0; i < kind_count; i++) {
        int field = kind_field(kinds[i], bytes_text("conversation_id"));
        if (d->of[i].id < 0 && field >= 0 && kinds[i]->fields[field].type == FIELD_ID)
            d->of[i].id = field;
    }
    return d;
}

void digest_destroy(struct digest *d)
{
    if (!d) return;
    for (unsigned i = 0; i < d->kind_count; i++) memory_free(d->of[i].entries);
    text_deinit(&d->scratch);
    memory_free(d->of);
    memory_free(d);
}

// ---- one record ---------------------------------------------------------------------------------

static void put_word(struct text *t, uint64_t v)
{
    uint64_t ordered = __builtin_bswap64(v);
    text_put(t, bytes_of(&ordered, sizeof ordered));
}

static void put_sized(struct text *t, bytes v)
{
    uint8_t memory[10];
    struct buf length = buf_on(memory, sizeof memory);
    buf_varint(&length, v.n);
    text_put(t, buf_bytes(&length));
    text_put(t, v);
}

static void put_pair(struct text *t, uint64_t hi, uint64_t lo)
{
    put_word(t, hi);
    put_word(t, lo);
}

static void put_list(struct text *t, bytes list, enum field_type type)
{
    bytes text;
    uint64_t number;
    struct address address;
    if (type == FIELD_TEXTS)
        while (list_next_text(&list, &text)) put_sized(t, text);
    if (type == FIELD_UINTS)
        while (list_next_uint(&list, &number)) put_word(t, number);
    if (type == FIELD_ADDRESSES)
        while (list_next_address(&list, &address)) put_pair(t, address.hi, address.lo);
}

static void put_value(struct text *t, const struct record_batch *b, unsigned f, uint32_t row)
{
    const uint64_t *words = b->columns[f].words;
    enum field_type type = b->kind->fields[f].type;
    if (field_is_list(type)) put_list(t, batch_get_bytes(b, f, row), type);
    else if (type == FIELD_TEXT || type == FIELD_HASH || type == FIELD_BLOB)
        text_put(t, batch_get_bytes(b, f, row));
    else if (field_words(type) == 2)
        put_pair(t, words[2 * (size_t)row], words[2 * (size_t)row + 1]);
    else put_word(t, words[row]);
}

static void hash_row(struct digest *d, const struct record_batch *b, uint32_t row, uint64_t fields,
                     uint8_t digest[SHA256_SIZE])
{
    struct sha256 hash;
    uint8_t memory[10];
    sha256_init(&hash);
    for (uint32_t f = 0; f < b->kind->field_count; f++) {
        if (!(fields >> f & 1) || !batch_has(b, f, row)) continue;
        struct buf length = buf_on(memory, sizeof memory);
        bytes name = bytes_text(b->kind->fields[f].name);
        text_clear(&d->scratch);
        put_sized(&d->scratch, name);
        sha256_add(&hash, bytes_of(d->scratch.p, d->scratch.n));
        text_clear(&d->scratch);
        put_value(&d->scratch, b, f, row);
        buf_varint(&length, d->scratch.n);
        sha256_add(&hash, buf_bytes(&length));
        sha256_add(&hash, bytes_of(d->scratch.p, d->scratch.n));
    }
    sha256_end(&hash, digest);
}

static struct digest_entry *next_entry(struct digest_kind *k)
{
    if (k->count == k->size) {
        k->size = k->size ? 2 * k->size : ENTRIES_FIRST;
        k->entries = memory_resize(k->entries, k->size * sizeof *k->entries);
    }
    struct digest_entry *e = &k->entries[k->count++];
    *e = (struct digest_entry){{0}, {0}};
    return e;
}

static void add_row(struct digest *d, struct digest_kind *k, const struct record_batch *b,
                    uint32_t row)
{
    uint8_t digest[SHA256_SIZE];
    struct digest_entry *e = next_entry(k);
    hash_row(d, b, row, k->fields, digest);
    memcpy(e->hash, digest, sizeof e->hash);
    if (k->id < 0 || !batch_has(b, (unsigned)k->id, row)) return;
    struct record_id id = batch_get_id(b, (unsigned)k->id, row);
    uint64_t words[2] = {__builtin_bswap64(id.time_us), __builtin_bswap64(id.hash)};
    memcpy(e->id, words, sizeof e->id);
}

void digest_add(struct digest *d, const struct record_batch *batch)
{
    unsigned kind = 0;
    while (kind < d->kind_count && d->kinds[kind] != batch->kind) kind++;
    if (kind == d->kind_count || !d->of[kind].fields) return;
    for (uint32_t row = 0; row < batch->rows; row++) add_row(d, &d->of[kind], batch, row);
}

// ---- all of them --------------------------------------------------------------------------------

static int compare_entries(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct digest_entry));
}

static void sort(struct digest_kind *k)
{
    if (!k->sorted && k->count) qsort(k->entries, k->count, sizeof *k->entries, compare_entries);
    k->sorted = true;
}

static struct record_id id_of(const struct digest_entry *e)
{
    uint64_t words[2];
    memcpy(words, e->id, sizeof words);
    return (struct record_id){__builtin_bswap64(words[0]), __builtin_bswap64(words[1])};
}

// A record that is another one on the other side stands in both lists, next to each other.
void digest_compare(struct digest *a, struct digest *b, unsigned kind, digest_differs *differs,
                    void *context)
{
    static const uint8_t none[16];
    struct digest_kind *in_a = &a->of[kind], *in_b = &b->of[kind];
    size_t i = 0, k = 0;
    sort(in_a);
    sort(in_b);
    while (i < in_a->count || k < in_b->count) {
        const struct digest_entry *x = i < in_a->count ? &in_a->entries[i] : NULL;
        const struct digest_entry *y = k < in_b->count ? &in_b->entries[k] : NULL;
        int order = !x ? 1 : !y ? -1 : compare_entries(x, y);
        bool same_id = x && y && memcmp(x->id, y->id, 16) == 0;
        if (order && same_id && memcmp(x->id, none, 16) != 0) {
            differs(context, DIGEST_CHANGED, id_of(x));
            order = 0;
        } else if (order < 0) differs(context, DIGEST_ONLY_A, id_of(x));
        else if (order > 0) differs(context, DIGEST_ONLY_B, id_of(y));
        i += order <= 0;
        k += order >= 0;
    }
}

void digest_forget(struct digest *d, unsigned kind)
{
    memory_free(d->of[kind].entries);
    d->of[kind].entries = NULL;
    d->of[kind].count = d->of[kind].size = 0;
    d->of[kind].sorted = false;
}

bool digest_of_kind(struct digest *d, unsigned kind, char hex[HEX_SHA256_SIZE], uint64_t *rows)
{
    struct digest_kind *k = &d->of[kind];
    uint8_t digest[SHA256_SIZE];
    if (rows) *rows = k->count;
    if (!k->fields) return false;
    sort(k);
    sha256_of(bytes_of(k->entries, k->count * sizeof *k->entries), digest);
    hex_format(hex, bytes_of(digest, sizeof digest));
    return true;
}

// The kind with the least name behind `after`, or -1.
static int next_kind(const struct digest *d, const char *after)
{
    int best = -1;
    for (unsigned i = 0; i < d->kind_count; i++) {
        if (strcmp(d->kinds[i]->name, after) <= 0) continue;
        if (best < 0 || strcmp(d->kinds[i]->name, d->kinds[best]->name) < 0) best = (int)i;
    }
    return best;
}

void digest_total(struct digest *d, char hex[HEX_SHA256_SIZE])
{
    uint8_t digest[SHA256_SIZE];
    struct text lines = {0};
    uint64_t rows;
    for (int i = next_kind(d, ""); i >= 0; i = next_kind(d, d->kinds[i]->name))
        if (digest_of_kind(d, (unsigned)i, hex, &rows) && rows)
            text_format(&lines, "%s %s\n", d->kinds[i]->name, hex);
    sha256_of(bytes_of(lines.p, lines.n), digest);
    hex_format(hex, bytes_of(digest, sizeof digest));
    text_deinit(&lines);
}
