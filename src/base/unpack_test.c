// Blocks of every form, whole, cut, and with bits that are not theirs.
#include "base/unpack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <bzlib.h>
#include <cmocka.h>
#include <lz4.h>
#include <zstd.h>

#include "base/random.h"

enum { PLAIN = 5000, ROOM = 8192, CHANGES = 3000 };

static void plain_fill(uint8_t plain[PLAIN])
{
    for (unsigned i = 0; i < PLAIN; i++) plain[i] = (uint8_t)(i % 97 < 50 ? i % 7 : i / 13);
}

static size_t packed_of(enum unpack_form form, const uint8_t *plain, uint8_t *packed)
{
    unsigned n = ROOM;
    if (form == UNPACK_LZ4)
        return (size_t)LZ4_compress_default((const char *)plain, (char *)packed, PLAIN, ROOM);
    if (form == UNPACK_ZSTD) return ZSTD_compress(packed, ROOM, plain, PLAIN, 3);
    if (form == UNPACK_BZ2) {
        uint8_t copy[PLAIN];
        memcpy(copy, plain, PLAIN);
        BZ2_bzBuffToBuffCompress((char *)packed, &n, (char *)copy, PLAIN, 1, 0, 0);
        return n;
    }
    memcpy(packed, plain, PLAIN);
    return PLAIN;
}

static void what_was_packed_comes_out(void **state)
{
    static const enum unpack_form forms[] = {UNPACK_NONE, UNPACK_BZ2, UNPACK_LZ4, UNPACK_ZSTD};
    uint8_t plain[PLAIN], packed[ROOM], out[PLAIN];
    (void)state;
    plain_fill(plain);
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        size_t n = packed_of(forms[i], plain, packed), written;
        assert_true(unpack(forms[i], bytes_of(packed, n), out, PLAIN, &written));
        assert_int_equal(written, PLAIN);
        assert_memory_equal(out, plain, PLAIN);
        assert_false(unpack(forms[i], bytes_of(packed, n), out, PLAIN - 1, &written));
        assert_true(!unpack(forms[i], bytes_of(packed, n - 1), out, PLAIN, &written) ||
                    written < PLAIN);
    }
}

struct lzo_case {
    const char *packed;
    size_t n;
    const char *plain;
};

// By hand: a run at the start, near and far matches, what overlaps, long lengths, the end.
static const struct lzo_case lzo_cases[] = {
    {"\x15"
     "abcd"
     "\x11\0\0",
     8, "abcd"},
    {"\x02"
     "hello"
     "\x11\0\0",
     9, "hello"},
    {"\x15"
     "abcd"
     "\x6c\0\x11\0\0",
     10, "abcdabcd"}, // four from four back
    {"\x12"
     "a"
     "\x80\0"
     "\x11\0\0",
     7, "aaaaaa"}, // five from one back
    {"\x14"
     "abc"
     "\x48\0"
     "\x11\0\0",
     9, "abcabc"}, // three from three back
    {"\x15"
     "abcd"
     "\x23\x0c\0"
     "\x11\0\0",
     11, "abcdabcda"}, // five from four back, near
    {"\x15"
     "abcd"
     "\x6d\0"
     "x"
     "\x11\0\0",
     11, "abcdabcdx"}, // with a byte behind it
    {"\0\x01"
     "0123456789abcdefghi"
     "\x11\0\0",
     24, "0123456789abcdefghi"},
    {"\x12"
     "a"
     "\x20\x02\0\0"
     "\x11\0\0",
     9, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
};

static void lzo_is_unpacked(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lzo_cases / sizeof *lzo_cases; i++) {
        const struct lzo_case *c = &lzo_cases[i];
        uint8_t out[64];
        size_t written, n = strlen(c->plain);
        assert_true(unpack(UNPACK_LZO, bytes_of(c->packed, c->n), out, sizeof out, &written));
        assert_int_equal(written, n);
        assert_memory_equal(out, c->plain, n);
        assert_false(unpack(UNPACK_LZO, bytes_of(c->packed, c->n), out, n - 1, &written));
        for (size_t k = 0; k < c->n; k++)
            assert_false(unpack(UNPACK_LZO, bytes_of(c->packed, k), out, sizeof out, &written));
    }
}

static void nothing_leaves_its_room(void **state)
{
    uint8_t plain[PLAIN], packed[ROOM], out[PLAIN + 1];
    uint64_t seed = 7;
    (void)state;
    plain_fill(plain);
    for (unsigned i = 0; i < CHANGES; i++) {
        enum unpack_form form = (enum unpack_form)(i % UNPACK_COUNT);
        size_t n = form == UNPACK_LZO ? 64 : packed_of(form, plain, packed), written;
        for (unsigned k = 0; form == UNPACK_LZO && k < n; k++)
            packed[k] = (uint8_t)random_below(&seed, 256);
        packed[random_below(&seed, n)] ^= (uint8_t)(1u << random_below(&seed, 8));
        out[PLAIN] = 0x5a;
        unpack(form, bytes_of(packed, n), out, PLAIN, &written);
        assert_true(written <= PLAIN);
        assert_int_equal(out[PLAIN], 0x5a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_packed_comes_out),
        cmocka_unit_test(lzo_is_unpacked),
        cmocka_unit_test(nothing_leaves_its_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
