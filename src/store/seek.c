#include "store/seek.h"

#include <inttypes.h>
#include <string.h>

#include "store/schema.h"

enum {
    ROWS_MAX = 1024,  // of more, each group has some
    SEGMENTS_MAX = 64 // each is a part of the view, which costs half a millisecond
};

static void put_need(struct text *sql, const struct record_kind *kind, const struct need *need)
{
    struct schema_column columns[2];
    schema_columns(&kind->fields[need->field], columns);
    text_format(sql, "%s = %" PRIu64 " AND %s = %" PRIu64, columns[0].name, need->address.hi,
                columns[1].name, need->address.lo);
}

// For each segment that has such rows: which one it is, how many rows, and where.
static void put_search(struct text *sql, const struct record_kind *kind, const char *source,
                       const struct needs *needs)
{
    text_add(sql, "SELECT file_index::UBIGINT, count(*)::UBIGINT, "
                  "string_agg(file_row_number::VARCHAR, ',') FROM (");
    for (unsigned i = 0; i < needs->count; i++) {
        text_format(sql, "%sSELECT file_index, file_row_number FROM %s WHERE ",
                    i ? " UNION ALL " : "", source);
        put_need(sql, kind, &needs->of[i]);
    }
    text_format(sql, " LIMIT %d) GROUP BY 1 ORDER BY 1", ROWS_MAX + 1);
}

// All rows, for DuckDB to compare numbers before it makes texts of them.
static void put_compared(struct text *view, const struct record_kind *kind, const char *source,
                         uint64_t with, const struct needs *needs)
{
    schema_put_select(view, kind, source, with);
    for (unsigned i = 0; i < needs->count; i++) {
        text_add(view, i ? " OR (" : " WHERE (");
        put_need(view, kind, &needs->of[i]);
        text_add(view, ")");
    }
}

static const struct catalogue_segment *segment_at(const struct case_reader *c,
                                                  const struct record_kind *kind, uint64_t index)
{
    for (const struct catalogue_reading *r = NULL; (r = case_next_asked(c, r));)
        for (size_t i = 0; i < r->segment_count; i++)
            if (strcmp(r->segments[i].kind, kind->name) == 0 && !index--) return &r->segments[i];
    return NULL;
}

static void put_found(const struct case_reader *c, const struct record_kind *kind,
                      struct text *view, uint64_t index, bytes rows)
{
    const struct catalogue_segment *segment = segment_at(c, kind, index);
    struct text path = {0}, source = {0};
    text_format(&path, "%s/%s", c->asked, segment->path);
    text_add(&source, "read_parquet(");
    sql_literal(&source, path.p);
    text_add(&source, ") WHERE file_row_number IN (");
    text_put(&source, rows);
    text_add(&source, ")");
    if (view->n) text_add(view, " UNION ALL ");
    schema_put_select(view, kind, source.p, segment->with);
    text_deinit(&path);
    text_deinit(&source);
}

// What a search found, as a view of just these rows; false when they are too many.
static bool put_all_found(const struct case_reader *c, const struct record_kind *kind,
                          struct text *view, struct duck_result *found)
{
    uint64_t rows = 0, segments = 0;
    for (struct duck_chunk *chunk; (chunk = duck.fetch_chunk(*found));) {
        const uint64_t *index = duck.vector_get_data(duck.data_chunk_get_vector(chunk, 0));
        const uint64_t *count = duck.vector_get_data(duck.data_chunk_get_vector(chunk, 1));
        const struct duck_string *where =
            duck.vector_get_data(duck.data_chunk_get_vector(chunk, 2));
        for (uint64_t i = 0; i < duck.data_chunk_get_size(chunk); i++) {
            rows += count[i];
            if (rows <= ROWS_MAX && segments++ < SEGMENTS_MAX)
                put_found(c, kind, view, index[i],
                          bytes_of(duck_string_data(&where[i]), where[i].length));
        }
        duck.destroy_data_chunk(&chunk);
    }
    return rows <= ROWS_MAX && segments <= SEGMENTS_MAX;
}

// Puts what the view shows; false where the library does not tell where rows are.
static bool put_sought(struct case_reader *c, const struct record_kind *kind, struct text *view,
                       const struct needs *needs)
{
    struct duck_result found;
    struct text source = {0}, search = {0};
    uint64_t with = 0;
    bool fine = case_put_segments(c, kind, &source, &with);
    for (unsigned i = 0; i < needs->count; i++) fine = fine && with >> needs->of[i].field & 1;
    if (fine) {
        put_search(&search, kind, source.p, needs);
        fine = !duck.query(c->database.connection, search.p, &found);
        if (fine && !put_all_found(c, kind, view, &found)) {
            text_clear(view);
            put_compared(view, kind, source.p, with, needs);
        }
        duck.destroy_result(&found);
    }
    if (fine && !view->n) schema_put_select(view, kind, NULL, 0);
    text_deinit(&source);
    text_deinit(&search);
    return fine;
}

bool seek_rows(struct case_reader *c, unsigned kind, const struct needs *needs, struct err *err)
{
    const struct record_kind *k = c->kinds[kind];
    struct text view = {0}, sql = {0};
    if (!case_need_raw(c, kind, err)) return false;
    bool fine = put_sought(c, k, &view, needs);
    if (fine) {
        text_format(&sql, "CREATE OR REPLACE VIEW raw.%s AS %s", k->name, view.p);
        case_put_spooled(c, k, &sql);
        fine = database_run(&c->database, sql.p, NULL);
        c->sought[kind] = fine;
    }
    text_deinit(&view);
    text_deinit(&sql);
    return true;
}
