// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

#include "base/memory.h"
#include "dissect/dns_rdata.h"

// Bytes of a literal, with the zeros in it.
#define LITERAL(text)                                                                              \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1                                                  \
    }

// A message that names point into: "example.org" at 12, a loop of two pointers at 25, pointers out
// of it at 29.
static const uint8_t MESSAGE[] =
    "\0\0\0\0\0\0\0\0\0\0\0\0\007example\003org\0\xc0\x1b\xc0\x19\xc1\x00";
static const bytes IN_MESSAGE = {MESSAGE, sizeof MESSAGE - 1};

// ---- names --------------------------------------------------------------------------------------

static void names(void **state)
{
    (void)state;
    static const struct {
        bytes wire;
        enum dns_fault fault;
        const char *text;
        size_t left; // bytes behind the name
    } CASES[] = {
        {LITERAL("\0rest"), DNS_FINE, ".", 4},
        {LITERAL("\003WwW\xc0\x0c!"), DNS_FINE, "WwW.example.org", 1},
        {LITERAL("\xc0\x14"), DNS_FINE, "org", 0},
        {LITERAL("\005a.b\\c\0"), DNS_FINE, "a\\.b\\\\c", 0},
        {LITERAL("\004\x01 \x7f\x09\0"), DNS_FINE, "\\001 \\127\\009", 0},
        {LITERAL("\006B\xc3\xbcro!\0"), DNS_FINE, "B\xc3\xbcro!", 0},
        {LITERAL("\003\xff\xc3z\0"), DNS_FINE, "\\255\\195z", 0},
        {LITERAL("\001a\xc0\x19-"), DNS_POINTER_LOOP, "a", 1},
        {LITERAL("\001a\xc0\x1d-"), DNS_POINTER_BEYOND, "a", 1},
        {LITERAL("\001a\xff\xff-"), DNS_POINTER_BEYOND, "a", 1},
        {LITERAL("\001a\x40-"), DNS_LABEL_INVALID, "a", 1},
        {LITERAL("\003ab"), DNS_SHORT, "", 0},
        {LITERAL("\003abc"), DNS_SHORT, "abc", 0},
        {LITERAL("\003abc\xc0"), DNS_SHORT, "abc", 0},
        {LITERAL(""), DNS_SHORT, "", 0},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct reader r = reader_of(CASES[i].wire);
        struct dns_name name;
        assert_int_equal(dns_name_read(IN_MESSAGE, &r, &name), CASES[i].fault);
        assert_int_equal(name.n, strlen(CASES[i].text));
        assert_memory_equal(name.text, CASES[i].text, name.n);
        assert_int_equal(reader_left(&r), CASES[i].left);
        bool lost = CASES[i].fault == DNS_SHORT || CASES[i].fault == DNS_LABEL_INVALID;
        assert_int_equal(r.bad, lost);
    }
}

// Names of 255 bytes are the longest; what is longer is cut, and its end is found all the same.
static void name_lengths(void **state)
{
    (void)state;
    uint8_t wire[4 * 64 + 2 + 4] = {0};
    for (size_t i = 0; i < 4; i++) {
        wire[64 * i] = 63;
        memset(wire + 64 * i + 1, 1, 63); // each byte takes four characters
    }
    wire[3 * 64] = 61;
    struct reader r = reader_of(bytes_of(wire, 255));
    wire[3 * 64 + 62] = 0;
    struct dns_name name;
    assert_int_equal(dns_name_read(IN_MESSAGE, &r, &name), DNS_FINE);
    assert_int_equal(name.n, 4 * (3 * 63 + 61) + 3);
    assert_int_equal(reader_left(&r), 0);

    wire[3 * 64] = 63;
    wire[3 * 64 + 62] = 1;
    r = reader_of(bytes_of(wire, sizeof wire));
    assert_int_equal(dns_name_read(IN_MESSAGE, &r, &name), DNS_NAME_LONG);
    assert_int_equal(name.n, 4 * 3 * 63 + 2);
    assert_int_equal(reader_left(&r), 5);
    assert_false(r.bad);
}

// A chain of pointers that is no loop ends at a limit; through labels it ends at the length of
// names.
static void pointer_chains(void **state)
{
    (void)state;
    uint8_t wire[2 * 300 + 1] = {0};
    for (size_t i = 0; i < 300; i++) {
        wire[2 * i] = (uint8_t)(0xc0 | (2 * i + 2) >> 8);
        wire[2 * i + 1] = (uint8_t)(2 * i + 2);
    }
    struct dns_name name;
    struct reader r = reader_of(bytes_of(wire, sizeof wire));
    assert_int_equal(dns_name_read(bytes_of(wire, sizeof wire), &r, &name), DNS_POINTER_LOOP);
    assert_false(r.bad);
    r = reader_of(bytes_after(bytes_of(wire, sizeof wire), 2 * 200));
    assert_int_equal(dns_name_read(bytes_of(wire, sizeof wire), &r, &name), DNS_FINE);

    static const uint8_t SELF[] = "\001a\xc0\x00";
    r = reader_of(bytes_of(SELF, 4));
    assert_int_equal(dns_name_read(bytes_of(SELF, 4), &r, &name), DNS_POINTER_LOOP);
    assert_memory_equal(name.text, "a.a", name.n);
}

