// DuckDB as far as the store needs it: the C interface of libduckdb.so, loaded at run time.
//
// Declared here from the library's documented, frozen C interface (v1.2.0), a row for each
// function; the library is only opened when a case is written or asked, so the rest of the program
// runs without it.
//
// Thread: duckdb_load may be called by any thread, any number of times; `duck` is constant once it
// has returned true.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

// Handles of the library. What an `out` parameter gives is destroyed by the function that takes its
// address.
struct duck_database;
struct duck_connection;
struct duck_config;
struct duck_statements;
struct duck_prepared;
struct duck_pending;
struct duck_chunk;
struct duck_vector;
struct duck_logical;
struct duck_value;
struct duck_table_function;
struct duck_scalar_function;
struct duck_info; // of a bind, an init or a call

struct duck_result {
    uint64_t deprecated_columns, deprecated_rows, deprecated_changed;
    void *deprecated_data;
    char *deprecated_error;
    void *internal;
};

// A text in a vector: up to 12 bytes in place, longer ones by pointer.
struct duck_string {
    union {
        struct {
            uint32_t length;
            char inlined[12];
        };
        struct {
            uint32_t same_length;
            char prefix[4];
            const char *p;
        };
    };
};
_Static_assert(sizeof(struct duck_string) == 16, "the library's layout");

struct duck_list_entry {
    uint64_t offset, length;
};

struct duck_hugeint {
    uint64_t lower;
    int64_t upper;
};

struct duck_interval {
    int32_t months, days;
    int64_t micros;
};

enum duck_type {
    DUCK_BOOLEAN = 1,
    DUCK_TINYINT = 2,
    DUCK_SMALLINT = 3,
    DUCK_INTEGER = 4,
    DUCK_BIGINT = 5,
    DUCK_UTINYINT = 6,
    DUCK_USMALLINT = 7,
    DUCK_UINTEGER = 8,
    DUCK_UBIGINT = 9,
    DUCK_FLOAT = 10,
    DUCK_DOUBLE = 11,
    DUCK_TIMESTAMP = 12, // microseconds
    DUCK_HUGEINT = 16,
    DUCK_VARCHAR = 17,
    DUCK_BLOB = 18,
    DUCK_TIMESTAMP_S = 20,
    DUCK_TIMESTAMP_MS = 21,
    DUCK_TIMESTAMP_NS = 22,
    DUCK_LIST = 24,
    DUCK_TIMESTAMP_TZ = 31, // microseconds
    DUCK_UHUGEINT = 32,
};

enum duck_statement_type { DUCK_SELECT = 1, DUCK_EXPLAIN = 4 };
enum duck_error_type {
    DUCK_ERROR_OUT_OF_RANGE = 1,
    DUCK_ERROR_IO = 28,
    DUCK_ERROR_INTERRUPT = 29,
    DUCK_ERROR_OUT_OF_MEMORY = 33
};
enum { DUCK_CHUNK_ROWS = 2048 };

typedef void duck_delete(void *data);
typedef void duck_info_call(struct duck_info *info);
typedef void duck_table_call(struct duck_info *info, struct duck_chunk *output);
typedef void duck_scalar_call(struct duck_info *info, struct duck_chunk *input,
                              struct duck_vector *output);

