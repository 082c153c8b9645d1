#include "store/catalogue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "store/fixture.h"

// A case whose third line is a reading of two captures with three segments and an extent. No file
// that it names is there: the catalogue looks at the log only.
enum { READING = 3 };

static struct err err;
static struct catalogue_capture captures[] = {
    {.path = "/captures/a.pcap", .sha256 = "aa", .bytes = 1},
    {.path = "/captures/\xff.pcap", .sha256 = "bb", .bytes = 2},
};
static struct catalogue_segment segments[] = {
    {.kind = "dns",
     .path = "records/dns/1",
     .sha256 = "01",
     .bytes = 10,
     .rows = 1,
     .with = 5,
     .last = 5},
    {.kind = "dns", .path = "records/dns/2", .sha256 = "02", .bytes = 20, .rows = 2, .first = 1},
    {.kind = "flow", .path = "records/flow/3", .sha256 = "03", .bytes = 30, .rows = 3},
};
static struct catalogue_extent extents[] = {
    {.capture = 1, .path = "packets/1", .sha256 = "04", .bytes = 40},
};

static void put_reading(const char *folder, const struct catalogue_reading *reading)
{
    struct text members = {0};
    struct catalogue c;
    char path[128];
    snprintf(path, sizeof path, "%s/" CASE_LOG, folder);
    catalogue_write_reading(&members, reading, NULL, 0, &fixture_author);
    assert_true(catalogue_read(&c, folder, &err));
    assert_true(chain_open(&c.chain, path, &err));
    assert_true(
        entry_append(&c.chain, folder, bytes_of(members.p, members.n), &fixture_author, &err));
    text_deinit(&members);
    catalogue_deinit(&c);
}

static int set_up(void **state)
{
    const struct catalogue_reading reading = {.options = "a=b",
                                              .version = "0.1.0",
                                              .captures = captures,
                                              .capture_count = 2,
                                              .segments = segments,
                                              .segment_count = 3,
                                              .extents = extents,
                                              .extent_count = 1};
    struct text members = {0};
    char path[128];
    *state = fixture_folder();
    snprintf(path, sizeof path, "%s/log", (char *)*state);
    assert_true(folder_make(path, &err));
    snprintf(path, sizeof path, "%s/keys", (char *)*state);
    assert_true(folder_make(path, &err));
    struct chain chain;
    chain_reset(&chain);
    snprintf(path, sizeof path, "%s/" CASE_LOG, (char *)*state);
    assert_true(chain_open(&chain, path, &err));
    catalogue_write_case(&members, &fixture_author);
    assert_true(
        entry_append(&chain, *state, bytes_of(members.p, members.n), &fixture_author, &err));
    chain_close(&chain);
    text_deinit(&members);
    put_reading(*state, &reading);
    return 0;
}

static int tear_down(void **state)
{
    fixture_folder_remove(*state);
    return 0;
}

static const struct catalogue_reading *first_reading(struct catalogue *c, const char *folder)
{
    if (!catalogue_read(c, folder, &err)) fail_msg("%s", err.text);
    const struct catalogue_reading *r = catalogue_next(c, NULL);
    assert_non_null(r);
    assert_int_equal(r->seq, READING);
    return r;
}

static bool append(const char *folder, const char *type, struct text *members)
{
    bool fine = case_append(folder, type, bytes_of(members->p, members->n), &fixture_author, &err);
    text_deinit(members);
    return fine;
}

// A segment of a program that told nothing of it has all fields of its time.
static void knows_what_a_segment_has(void **state)
{
    struct catalogue c;
    struct text members = {0};
    text_add(&members,
             "\"reading\":3,\"removes\":[\"records/dns/2\"],\"segments\":[{\"kind\":\"dns\","
             "\"path\":\"records/dns/4\",\"sha256\":\"05\",\"bytes\":1,\"rows\":1,\"fields\":3}]");
    assert_true(append(*state, "dissect", &members));
    const struct catalogue_reading *r = first_reading(&c, *state);
    assert_int_equal(r->segment_count, 3);
    assert_int_equal(r->segments[0].with, 5);
    assert_int_equal(r->segments[2].with, 7);
    catalogue_deinit(&c);
}

static void reads_what_was_written(void **state)
{
    struct catalogue c;
    const struct catalogue_reading *r = first_reading(&c, *state);
    assert_int_equal(c.chain.seq, READING + 1);
    assert_int_equal(c.signed_to, READING + 1);
    assert_string_equal(r->options, "a=b");
    assert_int_equal(r->capture_count, 2);
    assert_string_equal(r->captures[1].path, "/captures/\xff.pcap");
    assert_string_equal(r->captures[1].found_at, "/captures/\xff.pcap");
    assert_int_equal(r->segment_count, 3);
    assert_string_equal(r->segments[2].path, "records/flow/3");
    assert_int_equal(r->segments[2].seq, READING);
    assert_int_equal(r->extent_count, 1);
    assert_int_equal(r->extents[0].capture, 1);
    assert_string_equal(r->extents[0].path, "packets/1");
    assert_string_equal(r->extents[0].sha256, "04");
    assert_int_equal(r->extents[0].bytes, 40);
    catalogue_deinit(&c);
}

