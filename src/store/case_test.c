#include "store/case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/memory.h"
#include "record/output.h"
#include "store/fixture.h"

enum { ROWS = 500 };

static struct err err;
static char *folder;
static struct store *memory_store;
static struct case_reader *on_disk, *in_memory;

static struct store *filled(const char *path)
{
    struct store *s = store_open(path, fixture_kinds, 2, &fixture_author, &err);
    assert_non_null(s);
    fixture_fill(store_sink(s), &sample_kind, 0, ROWS, 100);
    assert_true(store_commit(s, fixture_reading(1, ""), false, &err));
    return s;
}

static int set_up(void **state)
{
    (void)state;
    folder = fixture_folder();
    store_close(filled(folder));
    memory_store = filled(NULL);
    on_disk = case_open(folder, fixture_kinds, 2, &err);
    in_memory = case_of_store(memory_store, &err);
    return on_disk && in_memory ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    case_close(on_disk);
    case_close(in_memory);
    store_close(memory_store);
    fixture_folder_remove(folder);
    return 0;
}

// The answer as text; NULL and err when there is none.
static char *ask_as(struct case_reader *c, const char *sql, enum case_format format, unsigned width)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    bool fine = case_sql(c, sql, format, out, width, NULL, &err);
    fclose(out);
    if (fine) return text;
    free(text);
    return NULL;
}

static void check(const char *sql, enum case_format format, const char *wanted)
{
    struct case_reader *const readers[] = {on_disk, in_memory};
    for (int i = 0; i < 2; i++) {
        char *text = ask_as(readers[i], sql, format, 0);
        if (!text) fail_msg("%s", err.text);
        assert_string_equal(text, wanted);
        free(text);
    }
}

static void answers(void **state)
{
    (void)state;
    check("SELECT count(*) AS n FROM sample", CASE_JSON, "{\"n\":500}\n");
    check("SELECT count FROM sample WHERE addr = '10.0.0.1'", CASE_JSON, "{\"count\":1}\n");
    check("SELECT count(*) AS n FROM sample WHERE in_prefix(addr, '10.0.1.0/24')", CASE_JSON,
          "{\"n\":140}\n");
    check("SELECT name FROM sample WHERE count = 3", CASE_CSV, "name\r\nZürich → 東京\r\n");
    check("SELECT count(*) AS n FROM plain", CASE_JSON, "{\"n\":0}\n");
    check("SELECT * FROM plain", CASE_CSV, "src_addr,bytes\r\n");
    check("SELECT ip_hi('10.0.0.1') AS h, ip_lo('10.0.0.1') AS l, ip_hi('x') AS x;", CASE_JSON,
          "{\"h\":0,\"l\":281470849515521}\n");
    check("SELECT md5, flag, numbers FROM sample WHERE id = '0005af3107a400013c6ef3731de363bd' -- "
          "one\n;",
          CASE_JSON,
          "{\"md5\":\"bd63e31d73f36e3c966004068147f38f\",\"flag\":true,\"numbers\":[1]}\n");
}

static void shows_every_type(void **state)
{
    (void)state;
    check("SELECT 1::HUGEINT * -170141183460469231731687303715884105728 AS h, 1.5 AS d, DATE "
          "'2024-02-29' AS t, 'x' AS s, "
          "{'a': 1} AS st, [1.5, NULL] AS l, TIMESTAMP '2024-02-29 12:00:00' AS ts, NULL AS n, "
          "'\\xAA'::BLOB AS b, 3::DOUBLE AS r",
          CASE_JSON,
          "{\"h\":-170141183460469231731687303715884105728,\"d\":1.5,\"t\":\"2024-02-29\",\"s\":"
          "\"x\",\"st\":\"{'a': 1}\","
          "\"l\":\"[1.5, NULL]\",\"ts\":\"2024-02-29T12:00:00Z\",\"b\":\"aa\",\"r\":3}\n");
    check("SELECT 1 AS a, 'x' AS a", CASE_JSON, "{\"a\":1,\"a\":\"x\"}\n");
    check("SELECT DATE '2024-01-01' AS a, 2 AS a ORDER BY 1", CASE_JSON,
          "{\"a\":\"2024-01-01\",\"a\":2}\n");
}

