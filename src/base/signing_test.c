#include "base/signing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/hash.h"

static struct err err;
static char folder[] = "/tmp/weir-signing-XXXXXX";
static char path[128];

static int set_up(void **state)
{
    (void)state;
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    if (!mkdtemp(folder)) return 1;
    snprintf(path, sizeof path, "%s/config/weir/key.pem", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return folder_remove(folder, &err) ? 0 : 1;
}

// RFC 8032, section 7.1, test 2.
static void signs_as_the_standard_says(void **state)
{
    (void)state;
    uint8_t seed[32], signature[SIGNATURE_SIZE];
    char hex[2 * SIGNATURE_SIZE + 1];
    hex_parse(bytes_text("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"), seed,
              sizeof seed);
    struct signing_key *k = signing_key_of(seed);
    hex_format(hex, bytes_of(signing_public(k), PUBLIC_KEY_SIZE));
    assert_string_equal(hex, "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
    signing_sign(k, bytes_text("r"), signature);
    hex_format(hex, bytes_of(signature, sizeof signature));
    assert_string_equal(hex, "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                             "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
    assert_true(signature_holds(signing_public(k), bytes_text("r"), signature));
    assert_false(signature_holds(signing_public(k), bytes_text("s"), signature));
    signature[40] ^= 1;
    assert_false(signature_holds(signing_public(k), bytes_text("r"), signature));
    signing_key_close(k);
}

static void makes_a_key_once(void **state)
{
    (void)state;
    struct stat st;
    struct signing_key *first = signing_key_open(path, &err);
    if (!first) fail_msg("%s", err.text);
    struct signing_key *second = signing_key_open(path, &err);
    assert_memory_equal(signing_public(first), signing_public(second), PUBLIC_KEY_SIZE);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    signing_key_close(first);
    signing_key_close(second);
}

static void reads_both_halves(void **state)
{
    (void)state;
    uint8_t key[PUBLIC_KEY_SIZE];
    struct text text = {0};
    struct signing_key *k = signing_key_open(path, &err);
    assert_true(public_key_read(path, key, &err));
    assert_memory_equal(key, signing_public(k), PUBLIC_KEY_SIZE);
    public_key_text(&text, key);
    assert_true(file_write_durable(path, bytes_of(text.p, text.n), &err));
    memset(key, 0, sizeof key);
    assert_true(public_key_read(path, key, &err));
    assert_memory_equal(key, signing_public(k), PUBLIC_KEY_SIZE);
    assert_null(signing_key_open(path, &err)); // the public half signs nothing
    text_deinit(&text);
    signing_key_close(k);
}

static void refuses_what_is_no_key(void **state)
{
    (void)state;
    uint8_t key[PUBLIC_KEY_SIZE];
    snprintf(path, sizeof path, "%s/key.pem", folder);
    assert_false(public_key_read(path, key, &err));
    assert_int_equal(err.code, ERR_INPUT);
    assert_true(file_write_durable(path, bytes_text("no key"), &err));
    assert_null(signing_key_open(path, &err));
    assert_int_equal(err.code, ERR_INPUT);
    assert_non_null(strstr(err.text, "WEIR_KEY"));
    assert_false(public_key_read(path, key, &err));
    assert_int_equal(err.code, ERR_INPUT);
    snprintf(path, sizeof path, "%s/key.pem/below", folder);
    assert_null(signing_key_open(path, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(signs_as_the_standard_says, set_up, tear_down),
        cmocka_unit_test_setup_teardown(makes_a_key_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reads_both_halves, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_what_is_no_key, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