static void finds_a_capture_that_moved(void **state)
{
    struct catalogue c;
    struct text members = {0};
    catalogue_write_relocate(&members, &(struct catalogue_move){"bb", "/elsewhere/\xfe.pcap"}, 1);
    assert_true(append(*state, "relocate", &members));
    const struct catalogue_reading *r = first_reading(&c, *state);
    assert_string_equal(r->captures[0].found_at, "/captures/a.pcap");
    assert_string_equal(r->captures[1].path, "/captures/\xff.pcap");
    assert_string_equal(r->captures[1].found_at, "/elsewhere/\xfe.pcap");
    catalogue_deinit(&c);
    catalogue_write_relocate(&members, &(struct catalogue_move){"cc", "/elsewhere/c.pcap"}, 1);
    assert_false(append(*state, "relocate", &members));
    assert_int_equal(err.code, ERR_INPUT);
}

static void swaps_segments(void **state)
{
    static const char *const removes[] = {"records/dns/1", "records/flow/3"};
    static const char *const absent[] = {"records/dns/2", "records/dns/1"};
    const struct catalogue_segment fresh = {.kind = "dns", .path = "records/dns/9", .sha256 = "09"};
    struct catalogue c;
    struct text members = {0};
    catalogue_write_dissect(&members, READING, &fresh, 1, removes, 2);
    assert_true(append(*state, "dissect", &members));
    const struct catalogue_reading *r = first_reading(&c, *state);
    assert_int_equal(r->swapped_by, READING + 2);
    assert_int_equal(r->segment_count, 2);
    assert_string_equal(r->segments[0].path, "records/dns/2");
    assert_int_equal(r->segments[0].seq, READING);
    assert_string_equal(r->segments[1].path, "records/dns/9");
    assert_int_equal(r->segments[1].seq, READING + 2);
    catalogue_deinit(&c);
    // What no reader would understand is not appended.
    catalogue_write_dissect(&members, READING, &fresh, 1, absent, 2);
    assert_false(append(*state, "dissect", &members));
    catalogue_write_dissect(&members, 99, &fresh, 1, NULL, 0);
    assert_false(append(*state, "dissect", &members));
    first_reading(&c, *state);
    assert_int_equal(c.chain.seq, READING + 3);
    catalogue_deinit(&c);
}

static void notes_what_changes_nothing(void **state)
{
    struct catalogue c;
    struct text members = {0};
    text_add(&members, "\"packets\":12");
    assert_true(append(*state, "export", &members));
    assert_true(append(*state, "export", &members));
    assert_false(append(*state, "surprise", &members));
    first_reading(&c, *state);
    assert_int_equal(c.chain.seq, READING + 5);
    assert_int_equal(c.signed_to, READING + 5);
    catalogue_deinit(&c);
}

static void names_nothing_outside(void **state)
{
    static const char *const outside[] = {"/etc/passwd", "records/../../x", "artifacts/x"};
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) {
        const struct catalogue_segment segment = {.kind = "dns", .path = outside[i]};
        struct text members = {0};
        catalogue_write_dissect(&members, READING, &segment, 1, NULL, 0);
        assert_false(append(*state, "dissect", &members));
        assert_non_null(strstr(err.text, "outside"));
    }
}

// The next writer signs what was left unsigned.
static void signs_the_tail(void **state)
{
    char path[128];
    struct catalogue c;
    struct text members = {0};
    snprintf(path, sizeof path, "%s/" CASE_LOG, (char *)*state);
    bytes log = file_read(path, 1 << 20, &err);
    size_t last = log.n - 1;
    while (log.p[last - 1] != '\n') last--;
    assert_int_equal(truncate(path, (off_t)last), 0);
    memory_free((void *)log.p);
    first_reading(&c, *state);
    assert_int_equal(c.signed_to, READING - 1);
    catalogue_deinit(&c);
    assert_true(append(*state, "export", &members));
    first_reading(&c, *state);
    assert_int_equal(c.chain.seq, READING + 3); // a checkpoint, the entry, its checkpoint
    catalogue_deinit(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_what_was_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(knows_what_a_segment_has, set_up, tear_down),
        cmocka_unit_test_setup_teardown(finds_a_capture_that_moved, set_up, tear_down),
        cmocka_unit_test_setup_teardown(swaps_segments, set_up, tear_down),
        cmocka_unit_test_setup_teardown(notes_what_changes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_nothing_outside, set_up, tear_down),
        cmocka_unit_test_setup_teardown(signs_the_tail, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
