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

// ---- conversations built by hand ----------------------------------------------------------------

enum { CLIENT, SERVER };

static void put_be16(struct buf *b, size_t v)
{
    buf_u8(b, (uint8_t)(v >> 8));
    buf_u8(b, (uint8_t)v);
}

static void put_be24(struct buf *b, size_t v)
{
    buf_u8(b, (uint8_t)(v >> 16));
    put_be16(b, v & 0xffff);
}

static void put_zeros(struct buf *b, size_t n)
{
    while (n-- > 0) buf_u8(b, 0);
}

static void put_hex(struct buf *b, const char *hex)
{
    static uint8_t memory[4096];
    bytes text = bytes_text(hex);
    assert_true(hex_parse(text, memory, text.n / 2));
    buf_put(b, bytes_of(memory, text.n / 2));
}

// Cut into records of at most `record_max` bytes.
static void put_records(struct buf *b, uint8_t type, bytes content, size_t record_max)
{
    while (content.n) {
        bytes part = bytes_first(content, record_max);
        buf_u8(b, type);
        put_be16(b, 0x0303);
        put_be16(b, part.n);
        buf_put(b, part);
        content = bytes_after(content, part.n);
    }
}

static void put_sealed(struct buf *b, uint8_t type, size_t n)
{
    buf_u8(b, type);
    put_be16(b, 0x0303);
    put_be16(b, n);
    while (n-- > 0) buf_u8(b, 0xab);
}

static void put_change(struct buf *b)
{
    put_records(b, 20, bytes_of("\x01", 1), 1);
}

static void put_message(struct buf *b, uint8_t type, bytes body)
{
    buf_u8(b, type);
    put_be24(b, body.n);
    buf_put(b, body);
}

// One cipher suite, no extensions.
static void put_client_hello(struct buf *b, unsigned version)
{
    uint8_t memory[64];
    struct buf body = buf_on(memory, sizeof memory);
    put_be16(&body, version);
    put_zeros(&body, 32);
    put_hex(&body, "000002002f0100");
    put_message(b, 1, buf_bytes(&body));
}

static void put_server_hello(struct buf *b, unsigned version)
{
    uint8_t memory[64];
    struct buf body = buf_on(memory, sizeof memory);
    put_be16(&body, version);
    put_zeros(&body, 32);
    put_hex(&body, "00002f00");
    put_message(b, 2, buf_bytes(&body));
}

static void put_certificate(struct buf *b, const char *hex)
{
    put_be24(b, strlen(hex) / 2);
    put_hex(b, hex);
}

// ServerHello, Certificate, ServerHelloDone.
static void put_flight(struct buf *b)
{
    uint8_t memory[4096], list[4096];
    struct buf chain = buf_on(list, sizeof list), body = buf_on(memory, sizeof memory);
    put_certificate(&chain, CERTIFICATE_LEAF);
    put_certificate(&chain, CERTIFICATE_CA);
    put_be24(&body, chain.n);
    buf_put(&body, buf_bytes(&chain));
    put_server_hello(b, 0x0303);
    put_message(b, 11, buf_bytes(&body));
    put_message(b, 14, bytes_of(NULL, 0));
}

struct script {
    struct harness_step steps[STEPS_MAX];
    size_t count;
    uint8_t memory[200000];
    struct buf room;
};

static struct script *script_new(void)
{
    static struct script script;
    script.count = 0;
    script.room = buf_on(script.memory, sizeof script.memory);
    return &script;
}

// What was put into the script's room since the last call, as one step.
static void script_say(struct script *s, uint8_t side)
{
    bytes all = buf_bytes(&s->room);
    assert_false(s->room.full);
    s->steps[s->count++] = (struct harness_step){.what = HARNESS_DATA, .side = side, .data = all};
    s->room = buf_on(s->room.p + all.n, s->room.size - all.n);
}

static void script_gap(struct script *s, uint8_t side, uint64_t length)
{
    s->steps[s->count++] =
        (struct harness_step){.what = HARNESS_GAP, .side = side, .length = length};
}

