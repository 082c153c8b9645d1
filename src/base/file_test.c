#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

static char folder[] = "/tmp/file_test.XXXXXX";

static int enter(void **state)
{
    (void)state;
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int leave(void **state)
{
    (void)state;
    return chdir("/") == 0 && folder_remove(folder, NULL) ? 0 : -1;
}

static void write_file(const char *path, const char *text)
{
    struct err err = {0};
    if (!file_write_durable(path, bytes_text(text), &err)) fail_msg("%s", err.text);
}

static int entries_in(const char *path)
{
    DIR *d = opendir(path);
    assert_non_null(d);
    int count = 0;
    while (readdir(d)) count++;
    closedir(d);
    return count - 2;
}

static void test_write_and_read(void **state)
{
    (void)state;
    struct err err = {0};
    assert_true(folder_make("write", &err) && folder_make("write", &err));
    write_file("write/a", "first");
    write_file("write/a", "");
    write_file("write/a", "second");
    bytes b = file_read("write/a", 6, &err);
    assert_true(bytes_equal(b, bytes_text("second")));
    memory_free((void *)b.p);
    assert_int_equal(entries_in("write"), 1);
    write_file("write/empty", "");
    b = file_read("write/empty", 0, &err);
    assert_true(b.p && b.n == 0);
    memory_free((void *)b.p);
    assert_true(file_sync("write/a", &err) && file_sync("write", &err));
}

static void test_large_and_without_size(void **state)
{
    (void)state;
    struct err err = {0};
    size_t n = 300 * 1000 + 1;
    char *text = memory_get(n + 1);
    for (size_t i = 0; i < n; i++) text[i] = (char)('a' + i % 26);
    write_file("large", text);
    bytes b = file_read("large", n, &err);
    assert_true(bytes_equal(b, bytes_text(text)));
    memory_free((void *)b.p);
    memory_free(text);
    b = file_read("/proc/self/status", 1 << 20, &err);
    assert_true(b.n > 100);
    memory_free((void *)b.p);
}

static void test_failures(void **state)
{
    (void)state;
    struct err err = {0};
    write_file("six", "123456");
    assert_null(file_read("six", 5, &err).p);
    assert_int_equal(err.code, ERR_INPUT);
    assert_null(file_read("none", 5, &err).p);
    assert_string_equal(err.text, "cannot open none: No such file or directory");
    assert_null(file_read(".", 5, &err).p);
    assert_false(file_write_durable("none/x", bytes_text(""), &err));
    assert_false(file_write_durable("none/", bytes_text(""), &err));
    assert_false(folder_make("none/x", &err));
    assert_false(folder_make("six", &err));
    assert_false(file_sync("none", &err));
    assert_false(folder_remove("none", &err));
    assert_int_equal(err.code, ERR_INPUT);
    assert_true(folder_make("fail", &err) && folder_make("fail/taken", &err));
    assert_false(file_write_durable("fail/taken", bytes_text("x"), &err));
    assert_int_equal(entries_in("fail"), 1);
}

static void test_write_all(void **state)
{
    (void)state;
    struct err err = {0};
    int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_false(file_write_all(fd, bytes_text("x"), &err));
    assert_int_equal(err.code, ERR_MACHINE);
    assert_true(file_write_all(fd, bytes_text(""), &err));
    close(fd);
}

static void test_remove_goes_deep_and_follows_no_link(void **state)
{
    (void)state;
    struct err err = {0};
    assert_true(folder_make("kept", &err) && folder_make("gone", &err) &&
                folder_make("gone/in", &err));
    assert_true(folder_make("gone/in/deep", &err) && folder_make("gone/other", &err));
    write_file("kept/file", "x");
    for (int i = 0; i < 50; i++) {
        char path[64];
        snprintf(path, sizeof path, "gone/in/deep/%d", i);
        write_file(path, "x");
    }
    assert_int_equal(symlink("../../kept", "gone/in/link"), 0);
    assert_int_equal(symlink("kept", "link"), 0);
    assert_true(folder_remove("gone", &err));
    assert_int_equal(access("gone", F_OK), -1);
    assert_false(folder_remove("link", &err));
    assert_false(folder_remove("kept/file", &err));
    assert_int_equal(access("kept/file", F_OK), 0);
}

static void test_remove_has_a_depth(void **state)
{
    (void)state;
    struct err err = {0};
    char path[400] = "d";
    for (int i = 0; i < 40; i++) {
        assert_true(folder_make(path, &err));
        strcat(path, "/d");
    }
    assert_false(folder_remove("d", &err));
    assert_int_equal(err.code, ERR_INPUT);
    assert_true(folder_remove("d/d/d/d/d/d/d/d/d/d", &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_write_and_read),
        cmocka_unit_test(test_large_and_without_size),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_write_all),
        cmocka_unit_test(test_remove_goes_deep_and_follows_no_link),
        cmocka_unit_test(test_remove_has_a_depth),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