// ---- data ---------------------------------------------------------------------------------------

static const struct {
    uint16_t type;
    bytes data;
    const char *text;
} TYPES[] = {
    {1, LITERAL("\xc0\x00\x02\x01"), "192.0.2.1"},
    {28, LITERAL("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"), "2001:db8::1"},
    {2, LITERAL("\003ns1\xc0\x0c"), "ns1.example.org"},
    {5, LITERAL("\xc0\x0c"), "example.org"},
    {12, LITERAL("\004host\xc0\x0c"), "host.example.org"},
    {39, LITERAL("\0"), "."},
    {6,
     LITERAL("\002ns\xc0\x0c\001a\xc0\x0c\x78\xb9\x34\x51\0\0\x1c\x20\0\0\x0e\x10\0\x12\x75\0\0\0"
             "\x02\x58"),
     "ns.example.org a.example.org 2025403473 7200 3600 1209600 600"},
    {15, LITERAL("\0\x0a\004mail\xc0\x0c"), "10 mail.example.org"},
    {16, LITERAL("\013v=spf1 -all"), "v=spf1 -all"},
    {16, LITERAL("\003a\"b\002\\c\0"), "\"a\\\"b\" \"\\\\c\" \"\""},
    {16, LITERAL("\0"), ""},
    {99, LITERAL("\002ok"), "ok"},
    {13, LITERAL("\003CPU\002OS"), "\"CPU\" \"OS\""},
    {17, LITERAL("\001a\xc0\x0c\0"), "a.example.org ."},
    {33, LITERAL("\0\x01\0\x02\x14\x46\003sip\xc0\x0c"), "1 2 5190 sip.example.org"},
    {29, LITERAL("\0\x12\x16\x13\x89\x17\x2d\xd0\x70\xbe\x15\xf0\0\x98\x8d\x20"),
     "42 21 54.000 N 71 6 18.000 W -24.00m 1.00m 10000.00m 10.00m"},
    {35, LITERAL("\0\x64\0\x0a\001s\007SIP+D2U\0\004_sip\xc0\x0c"),
     "100 10 \"s\" \"SIP+D2U\" \"\" _sip.example.org"},
    {37, LITERAL("\0\x01\0\x02\x05\xff\xfe"), "1 2 5 //4="},
    {43, LITERAL("\xec\x45\x05\x01\xab\xcd"), "60485 5 1 abcd"},
    {44, LITERAL("\x01\x02\x0f"), "1 2 0f"},
    {46,
     LITERAL(
         "\0\x01\x08\x02\0\0\x0e\x10\x65\x92\0\x80\x65\x69\xbe\0\x30\x39\xc0\x0c\x01\x02\x03\x04"),
     "A 8 2 3600 20240101000000 20231201110536 12345 example.org AQIDBA=="},
    {47, LITERAL("\001b\xc0\x0c\0\x06\x40\x01\0\0\0\x03\x01\x01\x80"),
     "b.example.org A MX RRSIG NSEC URI"},
    {47, LITERAL("\0"), "."},
    {48, LITERAL("\x01\x01\x03\x08\x03\x01\0\x01"), "257 3 8 AwEAAQ=="},
    {50, LITERAL("\x01\x01\0\x0a\x02\xab\xcd\x05\0\x44\x32\x14\xc7\0\x01\x40"),
     "1 1 10 abcd 01234567 A"},
    {50, LITERAL("\x01\0\0\0\0\x02\xff\xff"), "1 0 0 - vvvg"},
    {51, LITERAL("\x01\0\0\x05\0"), "1 0 5 -"},
    {52, LITERAL("\x03\x01\x01\xde\xad"), "3 1 1 dead"},
    {62, LITERAL("\0\0\0\x01\0\x03\0\x01\x40"), "1 3 A"},
    {64, LITERAL("\0\0\003svc\xc0\x0c"), "0 svc.example.org"},
    {65,
     LITERAL("\0\x01\0\0\x01\0\x06\002h3\002h2\0\x03\0\x02\x20\xfb\0\x04\0\x08\xc0\0\x02\x01\xc0\0"
             "\x02\x02\0\x05"
             "\0\x02\x01\x02\0\x06\0\x10\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"),
     "1 . alpn=h3,h2 port=8443 ipv4hint=192.0.2.1,192.0.2.2 ech=AQI= ipv6hint=2001:db8::1"},
    {65, LITERAL("\0\x01\0\0\0\0\x04\0\x01\0\x63\0\x02\0\0\0\x07\0\x02/q\0\x63\0\x01x"),
     "1 . mandatory=alpn,key99 no-default-alpn dohpath=\"/q\" key99=\"x\""},
    {108, LITERAL("\0\0\x5e\0\x53\x2a"), "00-00-5e-00-53-2a"},
    {256,
     LITERAL("\0\x0a\0\x01"
             "ftp://x/"),
     "10 1 \"ftp://x/\""},
    {257, LITERAL("\0\005issueca.example.net"), "0 issue \"ca.example.net\""},
    {10, LITERAL("abc"), "\\# 3 616263"},
    {4711, LITERAL("\x01\x02"), "\\# 2 0102"},
    {1, LITERAL(""), ""},
};