static void script_hellos(struct script *s)
{
    uint8_t memory[64];
    struct buf message = buf_on(memory, sizeof memory);
    put_client_hello(&message, 0x0303);
    put_records(&s->room, 22, buf_bytes(&message), 16384);
    script_say(s, CLIENT);
    message = buf_on(memory, sizeof memory);
    put_server_hello(&message, 0x0303);
    put_records(&s->room, 22, buf_bytes(&message), 16384);
    script_say(s, SERVER);
}

static struct harness *script_play(struct script *s)
{
    memory_free(harness_play_cuts(&tls_dissector, s->steps, s->count));
    return play(s->steps, s->count);
}

static size_t last_index(const struct harness *h)
{
    assert_true(harness_count(h) > 0);
    return harness_count(h) - 1;
}

// ---- messages and records -----------------------------------------------------------------------

static void messages_span_records(void **state)
{
    (void)state;
    static const size_t SIZES[] = {1, 3, 4, 5, 50, 16384};
    for (size_t i = 0; i < COUNT(SIZES); i++) {
        uint8_t memory[4096];
        struct buf flight = buf_on(memory, sizeof memory);
        struct script *s = script_new();
        put_flight(&flight);
        put_records(&s->room, 22, buf_bytes(&flight), SIZES[i]);
        script_say(s, SERVER);
        bool in_all_ways = SIZES[i] == 4 || SIZES[i] == 50;
        struct harness *h = in_all_ways ? script_play(s) : play(s->steps, s->count);
        assert_int_equal(harness_count_of(h, "anomaly"), 0);
        assert_int_equal(harness_count_of(h, "x509"), 2);
        assert_value(h, 1, "serial", "C0FFEE");
        assert_value(h, last_index(h), "ssl_history", "sxn");
        harness_destroy(h);
    }
}

static void message_longer_than_a_view(void **state)
{
    (void)state;
    struct script *s = script_new();
    static uint8_t memory[80000];
    struct buf message = buf_on(memory, sizeof memory);
    script_hellos(s);
    static uint8_t body[70000];
    put_message(&message, 11, bytes_of(body, sizeof body));
    put_message(&message, 14, bytes_of(NULL, 0));
    put_records(&s->room, 22, buf_bytes(&message), 16384);
    script_say(s, SERVER);
    struct harness *h = script_play(s);
    assert_int_equal(harness_count(h), 2);
    assert_non_null(strstr(harness_line(h, 0), "tls_message_too_long"));
    assert_value(h, 1, "ssl_history", "Csn");
    assert_value(h, 1, "server_records", "6");
    harness_destroy(h);
}

static void message_interrupted(void **state)
{
    (void)state;
    struct script *s = script_new();
    script_hellos(s);
    put_records(&s->room, 22, bytes_of("\x0b\x00\x01\x00zz", 6), 16384);
    put_records(&s->room, 21, bytes_of("\x02\x28", 2), 16384);
    script_say(s, SERVER);
    struct harness *h = script_play(s);
    assert_non_null(strstr(harness_line(h, 0), "tls_message_interrupted"));
    assert_value(h, 1, "ssl_history", "Csl");
    assert_value(h, 1, "last_alert", "handshake_failure");
    assert_value(h, 1, "established", "false");
    harness_destroy(h);
}

static void heartbeat_asks_for_more_than_it_sent(void **state)
{
    (void)state;
    struct script *s = script_new();
    script_hellos(s);
    put_records(&s->room, 24, bytes_of("\x01\x40\x00", 3), 16384);
    script_say(s, CLIENT);
    struct harness *h = script_play(s);
    assert_non_null(strstr(harness_line(h, 0), "tls_heartbeat_overread"));
    assert_value(h, 1, "ssl_history", "CsB");
    harness_destroy(h);
}

static void broken_records_end_a_direction(void **state)
{
    (void)state;
    static const struct {
        const char *hex, *name;
    } CASES[] = {
        {"1603034801", "tls_record_length"},
        {"2603030010", "tls_content_type"},
        {"1704030010", "tls_record_version"},
        {"160303000463000000", "tls_handshake_type"},
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct script *s = script_new();
        script_hellos(s);
        put_hex(&s->room, CASES[i].hex);
        script_say(s, CLIENT);
        struct harness *h = script_play(s);
        assert_int_equal(harness_count(h), 2);
        assert_non_null(strstr(harness_line(h, 0), CASES[i].name));
        harness_destroy(h);
    }
}

