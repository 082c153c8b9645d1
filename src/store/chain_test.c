#include "store/chain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "store/fixture.h"

enum { LINES = 5, PATH_SIZE = 128 };

static struct err err;
static char path[PATH_SIZE];

static bool append(struct chain *c, const char *members)
{
    struct chain_draft draft;
    chain_draft_init(&draft, c);
    chain_draft_line(&draft, bytes_text(members), NULL);
    return chain_append(c, &draft, &err);
}

static int set_up(void **state)
{
    char *folder = fixture_folder();
    snprintf(path, sizeof path, "%s/log", folder);
    *state = folder;
    struct chain c;
    chain_reset(&c);
    assert_true(chain_open(&c, path, &err));
    for (int i = 0; i < LINES; i++) {
        char members[64];
        snprintf(members, sizeof members, "\"type\":\"t\",\"value\":%d", i);
        assert_true(append(&c, members));
    }
    chain_close(&c);
    return 0;
}

static int tear_down(void **state)
{
    fixture_folder_remove(*state);
    return 0;
}

static bool count_line(void *context, uint64_t seq, const json_t *line, struct err *error)
{
    (void)error;
    uint64_t *count = context;
    assert_int_equal(seq, ++*count);
    assert_int_equal(json_integer_value(json_object_get(line, "value")), *count - 1);
    return true;
}

static void write_content(const uint8_t *p, size_t n)
{
    FILE *f = fopen(path, "wb");
    assert_int_equal(fwrite(p, 1, n, f), n);
    fclose(f);
}

static uint64_t read_lines(struct chain *c)
{
    uint64_t count = 0;
    if (!chain_read(c, path, count_line, &count, &err)) return UINT64_MAX;
    assert_int_equal(count, c->seq);
    return count;
}

static void reads_what_was_appended(void **state)
{
    (void)state;
    struct chain c;
    assert_int_equal(read_lines(&c), LINES);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, c.size);
}

// Wherever a crash cuts the file, the whole lines before the cut are there, and the next writer
// goes on behind them.
static void survives_a_cut_anywhere(void **state)
{
    (void)state;
    bytes content = file_read(path, 1 << 20, &err);
    for (size_t n = 0; n <= content.n; n++) {
        struct chain c;
        uint64_t whole = 0;
        for (size_t i = 0; i < n; i++) whole += content.p[i] == '\n';
        write_content(content.p, n);
        assert_int_equal(read_lines(&c), whole);
        assert_true(chain_open(&c, path, &err));
        char members[32];
        snprintf(members, sizeof members, "\"value\":%d", (int)whole);
        assert_true(append(&c, members));
        chain_close(&c);
        assert_int_equal(read_lines(&c), whole + 1);
    }
    memory_free((void *)content.p);
}

// A sector that never came to the disk is zeros, even when the newline behind it did come.
static void survives_a_hole_at_the_end(void **state)
{
    (void)state;
    struct chain c;
    bytes content = file_read(path, 1 << 20, &err);
    uint8_t *copy = (uint8_t *)content.p;
    memset(copy + content.n - 20, 0, 10);
    write_content(copy, content.n);
    assert_int_equal(read_lines(&c), LINES - 1);
    memory_free(copy);
}

// Any changed byte is noticed: in the last line by its form only, since nothing follows from it
// yet.
static void notices_a_changed_byte(void **state)
{
    (void)state;
    bytes content = file_read(path, 1 << 20, &err);
    uint8_t *copy = (uint8_t *)content.p;
    size_t last = content.n - 1;
    while (copy[last - 1] != '\n') last--;
    for (size_t i = 0; i < last; i++) {
        struct chain c;
        copy[i] ^= 1;
        write_content(copy, content.n);
        uint64_t count = 0;
        bool fine = chain_read(&c, path, NULL, &count, &err);
        assert_false(fine);
        assert_int_equal(err.code, ERR_INPUT);
        assert_non_null(strstr(err.text, "line "));
        copy[i] ^= 1;
    }
    memory_free(copy);
}

static void notices_a_missing_line(void **state)
{
    (void)state;
    struct chain c;
    bytes content = file_read(path, 1 << 20, &err);
    size_t first = bytes_find(content, '\n') + 1;
    write_content(content.p + first, content.n - first);
    assert_false(chain_read(&c, path, NULL, NULL, &err));
    assert_non_null(strstr(err.text, "line 1"));
    memory_free((void *)content.p);
}

static void takes_no_key_twice(void **state)
{
    (void)state;
    struct chain c;
    const char *line = "{\"seq\":1,\"seq\":1,\"prev\":"
                       "\"0000000000000000000000000000000000000000000000000000000000000000\"}\n";
    write_content((const uint8_t *)line, strlen(line));
    assert_false(chain_read(&c, path, NULL, NULL, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_what_was_appended, set_up, tear_down),
        cmocka_unit_test_setup_teardown(survives_a_cut_anywhere, set_up, tear_down),
        cmocka_unit_test_setup_teardown(survives_a_hole_at_the_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(notices_a_changed_byte, set_up, tear_down),
        cmocka_unit_test_setup_teardown(notices_a_missing_line, set_up, tear_down),
        cmocka_unit_test_setup_teardown(takes_no_key_twice, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
