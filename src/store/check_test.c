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
static char last_path[256], last_what[64];

static void note(void *context, const char *path, const char *what)
{
    (void)context;
    snprintf(last_path, sizeof last_path, "%s", path);
    snprintf(last_what, sizeof last_what, "%s", what);
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

static void check(const char *folder, uint64_t found, const char *path, const char *what)
{
    struct case_checked checked;
    struct case_reader *c = case_open(folder, kinds, 1, &err);
    assert_non_null(c);
    const struct case_checking checking = {note, NULL};
    if (!case_check(c, &checking, &checked, &err)) fail_msg("%s", err.text);
    case_close(c);
    assert_int_equal(checked.found, found);
    if (!found) return;
    assert_string_equal(last_path, path);
    assert_string_equal(last_what, what);
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
    check(*state, 0, NULL, NULL);
}

static void finds_a_changed_artifact(void **state)
{
    write_below(*state, artifact, "A body");
    check(*state, 1, artifact, "was changed");
}

static void finds_a_missing_artifact(void **state)
{
    remove_below(*state, artifact);
    check(*state, 1, artifact, "is missing");
}

static void finds_a_changed_segment(void **state)
{
    write_below(*state, "records/body/00000003-0001.parquet", "x");
    check(*state, 1, "records/body/00000003-0001.parquet", "was changed");
    remove_below(*state, "records/body/00000003-0001.parquet");
    check(*state, 1, "records/body/00000003-0001.parquet", "is missing");
}

static void finds_a_stranger(void **state)
{
    write_below(*state, "records/body/00000003-0002.parquet", "x");
    check(*state, 1, "records/body/00000003-0002.parquet", "is not named by the log");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(finds_nothing_in_a_sound_case, set_up, tear_down),
        cmocka_unit_test_setup_teardown(finds_a_changed_artifact, set_up, tear_down),
        cmocka_unit_test_setup_teardown(finds_a_missing_artifact, set_up, tear_down),
        cmocka_unit_test_setup_teardown(finds_a_changed_segment, set_up, tear_down),
        cmocka_unit_test_setup_teardown(finds_a_stranger, set_up, tear_down),
    };
    if (!fixture_has_library()) return FIXTURE_SKIP;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