static void certificate_that_is_none(void **state)
{
    (void)state;
    struct script *s = script_new();
    script_hellos(s);
    put_records(&s->room, 22, bytes_of("\x0b\0\0\x08\0\0\x05\0\0\x02zz", 12), 16384);
    script_say(s, SERVER);
    struct harness *h = script_play(s);
    assert_non_null(strstr(harness_line(h, 0), "x509_unreadable"));
    assert_value(h, 1, "sha1", "d7dacae2c968388960bf8970080a980ed5c5dcb7");
    assert_value(h, 2, "cert_count", "1");
    harness_destroy(h);
}

// The client refuses the server's certificate: its alert is encrypted, but too short to be the end
// of a handshake.
static void encrypted_alert_is_no_end(void **state)
{
    (void)state;
    static const size_t SIZES[] = {19, 53};
    for (size_t i = 0; i < COUNT(SIZES); i++) {
        struct script *s = script_new();
        script_hellos(s);
        // The same ServerHello with supported_versions.
        s->room = buf_on(s->memory + 1000, sizeof s->memory - 1000);
        put_hex(&s->room, "1603030032"
                          "0200002e0303");
        put_zeros(&s->room, 32);
        put_hex(&s->room, "00130100"
                          "0006002b00020304");
        put_change(&s->room);
        put_sealed(&s->room, 23, 1000);
        s->count = 1;
        script_say(s, SERVER);
        put_change(&s->room);
        put_sealed(&s->room, 23, SIZES[i]);
        script_say(s, CLIENT);
        struct harness *h = script_play(s);
        assert_int_equal(harness_count(h), 1);
        assert_value(h, 0, "version", "TLSv13");
        assert_value(h, 0, "cipher", "TLS_AES_128_GCM_SHA256");
        assert_value(h, 0, "ssl_history", "CsiI");
        assert_value(h, 0, "established", i == 0 ? "false" : "true");
        harness_destroy(h);
    }
}

// However much a client lists, there is room left for what is learnt later.
static void hello_with_everything(void **state)
{
    (void)state;
    struct script *s = script_new();
    static uint8_t memory[60000], list[60000];
    struct buf body = buf_on(memory, sizeof memory), extensions = buf_on(list, sizeof list);
    put_be16(&extensions, 0); // a server name of 20000 bytes
    put_be16(&extensions, 20005);
    put_be16(&extensions, 20003);
    buf_u8(&extensions, 0);
    put_be16(&extensions, 20000);
    put_zeros(&extensions, 20000);
    put_be16(&extensions, 16); // 10000 protocols
    put_be16(&extensions, 20002);
    put_be16(&extensions, 20000);
    for (unsigned i = 0; i < 10000; i++) put_be16(&extensions, 0x0101);
    for (unsigned i = 0; i < 1000; i++) put_be24(&extensions, 0xff0000), buf_u8(&extensions, 0);
    put_be16(&body, 0x0303);
    put_zeros(&body, 33);
    put_be16(&body, 10000);
    put_zeros(&body, 10000);
    put_be16(&body, 0x0100);
    put_be16(&body, extensions.n);
    buf_put(&body, buf_bytes(&extensions));
    static uint8_t whole[60000];
    struct buf message = buf_on(whole, sizeof whole);
    put_message(&message, 1, buf_bytes(&body));
    put_records(&s->room, 22, buf_bytes(&message), 16384);
    script_say(s, CLIENT);
    message = buf_on(whole, sizeof whole);
    put_flight(&message);
    put_records(&s->room, 22, buf_bytes(&message), 16384);
    script_say(s, SERVER);
    struct harness *h = play(s->steps, s->count);
    assert_value(h, 2, "version", "TLSv12");
    assert_value(h, 2, "ssl_history", "Csxn");
    assert_value(h, 2, "cert_count", "2");
    assert_value(h, 2, "server_records", "1");
    assert_value(h, 2, "ja4", NULL);
    harness_destroy(h);
}

