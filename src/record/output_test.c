#include "record/output.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const struct output_column columns[] = {{"name", false}, {"n", true}, {"list", false}};

static char *text;
static size_t text_size;
static FILE *out;

static struct output *begin(enum output_format format, unsigned width)
{
    out = open_memstream(&text, &text_size);
    return output_create(format, out, columns, 3, width);
}

static void end(struct output *o, const char *wanted)
{
    struct err err;
    assert_true(output_end(o, &err));
    output_destroy(o);
    fclose(out);
    assert_string_equal(text, wanted);
    free(text);
}

static void row(struct output *o, const char *name, uint64_t n)
{
    output_text(o, bytes_text(name));
    output_uint(o, n);
    output_list_begin(o);
    output_text(o, bytes_text("a,\"b\""));
    output_uint(o, 1);
    output_list_end(o);
    output_row_end(o);
}

static void row_of_nothing(struct output *o)
{
    for (int i = 0; i < 3; i++) output_null(o);
    output_row_end(o);
}

static void writes_json(void **state)
{
    (void)state;
    struct output *o = begin(OUTPUT_JSON, 0);
    row(o, "x\"\n\\", UINT64_MAX);
    row_of_nothing(o);
    end(o, "{\"name\":\"x\\\"\\n\\\\\",\"n\":18446744073709551615,\"list\":[\"a,\\\"b\\\"\",1]}\n{}"
           "\n");
}

// Digits are kept from one time to the next: whatever came before, each is as it is alone.
static void times_are_the_same_behind_one_another(void **state)
{
    static const nanos times[] = {1,
                                  999999999,
                                  1000000000,
                                  1000000001,
                                  1000001000,
                                  1001000000,
                                  0,
                                  5,
                                  -1,
                                  -1000000000,
                                  3,
                                  1700000000123456789,
                                  1700000000120000000,
                                  1700000000000000000,
                                  1700000000000450000,
                                  INT64_MAX,
                                  1700000001};
    (void)state;
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        for (size_t k = 0; k < sizeof times / sizeof times[0]; k++) {
            char one[TIME_TEXT_MAX], two[TIME_TEXT_MAX], wanted[3 * TIME_TEXT_MAX];
            time_format(one, times[i]);
            time_format(two, times[k]);
            snprintf(wanted, sizeof wanted, "{\"name\":\"%s\",\"n\":\"%s\"}\n", one, two);
            struct output *o = begin(OUTPUT_JSON, 0);
            output_time(o, times[i]);
            output_time(o, times[k]);
            output_null(o);
            output_row_end(o);
            end(o, wanted);
        }
}

static void writes_csv(void **state)
{
    (void)state;
    struct output *o = begin(OUTPUT_CSV, 0);
    row(o, "x\"y", 1);
    row_of_nothing(o);
    row(o, "two\nlines", 2);
    end(o, "name,n,list\r\n\"x\"\"y\",1,\"[\"\"a,\\\"\"b\\\"\"\"\",1]\"\r\n,,\r\n"
           "\"two\nlines\",2,\"[\"\"a,\\\"\"b\\\"\"\"\",1]\"\r\n");
    end(begin(OUTPUT_CSV, 0), "name,n,list\r\n");
}

static void draws_a_table(void **state)
{
    (void)state;
    struct output *o = begin(OUTPUT_TABLE, 0);
    row(o, "東京", 7);
    row(o, "e\xcc\x81", 123);
    end(o, "name    n  list\n----  ---  --------\n東京    7  a,\"b\", 1\ne\xcc\x81     123  "
           "a,\"b\", 1\n");
    end(begin(OUTPUT_TABLE, 0), "name  n  list\n----  -  ----\n");
}

// What a terminal would obey, or what would turn the line round, is shown as the bytes it is.
static void lets_nothing_through_to_the_terminal(void **state)
{
    (void)state;
    struct output *o = begin(OUTPUT_TABLE, 0);
    row(o, "\x1b[31m\t\xe2\x80\xae", 1);
    end(o, "name                      n  list\n------------------------  -  --------\n"
           "\\x1b[31m\\x09\\xe2\\x80\\xae  1  a,\"b\", 1\n");
}

static void cuts_to_the_terminal(void **state)
{
    (void)state;
    struct output *o = begin(OUTPUT_TABLE, 24);
    row(o, "abcdefghijklmnop", 7);
    end(o, "name         n  list\n-----------  -  --------\nabcdefghij…  7  a,\"b\", 1\n");
}

