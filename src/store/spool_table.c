#include "store/spool_table.h"

#include "base/memory.h"
#include "store/schema.h"
#include "store/vector.h"

enum { COLUMNS_MAX = 2 * KIND_FIELDS_MAX };

// One use of the function in a statement.
struct spool_use {
    struct spool *spool;
    unsigned kind;
    uint64_t from, to;
    unsigned column_count;
    struct vector_column columns[COLUMNS_MAX];
};

// One run of it.
struct spool_run {
    const struct spool_use *use;
    uint64_t at;
    struct record_batch *batch;
    unsigned wanted_count;
    struct vector_column wanted[COLUMNS_MAX];
};

static void add_columns(struct duck_info *info, struct spool_use *use, const struct field *field,
                        unsigned f)
{
    struct schema_column columns[2];
    unsigned n = schema_columns(field, columns);
    for (unsigned i = 0; i < n; i++) {
        struct duck_logical *type = schema_logical(&columns[i]);
        duck.bind_add_result_column(info, columns[i].name, type);
        duck.destroy_logical_type(&type);
        use->columns[use->column_count++] = (struct vector_column){f, i};
    }
}

static uint64_t number_parameter(struct duck_info *info, uint64_t index)
{
    struct duck_value *value = duck.bind_get_parameter(info, index);
    uint64_t number = (uint64_t)duck.get_int64(value);
    duck.destroy_value(&value);
    return number;
}

static int kind_parameter(struct duck_info *info, const struct spool *spool)
{
    struct duck_value *value = duck.bind_get_parameter(info, 0);
    char *name = duck.get_varchar(value);
    int kind = spool_kind(spool, name);
    duck.free(name);
    duck.destroy_value(&value);
    return kind;
}

static void bind(struct duck_info *info)
{
    struct spool *spool = duck.bind_get_extra_info(info);
    int kind = kind_parameter(info, spool);
    if (kind < 0) {
        duck.bind_set_error(info, "no such kind");
        return;
    }
    struct spool_use *use = memory_get(sizeof *use);
    *use = (struct spool_use){
        spool, (unsigned)kind, number_parameter(info, 1), number_parameter(info, 2), 0, {{0}}};
    const struct record_kind *k = spool->kinds[kind];
    for (uint32_t f = 0; f < k->field_count; f++) add_columns(info, use, &k->fields[f], f);
    if (use->to > spool->entry_count) use->to = spool->entry_count;
    uint64_t rows = 0;
    for (uint64_t i = use->from; i < use->to; i++)
        if (spool->entries[i].kind == use->kind) rows += spool->entries[i].rows;
    duck.bind_set_cardinality(info, rows, true);
    duck.bind_set_bind_data(info, use, memory_free);
}

static void run_destroy(void *data)
{
    struct spool_run *run = data;
    batch_destroy(run->batch);
    memory_free(run);
}

static void start(struct duck_info *info)
{
    const struct spool_use *use = duck.init_get_bind_data(info);
    struct spool_run *run = memory_get(sizeof *run);
    run->use = use;
    run->at = use->from;
    run->batch = batch_create(use->spool->kinds[use->kind]);
    run->wanted_count = (unsigned)duck.init_get_column_count(info);
    for (unsigned i = 0; i < run->wanted_count; i++) {
        uint64_t column = duck.init_get_column_index(info, i);
        // Counting rows asks for a column that there is not; any will do.
        run->wanted[i] = use->columns[column < use->column_count ? column : 0];
    }
    duck.init_set_max_threads(info, 1);
    duck.init_set_init_data(info, run, run_destroy);
}

static void put_batch(struct duck_chunk *output, uint64_t at, const struct spool_run *run)
{
    for (unsigned i = 0; i < run->wanted_count; i++)
        vector_put(duck.data_chunk_get_vector(output, i), at, run->batch, run->wanted[i]);
}

static void step(struct duck_info *info, struct duck_chunk *output)
{
    struct spool_run *run = duck.function_get_init_data(info);
    struct spool *spool = run->use->spool;
    uint64_t rows = 0;
    for (; run->at < run->use->to; run->at++) {
        const struct spool_entry *e = &spool->entries[run->at];
        if (e->kind != run->use->kind) continue;
        if (rows + e->rows > DUCK_CHUNK_ROWS) break;
        if (!spool_read(spool, e, run->batch)) {
            duck.function_set_error(info, "the spooled records cannot be read back");
            return;
        }
        put_batch(output, rows, run);
        rows += e->rows;
    }
    duck.data_chunk_set_size(output, rows);
}

bool spool_table_register(struct database *d, struct spool *s, struct err *err)
{
    static const enum duck_type parameters[] = {DUCK_VARCHAR, DUCK_BIGINT, DUCK_BIGINT};
    struct duck_table_function *f = duck.create_table_function();
    duck.table_function_set_name(f, "weir_spool");
    for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++) {
        struct duck_logical *type = duck.create_logical_type(parameters[i]);
        duck.table_function_add_parameter(f, type);
        duck.destroy_logical_type(&type);
    }
    duck.table_function_set_extra_info(f, s, NULL);
    duck.table_function_set_bind(f, bind);
    duck.table_function_set_init(f, start);
    duck.table_function_set_function(f, step);
    duck.table_function_supports_projection_pushdown(f, true);
    int failed = duck.register_table_function(d->connection, f);
    duck.destroy_table_function(&f);
    return failed ? err_set(err, ERR_MACHINE, "DuckDB does not take the function weir_spool")
                  : true;
}