// ---- what is missing ----------------------------------------------------------------------------

static void one_direction_only(void **state)
{
    (void)state;
    struct script *s = script_new();
    uint8_t memory[64];
    struct buf message = buf_on(memory, sizeof memory);
    put_client_hello(&message, 0x0303);
    put_records(&s->room, 22, buf_bytes(&message), 16384);
    put_change(&s->room);
    put_sealed(&s->room, 22, 40);
    put_sealed(&s->room, 23, 300);
    script_say(s, CLIENT);
    struct harness *h = script_play(s);
    assert_int_equal(harness_count(h), 1);
    assert_value(h, 0, "ssl_history", "CI");
    assert_value(h, 0, "version", NULL);
    assert_value(h, 0, "established", "false");
    assert_value(h, 0, "client_app_bytes", "300");
    harness_destroy(h);
}

static void begun_in_the_middle(void **state)
{
    (void)state;
    struct script *s = script_new();
    put_sealed(&s->room, 23, 100);
    put_sealed(&s->room, 23, 0);
    script_say(s, CLIENT);
    put_sealed(&s->room, 23, 16384 + 2048);
    put_sealed(&s->room, 21, 30);
    script_say(s, SERVER);
    struct harness *h = script_play(s);
    assert_int_equal(harness_count(h), 1);
    assert_value(h, 0, "version", "TLSv12");
    assert_value(h, 0, "established", "true");
    assert_value(h, 0, "ssl_history", "Dd");
    assert_value(h, 0, "server_app_bytes", "18432");
    assert_value(h, 0, "server_records", "2");
    harness_destroy(h);
}

// A gap in a record that is skipped is not even noticed; behind one elsewhere the next record is
// found.
static void gaps_in_data(void **state)
{
    (void)state;
    struct script *s = script_new();
    script_hellos(s);
    put_hex(&s->room, "17030303e8");
    script_say(s, SERVER);
    script_gap(s, SERVER, 1000);
    put_sealed(&s->room, 23, 200);
    put_hex(&s->room, "1703"); // the header breaks off
    script_say(s, SERVER);
    script_gap(s, SERVER, 500);
    put_zeros(&s->room, 100);
    put_sealed(&s->room, 23, 50);
    put_sealed(&s->room, 23, 60);
    script_say(s, SERVER);
    struct harness *h = script_play(s);
    assert_int_equal(harness_count(h), 1);
    assert_value(h, 0, "server_app_bytes", "1310");
    harness_destroy(h);
}

static void gap_in_the_handshake(void **state)
{
    (void)state;
    struct script *s = script_new();
    script_hellos(s);
    put_hex(&s->room, "16030301000b0000fc0000f9");
    script_say(s, SERVER);
    script_gap(s, SERVER, 244);
    put_records(&s->room, 22, bytes_of("\x0e\0\0\0", 4), 4);
    put_change(&s->room);
    put_sealed(&s->room, 22, 40);
    script_say(s, SERVER);
    struct harness *h = script_play(s);
    assert_int_equal(harness_count(h), 1);
    assert_value(h, 0, "ssl_history", "Csni");
    harness_destroy(h);
}

// One side's first bytes belong to what came before TLS, here the answer of a database.
static void other_bytes_come_first(void **state)
{
    (void)state;
    struct script *s = script_new();
    uint8_t memory[4096];
    struct buf message = buf_on(memory, sizeof memory);
    script_hellos(s);
    s->count = 1;
    buf_u8(&s->room, 'S');
    put_flight(&message);
    put_records(&s->room, 22, buf_bytes(&message), 500);
    script_say(s, SERVER);
    struct harness *h = script_play(s);
    assert_non_null(strstr(harness_line(h, 0), "tls_content_type"));
    assert_int_equal(harness_count_of(h, "x509"), 2);
    assert_value(h, last_index(h), "ssl_history", "Csxn");
    harness_destroy(h);
}

