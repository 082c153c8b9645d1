// SQL of a user's: one SELECT, fenced in (store/case.c), its rows to an output or a Parquet file.
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "record/output.h"
#include "store/query_inside.h"
#include "store/values.h"

enum { COPY_PIECE = 64 * 1024, EXPORT_PATH_MAX = 4096 };

// How rows are to be shown.
struct showing {
    enum case_format format;
    FILE *out;
    unsigned width;
};

// The columns of a statement's result.
struct shape {
    uint64_t count;
    struct output_column *columns;
    struct value_type *types;
    const char **casts;
    bool needs_cast;
};

static void shape_deinit(struct shape *s)
{
    for (uint64_t i = 0; i < s->count; i++) memory_free((char *)s->columns[i].name);
    memory_free(s->columns);
    memory_free(s->types);
    memory_free(s->casts);
}

static void shape_init(struct shape *s, struct duck_result *result)
{
    s->count = duck.column_count(result);
    s->needs_cast = false;
    s->columns = memory_get(s->count * sizeof *s->columns);
    s->types = memory_get(s->count * sizeof *s->types);
    s->casts = memory_get(s->count * sizeof *s->casts);
    for (uint64_t i = 0; i < s->count; i++) {
        char *copy = text_copy(duck.column_name(result, i));
        s->types[i] = value_type_of(result, i);
        s->casts[i] = value_cast(s->types[i]);
        s->needs_cast = s->needs_cast || s->casts[i];
        s->columns[i] = (struct output_column){copy, value_is_number(s->types[i])};
    }
}

// ---- rows ---------------------------------------------------------------------------------------

static void put_chunk(struct output *o, const struct shape *shape, struct duck_chunk *chunk)
{
    uint64_t rows = duck.data_chunk_get_size(chunk);
    for (uint64_t row = 0; row < rows; row++) {
        for (uint64_t i = 0; i < shape->count; i++)
            value_put(o, shape->types[i], duck.data_chunk_get_vector(chunk, i), row);
        output_row_end(o);
    }
}

static bool put_rows(struct output *o, const struct shape *shape, struct duck_result *result,
                     struct err *err)
{
    for (struct duck_chunk *chunk; (chunk = duck.fetch_chunk(*result));) {
        put_chunk(o, shape, chunk);
        duck.destroy_data_chunk(&chunk);
    }
    const char *said = duck.result_error(result);
    if (said && *said) return query_error(err, duck.result_error_type(result), said);
    return output_end(o, err);
}

static bool run(struct duck_prepared *prepared, struct duck_result *result, struct err *err)
{
    struct err cause = {0};
    if (database_stream_prepared(prepared, result, &cause)) return true;
    return query_error(err, cause.code == ERR_MACHINE ? DUCK_ERROR_IO : 0, cause.text);
}

// Runs the statement again with casts, where a column has a type that is not shown directly.
static bool run_cast(struct case_reader *c, const char *sql, struct shape *shape,
                     struct duck_result *result, struct err *err)
{
    struct text wrapped = {0};
    struct duck_prepared *prepared = NULL;
    query_wrap(&wrapped, sql, shape->casts, NULL, shape->count);
    duck.destroy_result(result);
    bool fine = !duck.prepare(c->database.connection, wrapped.p, &prepared) ||
                query_sql_error(err, duck.prepare_error(prepared));
    fine = fine && run(prepared, result, err);
    duck.destroy_prepare(&prepared);
    text_deinit(&wrapped);
    for (uint64_t i = 0; fine && i < shape->count; i++) shape->types[i] = value_type_of(result, i);
    return fine;
}

static bool show_rows(const struct shape *shape, struct duck_result *result,
                      const struct showing *how, uint64_t *rows, struct err *err)
{
    static const enum output_format formats[] = {
        [CASE_TABLE] = OUTPUT_TABLE, [CASE_JSON] = OUTPUT_JSON, [CASE_CSV] = OUTPUT_CSV};
    struct output *o = output_create(formats[how->format], how->out, shape->columns,
                                     (unsigned)shape->count, how->width);
    bool fine = put_rows(o, shape, result, err);
    *rows = output_rows(o);
    output_destroy(o);
    return fine;
}

