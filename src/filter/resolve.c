#include "filter/resolve.h"

#include "filter/aliases.h"

enum { NAME_MAX_COMPARED = 40 };

static bool is_askable(const struct field *field)
{
    return !(field->flags & FIELD_HIDDEN) && field->type != FIELD_BLOB;
}

static uint8_t field_named(const struct record_kind *kind, bytes name)
{
    int field = kind_field(kind, name);
    return field >= 0 && is_askable(&kind->fields[field]) ? (uint8_t)field : NO_FIELD;
}

static struct source source_of(const struct record_kind *kind, uint8_t field)
{
    return (struct source){
        .type = kind->fields[field].type, .field = field, .other = NO_FIELD, .guard = NO_FIELD};
}

// `dns.query` is `query`, but of dns only.
static uint8_t field_of_kind(const struct record_kind *kind, bytes name)
{
    size_t length = strlen(kind->name);
    if (!bytes_start_with(name, kind->name) || name.n <= length || name.p[length] != '.')
        return NO_FIELD;
    return field_named(kind, bytes_after(name, length + 1));
}

static bool is_name(const char *one, bytes name)
{
    return one && bytes_equal(bytes_text(one), name);
}

// The field that has the name in another standard; `count` of them do.
static uint8_t field_of_standard(const struct record_kind *kind, bytes name, bool zeek,
                                 unsigned *count)
{
    uint8_t found = NO_FIELD;
    *count = 0;
    for (uint32_t i = 0; i < kind->field_count; i++) {
        const struct field *f = &kind->fields[i];
        if (!is_askable(f) || !is_name(zeek ? f->zeek : f->ecs, name)) continue;
        found = (uint8_t)i;
        ++*count;
    }
    return found;
}

// ---- aliases ------------------------------------------------------------------------------------

// The field that tells which transport a row is of. Where there is none, all rows pass.
static uint8_t guard_of(const struct record_kind *kind)
{
    struct source source;
    return resolve_protocol(kind, &source) ? source.field : NO_FIELD;
}

static bool alias_fits(const struct alias *alias, const struct record_kind *kind, bytes name,
                       bool direct)
{
    if (direct ? !alias->direct : alias->only_direct) return false;
    if (alias->kind && strcmp(alias->kind, kind->name) != 0) return false;
    return is_name(alias->name, name);
}

static bool alias_take(const struct alias *alias, const struct record_kind *kind,
                       struct source *sources, uint8_t *count)
{
    uint8_t field = field_named(kind, bytes_text(alias->field)), other = NO_FIELD;
    if (field == NO_FIELD) return false;
    if (alias->other) {
        other = field_named(kind, bytes_text(alias->other));
        if (other == NO_FIELD || kind->fields[other].type != kind->fields[field].type) return false;
    }
    *count = alias->how == ALIAS_EITHER ? 2 : 1;
    sources[0] = source_of(kind, field);
    if (alias->how == ALIAS_EITHER) sources[1] = source_of(kind, other);
    if (alias->how == ALIAS_SUM || alias->how == ALIAS_DIFFERENCE) {
        sources[0].how = alias->how == ALIAS_SUM ? SOURCE_SUM : SOURCE_DIFFERENCE;
        sources[0].other = other;
        if (kind->fields[field].type == FIELD_TIME) sources[0].type = FIELD_DURATION;
    }
    for (uint8_t i = 0; alias->protocol && i < *count; i++) {
        sources[i].guard = guard_of(kind);
        sources[i].protocol = alias->protocol;
    }
    return true;
}

// Computed, not stored (record/community_id.h). ECS, Arkime and Wireshark spell it otherwise.
static bool resolve_community_id(const struct record_kind *kind, bytes name, struct source *source)
{
    static const char *const names[] = {"community_id", "network.community_id", "communityId",
                                        "communityid"};
    unsigned fields[COMMUNITY_FIELDS], known = 0;
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) known |= is_name(names[i], name);
    if (!known || !community_id_fields(kind, fields)) return false;
    *source = source_of(kind, (uint8_t)fields[0]);
    source->how = SOURCE_COMMUNITY_ID;
    source->type = FIELD_TEXT;
    for (unsigned i = 0; i < COMMUNITY_FIELDS; i++) source->tuple[i] = (uint8_t)fields[i];
    return true;
}

