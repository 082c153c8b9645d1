// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

#include "base/hash.h"
#include "base/memory.h"
#include "dissect/tls_recorded.h"
#include "dissect/x509.h"
#include "record/batch.h"

// Decoded into memory of exactly that size, so that a sanitizer sees what is read beyond it.
static bytes decoded(const char *hex)
{
    bytes text = bytes_text(hex);
    uint8_t *p = memory_get(text.n / 2 + 1);
    assert_true(hex_parse(text, p, text.n / 2));
    return bytes_of(p, text.n / 2);
}

static void give(bytes b)
{
    memory_free((void *)(uintptr_t)b.p);
}

// ---- records ------------------------------------------------------------------------------------

static struct record_batch *record_of(const char *hex)
{
    static uint8_t memory[ROW_SIZE_MAX];
    struct x509 c;
    struct row row;
    bytes certificate = decoded(hex);
    assert_true(x509_read(&c, certificate));
    row_init(&row, &x509_kind, memory, sizeof memory);
    x509_put(&row, &c);
    give(certificate);
    struct record_batch *batch = batch_create(&x509_kind);
    assert_true(batch_append(batch, &row));
    return batch;
}

static void assert_text(const struct record_batch *batch, unsigned field, const char *text)
{
    assert_true(batch_has(batch, field, 0));
    bytes found = batch_get_bytes(batch, field, 0);
    if (!bytes_equal(found, bytes_text(text)))
        print_message("%.*s\n", (int)found.n, (const char *)found.p);
    assert_true(bytes_equal(found, bytes_text(text)));
}

static void assert_texts(const struct record_batch *batch, unsigned field, const char *const *texts)
{
    bytes list = batch_get_bytes(batch, field, 0), text;
    for (; *texts; texts++) {
        assert_true(list_next_text(&list, &text));
        assert_true(bytes_equal(text, bytes_text(*texts)));
    }
    assert_false(list_next_text(&list, &text));
}

static void assert_number(const struct record_batch *batch, unsigned field, uint64_t v)
{
    assert_true(batch_has(batch, field, 0));
    assert_int_equal(batch_get(batch, field, 0), v);
}

static void leaf(void **state)
{
    (void)state;
    struct record_batch *b = record_of(CERTIFICATE_LEAF);
    assert_number(b, X509_VERSION, 3);
    assert_text(b, X509_SERIAL, "1234");
    assert_text(b, X509_SUBJECT,
                "CN=www.example.org,OU=b+OU=a,O=P\xc5\x99\xc3\xadklad\\, s.r.o.,C=CZ");
    assert_text(b, X509_ISSUER, "CN=Test CA,O=Weir Test,C=CZ");
    assert_number(b, X509_NOT_AFTER,
                  batch_get(b, X509_NOT_BEFORE, 0) + 365 * 86400 * UINT64_C(1000000000));
    assert_text(b, X509_KEY_ALG, "id-ecPublicKey");
    assert_text(b, X509_KEY_TYPE, "ec");
    assert_text(b, X509_CURVE, "secp384r1");
    assert_number(b, X509_KEY_LENGTH, 384);
    assert_text(b, X509_SIG_ALG, "ecdsa-with-SHA256");
    assert_texts(b, X509_SAN_DNS, (const char *const[]){"example.org", "*.example.org", NULL});
    assert_texts(b, X509_SAN_EMAIL, (const char *const[]){"a@example.org", NULL});
    assert_texts(b, X509_SAN_URI, (const char *const[]){"https://example.org/x", NULL});
    assert_int_equal(batch_get_bytes(b, X509_SAN_IP, 0).n, 32);
    assert_number(b, X509_BASIC_CONSTRAINTS_CA, false);
    assert_number(b, X509_SELF_SIGNED, false);
    batch_destroy(b);
}

static void authority(void **state)
{
    (void)state;
    struct record_batch *b = record_of(CERTIFICATE_CA);
    assert_text(b, X509_SERIAL, "C0FFEE");
    assert_number(b, X509_BASIC_CONSTRAINTS_CA, true);
    assert_number(b, X509_PATH_LENGTH, 1);
    assert_number(b, X509_SELF_SIGNED, true);
    batch_destroy(b);
}