static void draws_tables(void **state)
{
    (void)state;
    check("SELECT * FROM (VALUES ('é', 1), ('東京', 20), (NULL, NULL)) AS v(name, n)", CASE_TABLE,
          "name   n\n----  --\né      1\n東京  20\n        \n");
    char *text = ask_as(on_disk, "SELECT 'abcdefghijklmnopqrstuvwxyz' AS t, chr(27) || '[2J' AS e",
                        CASE_TABLE, 22);
    assert_string_equal(text,
                        "t              e\n-------------  -------\nabcdefghijkl…  \\x1b[2J\n");
    free(text);
}

// The same record, from a view and from a batch.
static bool show_batch(void *context, const struct record_batch *batch)
{
    for (uint32_t row = 0; row < batch->rows; row++) output_batch_row(context, batch, row);
    return true;
}

static void shows_batches_and_views_alike(void **state)
{
    (void)state;
    static const enum output_format formats[] = {OUTPUT_JSON, OUTPUT_CSV, OUTPUT_TABLE};
    static const enum case_format asked[] = {CASE_JSON, CASE_CSV, CASE_TABLE};
    for (int i = 0; i < 3; i++) {
        char *by_batch = NULL, *by_view = ask_as(on_disk, "SELECT * FROM sample", asked[i], 0);
        size_t n = 0;
        FILE *out = open_memstream(&by_batch, &n);
        struct output *o = output_create_for(formats[i], out, &sample_kind, 0);
        const struct case_scan scan = {&sample_kind, CASE_ALL_FIELDS, NULL, show_batch, o};
        assert_true(case_scan(in_memory, &scan, &err));
        assert_true(output_end(o, &err));
        assert_int_equal(output_rows(o), ROWS);
        output_destroy(o);
        fclose(out);
        assert_string_equal(by_batch, by_view);
        free(by_batch);
        free(by_view);
    }
}

static void writes_parquet(void **state)
{
    (void)state;
    char *text = NULL;
    size_t n = 0;
    uint64_t rows = 0;
    FILE *out = open_memstream(&text, &n);
    if (!case_sql(on_disk,
                  "SELECT id, sum(hidden) AS s FROM raw.sample, sample GROUP BY ALL LIMIT 9",
                  CASE_PARQUET, out, 0, &rows, &err))
        fail_msg("%s", err.text);
    fclose(out);
    assert_int_equal(rows, 9);
    assert_memory_equal(text, "PAR1", 4);
    assert_memory_equal(text + n - 4, "PAR1", 4);
    free(text);
}

static void is_fenced(void **state)
{
    (void)state;
    static const char *const forbidden[] = {
        "COPY (SELECT 1) TO '/tmp/weir-fence.csv'",
        "COPY sample TO 'x.csv'",
        "ATTACH '/tmp/x.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET memory_limit='1TB'",
        "SET enable_external_access=true",
        "PRAGMA enable_profiling",
        "CREATE TABLE t(a INT)",
        "DROP VIEW sample",
        "INSERT INTO sample SELECT * FROM sample",
        "DELETE FROM sample",
        "EXPORT DATABASE '/tmp/x'",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO '/tmp/weir-fence.csv'",
        "CALL pragma_version()",
        "BEGIN",
        "VACUUM",
        "CHECKPOINT",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM read_blob('/proc/self/environ')",
        "SELECT * FROM glob('/etc/*')",
        "SELECT * FROM read_text('/tmp/../etc/passwd')",
        "SELECT * FROM read_parquet('/tmp/*.parquet')",
        "SELECT * FROM sniff_csv('/etc/passwd')",
        "SELECT * FROM read_csv('http://127.0.0.1/')",
        "SELECT 1; SELECT 2",
        "",
        ";",
        "SELECT ?",
        "SELECT $1",
        "PREPARE p AS SELECT 1",
        "EXECUTE p",
        "SELECT * FROM query('COPY (SELECT 1) TO ''/tmp/weir-fence.csv''')",
    };
    for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++) {
        err = (struct err){0};
        char *text = ask_as(on_disk, forbidden[i], CASE_JSON, 0);
        if (text) fail_msg("allowed: %s gives %s", forbidden[i], text);
        assert_int_not_equal(err.text[0], 0);
        assert_int_not_equal(err.code, ERR_NONE);
        assert_null(ask_as(in_memory, forbidden[i], CASE_JSON, 0));
        assert_null(ask_as(on_disk, forbidden[i], CASE_PARQUET, 0));
    }
    assert_int_not_equal(access("/tmp/weir-fence.csv", F_OK), 0);
}

