#include "base/decompress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <brotli/encode.h>
#include <lz4frame.h>
#define ZLIB_CONST // input is not written to
#include <zlib.h>
#include <zstd.h>

#include "base/memory.h"
#include "base/random.h"

enum { PACKED_MAX = (1 << 20) + 65536, RAW = -MAX_WBITS, ZLIB = MAX_WBITS, GZIP = MAX_WBITS + 16 };

struct packed {
    uint8_t p[PACKED_MAX];
    size_t n;
};

static void pack_zlib(struct packed *to, bytes plain, int window_bits)
{
    z_stream z = {.next_in = plain.p, .avail_in = (uInt)plain.n};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_out = to->p + to->n;
    z.avail_out = (uInt)(PACKED_MAX - to->n);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    to->n = PACKED_MAX - z.avail_out;
    deflateEnd(&z);
}

static void pack_brotli(struct packed *to, bytes plain)
{
    size_t n = PACKED_MAX - to->n;
    assert_true(
        BrotliEncoderCompress(5, 22, BROTLI_MODE_GENERIC, plain.n, plain.p, &n, to->p + to->n));
    to->n += n;
}

static void pack_zstd(struct packed *to, bytes plain)
{
    size_t n = ZSTD_compress(to->p + to->n, PACKED_MAX - to->n, plain.p, plain.n, 3);
    assert_false(ZSTD_isError(n));
    to->n += n;
}

static void pack_lz4(struct packed *to, bytes plain)
{
    LZ4F_preferences_t preferences = {
        .frameInfo = {.blockMode = LZ4F_blockLinked,
                      .contentChecksumFlag = LZ4F_contentChecksumEnabled}};
    size_t n =
        LZ4F_compressFrame(to->p + to->n, PACKED_MAX - to->n, plain.p, plain.n, &preferences);
    assert_false(LZ4F_isError(n));
    to->n += n;
}

static const struct {
    const char *name;
    enum compression compression;
    int window_bits;
    bool has_members;
} forms[] = {
    {"gzip", COMPRESSION_GZIP, GZIP, true},
    {"zlib", COMPRESSION_DEFLATE, ZLIB, false},
    {"raw deflate", COMPRESSION_DEFLATE, RAW, false},
    {"brotli", COMPRESSION_BROTLI, 0, false},
    {"zstd", COMPRESSION_ZSTD, 0, true},
    {"lz4", COMPRESSION_LZ4, 0, true},
};
enum { FORMS = sizeof forms / sizeof forms[0] };

static void pack(struct packed *to, int form, bytes plain)
{
    if (forms[form].window_bits) pack_zlib(to, plain, forms[form].window_bits);
    else if (forms[form].compression == COMPRESSION_BROTLI) pack_brotli(to, plain);
    else if (forms[form].compression == COMPRESSION_ZSTD) pack_zstd(to, plain);
    else pack_lz4(to, plain);
}

// Gives one piece and takes what comes out in rooms of `room` bytes; the result of the last call.
// No more calls may be needed than there are bytes.
static enum decompress_result give(struct decompressor *d, bytes *piece, size_t room,
                                   struct packed *plain)
{
    size_t calls_max = piece->n + PACKED_MAX;
    while (true) {
        size_t written;
        assert_true(room <= PACKED_MAX - plain->n);
        enum decompress_result result = decompress(d, piece, plain->p + plain->n, room, &written);
        assert_true(written <= room && calls_max-- > 0);
        plain->n += written;
        if (result != DECOMPRESS_GO || (!piece->n && written < room)) return result;
    }
}

static void check_plain(int form, const struct packed *plain, bytes want)
{
    if (!bytes_equal(bytes_of(plain->p, plain->n), want))
        fail_msg("%s: other bytes", forms[form].name);
}

// Packed bytes in two pieces, cut at `at`, followed by `garbage` bytes that belong to nothing.
static void check_cut(int form, bytes packed, size_t at, size_t garbage, size_t room, bytes want)
{
    static struct packed plain;
    plain.n = 0;
    struct decompressor *d = decompressor_create(forms[form].compression);
    bytes first = bytes_first(packed, at), second = bytes_after(packed, at);
    enum decompress_result result = give(d, &first, room, &plain);
    assert_int_not_equal(result, DECOMPRESS_BROKEN);
    if (second.n) result = give(d, &second, room, &plain);
    check_plain(form, &plain, want);
    if (result != DECOMPRESS_END) fail_msg("%s, cut at %zu: no end", forms[form].name, at);
    assert_int_equal(first.n + second.n, garbage);
    bytes nothing = {NULL, 0};
    assert_int_equal(give(d, &nothing, room, &plain), DECOMPRESS_END);
    decompressor_destroy(d);
}

static size_t make_text(uint8_t *out, size_t size)
{
    uint64_t seed = 6;
    for (size_t i = 0; i < size; i++) out[i] = (uint8_t)("etaoin shrdlu"[random_below(&seed, 13)]);
    return size;
}

