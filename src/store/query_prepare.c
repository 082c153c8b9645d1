// User SQL made ready: what DuckDB says of it in few words, the views it needs, one SELECT and
// nothing else.
#include <ctype.h>
#include <string.h>

#include "store/query_inside.h"
#include "store/query_needs.h"
#include "store/seek.h"

enum { SQL_MAX = 1 << 20 };

// ---- errors -------------------------------------------------------------------------------------

// DuckDB's first line, its advice, and where it points: "LINE 1: ..." and the caret below it.
bool query_sql_error(struct err *err, const char *said)
{
    int first = (int)strcspn(said, "\n");
    const char *advice = said[first] ? said + first : "", *line = strstr(said, "\nLINE ");
    size_t n = 0;
    if (strncmp(advice, "\nDid you mean", 13) != 0 &&
        strncmp(advice, "\nCandidate bindings", 19) != 0)
        advice = "";
    if (line) {
        n = 1 + strcspn(line + 1, "\n");
        if (line[n]) n += 1 + strcspn(line + n + 1, "\n");
    }
    return err_set(err, ERR_USAGE, "%.*s%.*s%.*s", first, said,
                   advice[0] ? 1 + (int)strcspn(advice + 1, "\n") : 0, advice, (int)n,
                   line ? line : "");
}

bool query_error(struct err *err, int type, const char *said)
{
    if (type == DUCK_ERROR_INTERRUPT || strncmp(said, "INTERRUPT", 9) == 0)
        return err_set(err, ERR_MACHINE, "interrupted");
    query_sql_error(err, said);
    if (err && (type == DUCK_ERROR_IO || type == DUCK_ERROR_OUT_OF_MEMORY)) err->code = ERR_MACHINE;
    return false;
}

// ---- which views a statement needs --------------------------------------------------------------

static bool is_word_byte(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static bool mentions(const char *sql, const char *word)
{
    size_t n = strlen(word);
    for (const char *at = sql; *at; at++) {
        if (strncasecmp(at, word, n) != 0 || is_word_byte(at[n])) continue;
        if (at == sql || !is_word_byte(at[-1])) return true;
    }
    return false;
}

// Whether one of the fields is named that are made only then.
static bool mentions_asked(const char *sql, const struct record_kind *kind)
{
    uint64_t asked = kind_asked_fields(kind);
    for (uint32_t f = 0; asked >> f; f++)
        if (asked >> f & 1 && mentions(sql, kind->fields[f].name)) return true;
    return false;
}

static bool need_kind(struct case_reader *c, unsigned kind, const char *sql, struct err *err)
{
    if (!case_need_shown(c, kind, err)) return false;
    if (mentions_asked(sql, c->kinds[kind])) return case_need_asked(c, kind, err);
    struct needs needs = query_needs(sql, c->kinds[kind]);
    return !needs.known || c->asked_for[kind] || seek_rows(c, kind, &needs, err);
}

// A view costs milliseconds, since its segments are looked at: so only those are made whose names
// the statement has in it.
static bool need_views(struct case_reader *c, const char *sql, bool all, struct err *err)
{
    for (unsigned i = 0; i < c->kind_count; i++)
        if ((all || mentions(sql, c->kinds[i]->name)) && !need_kind(c, i, sql, err)) return false;
    return true;
}

static bool asks_for_all(const struct case_reader *c, const char *sql)
{
    static const char *const words[] = {"show",          "describe",     "information_schema",
                                        "duckdb_tables", "duckdb_views", "duckdb_columns"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (mentions(sql, words[i])) return true;
    for (unsigned i = 0; i < c->kind_count; i++)
        if (mentions(sql, c->kinds[i]->name)) return false;
    return false;
}

// ---- preparing ----------------------------------------------------------------------------------

static bool check_prepared(struct duck_prepared *prepared, struct err *err)
{
    if (duck.prepared_statement_type(prepared) != DUCK_SELECT)
        return err_set(err, ERR_USAGE,
                       "only SELECT may be asked: a case is never changed by a query");
    if (duck.nparams(prepared))
        return err_set(err, ERR_USAGE, "the statement has parameters, which nobody can fill in");
    return true;
}

static struct duck_prepared *prepare_first(struct case_reader *c,
                                           struct duck_statements *statements, uint64_t count,
                                           struct err *err)
{
    struct duck_prepared *prepared = NULL;
    const char *broken = duck.extract_statements_error(statements);
    if (count == 0 && broken) query_sql_error(err, broken);
    else if (count != 1)
        err_set(err, ERR_USAGE, "%s",
                count ? "ask one statement at a time" : "the statement is empty");
    else if (duck.prepare_extracted_statement(c->database.connection, statements, 0, &prepared))
        query_sql_error(err, duck.prepare_error(prepared));
    else if (check_prepared(prepared, err)) return prepared;
    duck.destroy_prepare(&prepared);
    return NULL;
}

static struct duck_prepared *prepare_user(struct case_reader *c, const char *sql, struct err *err)
{
    struct duck_statements *statements = NULL;
    uint64_t count = duck.extract_statements(c->database.connection, sql, &statements);
    struct duck_prepared *prepared = prepare_first(c, statements, count, err);
    duck.destroy_extracted(&statements);
    return prepared;
}

// A name that is not known may be that of a view that was not made; and with all of them made,
// DuckDB's advice is better.
struct duck_prepared *query_prepare(struct case_reader *c, const char *sql, struct err *err)
{
    if (strlen(sql) > SQL_MAX) {
        err_set(err, ERR_USAGE, "the statement is longer than %d bytes", SQL_MAX);
        return NULL;
    }
    if (!case_need_database(c, err) || !need_views(c, sql, asks_for_all(c, sql), err)) return NULL;
    struct duck_prepared *prepared = prepare_user(c, sql, err);
    if (prepared || !need_views(c, sql, true, err)) return prepared;
    return prepare_user(c, sql, err);
}

// ---- casting ------------------------------------------------------------------------------------

void query_wrap(struct text *out, const char *sql, const char *const *casts,
                const char *const *names, uint64_t columns)
{
    size_t n = strlen(sql);
    while (n && (isspace((unsigned char)sql[n - 1]) || sql[n - 1] == ';')) n--;
    text_add(out, "SELECT ");
    for (uint64_t i = 0; i < columns; i++) {
        text_format(out, "%sc%d", i ? ", " : "", (int)i);
        if (casts[i]) text_format(out, "::%s", casts[i]);
        if (names) text_add(out, " AS ");
        if (names) sql_name(out, names[i]);
    }
    text_add(out, " FROM (");
    text_put(out, bytes_of(sql, n));
    text_add(out, "\n) AS t(");
    for (uint64_t i = 0; i < columns; i++) text_format(out, "%sc%d", i ? ", " : "", (int)i);
    text_add(out, ")");
}