static void other_keys(void **state)
{
    (void)state;
    struct record_batch *b = record_of(CERTIFICATE_CLIENT);
    assert_text(b, X509_KEY_TYPE, "ed25519");
    assert_number(b, X509_KEY_LENGTH, 256);
    assert_false(batch_has(b, X509_BASIC_CONSTRAINTS_CA, 0));
    batch_destroy(b);
    b = record_of(CERTIFICATE_RSA);
    assert_text(b, X509_KEY_TYPE, "rsa");
    assert_number(b, X509_KEY_LENGTH, 1024);
    assert_number(b, X509_EXPONENT, 65537);
    assert_text(b, X509_SIG_ALG, "sha1WithRSAEncryption");
    assert_text(b, X509_SUBJECT, "CN=\\#rsa\\ ,emailAddress=x@example.org");
    batch_destroy(b);
}

// ---- hosts --------------------------------------------------------------------------------------

static void hosts(void **state)
{
    (void)state;
    struct x509 c;
    bytes certificate = decoded(CERTIFICATE_LEAF);
    assert_true(x509_read(&c, certificate));
    assert_true(x509_matches_host(&c, bytes_text("example.org")));
    assert_true(x509_matches_host(&c, bytes_text("WWW.Example.Org.")));
    assert_false(x509_matches_host(&c, bytes_text("a.b.example.org")));
    assert_false(x509_matches_host(&c, bytes_text(".example.org")));
    assert_false(x509_matches_host(&c, bytes_text("example.com")));
    give(certificate);
    // Without alternative names the common name counts.
    certificate = decoded(CERTIFICATE_CLIENT);
    assert_true(x509_read(&c, certificate));
    assert_true(x509_matches_host(&c, bytes_text("client")));
    assert_false(x509_matches_host(&c, bytes_text("example.org")));
    give(certificate);
}

// ---- times --------------------------------------------------------------------------------------

static void assert_time(uint8_t tag, const char *text, int64_t seconds)
{
    nanos t = 0;
    assert_true(x509_time(&(struct der){.tag = tag, .body = bytes_text(text)}, &t));
    assert_int_equal(t / NANOS_PER_SECOND, seconds);
}

static void assert_no_time(uint8_t tag, const char *text)
{
    nanos t;
    assert_false(x509_time(&(struct der){.tag = tag, .body = bytes_text(text)}, &t));
}

static void times(void **state)
{
    (void)state;
    assert_time(DER_UTC_TIME, "700101000000Z", 0);
    assert_time(DER_UTC_TIME, "491231235959Z", 2524607999);
    assert_time(DER_UTC_TIME, "500101000000Z", -631152000);
    assert_time(DER_UTC_TIME, "9901010000Z", 915148800); // without seconds
    assert_time(DER_UTC_TIME, "7001010000", 0);          // nor zone
    assert_time(DER_UTC_TIME, "990101000000+0130", 915143400);
    assert_time(DER_GENERALIZED_TIME, "20000229120000Z", 951825600);
    assert_time(DER_GENERALIZED_TIME, "20000301000000.5Z", 951868800);
    assert_time(DER_GENERALIZED_TIME, "21000301000000Z", 4107542400);
    assert_time(DER_GENERALIZED_TIME, "99991231235959Z", INT64_MAX / NANOS_PER_SECOND);
    assert_time(DER_GENERALIZED_TIME, "00010101000000Z", -(INT64_MAX / NANOS_PER_SECOND));
    assert_no_time(DER_UTC_TIME, "701301000000Z");
    assert_no_time(DER_UTC_TIME, "700100000000Z");
    assert_no_time(DER_UTC_TIME, "70010100");
    assert_no_time(DER_UTC_TIME, "70010a000000Z");
    assert_no_time(DER_UTC_TIME, "");
    assert_no_time(DER_INTEGER, "700101000000Z");
}

// ---- names --------------------------------------------------------------------------------------

// Attribute types: 550403 CN, 55040a O, 2a0304 is not known.
static void assert_name(const char *hex, const char *expected)
{
    char memory[256];
    struct buf text = buf_on(memory, sizeof memory);
    bytes name = decoded(hex);
    x509_name_format(&text, name);
    give(name);
    if (!bytes_equal(buf_bytes(&text), bytes_text(expected)))
        print_message("%.*s\n", (int)text.n, memory);
    assert_true(bytes_equal(buf_bytes(&text), bytes_text(expected)));
}

