#include "store/database.h"

#include <stdio.h>
#include <string.h>

struct setting {
    const char *name, *value;
};

static bool configure(struct duck_config *config, const struct database_options *options,
                      struct err *err)
{
    char threads[16], memory[16];
    snprintf(threads, sizeof threads, "%u", options->threads ? options->threads : 1);
    snprintf(memory, sizeof memory, "%uMB", options->memory_mb ? options->memory_mb : 256);
    const struct setting settings[] = {
        {"threads", threads},
        {"memory_limit", memory},
        {"temp_directory", options->temporary ? options->temporary : ""},
        {"autoinstall_known_extensions", "false"},
        {"autoload_known_extensions", "false"},
        {"allow_community_extensions", "false"},
        {"perfect_ht_threshold", "16"}, // groups by port, or another number of so many bits
    };
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (duck.set_config(config, settings[i].name, settings[i].value))
            return err_set(err, ERR_MACHINE, "libduckdb.so %s does not know the setting %s=%s",
                           duck.library_version(), settings[i].name, settings[i].value);
    return true;
}

static bool open_with(struct database *d, struct duck_config *config, struct err *err)
{
    char *error = NULL;
    if (duck.open_ext(NULL, &d->handle, config, &error)) {
        err_set(err, ERR_MACHINE, "DuckDB does not start: %s", error ? error : "no reason given");
        duck.free(error);
        return false;
    }
    if (!duck.connect(d->handle, &d->connection)) return true;
    duck.close(&d->handle);
    return err_set(err, ERR_MACHINE, "DuckDB gives no connection");
}

bool database_open(struct database *d, const struct database_options *options, struct err *err)
{
    struct duck_config *config = NULL;
    *d = (struct database){0};
    if (!duckdb_load(err)) return false;
    if (duck.create_config(&config)) return err_set(err, ERR_MACHINE, "DuckDB takes no settings");
    bool fine = configure(config, options, err) && open_with(d, config, err);
    duck.destroy_config(&config);
    return fine;
}

void database_close(struct database *d)
{
    if (d->connection) duck.disconnect(&d->connection);
    if (d->handle) duck.close(&d->handle);
}

bool database_fail(struct duck_result *result, struct err *err)
{
    int type = duck.result_error_type(result);
    const char *text = duck.result_error(result);
    bool machine = type == DUCK_ERROR_IO || type == DUCK_ERROR_OUT_OF_MEMORY;
    err_set(err, machine ? ERR_MACHINE : ERR_INPUT, "%s", text ? text : "DuckDB gives no reason");
    duck.destroy_result(result);
    return false;
}

bool database_run(struct database *d, const char *sql, struct err *err)
{
    struct duck_result result;
    if (duck.query(d->connection, sql, &result)) return database_fail(&result, err);
    duck.destroy_result(&result);
    return true;
}

bool database_stream_prepared(struct duck_prepared *prepared, struct duck_result *result,
                              struct err *err)
{
    struct duck_pending *pending = NULL;
    int failed = duck.pending_prepared_streaming
                     ? duck.pending_prepared_streaming(prepared, &pending)
                     : duck.pending_prepared(prepared, &pending);
    if (failed) {
        err_set(err, ERR_INPUT, "%s", duck.pending_error(pending));
        duck.destroy_pending(&pending);
        return false;
    }
    failed = duck.execute_pending(pending, result);
    duck.destroy_pending(&pending);
    return failed ? database_fail(result, err) : true;
}

bool database_stream(struct database *d, const char *sql, struct duck_result *result,
                     struct err *err)
{
    struct duck_prepared *prepared = NULL;
    bool fine = !duck.prepare(d->connection, sql, &prepared);
    if (!fine) err_set(err, ERR_INPUT, "%s", duck.prepare_error(prepared));
    fine = fine && database_stream_prepared(prepared, result, err);
    duck.destroy_prepare(&prepared);
    return fine;
}

static void put_quoted(struct text *t, const char *s, char quote)
{
    text_put(t, bytes_of(&quote, 1));
    for (; *s; s++) {
        if (*s == quote) text_put(t, bytes_of(&quote, 1));
        text_put(t, bytes_of(s, 1));
    }
    text_put(t, bytes_of(&quote, 1));
}

void sql_name(struct text *t, const char *name)
{
    put_quoted(t, name, '"');
}

void sql_literal(struct text *t, const char *literal)
{
    put_quoted(t, literal, '\'');
}
