// Words of a command line against a table of options.
#include "cmd/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct values {
    bool flag, other;
    const char *text;
    uint64_t count, size;
    nanos time;
};

static const struct option_row rows[] = {
    {'a', "flag", OPTION_FLAG, offsetof(struct values, flag), NULL, "", 0, 0},
    {'b', NULL, OPTION_FLAG, offsetof(struct values, other), NULL, "", 0, 0},
    {'t', "text", OPTION_TEXT, offsetof(struct values, text), "TEXT", "", 0, 0},
    {'c', "count", OPTION_COUNT, offsetof(struct values, count), "N", "", 1, 64},
    {0, "size", OPTION_SIZE, offsetof(struct values, size), "SIZE", "", 0, 0},
    {0, "time", OPTION_DURATION, offsetof(struct values, time), "TIME", "", 0, 0},
};
static const struct command command = {"try", "", "", rows, sizeof rows / sizeof rows[0], NULL};

enum { WORDS_MAX = 8 };

// Parses words that are separated by spaces; the free ones are joined again in `line`.
static int parse(char *line, struct values *v, struct err *err)
{
    char *words[WORDS_MAX];
    int n = 0;
    for (char *w = strtok(line, " "); w; w = strtok(NULL, " ")) words[n++] = w;
    *v = (struct values){0};
    *err = (struct err){0};
    int kept = options_parse(&command, n, words, v, err);
    static char joined[256];
    joined[0] = 0;
    for (int i = 0; i < kept; i++) strcat(strcat(joined, i ? " " : ""), words[i]);
    strcpy(line, joined);
    return kept;
}

static void good(const char *words, const char *left, struct values expected)
{
    char line[256];
    struct values v;
    struct err err;
    strcpy(line, words);
    assert_true(parse(line, &v, &err) >= 0);
    assert_string_equal(line, left);
    assert_int_equal(v.flag, expected.flag);
    assert_int_equal(v.other, expected.other);
    assert_int_equal(v.count, expected.count);
    assert_int_equal(v.size, expected.size);
    assert_int_equal(v.time, expected.time);
    if (expected.text) assert_string_equal(v.text, expected.text);
    else assert_null(v.text);
}

static void bad(const char *words, const char *said)
{
    char line[256];
    struct values v;
    struct err err;
    strcpy(line, words);
    assert_int_equal(parse(line, &v, &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
    assert_non_null(strstr(err.text, said));
}

static void options_are_taken_in_any_form(void **state)
{
    (void)state;
    good("", "", (struct values){0});
    good("x - y", "x - y", (struct values){0});
    good("x -a y -b", "x y", (struct values){.flag = true, .other = true});
    good("-ab", "", (struct values){.flag = true, .other = true});
    good("-abtx y", "y", (struct values){.flag = true, .other = true, .text = "x"});
    good("-t -a", "", (struct values){.text = "-a"});
    good("--text=", "", (struct values){.text = ""});
    good("--text=a=b x", "x", (struct values){.text = "a=b"});
    good("--flag -c 64", "", (struct values){.flag = true, .count = 64});
    good("--size 25M --time 2m", "",
         (struct values){.size = 25000000, .time = 120 * NANOS_PER_SECOND});
    good("-- -a --text", "-a --text", (struct values){0});
    good("-c1 -c2", "", (struct values){.count = 2}); // the last one counts
}

static void wrong_words_are_told(void **state)
{
    (void)state;
    bad("-z", "-z");
    bad("--nothing", "--nothing");
    bad("--nothing=1", "--nothing=1");
    bad("--fla", "--fla"); // not shortened
    bad("--flag=1", "takes no value");
    bad("-t", "needs a value");
    bad("--text", "needs a value");
    bad("-c 0", "between 1 and 64");
    bad("-c 65", "between 1 and 64");
    bad("-c -1", "number");
    bad("-c 1k", "number");
    bad("-c 99999999999999999999", "number");
    bad("--size 1X", "size");
    bad("--size 99999999999T", "size");
    bad("--time soon", "duration");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_are_taken_in_any_form),
        cmocka_unit_test(wrong_words_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