static void names(void **state)
{
    (void)state;
    assert_name("3000", "");
    // Latin-1, UTF-16 with a pair of surrogates, UTF-32.
    assert_name("300f310d300b0603550403"
                "1404"
                "41e92c42",
                "CN=A\xc3\xa9\\,B");
    assert_name("3011310f300d0603550403"
                "1e06"
                "0041d83dde00",
                "CN=A\xf0\x9f\x98\x80");
    assert_name("300f310d300b0603550403"
                "1c04"
                "000020ac",
                "CN=\xe2\x82\xac");
    // Half a pair, and what no character is.
    assert_name("300d310b30090603550403"
                "1e02"
                "d83d",
                "CN=\xef\xbf\xbd");
    assert_name("300f310d300b0603550403"
                "1c04"
                "00110000",
                "CN=\xef\xbf\xbd");
    // A NUL that would end a name for those who take it for one of C.
    assert_name("300e310c300a0603550403"
                "1303"
                "610062",
                "CN=a\\00b");
    assert_name("300e310c300a0603550403"
                "1303"
                "202320",
                "CN=\\ #\\ ");
    // Types and values that are not known.
    assert_name("300d310b300906032a0304"
                "0c02"
                "4141",
                "1.2.3.4=#0C024141");
    assert_name("300c310a30080603550403"
                "0201"
                "05",
                "CN=#020105");
}

static void name_with_broken_end(void **state)
{
    (void)state;
    // Two sets, the second with a length beyond the end.
    assert_name("3017310c300a0603550403"
                "1303"
                "616263"
                "310730050603550403"
                "13",
                "CN=abc");
}

// ---- what is no certificate ---------------------------------------------------------------------

static void assert_harmless(bytes certificate)
{
    static uint8_t memory[ROW_SIZE_MAX];
    struct x509 c;
    struct row row;
    row_init(&row, &x509_kind, memory, sizeof memory);
    if (x509_read(&c, certificate)) x509_put(&row, &c);
    x509_matches_host(&c, bytes_text("www.example.org"));
}

static void cut_anywhere(void **state)
{
    (void)state;
    bytes whole = decoded(CERTIFICATE_LEAF);
    for (size_t n = 0; n < whole.n; n++) {
        struct x509 c;
        uint8_t *copy = memory_get(n + 1);
        memcpy(copy + 1, whole.p, n);
        assert_false(x509_read(&c, bytes_of(copy + 1, n)));
        memory_free(copy);
    }
    give(whole);
}

static void changed_anywhere(void **state)
{
    (void)state;
    static const uint8_t VALUES[] = {0x00, 0x01, 0x30, 0x7f, 0x80, 0x84, 0xff};
    bytes whole = decoded(CERTIFICATE_LEAF);
    for (size_t i = 0; i < whole.n * sizeof VALUES; i++) {
        uint8_t *copy = memory_get(whole.n);
        memcpy(copy, whole.p, whole.n);
        copy[i / sizeof VALUES] = VALUES[i % sizeof VALUES];
        assert_harmless(bytes_of(copy, whole.n));
        memory_free(copy);
    }
    give(whole);
}

static void lengths_that_are_not_der(void **state)
{
    (void)state;
    static const char *const CASES[] = {"3080020101", "3085000000000101", "1f0100",
                                        "30840000000400", "3084ffffffff00"};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        bytes b = decoded(CASES[i]);
        struct reader r = reader_of(b);
        struct der e = der_next(&r);
        assert_true(r.bad);
        assert_int_equal(e.body.n, 0);
        assert_int_equal(der_next(&r).tag, 0);
        give(b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaf),
        cmocka_unit_test(authority),
        cmocka_unit_test(other_keys),
        cmocka_unit_test(hosts),
        cmocka_unit_test(times),
        cmocka_unit_test(names),
        cmocka_unit_test(name_with_broken_end),
        cmocka_unit_test(cut_anywhere),
        cmocka_unit_test(changed_anywhere),
        cmocka_unit_test(lengths_that_are_not_der),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