static void server_is_seen_first(void **state)
{
    (void)state;
    struct script *s = script_new();
    uint8_t memory[4096];
    struct buf message = buf_on(memory, sizeof memory);
    put_flight(&message);
    put_records(&s->room, 22, buf_bytes(&message), 16384);
    script_say(s, 0);
    struct harness *h = script_play(s);
    assert_int_equal(harness_count_of(h, "client"), 1);
    assert_value(h, last_index(h), "ssl_history", "sxn");
    assert_value(h, last_index(h), "cert_count", "2");
    harness_destroy(h);
}

// ---- SSL 2.0 and 3.0 ----------------------------------------------------------------------------

static void put_ssl2_client_hello(struct buf *b, unsigned version)
{
    put_hex(b, "802801");
    put_be16(b, version);
    put_hex(b, "000f00000010"
               "010080"
               "0700c0"
               "00002f"
               "000005"
               "0000ff");
    put_zeros(b, 16);
}

static void ssl2_hello_to_a_later_server(void **state)
{
    (void)state;
    struct script *s = script_new();
    uint8_t memory[4096];
    struct buf message = buf_on(memory, sizeof memory);
    put_ssl2_client_hello(&s->room, 0x0301);
    script_say(s, CLIENT);
    put_flight(&message);
    put_records(&s->room, 22, buf_bytes(&message), 16384);
    script_say(s, SERVER);
    struct harness *h = script_play(s);
    assert_value(h, 2, "client_version", "769");
    assert_value(h, 2, "version", "TLSv12");
    assert_value(h, 2, "client_ciphers", "[65664,458944,47,5,255]");
    assert_value(h, 2, "ssl_history", "Csxn");
    harness_destroy(h);
}

static void ssl2_throughout(void **state)
{
    (void)state;
    struct script *s = script_new();
    size_t n = strlen(CERTIFICATE_RSA) / 2;
    put_ssl2_client_hello(&s->room, 0x0002);
    script_say(s, CLIENT);
    put_be16(&s->room, 0x8000 | (11 + n + 3 + 16));
    put_hex(&s->room, "0400010002");
    put_be16(&s->room, n);
    put_hex(&s->room, "00030010");
    put_hex(&s->room, CERTIFICATE_RSA);
    put_hex(&s->room, "010080");
    put_zeros(&s->room, 16);
    script_say(s, SERVER);
    put_hex(&s->room, "8010");
    put_zeros(&s->room, 16);
    put_hex(&s->room, "001003");
    put_zeros(&s->room, 16);
    script_say(s, CLIENT);
    struct harness *h = script_play(s);
    assert_int_equal(harness_count_of(h, "anomaly"), 0);
    assert_value(h, 0, "key_length", "1024");
    assert_value(h, 1, "version", "SSLv2");
    assert_value(h, 1, "cipher", "SSL_CK_RC4_128_WITH_MD5");
    assert_value(h, 1, "client_records", "3");
    harness_destroy(h);
}

static void ssl3(void **state)
{
    (void)state;
    struct script *s = script_new();
    uint8_t memory[64];
    struct buf message = buf_on(memory, sizeof memory);
    put_client_hello(&message, 0x0300);
    put_records(&s->room, 22, buf_bytes(&message), 16384);
    script_say(s, CLIENT);
    message = buf_on(memory, sizeof memory);
    put_server_hello(&message, 0x0300);
    put_records(&s->room, 22, buf_bytes(&message), 16384);
    script_say(s, SERVER);
    struct harness *h = script_play(s);
    assert_value(h, 0, "version", "SSLv3");
    assert_value(h, 0, "cipher", "TLS_RSA_WITH_AES_128_CBC_SHA");
    assert_value(h, 0, "resumed", "false");
    harness_destroy(h);
}

// ---- recognition --------------------------------------------------------------------------------