static enum dns_fault text_of(uint16_t type, bytes data, struct buf *out)
{
    // In memory of its own, so that a sanitizer sees what is read beyond.
    uint8_t *copy = memory_get(data.n);
    if (data.n) memcpy(copy, data.p, data.n);
    enum dns_fault fault = dns_rdata_text(IN_MESSAGE, type, bytes_of(copy, data.n), out);
    memory_free(copy);
    return fault;
}

static void types(void **state)
{
    (void)state;
    uint8_t memory[512];
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++) {
        struct buf out = buf_on(memory, sizeof memory - 1);
        enum dns_fault fault = text_of(TYPES[i].type, TYPES[i].data, &out);
        memory[out.n] = '\0';
        assert_string_equal((char *)memory, TYPES[i].text);
        assert_int_equal(fault, DNS_FINE);
    }
}

// No data may be cut anywhere without either being understood still or being shown as bytes.
static void types_cut(void **state)
{
    (void)state;
    uint8_t memory[512];
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++) {
        for (size_t n = 1; n < TYPES[i].data.n; n++) {
            struct buf out = buf_on(memory, sizeof memory);
            enum dns_fault fault = text_of(TYPES[i].type, bytes_first(TYPES[i].data, n), &out);
            bool is_bytes = out.n > 3 && memcmp(memory, "\\# ", 3) == 0;
            if (fault == DNS_RDATA_INVALID) assert_true(is_bytes);
            for (size_t size = 0; size < out.n; size += 3) {
                struct buf small = buf_on(memory, size);
                text_of(TYPES[i].type, bytes_first(TYPES[i].data, n), &small);
                assert_true(small.full);
            }
        }
    }
}

static void data_that_does_not_fit(void **state)
{
    (void)state;
    static const struct {
        uint16_t type;
        bytes data;
        enum dns_fault fault;
        const char *text;
    } CASES[] = {
        {1, LITERAL("\x01\x02\x03"), DNS_RDATA_INVALID, "\\# 3 010203"},
        {1, LITERAL("\x01\x02\x03\x04\x05"), DNS_RDATA_INVALID, "\\# 5 0102030405"},
        {5, LITERAL("\xc0\x0c."), DNS_RDATA_INVALID, "\\# 3 c00c2e"},
        {5, LITERAL("\001a\xc0\x19"), DNS_POINTER_LOOP, "a"},
        {15, LITERAL("\0\x0a\xff\xff"), DNS_POINTER_BEYOND, "10"},
        {16, LITERAL("\004abc"), DNS_RDATA_INVALID, "\\# 4 04616263"},
        {47, LITERAL("\0\0\x21"), DNS_RDATA_INVALID, "\\# 3 000021"},
        {65, LITERAL("\0\x01\0\0\x03\0\x01\x20"), DNS_RDATA_INVALID, "\\# 8 0001000003000120"},
        {29, LITERAL("\x01\x12\x16\x13\x89\x17\x2d\xd0\x70\xbe\x15\xf0\0\x98\x8d\x20"),
         DNS_RDATA_INVALID, "\\# 16 0112161389172dd070be15f000988d20"},
    };
    uint8_t memory[256];
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct buf out = buf_on(memory, sizeof memory - 1);
        assert_int_equal(text_of(CASES[i].type, CASES[i].data, &out), CASES[i].fault);
        memory[out.n] = '\0';
        assert_string_equal((char *)memory, CASES[i].text);
    }
}

static void numbers_have_names(void **state)
{
    (void)state;
    assert_string_equal(dns_type_name(65).text, "HTTPS");
    assert_string_equal(dns_type_name(32769).text, "DLV");
    assert_string_equal(dns_type_name(65535).text, "TYPE65535");
    assert_string_equal(dns_class_name(3).text, "CH");
    assert_string_equal(dns_class_name(65535).text, "CLASS65535");
    assert_string_equal(dns_opcode_name(5).text, "UPDATE");
    assert_string_equal(dns_opcode_name(3).text, "OPCODE3");
    assert_string_equal(dns_rcode_name(3).text, "NXDOMAIN");
    assert_string_equal(dns_rcode_name(12).text, "RCODE12");
    assert_string_equal(dns_rcode_name(4095).text, "RCODE4095");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(name_lengths),
        cmocka_unit_test(pointer_chains),
        cmocka_unit_test(types),
        cmocka_unit_test(types_cut),
        cmocka_unit_test(data_that_does_not_fit),
        cmocka_unit_test(numbers_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