static void tells_where_it_is_wrong(void **state)
{
    (void)state;
    assert_null(ask_as(on_disk, "SELECT nam FROM sample", CASE_JSON, 0));
    assert_int_equal(err.code, ERR_USAGE);
    assert_non_null(strstr(err.text, "\"name\""));
    assert_non_null(strstr(err.text, "LINE 1: SELECT nam FROM sample\n               ^"));
    assert_null(ask_as(on_disk, "SELECT 1 FROM sampel", CASE_JSON, 0));
    assert_non_null(strstr(err.text, "Did you mean \"sample\""));
    assert_null(ask_as(on_disk, "SELECT 'x'::INTEGER FROM sample", CASE_JSON, 0));
    assert_int_equal(err.code, ERR_USAGE);
    assert_null(ask_as(on_disk, "SELECT in_prefix(addr, 'x') FROM sample", CASE_JSON, 0));
    assert_non_null(strstr(err.text, "in_prefix"));
}

static void lists_its_tables(void **state)
{
    (void)state;
    check("SELECT view_name FROM duckdb_views() WHERE schema_name = 'main' AND NOT internal ORDER "
          "BY 1",
          CASE_CSV, "view_name\r\nplain\r\nsample\r\n");
}

// ---- scans --------------------------------------------------------------------------------------

static bool count_rows(void *context, const struct record_batch *batch)
{
    uint64_t *rows = context;
    *rows += batch->rows;
    for (uint32_t row = 0; row < batch->rows; row++) {
        assert_false(batch_has(batch, SAMPLE_NAME, row));
        assert_true(batch_has(batch, SAMPLE_COUNT, row));
    }
    return true;
}

static void scans_a_part(void **state)
{
    (void)state;
    uint64_t rows = 0;
    const struct case_scan scan = {&sample_kind, 1 << SAMPLE_COUNT,
                                   "addr_hi = 0 AND addr_lo = 281470849515521", count_rows, &rows};
    assert_true(case_scan(on_disk, &scan, &err));
    assert_int_equal(rows, 1);
    assert_true(case_scan(in_memory, &scan, &err));
    assert_int_equal(rows, 2);
}

static bool stop_at_once(void *context, const struct record_batch *batch)
{
    (void)batch;
    ++*(uint64_t *)context;
    return false;
}

static void stops_when_told(void **state)
{
    (void)state;
    uint64_t calls = 0;
    const struct case_scan scan = {&sample_kind, CASE_ALL_FIELDS, NULL, stop_at_once, &calls};
    assert_true(case_scan(on_disk, &scan, &err));
    assert_int_equal(calls, 1);
}

// A case written when the kind had fewer fields: the others are absent.
static void reads_older_segments(void **state)
{
    (void)state;
    struct record_kind older = sample_kind;
    older.field_count = SAMPLE_NAMES;
    const struct record_kind *const older_kinds[] = {&older};
    char *other = fixture_folder(), *text;
    struct store *s = store_open(other, older_kinds, 1, &fixture_author, &err);
    struct record_batch *b = batch_create(&older);
    assert_true(batch_begin(b, 0));
    batch_word(b, SAMPLE_COUNT, 42);
    batch_end(b);
    struct record_sink sink = store_sink(s);
    sink.take(sink.context, b);
    assert_true(store_commit(s, fixture_reading(9, ""), false, &err));
    store_close(s);
    struct case_reader *c = case_open(other, fixture_kinds, 2, &err);
    text = ask_as(c, "SELECT * FROM sample", CASE_JSON, 0);
    assert_string_equal(text, "{\"count\":42}\n");
    free(text);
    case_close(c);
    s = filled(other);
    store_close(s);
    c = case_open(other, fixture_kinds, 2, &err);
    text = ask_as(c, "SELECT count(*) AS n, count(path) AS p, sum(len(names)) AS l FROM sample",
                  CASE_JSON, 0);
    assert_string_equal(text, "{\"n\":501,\"p\":429,\"l\":516}\n");
    free(text);
    case_close(c);
    batch_destroy(b);
    fixture_folder_remove(other);
}

