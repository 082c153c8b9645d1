#include "record/printer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "record/test_kind.h"

static void emit(struct record_sink sink, const struct record_kind *kind, const char *text)
{
    uint8_t memory[1024];
    struct row row;
    struct record_batch *b = batch_create(kind);
    row_init(&row, kind, memory, sizeof memory);
    row_text(&row, TEST_TEXT, bytes_text(text));
    row_uint(&row, TEST_UINT, 7);
    assert_true(batch_append(b, &row));
    sink.take(sink.context, b);
    batch_destroy(b);
}

// Kinds may come in turns, and each line says which it is of.
static void prints_kinds_in_turn(void **state)
{
    (void)state;
    struct record_kind other = test_kind, hidden = test_kind;
    other.name = "other";
    hidden.hidden = true;
    char *text;
    size_t size;
    struct err err;
    FILE *out = open_memstream(&text, &size);
    struct printer *p = printer_create(out);
    emit(printer_sink(p), &test_kind, "a");
    emit(printer_sink(p), &other, "b");
    emit(printer_sink(p), &hidden, "c");
    emit(printer_sink(p), &test_kind, "d");
    assert_true(printer_end(p, &err));
    printer_destroy(p);
    fclose(out);
    const char *wanted[] = {"{\"kind\":\"test\",",
                            "\"uint\":7,\"text\":\"a\"}\n{\"kind\":\"other\",",
                            "\"text\":\"b\"}\n{\"kind\":\"test\",", "\"text\":\"d\"}\n"};
    const char *at = text;
    for (unsigned i = 0; i < 4; i++) {
        at = strstr(at, wanted[i]);
        assert_non_null(at);
    }
    assert_null(strstr(text, "\"c\""));
    free(text);
}

static void tells_when_it_cannot_write(void **state)
{
    (void)state;
    struct err err = {0};
    FILE *full = fopen("/dev/full", "w");
    struct printer *p = printer_create(full);
    emit(printer_sink(p), &test_kind, "a");
    assert_false(printer_end(p, &err));
    assert_int_equal(err.code, ERR_MACHINE);
    printer_destroy(p);
    fclose(full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints_kinds_in_turn),
        cmocka_unit_test(tells_when_it_cannot_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
