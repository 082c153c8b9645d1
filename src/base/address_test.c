#include "base/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>

#include "base/random.h"

static struct address of_wire(const uint8_t wire[16])
{
    struct reader r = reader_of(bytes_of(wire, 16));
    struct address a = {.hi = read_be64(&r)};
    a.lo = read_be64(&r);
    return a;
}

static void check_format(const char *text, const char *want)
{
    struct address a;
    char out[ADDRESS_TEXT_MAX];
    if (!address_parse(bytes_text(text), &a)) fail_msg("no address: %s", text);
    assert_int_equal(address_format(out, a), strlen(want));
    assert_string_equal(out, want);
}

// RFC 5952 sections 4 and 5.
static void test_format(void **state)
{
    (void)state;
    check_format("192.0.2.1", "192.0.2.1");
    check_format("0.0.0.0", "0.0.0.0");
    check_format("255.255.255.255", "255.255.255.255");
    check_format("::ffff:192.0.2.1", "192.0.2.1");
    check_format("::FFFF:c000:0201", "192.0.2.1");
    check_format("::", "::");
    check_format("::1", "::1");
    check_format("1::", "1::");
    check_format("2001:0db8:0000:0000:0001:0000:0000:0001", "2001:db8::1:0:0:1");
    check_format("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1");
    check_format("2001:0:0:1:0:0:0:1", "2001:0:0:1::1");
    check_format("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0");
    check_format("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8");
    check_format("64:ff9b::192.0.2.33", "64:ff9b::c000:221");
    check_format("FE80::ABCD", "fe80::abcd");
}

static const char *const wrong[] = {
    "",
    ".",
    ":",
    ":::",
    "1",
    "1.2.3",
    "1.2.3.4.",
    ".1.2.3.4",
    "1.2.3.256",
    "1.2.3.04",
    "1.2.3.4.5",
    "1..2.3",
    "1.2.3.4 ",
    "a.b.c.d",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::",
    "1::2::3",
    "12345::",
    "::g",
    ":1::",
    "1::2:",
    "::1.2.3",
    "::1.2.3.4.5",
    "::1.2.3.4:5",
    "1.2.3.4::",
    "1:2:3:4:5:6:7:1.2.3.4",
    "1:2:3:4:5:1.2.3.4",
    "::1%eth0",
    "1:2:3:4::5:6:7:8",
    "::ffff:1.2.3.256",
    "99999999999.1.1.1",
    "::00001",
};

static void test_parse_refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct address a;
        if (address_parse(bytes_text(wrong[i]), &a)) fail_msg("taken for an address: %s", wrong[i]);
    }
    struct address a;
    assert_false(address_parse(bytes_of(NULL, 0), &a));
}

static void random_wire(uint64_t *seed, uint8_t wire[16])
{
    for (int i = 0; i < 16; i += 2) {
        uint64_t v =
            random_next(seed) >> (16 * random_below(seed, 4)) >> (4 * random_below(seed, 4));
        if (random_below(seed, 2)) v = 0;
        wire[i] = (uint8_t)(v >> 8);
        wire[i + 1] = (uint8_t)v;
    }
}

static void test_agrees_with_inet(void **state)
{
    (void)state;
    uint64_t seed = 4;
    for (int i = 0; i < 100000; i++) {
        uint8_t wire[16];
        random_wire(&seed, wire);
        struct address a = of_wire(wire), back;
        char ours[ADDRESS_TEXT_MAX], theirs[64];
        address_format(ours, a);
        inet_ntop(AF_INET6, wire, theirs, sizeof theirs);
        // They write a dotted tail into deprecated compatible addresses (RFC 4291 section 2.5.5.1),
        // and so may only be read.
        if (!strchr(theirs, '.')) assert_string_equal(ours, theirs);
        assert_true(address_parse(bytes_text(theirs), &back) && address_equal(a, back));
        assert_true(address_parse(bytes_text(ours), &back) && address_equal(a, back));
    }
}