static void recognition(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        enum recognition expected;
    } CASES[] = {
        {"", RECOGNISE_MORE},
        {"1603", RECOGNISE_MORE},
        {"16030100c8010000c403", RECOGNISE_YES},
        {"160303004a0200004603", RECOGNISE_YES},
        {"16030300520200004e7f", RECOGNISE_YES},  // a draft of TLS 1.3
        {"16030300c80b0000c400", RECOGNISE_PORT}, // begun behind the hello
        {"16030100c8630000c403", RECOGNISE_NO},   // no such message
        {"16030100c8010000c405", RECOGNISE_NO},   // no such version
        {"16030148010100000000", RECOGNISE_NO},   // too long
        {"16040100c8010000c403", RECOGNISE_NO},
        {"1703030001aa"
         "1703030001aa"
         "1703030001aa",
         RECOGNISE_YES},
        {"1703030001aa"
         "1703030001aa",
         RECOGNISE_MORE},
        {"1703030001aa"
         "474554",
         RECOGNISE_MORE},
        {"1703030001aa"
         "474554202f",
         RECOGNISE_NO},
        {"802801000200"
         "0f00000010",
         RECOGNISE_YES},
        {"802801000200"
         "0f00000011",
         RECOGNISE_NO}, // the lengths do not add up
        {"474554202f20485454502f312e310d0a", RECOGNISE_NO},
        {"5353482d322e302d", RECOGNISE_NO},
        {"00000000000000000000", RECOGNISE_NO},
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        uint8_t memory[64];
        struct buf b = buf_on(memory, sizeof memory);
        put_hex(&b, CASES[i].hex);
        assert_int_equal(harness_recognise(&tls_dissector, TRANSPORT_TCP, buf_bytes(&b)),
                         CASES[i].expected);
    }
}

static void not_tls(void **state)
{
    (void)state;
    struct harness *h = harness_create(&tls_dissector, TRANSPORT_TCP);
    harness_stream(h, 0, bytes_text("GET / HTTP/1.1\r\n"));
    assert_true(harness_not_mine(h));
    harness_end(h);
    assert_int_equal(harness_count(h), 0);
    harness_destroy(h);
}

// Whatever stands in the bytes, nothing is read beyond them, and one row comes out at most.
static void damage(void **state)
{
    (void)state;
    struct harness_step steps[STEPS_MAX];
    static const uint8_t VALUES[] = {0x00, 0x16, 0xff};
    steps_of(steps, TLS_1_2_FULL, COUNT(TLS_1_2_FULL));
    size_t total = 0;
    for (size_t i = 0; i < COUNT(TLS_1_2_FULL); i++) total += steps[i].data.n;
    for (size_t i = 0; i < total; i += 3) {
        uint8_t before = arena[i];
        arena[i] = VALUES[i / 3 % COUNT(VALUES)];
        struct harness *h = play(steps, COUNT(TLS_1_2_FULL));
        assert_true(harness_count_of(h, "tls") <= 1);
        harness_destroy(h);
        arena[i] = before;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full_handshake_of_tls_1_2),
        cmocka_unit_test(resumed_session_of_tls_1_2),
        cmocka_unit_test(retry_of_tls_1_3),
        cmocka_unit_test(resumed_session_of_tls_1_3),
        cmocka_unit_test(messages_span_records),
        cmocka_unit_test(message_longer_than_a_view),
        cmocka_unit_test(message_interrupted),
        cmocka_unit_test(heartbeat_asks_for_more_than_it_sent),
        cmocka_unit_test(broken_records_end_a_direction),
        cmocka_unit_test(certificate_that_is_none),
        cmocka_unit_test(encrypted_alert_is_no_end),
        cmocka_unit_test(hello_with_everything),
        cmocka_unit_test(one_direction_only),
        cmocka_unit_test(begun_in_the_middle),
        cmocka_unit_test(gaps_in_data),
        cmocka_unit_test(gap_in_the_handshake),
        cmocka_unit_test(other_bytes_come_first),
        cmocka_unit_test(server_is_seen_first),
        cmocka_unit_test(ssl2_hello_to_a_later_server),
        cmocka_unit_test(ssl2_throughout),
        cmocka_unit_test(ssl3),
        cmocka_unit_test(recognition),
        cmocka_unit_test(not_tls),
        cmocka_unit_test(damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
