// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

#include "base/buf.h"
#include "base/hash.h"
#include "dissect/tls_fingerprint.h"

// A ClientHello by its lists in hexadecimal digits.
struct recipe {
    uint16_t version;
    const char *ciphers;
    const char *extensions;
};

static void put_be16(struct buf *b, size_t v)
{
    buf_u8(b, (uint8_t)(v >> 8));
    buf_u8(b, (uint8_t)v);
}

static void put_hex(struct buf *b, const char *hex)
{
    uint8_t memory[1024];
    bytes text = bytes_text(hex);
    assert_true(hex_parse(text, memory, text.n / 2));
    buf_put(b, bytes_of(memory, text.n / 2));
}

static struct tls_hello hello_of(struct buf *b, const struct recipe *recipe)
{
    static const uint8_t RANDOM[32];
    struct tls_hello hello;
    put_be16(b, recipe->version);
    buf_put(b, bytes_of(RANDOM, sizeof RANDOM));
    buf_u8(b, 0);
    put_be16(b, strlen(recipe->ciphers) / 2);
    put_hex(b, recipe->ciphers);
    put_be16(b, 0x0100);
    if (recipe->extensions[0]) put_be16(b, strlen(recipe->extensions) / 2);
    put_hex(b, recipe->extensions);
    assert_true(tls_client_hello(&hello, buf_bytes(b)));
    assert_false(hello.malformed);
    return hello;
}

static void assert_ja3(const struct recipe *recipe, const char *ja3)
{
    uint8_t memory[2048];
    struct buf b = buf_on(memory, sizeof memory);
    struct tls_hello hello = hello_of(&b, recipe);
    char text[JA3_TEXT_SIZE];
    tls_ja3(text, &hello);
    assert_string_equal(text, ja3);
}

static void assert_ja4(const struct recipe *recipe, const char *ja4)
{
    uint8_t memory[2048];
    struct buf b = buf_on(memory, sizeof memory);
    struct tls_hello hello = hello_of(&b, recipe);
    char text[JA4_TEXT_SIZE];
    assert_true(tls_ja4(text, &hello));
    assert_string_equal(text, ja4);
}

// The two examples in the description of JA3.
static void ja3_of_the_description(void **state)
{
    (void)state;
    // 769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0
    assert_ja3(&(struct recipe){0x0301, "002f00350005000ac009c00ac013c0140032003800130004",
                                "000000060004000001"
                                "61"
                                "000a00080006001700180019"
                                "000b00020100"},
               "ada70206e40642a3e4461f35503241d5");
    // 769,4-5-10-9-100-98-3-6-19-18-99,,,
    assert_ja3(&(struct recipe){0x0301, "00040005000a00090064006200030006001300120063", ""},
               "de350869b8c85de67a350c8d186f11e6");
}

static void ja3_leaves_grease_out(void **state)
{
    (void)state;
    assert_ja3(&(struct recipe){0x0301, "0a0a00040005000a00090064006200030006001300120063fafa",
                                "1a1a0000"},
               "de350869b8c85de67a350c8d186f11e6");
}

// The example in the description of JA4; GREASE values, and another order, change nothing.
static void ja4_of_the_description(void **state)
{
    (void)state;
    static const struct recipe RECIPE = {
        0x0303, "1a1a130113021303c02bc02fc02cc030cca9cca8c013c014009c009d002f0035",
        "2a2a0000" // GREASE
        "0000000600040000"
        "0161" // server_name
        "00170000"
        "ff01000100" // extended_master_secret, renegotiation_info
        "000a000400020a0a"
        "000b00020100" // groups, point formats
        "00230000"     // session_ticket
        "0010000e"
        "000c02683208687474702f312e31"                 // ALPN: h2, http/1.1
        "00050000"                                     // status_request
        "000d0012001004030804040105030805050108060601" // signature algorithms
        "00120000"
        "00330000"
        "002d0000"
        "002b0005"
        "043a3a0304" // supported versions: GREASE, 1.3
        "001b0000"
        "44690000"
        "00150000"
        "3a3a000100"};
    assert_ja4(&RECIPE, "t13d1516h2_8daaf6152771_e5627efa2ab1");
}

static void ja4_without_lists(void **state)
{
    (void)state;
    assert_ja4(&(struct recipe){0x0301, "", ""}, "t10i000000_000000000000_000000000000");
    assert_ja4(&(struct recipe){0x0300, "0a0a",
                                "0000000600040000"
                                "0161"},
               "ts3d000100_000000000000_000000000000");
}

// ALPN of one byte, and one whose ends are neither letters nor digits.
static void ja4_of_odd_protocols(void **state)
{
    (void)state;
    uint8_t memory[2048];
    char text[JA4_TEXT_SIZE];
    struct buf b = buf_on(memory, sizeof memory);
    struct tls_hello hello = hello_of(&b, &(struct recipe){0x0303, "",
                                                           "00100004"
                                                           "00020171"});
    assert_true(tls_ja4(text, &hello));
    assert_memory_equal(text, "t12i0001qq_", 11);
    b = buf_on(memory, sizeof memory);
    hello = hello_of(&b, &(struct recipe){0x0303, "",
                                          "00100006"
                                          "000403ab61cd"});
    assert_true(tls_ja4(text, &hello));
    assert_memory_equal(text, "t12i0001ad_", 11);
}

static void ja4_of_too_many(void **state)
{
    (void)state;
    static uint8_t ciphers[2 * (JA4_NUMBERS_MAX + 1)];
    char text[JA4_TEXT_SIZE];
    struct tls_hello hello = {.version = 0x0303, .ciphers = bytes_of(ciphers, sizeof ciphers)};
    assert_false(tls_ja4(text, &hello));
    hello.ciphers.n -= 2;
    assert_true(tls_ja4(text, &hello));
    assert_memory_equal(text, "t12i990000_", 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ja3_of_the_description), cmocka_unit_test(ja3_leaves_grease_out),
        cmocka_unit_test(ja4_of_the_description), cmocka_unit_test(ja4_without_lists),
        cmocka_unit_test(ja4_of_odd_protocols),   cmocka_unit_test(ja4_of_too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
