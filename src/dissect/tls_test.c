// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

#include "base/buf.h"
#include "base/hash.h"
#include "base/memory.h"
#include "dissect/harness.h"
#include "dissect/tls_recorded.h"

extern const struct dissector tls_dissector;

enum { ARENA_SIZE = 1 << 20, STEPS_MAX = 32 };
static uint8_t arena[ARENA_SIZE];

#define COUNT(array) (sizeof(array) / sizeof *(array))

// ---- conversations ------------------------------------------------------------------------------

// The steps of a recorded conversation; the bytes lie in the arena until the next call.
static void steps_of(struct harness_step steps[STEPS_MAX], const struct recorded *recorded,
                     size_t count)
{
    struct buf room = buf_on(arena, sizeof arena);
    assert_true(count <= STEPS_MAX);
    for (size_t i = 0; i < count; i++) {
        bytes hex = bytes_text(recorded[i].hex);
        size_t n = hex.n / 2, begin = room.n;
        assert_true(hex_parse(hex, arena + begin, n));
        room.n += n;
        steps[i] = (struct harness_step){
            .what = HARNESS_DATA, .side = recorded[i].side, .data = bytes_of(arena + begin, n)};
    }
}

static struct harness *play(const struct harness_step *steps, size_t count)
{
    struct harness *h = harness_create(&tls_dissector, TRANSPORT_TCP);
    for (size_t i = 0; i < count; i++) {
        if (steps[i].what == HARNESS_DATA) harness_stream(h, steps[i].side, steps[i].data);
        if (steps[i].what == HARNESS_GAP) harness_gap(h, steps[i].side, steps[i].length);
    }
    harness_end(h);
    return h;
}

// Plays a recorded conversation, whole and in all ways of cutting it.
static struct harness *play_recorded(const struct recorded *recorded, size_t count)
{
    struct harness_step steps[STEPS_MAX];
    steps_of(steps, recorded, count);
    memory_free(harness_play_cuts(&tls_dissector, steps, count));
    return play(steps, count);
}

static void assert_value(const struct harness *h, size_t index, const char *field,
                         const char *value)
{
    const char *found = harness_value(h, index, field);
    if (!value) {
        assert_null(found);
        return;
    }
    assert_non_null(found);
    assert_string_equal(found, value);
}

static void full_handshake_of_tls_1_2(void **state)
{
    (void)state;
    struct harness *h = play_recorded(TLS_1_2_FULL, COUNT(TLS_1_2_FULL));
    assert_int_equal(harness_count(h), 5);
    assert_value(h, 0, "chain_position", "0");
    assert_value(h, 0, "is_client_cert", "false");
    assert_value(h, 1, "chain_position", "1");
    assert_value(h, 1, "self_signed", "true");
    assert_value(h, 2, "is_client_cert", "true");
    assert_value(h, 2, "subject", "CN=client");
    assert_value(h, 3, "is_client_cert", "true");
    assert_value(h, 4, "version", "TLSv12");
    assert_value(h, 4, "cipher", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
    assert_value(h, 4, "curve", "x25519");
    assert_value(h, 4, "server_name", "www.example.org");
    assert_value(h, 4, "next_protocol", "http/1.1");
    assert_value(h, 4, "client_alpn", "[\"h2\",\"http/1.1\"]");
    assert_value(h, 4, "ssl_history", "CsxkrnXGYIti");
    assert_value(h, 4, "resumed", "false");
    assert_value(h, 4, "established", "true");
    assert_value(h, 4, "cert_count", "2");
    assert_value(h, 4, "sni_matches_cert", "true");
    assert_value(h, 4, "issuer", "CN=Test CA,O=Weir Test,C=CZ");
    harness_destroy(h);
}

static void resumed_session_of_tls_1_2(void **state)
{
    (void)state;
    struct harness *h = play_recorded(TLS_1_2_RESUMED, COUNT(TLS_1_2_RESUMED));
    assert_int_equal(harness_count(h), 1);
    assert_value(h, 0, "resumed", "true");
    assert_value(h, 0, "established", "true");
    assert_value(h, 0, "ssl_history", "CsiI");
    harness_destroy(h);
}

static void retry_of_tls_1_3(void **state)
{
    (void)state;
    struct harness *h = play_recorded(TLS_1_3_RETRY, COUNT(TLS_1_3_RETRY));
    assert_int_equal(harness_count(h), 1);
    assert_value(h, 0, "version", "TLSv13");
    assert_value(h, 0, "client_version", "771");
    assert_value(h, 0, "curve", "secp384r1");
    assert_value(h, 0, "ssl_history", "CjiICs");
    assert_value(h, 0, "resumed", "false");
    assert_value(h, 0, "established", "true");
    harness_destroy(h);
}

static void resumed_session_of_tls_1_3(void **state)
{
    (void)state;
    struct harness *h = play_recorded(TLS_1_3_RESUMED, COUNT(TLS_1_3_RESUMED));
    assert_int_equal(harness_count(h), 1);
    assert_value(h, 0, "resumed", "true");
    assert_value(h, 0, "established", "true");
    harness_destroy(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full_handshake_of_tls_1_2),
        cmocka_unit_test(resumed_session_of_tls_1_2),
        cmocka_unit_test(retry_of_tls_1_3),
        cmocka_unit_test(resumed_session_of_tls_1_3),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