// Widths are settled by the first rows; later ones may stand out, but none is lost.
static void goes_on_after_the_first_rows(void **state)
{
    (void)state;
    struct err err;
    struct output *o = begin(OUTPUT_TABLE, 0);
    for (int i = 0; i < 3000; i++) row(o, i < 2000 ? "a" : "a longer one", 1);
    assert_true(output_end(o, &err));
    assert_int_equal(output_rows(o), 3000);
    output_destroy(o);
    fclose(out);
    unsigned lines = 0;
    for (char *p = text; *p; p++) lines += *p == '\n';
    assert_int_equal(lines, 3002);
    assert_non_null(strstr(text, "\na longer one  1  a,\"b\", 1\n"));
    free(text);
}

static void check_real(double v, const char *wanted)
{
    struct output_column one = {"v", true};
    struct err err;
    char line[64];
    out = open_memstream(&text, &text_size);
    struct output *o = output_create(OUTPUT_JSON, out, &one, 1, 0);
    output_real(o, v);
    output_row_end(o);
    assert_true(output_end(o, &err));
    output_destroy(o);
    fclose(out);
    snprintf(line, sizeof line, "{\"v\":%s}\n", wanted);
    assert_string_equal(text, line);
    free(text);
}

static void writes_reals_as_short_as_they_are(void **state)
{
    (void)state;
    check_real(0, "0");
    check_real(0.1, "0.1");
    check_real(1.0 / 3, "0.3333333333333333");
    check_real(1e300, "1e+300");
    check_real(123456789.125, "123456789.125");
    check_real(5e-324, "4.94065645841247e-324");
    check_real(INFINITY, "\"inf\"");
}

// Of each length, in three columns, so that what is written wide is overwritten.
static void numbers_have_all_their_digits(void **state)
{
    (void)state;
    char wanted[128];
    for (uint64_t n = 1; n <= UINT64_MAX / 10; n *= 10) {
        struct output *o = begin(OUTPUT_JSON, 0);
        output_uint(o, n - 1);
        output_uint(o, n);
        output_uint(o, 8 * n + 7);
        output_row_end(o);
        snprintf(wanted, sizeof wanted, "{\"name\":%ju,\"n\":%ju,\"list\":%ju}\n", (uintmax_t)n - 1,
                 (uintmax_t)n, (uintmax_t)(8 * n + 7));
        end(o, wanted);
    }
}

static const struct field batch_fields[] = {
    {.name = "a", .type = FIELD_UINT},
    {.name = "hidden", .type = FIELD_UINT, .flags = FIELD_HIDDEN},
    {.name = "b", .type = FIELD_UINT},
    {.name = "c", .type = FIELD_TEXT},
};
static const struct record_kind batch_kind = {
    .name = "x", .fields = batch_fields, .field_count = 4};

static void whole_batches_are_their_rows(void **state)
{
    (void)state;
    enum { ROWS = 130 };
    static const enum output_format formats[] = {OUTPUT_JSON, OUTPUT_CSV, OUTPUT_TABLE};
    struct record_batch *b = batch_create(&batch_kind);
    for (uint32_t i = 0; i < ROWS; i++) { // no row has c, and only late ones have b
        batch_word(b, 1, i);
        if (i % 3) batch_word(b, 0, i);
        if (i > 100) batch_word(b, 2, i);
        batch_end(b);
    }
    for (size_t f = 0; f < sizeof formats / sizeof formats[0]; f++) {
        struct err err;
        char *rows;
        size_t rows_size;
        FILE *file = open_memstream(&rows, &rows_size);
        struct output *o = output_create_for(formats[f], file, &batch_kind, 0);
        for (uint32_t i = 0; i < ROWS; i++) output_batch_row(o, b, i);
        assert_true(output_end(o, &err));
        output_destroy(o);
        fclose(file);
        out = open_memstream(&text, &text_size);
        o = output_create_for(formats[f], out, &batch_kind, 0);
        output_batch(o, b);
        end(o, rows);
        free(rows);
    }
    batch_destroy(b);
}

static void tells_when_it_cannot_write(void **state)
{
    (void)state;
    struct err err = {0};
    FILE *full = fopen("/dev/full", "w");
    struct output *o = output_create(OUTPUT_JSON, full, columns, 3, 0);
    row(o, "x", 1);
    assert_false(output_end(o, &err));
    assert_int_equal(err.code, ERR_MACHINE);
    output_destroy(o);
    fclose(full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_json),
        cmocka_unit_test(times_are_the_same_behind_one_another),
        cmocka_unit_test(writes_csv),
        cmocka_unit_test(draws_a_table),
        cmocka_unit_test(lets_nothing_through_to_the_terminal),
        cmocka_unit_test(cuts_to_the_terminal),
        cmocka_unit_test(goes_on_after_the_first_rows),
        cmocka_unit_test(writes_reals_as_short_as_they_are),
        cmocka_unit_test(numbers_have_all_their_digits),
        cmocka_unit_test(whole_batches_are_their_rows),
        cmocka_unit_test(tells_when_it_cannot_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
