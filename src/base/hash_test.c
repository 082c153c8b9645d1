#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void check_hex(const uint8_t *digest, size_t n, const char *want)
{
    char text[HEX_SHA256_SIZE];
    hex_format(text, bytes_of(digest, n));
    assert_string_equal(text, want);
}

// FIPS 180-4 and its examples.
static void test_sha256(void **state)
{
    (void)state;
    uint8_t digest[SHA256_SIZE];
    sha256_of((bytes){NULL, 0}, digest);
    check_hex(digest, sizeof digest,
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    sha256_of(bytes_text("abc"), digest);
    check_hex(digest, sizeof digest,
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void test_pieces_and_copies(void **state)
{
    (void)state;
    struct sha256 h;
    uint8_t digest[SHA256_SIZE];
    sha256_init(&h);
    sha256_add(&h, bytes_text("a"));
    struct sha256 copy = h;
    sha256_add(&h, (bytes){NULL, 0});
    sha256_add(&h, bytes_text("x"));
    sha256_end(&h, digest);
    sha256_add(&copy, bytes_text("bc"));
    sha256_end(&copy, digest);
    check_hex(digest, sizeof digest,
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void test_sha1(void **state)
{
    (void)state;
    struct sha1 h;
    uint8_t digest[SHA1_SIZE];
    sha1_init(&h);
    sha1_add(&h, bytes_text("ab"));
    sha1_add(&h, bytes_text("c"));
    sha1_end(&h, digest);
    check_hex(digest, sizeof digest, "a9993e364706816aba3e25717850c26c9cd0d89d");
}

// RFC 1321 appendix A.5.
static void test_md5(void **state)
{
    (void)state;
    struct md5 h;
    uint8_t digest[MD5_SIZE];
    md5_init(&h);
    md5_add(&h, bytes_text("message "));
    md5_add(&h, bytes_text("digest"));
    md5_end(&h, digest);
    check_hex(digest, sizeof digest, "f96b697d7cb7938d525a2f31aaf161d0");
}

static void test_table_hash_is_keyed(void **state)
{
    (void)state;
    assert_true(table_hash("abc", 3, 1) == table_hash("abc", 3, 1));
    assert_true(table_hash("abc", 3, 1) != table_hash("abc", 3, 2));
    assert_true(table_hash("abc", 3, 1) != table_hash("abd", 3, 1));
}

static void test_hex(void **state)
{
    (void)state;
    uint8_t out[3];
    assert_true(hex_parse(bytes_text("00fFa5"), out, 3));
    check_hex(out, 3, "00ffa5");
    assert_false(hex_parse(bytes_text("00fFa"), out, 3));
    assert_false(hex_parse(bytes_text("00fFa55"), out, 3));
    assert_false(hex_parse(bytes_text("00fg55"), out, 3));
    assert_false(hex_parse(bytes_text("00 f55"), out, 3));
    assert_false(hex_parse(bytes_of("00\x10\x19zz", 6), out, 3));
    char text[1];
    hex_format(text, (bytes){NULL, 0});
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sha256), cmocka_unit_test(test_pieces_and_copies),
        cmocka_unit_test(test_sha1),   cmocka_unit_test(test_md5),
        cmocka_unit_test(test_hex),    cmocka_unit_test(test_table_hash_is_keyed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