enum resolved resolve(const struct record_kind *kind, bytes name, bool direct,
                      struct source *sources, uint8_t *source_count)
{
    unsigned same = 0;
    uint8_t field = direct ? NO_FIELD : field_named(kind, name);
    if (!direct && field == NO_FIELD) field = field_of_kind(kind, name);
    for (int zeek = 0; !direct && zeek < 2 && field == NO_FIELD; zeek++)
        field = field_of_standard(kind, name, zeek, &same);
    if (same > 1) return RESOLVED_AMBIGUOUS;
    if (field != NO_FIELD) {
        sources[0] = source_of(kind, field);
        *source_count = 1;
        return RESOLVED_FOUND;
    }
    if (!direct && resolve_community_id(kind, name, sources)) {
        *source_count = 1;
        return RESOLVED_FOUND;
    }
    for (unsigned i = 0; i < alias_count; i++)
        if (alias_fits(&aliases[i], kind, name, direct) &&
            alias_take(&aliases[i], kind, sources, source_count))
            return RESOLVED_FOUND;
    return RESOLVED_NONE;
}

bool resolve_protocol(const struct record_kind *kind, struct source *source)
{
    uint8_t field = field_named(kind, bytes_text("proto"));
    if (field == NO_FIELD || kind->fields[field].type != FIELD_UINT) return false;
    *source = source_of(kind, field);
    return true;
}

// ---- what it might have meant -------------------------------------------------------------------

// Letters to put in, take out, change or exchange with their neighbour (the restricted Damerau
// distance).
static unsigned distance(bytes a, bytes b)
{
    unsigned rows[3][NAME_MAX_COMPARED + 1];
    if (a.n > NAME_MAX_COMPARED || b.n > NAME_MAX_COMPARED) return NAME_MAX_COMPARED;
    unsigned *two_up = rows[0], *up = rows[1], *row = rows[2];
    for (unsigned j = 0; j <= b.n; j++) up[j] = j;
    for (unsigned i = 1; i <= a.n; i++) {
        row[0] = i;
        for (unsigned j = 1; j <= b.n; j++) {
            unsigned best = up[j - 1] + (a.p[i - 1] != b.p[j - 1]);
            if (up[j] + 1 < best) best = up[j] + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            bool exchanged = i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1];
            if (exchanged && two_up[j - 2] + 1 < best) best = two_up[j - 2] + 1;
            row[j] = best;
        }
        unsigned *spare = two_up;
        two_up = up;
        up = row;
        row = spare;
    }
    return up[b.n];
}

struct nearest {
    bytes name;
    unsigned distance;
    const char *found;
    const struct record_kind *kind;
};

static void nearest_try(struct nearest *n, const char *name, const struct record_kind *kind)
{
    unsigned d = name ? distance(n->name, bytes_text(name)) : NAME_MAX_COMPARED;
    if (d >= n->distance) return;
    n->distance = d;
    n->found = name;
    n->kind = kind;
}

const char *resolve_nearest(const struct record_kind *const *kinds, uint32_t kind_count, bytes name,
                            const struct record_kind **kind)
{
    // A third of the letters may be wrong; more is guessing.
    struct nearest n = {.name = name, .distance = (unsigned)name.n / 3 + 2};
    for (uint32_t k = 0; k < kind_count; k++) {
        for (uint32_t i = 0; i < kinds[k]->field_count; i++)
            if (is_askable(&kinds[k]->fields[i]))
                nearest_try(&n, kinds[k]->fields[i].name, kinds[k]);
    }
    for (unsigned i = 0; i < alias_count; i++) {
        struct source sources[SOURCES_MAX];
        uint8_t count;
        for (uint32_t k = 0; k < kind_count; k++)
            if (!aliases[i].only_direct &&
                (!aliases[i].kind || strcmp(aliases[i].kind, kinds[k]->name) == 0) &&
                alias_take(&aliases[i], kinds[k], sources, &count))
                nearest_try(&n, aliases[i].name, kinds[k]);
    }
    *kind = n.kind;
    return n.found;
}