static bool show(struct case_reader *c, const char *sql, const struct showing *how, uint64_t *rows,
                 struct err *err)
{
    struct duck_result result;
    struct shape shape;
    struct duck_prepared *prepared = query_prepare(c, sql, err);
    bool fine = prepared && run(prepared, &result, err);
    if (fine) {
        shape_init(&shape, &result);
        fine = !shape.needs_cast || run_cast(c, sql, &shape, &result, err);
        if (fine) fine = show_rows(&shape, &result, how, rows, err);
        if (fine || result.internal) duck.destroy_result(&result);
        shape_deinit(&shape);
    }
    duck.destroy_prepare(&prepared);
    return fine;
}

// ---- Parquet ------------------------------------------------------------------------------------

// DuckDB writes 128-bit sums as floating point, which loses digits without a word; as 64-bit
// numbers they are exact or an error.
static void set_parquet_casts(struct shape *shape)
{
    for (uint64_t i = 0; i < shape->count; i++) {
        int type = shape->types[i].type;
        shape->casts[i] = type == DUCK_HUGEINT    ? "BIGINT"
                          : type == DUCK_UHUGEINT ? "UBIGINT"
                                                  : NULL;
    }
}

static bool put_copy(struct case_reader *c, const char *sql, struct text *copy, const char *path,
                     struct err *err)
{
    struct duck_result result;
    struct shape shape;
    struct duck_prepared *prepared = query_prepare(c, sql, err);
    bool fine = prepared && run(prepared, &result, err);
    duck.destroy_prepare(&prepared);
    if (!fine) return false;
    shape_init(&shape, &result);
    set_parquet_casts(&shape);
    duck.destroy_result(&result);
    const char **names = memory_get(shape.count * sizeof *names);
    for (uint64_t i = 0; i < shape.count; i++) names[i] = shape.columns[i].name;
    text_add(copy, "COPY (");
    query_wrap(copy, sql, shape.casts, names, shape.count);
    text_add(copy, ") TO ");
    sql_literal(copy, path);
    text_add(copy, " (FORMAT parquet, COMPRESSION zstd)");
    memory_free(names);
    shape_deinit(&shape);
    return true;
}

static bool pass_file_on(const char *path, FILE *out, struct err *err)
{
    uint8_t *piece = memory_get(COPY_PIECE);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = -1;
    errno = 0;
    while (file >= 0 && (n = read(file, piece, COPY_PIECE)) > 0)
        if (fwrite(piece, 1, (size_t)n, out) != (size_t)n) break;
    bool fine = n == 0 && fflush(out) == 0;
    if (!fine) err_system(err, errno ? errno : EIO, "cannot pass the result on");
    if (file >= 0) close(file);
    memory_free(piece);
    return fine;
}

// The one folder besides the segments that the fence leaves open; nothing lies in it but the result
// that is made.
static bool open_export(struct case_reader *c, struct err *err)
{
    if (c->export_folder) return true;
    c->export_folder = case_make_folder(err);
    if (!c->export_folder) return false;
    case_forget_database(c);
    return true;
}

// COPY gives one row, with the number of rows that it wrote.
static bool run_copy(struct case_reader *c, const char *copy, uint64_t *rows, struct err *err)
{
    struct duck_result result;
    if (duck.query(c->database.connection, copy, &result)) {
        query_error(err, duck.result_error_type(&result), duck.result_error(&result));
        duck.destroy_result(&result);
        return false;
    }
    struct duck_chunk *chunk = duck.fetch_chunk(result);
    if (chunk) {
        *rows = *(const uint64_t *)duck.vector_get_data(duck.data_chunk_get_vector(chunk, 0));
        duck.destroy_data_chunk(&chunk);
    }
    duck.destroy_result(&result);
    return true;
}

static bool export_parquet(struct case_reader *c, const char *sql, FILE *out, uint64_t *rows,
                           struct err *err)
{
    char path[EXPORT_PATH_MAX];
    struct text copy = {0};
    if (!open_export(c, err)) return false;
    snprintf(path, sizeof path, "%s/result.parquet", c->export_folder);
    bool fine = put_copy(c, sql, &copy, path, err);
    fine = fine && run_copy(c, copy.p, rows, err) && pass_file_on(path, out, err);
    unlink(path);
    text_deinit(&copy);
    return fine;
}

bool case_sql(struct case_reader *c, const char *sql, enum case_format format, FILE *out,
              unsigned width, uint64_t *rows, struct err *err)
{
    const struct showing how = {format, out, width};
    uint64_t count = 0;
    bool fine = format == CASE_PARQUET ? export_parquet(c, sql, out, &count, err)
                                       : show(c, sql, &how, &count, err);
    if (rows) *rows = count;
    return fine;
}