// What is no address to them is none to us, and what is one is the same one.
static void test_refuses_like_inet(void **state)
{
    (void)state;
    static const char alphabet[] = "0012af::::..g";
    uint64_t seed = 5;
    int valid = 0;
    for (int i = 0; i < 300000; i++) {
        char text[24];
        size_t n = random_below(&seed, sizeof text);
        for (size_t k = 0; k < n; k++) text[k] = alphabet[random_below(&seed, sizeof alphabet - 2)];
        text[n] = 0;
        uint8_t wire[16] = {[10] = 0xff, [11] = 0xff};
        struct address a;
        bool is_v6 = strchr(text, ':');
        bool theirs = inet_pton(is_v6 ? AF_INET6 : AF_INET, text, wire + (is_v6 ? 0 : 12)) == 1;
        if (address_parse(bytes_text(text), &a) != theirs)
            fail_msg("%s: they say %d", text, theirs);
        if (theirs) assert_true(address_equal(a, of_wire(wire)));
        valid += theirs;
    }
    assert_true(valid > 100);
}

static bool is_in(const char *prefix, const char *address)
{
    struct prefix p;
    struct address a;
    assert_true(prefix_parse(bytes_text(prefix), &p));
    assert_true(address_parse(bytes_text(address), &a));
    return prefix_has(&p, a);
}

static void test_prefix(void **state)
{
    (void)state;
    assert_true(is_in("10.0.0.0/8", "10.255.255.255") && !is_in("10.0.0.0/8", "11.0.0.0"));
    assert_true(is_in("10.1.2.3/8", "10.0.0.0"));
    assert_true(is_in("0.0.0.0/0", "255.1.1.1") && !is_in("0.0.0.0/0", "::1"));
    assert_true(is_in("192.0.2.1", "192.0.2.1") && !is_in("192.0.2.1", "192.0.2.2"));
    assert_true(is_in("192.0.2.0/31", "192.0.2.1") && !is_in("192.0.2.0/32", "192.0.2.1"));
    assert_true(is_in("fd00::/8", "fdff::1") && !is_in("fd00::/8", "fc00::"));
    assert_true(is_in("2001:db8::/64", "2001:db8::ffff:0:0:1") &&
                !is_in("2001:db8::/64", "2001:db8:0:1::"));
    assert_true(is_in("2001:db8::/65", "2001:db8::7fff:0:0:1") &&
                !is_in("2001:db8::/65", "2001:db8::8000:0:0:0"));
    assert_true(is_in("::/0", "ffff::") && is_in("::1/128", "::1") && !is_in("::1/128", "::2"));
    assert_true(is_in("::ffff:10.0.0.0/104", "10.9.9.9"));
    static const char *const bad[] = {"10.0.0.0/33", "10.0.0.0/",    "10.0.0.0/-1", "::/129", "/8",
                                      "x/8",         "10.0.0.0/8/8", "10.0.0.0/08", "10.0/8"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct prefix p;
        if (prefix_parse(bytes_text(bad[i]), &p)) fail_msg("taken for a prefix: %s", bad[i]);
    }
}

static void prefixes_are_written_as_read(void **state)
{
    (void)state;
    static const char *const prefixes[] = {"10.0.0.0/8",    "0.0.0.0/0", "192.0.2.7/32", "fd00::/8",
                                           "2001:db8::/33", "::/0",      "::1/128"};
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        struct prefix p;
        char text[PREFIX_TEXT_MAX];
        assert_true(prefix_parse(bytes_text(prefixes[i]), &p));
        assert_int_equal(prefix_format(text, &p), strlen(prefixes[i]));
        assert_string_equal(text, prefixes[i]);
    }
}

static void splits(const char *place, const char *host, const char *port)
{
    char got[16];
    const char *got_port;
    assert_true(place_split(place, got, sizeof got, &got_port));
    assert_string_equal(got, host);
    if (port) assert_string_equal(got_port, port);
    else assert_null(got_port);
}

static void places_are_split(void **state)
{
    (void)state;
    splits("192.0.2.1:2055", "192.0.2.1", "2055");
    splits("[2001:db8::1]:53", "2001:db8::1", "53");
    splits("[2001:db8::1]", "2001:db8::1", NULL);
    splits(":2055", "", "2055");
    splits("name", "name", NULL);
    splits("name:", "name", NULL);
    char got[4];
    const char *port;
    assert_false(place_split("name:1", got, sizeof got, &port));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_are_split),
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_parse_refuses),
        cmocka_unit_test(test_agrees_with_inet),
        cmocka_unit_test(test_refuses_like_inet),
        cmocka_unit_test(test_prefix),
        cmocka_unit_test(prefixes_are_written_as_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
