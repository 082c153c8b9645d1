// Rows of a case back into record batches.
#include <stdio.h>
#include <string.h>

#include "store/case_inside.h"
#include "store/schema.h"
#include "store/vector.h"

enum { COLUMNS_MAX = 2 * KIND_FIELDS_MAX };

struct scanning {
    const struct case_scan *scan;
    struct record_batch *batch;
    struct text scratch;
    bool done;
};

static bool is_wanted(const struct case_scan *scan, uint32_t field)
{
    return scan->fields >> field & 1;
}

static void put_select(struct text *sql, const struct case_scan *scan)
{
    unsigned n = 0;
    text_add(sql, "SELECT ");
    for (uint32_t f = 0; f < scan->kind->field_count; f++) {
        struct schema_column columns[2];
        unsigned count = schema_columns(&scan->kind->fields[f], columns);
        for (unsigned i = 0; is_wanted(scan, f) && i < count; i++) {
            if (n++) text_add(sql, ", ");
            sql_name(sql, columns[i].name);
        }
    }
    if (n == 0) text_add(sql, "1");
    text_add(sql, " FROM raw.");
    sql_name(sql, scan->kind->name);
    if (scan->where && *scan->where) text_format(sql, " WHERE %s", scan->where);
}

static void find_vectors(const struct case_scan *scan, struct duck_chunk *chunk,
                         struct duck_vector **vectors)
{
    uint64_t at = 0;
    unsigned column = 0;
    for (uint32_t f = 0; f < scan->kind->field_count; f++)
        for (unsigned i = 0; i < field_words(scan->kind->fields[f].type); i++)
            vectors[column++] = is_wanted(scan, f) ? duck.data_chunk_get_vector(chunk, at++) : NULL;
}

static void pass_on(struct scanning *s)
{
    if (s->batch->rows) s->done = !s->scan->take(s->scan->context, s->batch);
    batch_clear(s->batch);
}

static bool take_chunk(struct scanning *s, struct duck_chunk *chunk, struct err *err)
{
    struct duck_vector *vectors[COLUMNS_MAX];
    uint64_t rows = duck.data_chunk_get_size(chunk);
    find_vectors(s->scan, chunk, vectors);
    for (uint64_t at = 0; at < rows && !s->done;) {
        uint32_t n = vector_take(vectors, at, rows - at, s->batch, &s->scratch);
        if (n == 0 && s->batch->rows == 0)
            return err_set(err, ERR_INPUT, "a %s is larger than any may be", s->scan->kind->name);
        at += n;
        if (at < rows) pass_on(s);
    }
    return true;
}

static bool take_result(struct scanning *s, struct duck_result *result, struct err *err)
{
    bool fine = true;
    struct duck_chunk *chunk;
    while (fine && !s->done && (chunk = duck.fetch_chunk(*result))) {
        fine = take_chunk(s, chunk, err);
        duck.destroy_data_chunk(&chunk);
    }
    if (!fine) return false;
    const char *error = s->done ? NULL : duck.result_error(result);
    if (error && *error) return err_set(err, ERR_INPUT, "%s", error);
    if (!s->done) pass_on(s);
    return true;
}

bool case_scan(struct case_reader *c, const struct case_scan *scan, struct err *err)
{
    unsigned kind = 0;
    while (kind < c->kind_count && c->kinds[kind] != scan->kind) kind++;
    if (kind == c->kind_count)
        return err_set(err, ERR_USAGE, "there is no kind %s", scan->kind->name);
    if (!case_need_raw(c, kind, err)) return false;
    bool is_asked = scan->fields != CASE_ALL_FIELDS && scan->fields & kind_asked_fields(scan->kind);
    if (is_asked && !case_need_asked(c, kind, err)) return false;
    struct text sql = {0};
    struct duck_result result;
    struct scanning s = {.scan = scan, .batch = batch_create(scan->kind)};
    put_select(&sql, scan);
    bool fine = database_stream(&c->database, sql.p, &result, err);
    if (fine) {
        fine = take_result(&s, &result, err);
        duck.destroy_result(&result);
    }
    text_deinit(&sql);
    text_deinit(&s.scratch);
    batch_destroy(s.batch);
    return fine || err_in(err, "case %s", c->named);
}

void case_id_condition(char where[CASE_ID_CONDITION_MAX], const char *field, struct record_id id)
{
    snprintf(where, CASE_ID_CONDITION_MAX, "%s_us = %llu AND %s_hash = %llu", field,
             (unsigned long long)id.time_us, field, (unsigned long long)id.hash);
}