// Return type, name without "duckdb_", parameters. States are 0 for success.
// clang-format off
#define DUCK_FUNCTIONS(X) \
    X(int, open_ext, (const char *path, struct duck_database **out, struct duck_config *config, \
      char **error)) \
    X(void, close, (struct duck_database **database)) \
    X(int, connect, (struct duck_database *database, struct duck_connection **out)) \
    X(void, disconnect, (struct duck_connection **connection)) \
    X(void, interrupt, (struct duck_connection *connection)) \
    X(const char *, library_version, (void)) \
    X(int, create_config, (struct duck_config **out)) \
    X(int, set_config, (struct duck_config *config, const char *name, const char *option)) \
    X(void, destroy_config, (struct duck_config **config)) \
    X(void, free, (void *p)) \
    X(int, query, (struct duck_connection *connection, const char *sql, struct duck_result *out)) \
    X(void, destroy_result, (struct duck_result *result)) \
    X(const char *, result_error, (struct duck_result *result)) \
    X(int, result_error_type, (struct duck_result *result)) \
    X(uint64_t, column_count, (struct duck_result *result)) \
    X(const char *, column_name, (struct duck_result *result, uint64_t column)) \
    X(struct duck_logical *, column_logical_type, (struct duck_result *result, uint64_t column)) \
    X(struct duck_chunk *, fetch_chunk, (struct duck_result result)) \
    X(uint64_t, extract_statements, (struct duck_connection *connection, const char *sql, \
      struct duck_statements **out)) \
    X(const char *, extract_statements_error, (struct duck_statements *statements)) \
    X(void, destroy_extracted, (struct duck_statements **statements)) \
    X(int, prepare_extracted_statement, (struct duck_connection *connection, \
      struct duck_statements *statements, \
                                         uint64_t index, struct duck_prepared **out)) \
    X(int, prepare, (struct duck_connection *connection, const char *sql, \
      struct duck_prepared **out)) \
    X(const char *, prepare_error, (struct duck_prepared *prepared)) \
    X(int, prepared_statement_type, (struct duck_prepared *prepared)) \
    X(uint64_t, nparams, (struct duck_prepared *prepared)) \
    X(void, destroy_prepare, (struct duck_prepared **prepared)) \
    X(int, pending_prepared, (struct duck_prepared *prepared, struct duck_pending **out)) \
    X(const char *, pending_error, (struct duck_pending *pending)) \
    X(int, execute_pending, (struct duck_pending *pending, struct duck_result *out)) \
    X(void, destroy_pending, (struct duck_pending **pending)) \
    X(struct duck_logical *, create_logical_type, (int type)) \
    X(struct duck_logical *, create_list_type, (struct duck_logical *child)) \
    X(struct duck_logical *, list_type_child_type, (struct duck_logical *type)) \
    X(int, get_type_id, (struct duck_logical *type)) \
    X(void, destroy_logical_type, (struct duck_logical **type)) \
    X(uint64_t, data_chunk_get_size, (struct duck_chunk *chunk)) \
    X(void, data_chunk_set_size, (struct duck_chunk *chunk, uint64_t rows)) \
    X(struct duck_vector *, data_chunk_get_vector, (struct duck_chunk *chunk, uint64_t column)) \
    X(void, destroy_data_chunk, (struct duck_chunk **chunk)) \
    X(void *, vector_get_data, (struct duck_vector *vector)) \
    X(uint64_t *, vector_get_validity, (struct duck_vector *vector)) \
    X(void, vector_ensure_validity_writable, (struct duck_vector *vector)) \
    X(void, vector_assign_string_element_len, (struct duck_vector *vector, uint64_t row, \
      const char *p, uint64_t n)) \
    X(struct duck_vector *, list_vector_get_child, (struct duck_vector *vector)) \
    X(uint64_t, list_vector_get_size, (struct duck_vector *vector)) \
    X(int, list_vector_set_size, (struct duck_vector *vector, uint64_t size)) \
    X(int, list_vector_reserve, (struct duck_vector *vector, uint64_t size)) \
    X(struct duck_scalar_function *, create_scalar_function, (void)) \
    X(void, destroy_scalar_function, (struct duck_scalar_function **function)) \
    X(void, scalar_function_set_name, (struct duck_scalar_function *function, const char *name)) \
    X(void, scalar_function_add_parameter, (struct duck_scalar_function *function, \
      struct duck_logical *type)) \
    X(void, scalar_function_set_return_type, (struct duck_scalar_function *function, \
      struct duck_logical *type)) \
    X(void, scalar_function_set_function, (struct duck_scalar_function *function, \
      duck_scalar_call *call)) \
    X(void, scalar_function_set_error, (struct duck_info *info, const char *error)) \
    X(int, register_scalar_function, (struct duck_connection *connection, \
      struct duck_scalar_function *function)) \
    X(struct duck_table_function *, create_table_function, (void)) \
    X(void, destroy_table_function, (struct duck_table_function **function)) \
    X(void, table_function_set_name, (struct duck_table_function *function, const char *name)) \
    X(void, table_function_add_parameter, (struct duck_table_function *function, \
      struct duck_logical *type)) \
    X(void, table_function_set_extra_info, (struct duck_table_function *function, void *extra, \
      duck_delete *destroy)) \
    X(void, table_function_set_bind, (struct duck_table_function *function, duck_info_call *bind)) \
    X(void, table_function_set_init, (struct duck_table_function *function, duck_info_call *init)) \
    X(void, table_function_set_function, (struct duck_table_function *function, \
      duck_table_call *call)) \
    X(void, table_function_supports_projection_pushdown, (struct duck_table_function *function, \
      bool pushdown)) \
    X(int, register_table_function, (struct duck_connection *connection, \
      struct duck_table_function *function)) \
    X(void *, bind_get_extra_info, (struct duck_info *info)) \
    X(void, bind_add_result_column, (struct duck_info *info, const char *name, \
      struct duck_logical *type)) \
    X(struct duck_value *, bind_get_parameter, (struct duck_info *info, uint64_t index)) \
    X(void, bind_set_bind_data, (struct duck_info *info, void *data, duck_delete *destroy)) \
    X(void, bind_set_cardinality, (struct duck_info *info, uint64_t rows, bool exact)) \
    X(void, bind_set_error, (struct duck_info *info, const char *error)) \
    X(void *, init_get_bind_data, (struct duck_info *info)) \
    X(void, init_set_init_data, (struct duck_info *info, void *data, duck_delete *destroy)) \
    X(uint64_t, init_get_column_count, (struct duck_info *info)) \
    X(uint64_t, init_get_column_index, (struct duck_info *info, uint64_t column)) \
    X(void, init_set_max_threads, (struct duck_info *info, uint64_t threads)) \
    X(void *, function_get_init_data, (struct duck_info *info)) \
    X(void, function_set_error, (struct duck_info *info, const char *error)) \
    X(char *, get_varchar, (struct duck_value *value)) \
    X(int64_t, get_int64, (struct duck_value *value)) \
    X(void, destroy_value, (struct duck_value **value))
// clang-format on

struct duck_api {
#define X(type, name, parameters) type(*name) parameters;
    DUCK_FUNCTIONS(X)
#undef X
    // Gives rows as they are made instead of all at the end; marked deprecated in the library, so
    // NULL where it is gone.
    int (*pending_prepared_streaming)(struct duck_prepared *prepared, struct duck_pending **out);
    // Does not look whether the text is UTF-8; NULL where it is not there yet.
    void (*unsafe_vector_assign_string_element_len)(struct duck_vector *vector, uint64_t row,
                                                    const char *p, uint64_t n);
};

extern struct duck_api duck;

// Finds and opens the library: $WEIR_DUCKDB, beside the program (../lib/weir, lib),
// /usr/local/lib/weir, /usr/lib/weir,
// ~/.cache/weir, then where the system looks. ERR_MACHINE and the way out when it is not there.
bool duckdb_load(struct err *err) __attribute__((warn_unused_result));

static inline const char *duck_string_data(const struct duck_string *s)
{
    return s->length <= sizeof s->inlined ? s->inlined : s->p;
}