static void test_cut_everywhere(void **state)
{
    (void)state;
    static struct packed packed;
    uint8_t text[700];
    bytes want = bytes_of(text, make_text(text, sizeof text));
    for (int form = 0; form < FORMS; form++) {
        packed.n = 0;
        pack(&packed, form, want);
        for (size_t at = 0; at <= packed.n; at++) {
            check_cut(form, bytes_of(packed.p, packed.n), at, 0, 1, want);
            check_cut(form, bytes_of(packed.p, packed.n), at, 0, 10000, want);
        }
    }
}

static void test_several_members(void **state)
{
    (void)state;
    static struct packed packed;
    uint8_t text[300];
    bytes want = bytes_of(text, make_text(text, sizeof text));
    for (int form = 0; form < FORMS; form++) {
        packed.n = 0;
        pack(&packed, form, bytes_first(want, 100));
        if (!forms[form].has_members) continue;
        pack(&packed, form, bytes_first(want, 0));
        pack(&packed, form, bytes_after(want, 100));
        for (size_t at = 0; at <= packed.n; at++) {
            check_cut(form, bytes_of(packed.p, packed.n), at, 0, 1, want);
            check_cut(form, bytes_of(packed.p, packed.n), at, 0, 10000, want);
        }
    }
}

static void test_byte_by_byte(void **state)
{
    (void)state;
    static struct packed packed, plain;
    uint8_t text[3000];
    bytes want = bytes_of(text, make_text(text, sizeof text));
    for (int form = 0; form < FORMS; form++) {
        packed.n = plain.n = 0;
        pack(&packed, form, want);
        struct decompressor *d = decompressor_create(forms[form].compression);
        enum decompress_result result = DECOMPRESS_GO;
        for (size_t i = 0; i < packed.n; i++) {
            bytes byte = bytes_of(packed.p + i, 1);
            assert_int_equal(result, DECOMPRESS_GO);
            result = give(d, &byte, 7, &plain);
            assert_int_equal(byte.n, 0);
        }
        assert_int_equal(result, DECOMPRESS_END);
        check_plain(form, &plain, want);
        decompressor_destroy(d);
    }
}

static void test_garbage_behind_is_left(void **state)
{
    (void)state;
    static struct packed packed;
    uint8_t text[200];
    bytes want = bytes_of(text, make_text(text, sizeof text));
    for (int form = 0; form < FORMS; form++) {
        packed.n = 0;
        pack(&packed, form, want);
        size_t end = packed.n;
        memcpy(packed.p + end, "garbage", 7);
        for (size_t at = 0; at <= end; at++)
            check_cut(form, bytes_of(packed.p, end + 7), at, 7, 1, want);
    }
}

// The beginning of a magic, apart from what shows that it is none: still the end, and not broken.
static void test_garbage_like_a_member(void **state)
{
    (void)state;
    static const char *const beginnings[FORMS] = {"\x1f",        "", "", "", "\x28\xb5\x2f",
                                                  "\x04\x22\x4d"};
    static struct packed packed, plain;
    uint8_t text[200];
    bytes want = bytes_of(text, make_text(text, sizeof text));
    for (int form = 0; form < FORMS; form++) {
        packed.n = plain.n = 0;
        pack(&packed, form, want);
        struct decompressor *d = decompressor_create(forms[form].compression);
        bytes whole = bytes_of(packed.p, packed.n), beginning = bytes_text(beginnings[form]);
        assert_int_equal(give(d, &whole, 100, &plain), DECOMPRESS_END);
        if (beginning.n) assert_int_equal(give(d, &beginning, 100, &plain), DECOMPRESS_GO);
        assert_int_equal(beginning.n, 0);
        bytes rest = bytes_text("but no");
        assert_int_equal(give(d, &rest, 100, &plain), DECOMPRESS_END);
        assert_int_equal(rest.n, 6);
        check_plain(form, &plain, want);
        decompressor_destroy(d);
    }
}

static void test_incomplete_is_not_the_end(void **state)
{
    (void)state;
    static struct packed packed, plain;
    uint8_t text[500];
    bytes want = bytes_of(text, make_text(text, sizeof text));
    for (int form = 0; form < FORMS; form++) {
        packed.n = 0;
        pack(&packed, form, want);
        for (size_t n = 0; n < packed.n; n++) {
            plain.n = 0;
            struct decompressor *d = decompressor_create(forms[form].compression);
            bytes part = bytes_of(packed.p, n);
            assert_int_equal(give(d, &part, 64, &plain), DECOMPRESS_GO);
            for (int i = 0; i < 40; i++) // asked often in vain, as zstd does not like it
                assert_int_equal(give(d, &part, 64, &plain), DECOMPRESS_GO);
            assert_true(bytes_equal(bytes_of(plain.p, plain.n), bytes_first(want, plain.n)));
            decompressor_destroy(d);
        }
    }
}