// One commit: `rows` with the address 10.0.0.NUMBER, and one with 10.0.1.NUMBER.
static void add_segment(const char *path, uint8_t number, unsigned rows)
{
    struct store *s = store_open(path, fixture_kinds, 2, &fixture_author, &err);
    struct record_batch *b = batch_create(&plain_kind);
    struct record_sink sink = store_sink(s);
    for (unsigned i = 0; i <= rows; i++) {
        struct address a = address_v4(UINT32_C(0x0a000000) + (i == rows) * 256U + number);
        assert_true(batch_begin(b, 0));
        batch_words(b, 0, a.hi, a.lo);
        batch_word(b, 1, i);
        batch_end(b);
        if (b->rows < 500 && i != rows) continue;
        sink.take(sink.context, b);
        batch_clear(b);
    }
    assert_true(store_commit(s, fixture_reading(number, ""), false, &err));
    store_close(s);
    batch_destroy(b);
}

// By few rows that are sought, by more than are, by none; and then all of them again.
static void seeks_addresses(void **state)
{
    static const char *const wanted[][2] = {
        {"WHERE src_addr = '10.0.0.1'", "{\"n\":3,\"s\":3}\n"},
        {"WHERE src_addr = '10.0.1.1' OR '10.0.1.3' = src_addr", "{\"n\":2,\"s\":9}\n"},
        {"WHERE src_addr IN ('10.0.0.2', '10.0.0.1')", "{\"n\":1403,\"s\":979303}\n"},
        {"WHERE src_addr IN ('10.0.0.2', '10.0.0.1') AND bytes < 2", "{\"n\":4,\"s\":2}\n"},
        {"WHERE src_addr = '10.0.0.9'", "{\"n\":0}\n"},
        {"WHERE src_addr = '10.0.0.1' OR bytes = 2", "{\"n\":5,\"s\":7}\n"},
        {"", "{\"n\":1412,\"s\":980727}\n"},
    };
    (void)state;
    char *other = fixture_folder();
    add_segment(other, 1, 3);
    add_segment(other, 2, 1400);
    add_segment(other, 3, 6);
    struct case_reader *c = case_open(other, fixture_kinds, 2, &err);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        struct text sql = {0};
        text_format(&sql, "SELECT count(*) AS n, sum(bytes) AS s FROM plain %s", wanted[i][0]);
        char *text = ask_as(c, sql.p, CASE_JSON, 0);
        if (!text) fail_msg("%s", err.text);
        assert_string_equal(text, wanted[i][1]);
        free(text);
        text_deinit(&sql);
    }
    case_close(c);
    fixture_folder_remove(other);
}

// A name that is a pattern too is only a name: the case beside it, which the pattern fits, is
// another.
static void takes_patterns_for_names(void **state)
{
    static const char *const names[] = {"case1", "case*", "**", "case[1]", "it's; \"%s\" {i}"};
    (void)state;
    char *other = fixture_folder(), path[128];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", other, names[i]);
        struct store *s = store_open(path, fixture_kinds, 2, &fixture_author, &err);
        fixture_fill(store_sink(s), &plain_kind, 0, i + 1, 100);
        if (!store_commit(s, fixture_reading(1, ""), false, &err)) fail_msg("%s", err.text);
        store_close(s);
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char wanted[32];
        snprintf(path, sizeof path, "%s/%s", other, names[i]);
        snprintf(wanted, sizeof wanted, "{\"n\":%zu}\n", i + 1);
        struct case_reader *c = case_open(path, fixture_kinds, 2, &err);
        char *text = ask_as(c, "SELECT count(src_addr) AS n FROM plain", CASE_JSON, 0);
        if (!text) fail_msg("%s", err.text);
        assert_string_equal(text, wanted);
        free(text);
        case_close(c);
    }
    fixture_folder_remove(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers),
        cmocka_unit_test(shows_every_type),
        cmocka_unit_test(draws_tables),
        cmocka_unit_test(shows_batches_and_views_alike),
        cmocka_unit_test(writes_parquet),
        cmocka_unit_test(is_fenced),
        cmocka_unit_test(tells_where_it_is_wrong),
        cmocka_unit_test(lists_its_tables),
        cmocka_unit_test(scans_a_part),
        cmocka_unit_test(stops_when_told),
        cmocka_unit_test(reads_older_segments),
        cmocka_unit_test(seeks_addresses),
        cmocka_unit_test(takes_patterns_for_names),
    };
    if (!fixture_has_library()) return FIXTURE_SKIP;
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
