#include "record/id.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/hash.h"

static void test_of(void **state)
{
    (void)state;
    // SHA-256("abc") begins with ba7816bf8f01cfea.
    struct record_id id = record_id_of(1500000000123456789, bytes_text("abc"));
    assert_true(id.hash == UINT64_C(0xba7816bf8f01cfea));
    assert_true(id.time_us == UINT64_C(1500000000123456));
    assert_true(record_id_of(-1, bytes_text("abc")).time_us == 0);
    assert_true(record_id_of(999, bytes_text("abc")).time_us == 0);
    assert_true(record_id_of(INT64_MAX, bytes_of(NULL, 0)).time_us == INT64_MAX / 1000);
}

// The bytes that are hashed are a format: ids in stores and reports were made of them.
static void test_under(void **state)
{
    (void)state;
    static const uint8_t hashed[] = "\x01\x02\x03\x04\x05\x06\x07\x08"
                                    "dns\0"
                                    "\x01"
                                    "\x00\x00\x00\x01\x00\x00\x00\x02"
                                    "\x00\x00\x00\x03";
    struct record_id want = record_id_of(5000, bytes_of(hashed, sizeof hashed - 1));
    struct record_id id =
        record_id_under(UINT64_C(0x0102030405060708), "dns", 1, UINT64_C(0x100000002), 3, 5000);
    assert_true(record_id_equal(id, want));
}

static void test_under_tells_places_apart(void **state)
{
    (void)state;
    struct record_id ids[] = {
        record_id_under(1, "dns", 0, 1, 1, 0),    record_id_under(2, "dns", 0, 1, 1, 0),
        record_id_under(1, "dnt", 0, 1, 1, 0),    record_id_under(1, "dns", 1, 1, 1, 0),
        record_id_under(1, "dns", 0, 2, 1, 0),    record_id_under(1, "dns", 0, 1, 2, 0),
        record_id_under(1, "dns", 0, 1, 1, 1000),
    };
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
        for (size_t k = 0; k < i; k++) assert_false(record_id_equal(ids[i], ids[k]));
}

static void test_text(void **state)
{
    (void)state;
    struct record_id id = {UINT64_C(0x00054d2a3b4c5d6e), UINT64_C(0x0123456789abcdef)}, back;
    char text[RECORD_ID_TEXT_SIZE];
    record_id_format(text, id);
    assert_string_equal(text, "00054d2a3b4c5d6e0123456789abcdef");
    assert_true(record_id_parse(bytes_text(text), &back) && record_id_equal(id, back));
    assert_true(record_id_parse(bytes_text("00054D2A3B4C5D6E0123456789ABCDEF"), &back));
    assert_true(record_id_equal(id, back));
    assert_false(record_id_parse(bytes_text("00054d2a3b4c5d6e0123456789abcde"), &back));
    assert_false(record_id_parse(bytes_text("00054d2a3b4c5d6e0123456789abcdeg"), &back));
    assert_false(record_id_parse(bytes_text(""), &back));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_of),
        cmocka_unit_test(test_under),
        cmocka_unit_test(test_under_tells_places_apart),
        cmocka_unit_test(test_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
