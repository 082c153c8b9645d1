// The table is in order, names fields that there are, and values are shown as their types say.
#include "record/element.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void shows(uint32_t enterprise, uint16_t number, bytes value, const char *expected)
{
    struct text text = {0};
    element_format(&text, element_find(enterprise, number), value);
    assert_string_equal(text.p ? (const char *)text.p : "", expected);
    text_deinit(&text);
}

static void elements_are_found(void **state)
{
    (void)state;
    assert_string_equal(element_find(0, 1)->name, "octetDeltaCount");
    assert_string_equal(element_find(0, 8)->fills, "src_addr");
    assert_string_equal(element_find(39499, 121)->name, "DNSName");
    assert_null(element_find(0, 0xffff));
    assert_null(element_find(39499, 1));
    assert_null(element_find(4242, 1));
}

static void values_are_shown_by_type(void **state)
{
    (void)state;
    shows(0, 1, bytes_of("\x00\x00\x01\x00", 4), "256");
    shows(0, 8, bytes_of("\xc0\x00\x02\x01", 4), "192.0.2.1");
    shows(0, 27, bytes_of("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16), "2001:db8::1");
    shows(0, 56, bytes_of("\x00\x11\x22\xaa\xbb\xcc", 6), "00:11:22:aa:bb:cc");
    shows(0, 82, bytes_of("eth0\0\0\0\0", 8), "eth0");
    shows(0, 150, bytes_of("\x65\x92\x00\x80", 4), "2024-01-01T00:00:00Z");
    shows(0, 320, bytes_of("\x3f\xf8\0\0\0\0\0\0", 8), "1.5");
    shows(0, 276, bytes_of("\x01", 1), "true");
    shows(4242, 7, bytes_of("\xde\xad", 2), "0xdead");
    // A length that does not fit the type is shown as it is.
    shows(0, 8, bytes_of("\x01\x02\x03", 3), "0x010203");
    shows(0, 1, bytes_of("123456789", 9), "0x313233343536373839");
}

// RFC 6313 section 4.5.1.
static void lists_show_their_values(void **state)
{
    (void)state;
    shows(0, 291, bytes_of("\x03\0\x08\0\x04\x0a\0\0\x01\x0a\0\0\x02", 13),
          "allOf sourceIPv4Address[10.0.0.1, 10.0.0.2]");
    shows(0, 291,
          bytes_of("\xff\0\x52\xff\xff\x02lo\xff\0\x04"
                   "eth0",
                   15),
          "interfaceName[lo, eth0]");
    shows(0, 291, bytes_of("\0\x80\x07\0\x02\0\0\x10\x92\xde\xad", 11), "noneOf 4242/7[0xdead]");
    shows(0, 291, bytes_of("\x04\0\x08\0\x04", 5), "ordered sourceIPv4Address[]");
    // A list in a list, values that are cut, values without length, no header.
    shows(0, 291, bytes_of("\x03\x01\x23\0\x02\x01\x02", 7), "allOf basicList[0x0102]");
    shows(0, 291, bytes_of("\x03\0\x08\0\x04\x0a\0\0\x01\x0a", 10),
          "allOf sourceIPv4Address[10.0.0.1, ...]");
    shows(0, 291, bytes_of("\x03\0\x08\0\0\x0a", 6), "allOf sourceIPv4Address[...]");
    shows(0, 291, bytes_of("\x03\0\x08", 3), "0x030008");
    shows(0, 293, bytes_of("\x03\xc0\x04", 3), "0x03c004");
}

static void times_begin_where_they_should(void **state)
{
    (void)state;
    // RFC 7011 section 6.1.9: seconds since 1900 and a fraction.
    bytes half = bytes_of("\xe9\x3c\x7f\x00\x80\x00\x00\x00", 8);
    assert_int_equal(element_time(ELEMENT_dateTimeNanoseconds, half),
                     INT64_C(1704067200) * NANOS_PER_SECOND + NANOS_PER_SECOND / 2);
    assert_int_equal(element_time(ELEMENT_dateTimeMicroseconds, bytes_of("\0\0\0\1\0\0\0\0", 8)),
                     0);
    assert_int_equal(
        element_time(ELEMENT_dateTimeMilliseconds, bytes_of("\xff\xff\xff\xff\xff\xff\xff\xff", 8)),
        0);
}

// Last: what is added stays.
static void users_add_elements(void **state)
{
    (void)state;
    static const struct element more[] = {{4242, 2, ELEMENT_string, "theirName", NULL},
                                          {4242, 1, ELEMENT_unsigned32, "theirCount", "packets"},
                                          {0, 1, ELEMENT_unsigned64, "octets", "bytes"}};
    assert_true(element_extend(more, 3));
    assert_string_equal(element_find(4242, 1)->name, "theirCount");
    assert_string_equal(element_find(4242, 2)->name, "theirName");
    assert_string_equal(element_find(0, 1)->name, "octets");
    assert_string_equal(element_find(0, 2)->name, "packetDeltaCount");
    assert_int_equal(element_named(bytes_text("theirName"))->number, 2);
    assert_false(element_extend(more, 1));
}

static void types_have_names(void **state)
{
    (void)state;
    enum element_type type;
    assert_true(element_type_named(bytes_text("subTemplateMultiList"), &type));
    assert_int_equal(type, ELEMENT_subTemplateMultiList);
    assert_false(element_type_named(bytes_text("unsigned128"), &type));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_are_found),      cmocka_unit_test(values_are_shown_by_type),
        cmocka_unit_test(lists_show_their_values), cmocka_unit_test(times_begin_where_they_should),
        cmocka_unit_test(types_have_names),        cmocka_unit_test(users_add_elements),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
