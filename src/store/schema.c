#include "store/schema.h"

#include "record/community_id.h"

#include <stdio.h>
#include <string.h>

#include "store/database.h"

static enum duck_type type_of(enum field_type type)
{
    switch (type) {
    case FIELD_TIME:
        return DUCK_TIMESTAMP_NS;
    case FIELD_DURATION:
        return DUCK_BIGINT;
    case FIELD_UINT:
    case FIELD_MAC:
    case FIELD_ADDRESS:
    case FIELD_ID:
    case FIELD_UINTS:
        return DUCK_UBIGINT;
    case FIELD_REAL:
        return DUCK_DOUBLE;
    case FIELD_BOOL:
        return DUCK_BOOLEAN;
    case FIELD_HASH:
    case FIELD_BLOB:
        return DUCK_BLOB;
    case FIELD_TEXT:
    case FIELD_TEXTS:
    case FIELD_ADDRESSES:
        return DUCK_VARCHAR;
    }
    return DUCK_VARCHAR;
}

static const char *sql_type(enum duck_type type)
{
    static const struct {
        enum duck_type type;
        const char *name;
    } names[] = {
        {DUCK_TIMESTAMP_NS, "TIMESTAMP_NS"}, {DUCK_BIGINT, "BIGINT"},
        {DUCK_UBIGINT, "UBIGINT"},           {DUCK_DOUBLE, "DOUBLE"},
        {DUCK_BOOLEAN, "BOOLEAN"},           {DUCK_BLOB, "BLOB"},
        {DUCK_VARCHAR, "VARCHAR"},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].type == type) return names[i].name;
    return "VARCHAR";
}

static void name_column(struct schema_column *c, const struct field *field, const char *suffix)
{
    c->type = type_of(field->type);
    c->list = field_is_list(field->type);
    snprintf(c->name, sizeof c->name, "%.50s%s", field->name, suffix);
}

unsigned schema_columns(const struct field *field, struct schema_column columns[2])
{
    bool address = field->type == FIELD_ADDRESS;
    if (field_words(field->type) == 1) {
        name_column(&columns[0], field, "");
        return 1;
    }
    name_column(&columns[0], field, address ? "_hi" : "_us");
    name_column(&columns[1], field, address ? "_lo" : "_hash");
    return 2;
}

struct duck_logical *schema_logical(const struct schema_column *column)
{
    struct duck_logical *type = duck.create_logical_type(column->type);
    if (!column->list) return type;
    struct duck_logical *list = duck.create_list_type(type);
    duck.destroy_logical_type(&type);
    return list;
}

static void put_raw_column(struct text *sql, const struct schema_column *c, bool there)
{
    if (there) {
        sql_name(sql, c->name);
        return;
    }
    text_format(sql, "NULL::%s%s AS ", sql_type(c->type), c->list ? "[]" : "");
    sql_name(sql, c->name);
}

void schema_put_columns(struct text *sql, const struct record_kind *kind, uint64_t with)
{
    unsigned shown = 0;
    for (uint32_t f = 0; f < kind->field_count; f++) {
        struct schema_column columns[2];
        unsigned n = schema_columns(&kind->fields[f], columns);
        for (unsigned i = 0; with >> f & 1 && i < n; i++) {
            if (shown++) text_add(sql, ", ");
            sql_name(sql, columns[i].name);
        }
    }
}

void schema_put_select(struct text *sql, const struct record_kind *kind, const char *source,
                       uint64_t with)
{
    text_add(sql, "SELECT ");
    for (uint32_t f = 0; f < kind->field_count; f++) {
        struct schema_column columns[2];
        unsigned n = schema_columns(&kind->fields[f], columns);
        for (unsigned i = 0; i < n; i++) {
            if (f || i) text_add(sql, ", ");
            put_raw_column(sql, &columns[i], source && with >> f & 1);
        }
    }
    if (source) text_format(sql, " FROM %s", source);
    else text_add(sql, " WHERE false");
}

void schema_raw_view(struct text *sql, const struct record_kind *kind, const char *source,
                     uint64_t with)
{
    text_add(sql, "CREATE OR REPLACE VIEW raw.");
    sql_name(sql, kind->name);
    text_add(sql, " AS ");
    schema_put_select(sql, kind, source, with);
}

static void put_call(struct text *sql, const char *before, const struct schema_column *c,
                     unsigned n, const char *after)
{
    text_add(sql, before);
    sql_name(sql, c[0].name);
    if (n == 2) {
        text_add(sql, ", ");
        sql_name(sql, c[1].name);
    }
    text_add(sql, after);
}

static void put_shown(struct text *sql, const struct field *field)
{
    struct schema_column c[2];
    unsigned n = schema_columns(field, c);
    const char *before = "", *after = "";
    if (field->type == FIELD_ADDRESS) before = "ip_text(", after = ")";
    if (field->type == FIELD_MAC) before = "mac_text(", after = ")";
    if (field->type == FIELD_ID) before = "id_text(", after = ")";
    if (field->type == FIELD_DURATION) before = "(", after = "::DOUBLE / 1e9)";
    if (field->type == FIELD_HASH) before = "lower(hex(", after = "))";
    put_call(sql, before, c, n, after);
    text_add(sql, " AS ");
    sql_name(sql, field->name);
}

void schema_view(struct text *sql, const struct record_kind *kind)
{
    unsigned shown = 0;
    text_add(sql, "CREATE VIEW main.");
    sql_name(sql, kind->name);
    text_add(sql, " AS SELECT ");
    for (uint32_t f = 0; f < kind->field_count; f++) {
        if (kind->fields[f].flags & FIELD_HIDDEN || kind->fields[f].type == FIELD_BLOB) continue;
        if (shown++) text_add(sql, ", ");
        put_shown(sql, &kind->fields[f]);
    }
    unsigned tuple[COMMUNITY_FIELDS];
    if (community_id_fields(kind, tuple))
        text_add(sql,
                 ", community_id(src_addr_hi, src_addr_lo, src_port, dst_addr_hi, dst_addr_lo, "
                 "dst_port, proto) AS community_id");
    text_add(sql, " FROM raw.");
    sql_name(sql, kind->name);
}
