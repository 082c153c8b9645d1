#include "store/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/hash.h"
#include "store/artifact.h"
#include "store/fixture.h"

static const struct field body_fields[] = {{"artifact", FIELD_HASH, NULL, "", NULL, NULL, 0}};
static const struct record_kind body_kind = {"body", "", body_fields, 1, false, false};
static const struct record_kind *const kinds[] = {&body_kind};

static struct err err;
static char artifact[ARTIFACT_PATH_MAX];
static char last_path[256], last_what[256];
static uint64_t found, last_line;
static bool last_changed;

static void note(void *context, const struct finding *finding)
{
    (void)context;
    snprintf(last_path, sizeof last_path, "%s", finding->subject);
    snprintf(last_what, sizeof last_what, "%s", finding->what);
    last_line = finding->line;
    last_changed = finding->changed;
    found++;
}

static void put_body(struct store *s, const uint8_t digest[SHA256_SIZE])
{
    struct record_batch *b = batch_create(&body_kind);
    assert_true(batch_begin(b, SHA256_SIZE));
    batch_text(b, 0, bytes_of(digest, SHA256_SIZE));
    batch_end(b);
    struct record_sink sink = store_sink(s);
    sink.take(sink.context, b);
    batch_destroy(b);
}

static int set_up(void **state)
{
    uint8_t digest[SHA256_SIZE];
    bytes content = bytes_text("a body");
    *state = fixture_folder();
    sha256_of(content, digest);
    artifact_path(artifact, digest);
    struct store *s = store_open(*state, kinds, 1, &fixture_author, &err);
    struct artifact_sink sink = store_artifacts(s);
    uint32_t slot = sink.begin(sink.context);
    sink.add(sink.context, slot, content);
    sink.end(sink.context, slot, digest, true);
    put_body(s, digest);
    assert_true(store_commit(s, fixture_reading(1, ""), false, &err));
    store_close(s);
    return 0;
}

static int tear_down(void **state)
{
    fixture_folder_remove(*state);
    return 0;
}

static void check_all(const char *folder)
{
    const struct finding_sink findings = {NULL, note};
    const struct log_checking checking = {.lines_max = UINT64_MAX, .findings = findings};
    struct log_checked log;
    struct case_checked checked;
    found = 0;
    struct case_reader *c = case_open(folder, kinds, 1, &err);
    assert_non_null(c);
    assert_true(log_check(folder, &checking, &log, &err));
    if (!case_check(c, &log, &findings, &checked, &err)) fail_msg("%s", err.text);
    log_checked_deinit(&log);
    case_close(c);
}

// One finding at most, and what it says begins so.
static void check(const char *folder, const char *path, const char *what, uint64_t line)
{
    check_all(folder);
    if (found != (path != NULL)) fail_msg("%s: %s", last_path, last_what);
    if (!path) return;
    assert_string_equal(last_path, path);
    assert_int_equal(strncmp(last_what, what, strlen(what)), 0);
    assert_int_equal(last_line, line);
}

static void write_below(const char *folder, const char *below, const char *content)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, below);
    assert_true(file_write_durable(path, bytes_text(content), &err));
}

static void remove_below(const char *folder, const char *below)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, below);
    assert_int_equal(unlink(path), 0);
}

static void finds_nothing_in_a_sound_case(void **state)
{
    check(*state, NULL, NULL, 0);
}

static void finds_a_changed_artifact(void **state)
{
    write_below(*state, artifact, "A body");
    check(*state, artifact, "was changed", 3);
    assert_true(last_changed);
}

static void finds_a_missing_artifact(void **state)
{
    remove_below(*state, artifact);
    check(*state, artifact, "is missing", 3);
}

static void finds_an_artifact_that_nothing_names(void **state)
{
    char below[ARTIFACT_PATH_MAX], path[256];
    uint8_t digest[SHA256_SIZE];
    sha256_of(bytes_text("put in"), digest);
    artifact_path(below, digest);
    snprintf(path, sizeof path, "%s/%.12s", (char *)*state, below);
    assert_true(folder_make(path, &err));
    write_below(*state, below, "put in");
    check(*state, below, "is not named by any record", 0);
    assert_true(last_changed);
}

static void finds_a_changed_segment(void **state)
{
    write_below(*state, "records/body/00000003-0001.parquet", "x");
    check_all(*state);
    assert_int_equal(found, 1);
    assert_true(last_changed);
    write_below(*state, "artifacts/00000003.names", "x");
    check_all(*state);
    assert_int_equal(found, 3); // the list, too, and that artifacts cannot be compared with it
    assert_string_equal(last_path, "artifacts");
    assert_false(last_changed);
}

static void finds_strangers(void **state)
{
    static const char *const names[] = {
        "records/body/00000003-0002.parquet", "notes.txt",        "log/00000002.jsonl",
        "keys/0011223344556677.pem",          "artifacts/.new/x", "records/body/.x"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        write_below(*state, names[i], "x");
        check(*state, names[i], "is not named by the log", 0);
        assert_true(last_changed);
        remove_below(*state, names[i]);
    }
}

// What a killed writer leaves is no change; the next one removes it.
static void knows_what_a_killed_writer_left(void **state)
{
    static const char *const names[] = {"records/body/.00000005-0001.parquet",
                                        "records/body/00000005-0001.parquet", "artifacts/.new/x"};
    write_below(*state, "lock", "123\n");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        write_below(*state, names[i], "x");
        check(*state, names[i], "is not part of the case", 0);
        assert_false(last_changed);
        remove_below(*state, names[i]);
    }
    write_below(*state, "records/body/00000003-0002.parquet", "x");
    check(*state, "records/body/00000003-0002.parquet", "is not named by the log", 0);
}

static void removes_bodies_that_a_killed_writer_left(void **state)
{
    char below[ARTIFACT_PATH_MAX], path[256];
    uint8_t digest[SHA256_SIZE];
    sha256_of(bytes_text("left"), digest);
    artifact_path(below, digest);
    snprintf(path, sizeof path, "%s/%.12s", (char *)*state, below);
    assert_true(folder_make(path, &err));
    write_below(*state, below, "left");
    write_below(*state, "lock", "123\n");
    store_close(store_open(*state, kinds, 1, &fixture_author, &err));
    check(*state, NULL, NULL, 0);
}

static void finds_links_and_folders(void **state)
{
    char path[256], away[256];
    snprintf(path, sizeof path, "%s/records/body/00000003-0001.parquet", (char *)*state);
    snprintf(away, sizeof away, "%s/records/body/away", (char *)*state);
    assert_int_equal(rename(path, away), 0);
    assert_int_equal(symlink("away", path), 0);
    check_all(*state);
    assert_int_equal(found, 2); // the link, and the file that has another name
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(finds_nothing_in_a_sound_case, set_up, tear_down),
        cmocka_unit_test_setup_teardown(finds_a_changed_artifact, set_up, tear_down),
        cmocka_unit_test_setup_teardown(finds_a_missing_artifact, set_up, tear_down),
        cmocka_unit_test_setup_teardown(finds_an_artifact_that_nothing_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(finds_a_changed_segment, set_up, tear_down),
        cmocka_unit_test_setup_teardown(finds_strangers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(knows_what_a_killed_writer_left, set_up, tear_down),
        cmocka_unit_test_setup_teardown(removes_bodies_that_a_killed_writer_left, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(finds_links_and_folders, set_up, tear_down),
    };
    if (!fixture_has_library()) return FIXTURE_SKIP;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