static void test_no_room(void **state)
{
    (void)state;
    static struct packed packed, plain;
    uint8_t text[500];
    bytes want = bytes_of(text, make_text(text, sizeof text));
    for (int form = 0; form < FORMS; form++) {
        packed.n = plain.n = 0;
        pack(&packed, form, want);
        struct decompressor *d = decompressor_create(forms[form].compression);
        bytes input = bytes_of(packed.p, packed.n);
        size_t written;
        for (int i = 0; i < 40; i++) {
            assert_int_equal(decompress(d, &input, plain.p, 0, &written), DECOMPRESS_GO);
            assert_int_equal(written, 0);
        }
        assert_int_equal(give(d, &input, 100, &plain), DECOMPRESS_END);
        check_plain(form, &plain, want);
        decompressor_destroy(d);
    }
}

static void test_damage(void **state)
{
    (void)state;
    static struct packed packed, plain;
    uint8_t text[400];
    make_text(text, sizeof text);
    uint64_t seed = 7;
    for (int form = 0; form < FORMS; form++) {
        packed.n = 0;
        pack(&packed, form, bytes_of(text, sizeof text));
        for (int i = 0; i < 3000; i++) {
            size_t at = random_below(&seed, packed.n);
            uint8_t before = packed.p[at];
            packed.p[at] = (uint8_t)random_next(&seed);
            struct decompressor *d = decompressor_create(forms[form].compression);
            bytes input = bytes_of(packed.p, packed.n);
            plain.n = 0;
            size_t written = 1;
            enum decompress_result result = DECOMPRESS_GO;
            for (int calls = 0; calls < 200 && result == DECOMPRESS_GO && (input.n || written);
                 calls++)
                result = decompress(d, &input, plain.p, 4096, &written);
            if (result == DECOMPRESS_BROKEN)
                assert_int_equal(decompress(d, &input, plain.p, 4096, &written), DECOMPRESS_BROKEN);
            packed.p[at] = before;
            decompressor_destroy(d);
        }
    }
}

// A megabyte of zeros behind a few hundred bytes: no call gives more than was asked for.
static void test_bomb_is_bounded(void **state)
{
    (void)state;
    static struct packed packed;
    size_t size = 1 << 20, total = 0, written;
    uint8_t *zeros = memory_get(size), out[1000];
    for (int form = 0; form < FORMS; form++) {
        packed.n = total = 0;
        pack(&packed, form, bytes_of(zeros, size));
        struct decompressor *d = decompressor_create(forms[form].compression);
        bytes input = bytes_of(packed.p, packed.n);
        enum decompress_result result = DECOMPRESS_GO;
        while (result == DECOMPRESS_GO) {
            result = decompress(d, &input, out, sizeof out, &written);
            assert_true(written <= sizeof out);
            total += written;
        }
        assert_int_equal(result, DECOMPRESS_END);
        assert_int_equal(total, size);
        decompressor_destroy(d);
    }
    memory_free(zeros);
}

// A frame that asks for a window of 16 MB.
static void test_window_is_limited(void **state)
{
    (void)state;
    uint8_t frame[] = {0x28, 0xb5, 0x2f, 0xfd, 0x00, (24 - 10) << 3, 0x01, 0x00, 0x00}, out[10];
    struct decompressor *d = decompressor_create(COMPRESSION_ZSTD);
    bytes input = bytes_of(frame, sizeof frame);
    size_t written;
    assert_int_equal(decompress(d, &input, out, sizeof out, &written), DECOMPRESS_BROKEN);
    decompressor_destroy(d);
    frame[5] = (23 - 10) << 3;
    d = decompressor_create(COMPRESSION_ZSTD);
    input = bytes_of(frame, sizeof frame);
    assert_int_equal(decompress(d, &input, out, sizeof out, &written), DECOMPRESS_END);
    decompressor_destroy(d);
}

static void test_form_of_file(void **state)
{
    (void)state;
    static struct packed packed;
    for (int form = 0; form < FORMS; form++) {
        packed.n = 0;
        pack(&packed, form, bytes_text("text"));
        enum compression want =
            forms[form].has_members ? forms[form].compression : COMPRESSION_NONE;
        assert_int_equal(compression_of_file(bytes_of(packed.p, packed.n)), want);
    }
    assert_int_equal(compression_of_file(bytes_text("\xd4\xc3\xb2\xa1")), COMPRESSION_NONE);
    assert_int_equal(compression_of_file(bytes_text("\x1f\x8b")), COMPRESSION_NONE);
}

static void test_none_copies(void **state)
{
    (void)state;
    struct decompressor *d = decompressor_create(COMPRESSION_NONE);
    bytes input = bytes_text("as it is");
    uint8_t out[4];
    size_t written;
    assert_int_equal(decompress(d, &input, out, sizeof out, &written), DECOMPRESS_GO);
    assert_int_equal(written, 4);
    assert_memory_equal(out, "as i", 4);
    assert_int_equal(input.n, 4);
    decompressor_destroy(d);
    decompressor_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_everywhere),
        cmocka_unit_test(test_several_members),
        cmocka_unit_test(test_byte_by_byte),
        cmocka_unit_test(test_garbage_behind_is_left),
        cmocka_unit_test(test_garbage_like_a_member),
        cmocka_unit_test(test_incomplete_is_not_the_end),
        cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_bomb_is_bounded),
        cmocka_unit_test(test_window_is_limited),
        cmocka_unit_test(test_form_of_file),
        cmocka_unit_test(test_none_copies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
