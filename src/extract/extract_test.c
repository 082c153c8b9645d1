#include "extract/extract.h"

#include "extract/decoding.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
// cmocka wants some of the above.
#include <cmocka.h>

#include "base/hash.h"
#include "extract/encode_test.h"
#include "record/batch.h"

// ---- an artifact sink in memory -----------------------------------------------------------------

enum { SLOTS = 8 };

struct kept {
    uint8_t *p;
    size_t n;
    bool open, ended;
    uint8_t sha256[SHA256_SIZE];
};

struct keeper {
    struct kept slots[SLOTS];
    uint32_t used, slots_max;
};

static uint32_t keeper_begin(void *context)
{
    struct keeper *k = context;
    if (k->used == k->slots_max) return 0;
    k->slots[k->used].open = true;
    return ++k->used;
}

static void keeper_add(void *context, uint32_t slot, bytes content)
{
    struct keeper *k = context;
    struct kept *s = &k->slots[slot - 1];
    assert_true(s->open);
    s->p = memory_resize(s->p, s->n + content.n);
    memcpy(s->p + s->n, content.p, content.n);
    s->n += content.n;
}

static void keeper_end(void *context, uint32_t slot, const uint8_t sha256[32], bool keep)
{
    struct keeper *k = context;
    struct kept *s = &k->slots[slot - 1];
    assert_true(s->open && keep);
    uint8_t own[SHA256_SIZE];
    sha256_of(bytes_of(s->p, s->n), own);
    assert_memory_equal(own, sha256, SHA256_SIZE);
    memcpy(s->sha256, sha256, SHA256_SIZE);
    s->open = false;
    s->ended = true;
}

// ---- one extractor with what it gave ------------------------------------------------------------

struct fixture {
    struct keeper keeper;
    struct artifact_sink sink;
    struct extractor *x;
    struct record_batch *batch;
    struct body_summary summary;
};

static struct fixture *fixture_create_wide(uint64_t kept_max, uint64_t decoded_max,
                                           uint32_t files_max, uint32_t decoders_max)
{
    struct fixture *t = memory_get(sizeof *t);
    t->keeper.slots_max = SLOTS;
    t->sink = (struct artifact_sink){&t->keeper, keeper_begin, keeper_add, keeper_end};
    struct extract_options options = {files_max, decoders_max, kept_max, decoded_max, &t->sink};
    struct err err;
    t->x = extractor_create(&options, &err);
    assert_non_null(t->x);
    t->batch = batch_create(&file_kind);
    return t;
}

static struct fixture *fixture_create(uint64_t kept_max, uint64_t decoded_max)
{
    return fixture_create_wide(kept_max, decoded_max, 4, 6);
}

static void fixture_destroy(struct fixture *t)
{
    for (unsigned i = 0; i < SLOTS; i++) memory_free(t->keeper.slots[i].p);
    batch_destroy(t->batch);
    extractor_destroy(t->x);
    memory_free(t);
}

static struct body_start start_of(const enum body_coding *codings, unsigned count)
{
    struct body_start start = {.source = "http", .side = 1, .position = 17, .time = 5};
    start.file_name = bytes_text("a.txt");
    start.media_type = bytes_text("text/html");
    start.coding_count = (uint8_t)count;
    for (unsigned i = 0; i < count; i++) start.codings[i] = codings[i];
    return start;
}

static uint32_t open_one(struct fixture *t, enum body_coding coding)
{
    struct body_start start = start_of(&coding, coding == BODY_PLAIN ? 0 : 1);
    uint32_t file = extract_open(t->x, &start);
    assert_int_not_equal(file, 0);
    return file;
}

static void close_one(struct fixture *t, uint32_t file, bool complete)
{
    static uint8_t memory[ROW_SIZE_MAX];
    struct row row;
    row_init(&row, &file_kind, memory, sizeof memory);
    extract_close(t->x, file, complete, &t->summary, &row);
    batch_clear(t->batch);
    assert_true(batch_append(t->batch, &row));
}

static uint64_t number(const struct fixture *t, unsigned field)
{
    assert_true(batch_has(t->batch, field, 0));
    return batch_get(t->batch, field, 0);
}

static void assert_text(const struct fixture *t, unsigned field, const char *text)
{
    assert_true(batch_has(t->batch, field, 0));
    bytes b = batch_get_bytes(t->batch, field, 0);
    assert_int_equal(b.n, strlen(text));
    assert_memory_equal(b.p, text, b.n);
}

static void assert_hex(const struct fixture *t, unsigned field, const char *hex)
{
    char text[HEX_SHA256_SIZE];
    assert_true(batch_has(t->batch, field, 0));
    hex_format(text, batch_get_bytes(t->batch, field, 0));
    assert_string_equal(text, hex);
}

static void assert_no_fault(const struct fixture *t)
{
    assert_false(batch_has(t->batch, FILE_BROKEN, 0));
}

static void assert_content(const struct fixture *t, bytes content)
{
    uint8_t sha256[SHA256_SIZE];
    sha256_of(content, sha256);
    assert_int_equal(number(t, FILE_SIZE), content.n);
    assert_memory_equal(batch_get_bytes(t->batch, FILE_SHA256, 0).p, sha256, SHA256_SIZE);
    const struct kept *last = &t->keeper.slots[t->keeper.used - 1];
    assert_true(last->ended);
    assert_int_equal(last->n, content.n);
    assert_memory_equal(last->p, content.p, content.n);
}

// Text that compresses somewhat: 40 kB of numbered lines.
static bytes some_text(void)
{
    enum { SIZE = 40000 };
    char *p = memory_get(SIZE + 64);
    size_t n = 0;
    for (unsigned i = 0; n < SIZE; i++)
        n += (size_t)sprintf(p + n, "line %u %u\n", i, i * 2654435761u);
    return bytes_of(p, SIZE);
}

static void forget(bytes b)
{
    memory_free((void *)b.p);
}

// ---- tests --------------------------------------------------------------------------------------

static void test_plain(void **state)
{
    (void)state;
    struct fixture *t = fixture_create(100, UINT64_C(1) << 30);
    uint32_t file = open_one(t, BODY_PLAIN);
    assert_int_equal(extract_place(t->x, file).side, 1);
    assert_int_equal(extract_place(t->x, file).position, 17);
    extract_data(t->x, file, bytes_text("a"));
    extract_data(t->x, file, bytes_text("bc"));
    close_one(t, file, true);
    assert_text(t, FILE_SOURCE, "http");
    assert_text(t, FILE_NAME, "a.txt");
    assert_text(t, FILE_DECLARED_TYPE, "text/html");
    assert_text(t, FILE_MIME_TYPE, "text/plain");
    assert_hex(t, FILE_MD5, "900150983cd24fb0d6963f7d28e17f72");
    assert_hex(t, FILE_SHA1, "a9993e364706816aba3e25717850c26c9cd0d89d");
    assert_hex(t, FILE_SHA256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_hex(t, FILE_ARTIFACT,
               "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(number(t, FILE_FROM_SRC), 0);
    assert_int_equal(number(t, FILE_COMPLETE), 1);
    assert_int_equal(number(t, FILE_ENCODED_BYTES), 3);
    assert_no_fault(t);
    assert_int_equal(t->summary.file_bytes, 3);
    assert_true(t->summary.complete);
    assert_string_equal(t->summary.media_type, "text/plain");
    fixture_destroy(t);
}

static void test_empty(void **state)
{
    (void)state;
    struct fixture *t = fixture_create(100, UINT64_C(1) << 30);
    uint32_t file = open_one(t, BODY_GZIP);
    close_one(t, file, true);
    assert_int_equal(number(t, FILE_SIZE), 0);
    assert_int_equal(number(t, FILE_COMPLETE), 1);
    assert_false(batch_has(t->batch, FILE_MIME_TYPE, 0));
    assert_false(batch_has(t->batch, FILE_ARTIFACT, 0));
    assert_hex(t, FILE_MD5, "d41d8cd98f00b204e9800998ecf8427e");
    fixture_destroy(t);
}

static void give_in_steps(struct fixture *t, uint32_t file, bytes encoded, size_t step)
{
    for (size_t i = 0; i < encoded.n; i += step)
        extract_data(t->x, file, bytes_first(bytes_after(encoded, i), step));
}

static void test_each_coding(void **state)
{
    (void)state;
    bytes content = some_text();
    for (enum body_coding coding = BODY_PLAIN; coding <= BODY_ZSTD; coding++) {
        bytes encoded = encode(coding, content);
        static const size_t steps[] = {1, 7, 1460, 2048, 5000, 100000};
        for (unsigned i = 0; i < sizeof steps / sizeof steps[0]; i++) {
            struct fixture *t = fixture_create(UINT64_MAX, UINT64_C(1) << 30);
            uint32_t file = open_one(t, coding);
            give_in_steps(t, file, encoded, steps[i]);
            close_one(t, file, true);
            assert_no_fault(t);
            assert_content(t, content);
            assert_int_equal(number(t, FILE_COMPLETE), 1);
            fixture_destroy(t);
        }
        forget(encoded);
    }
    forget(content);
}

// Cut after each byte: never more than the content, always its beginning, and the same in any
// steps.
static void test_cut_everywhere(void **state)
{
    (void)state;
    bytes text = some_text(), content = bytes_first(text, 3000);
    for (enum body_coding coding = BODY_GZIP; coding <= BODY_ZSTD; coding++) {
        bytes encoded = encode(coding, content);
        for (size_t n = 1; n < encoded.n; n++) {
            uint64_t size[2];
            for (unsigned way = 0; way < 2; way++) {
                struct fixture *t = fixture_create(UINT64_MAX, UINT64_C(1) << 30);
                uint32_t file = open_one(t, coding);
                give_in_steps(t, file, bytes_first(encoded, n), way ? 1 : n);
                close_one(t, file, false);
                assert_text(t, FILE_BROKEN, "cut");
                size[way] = number(t, FILE_SIZE);
                assert_true(size[way] <= content.n);
                if (size[way]) assert_content(t, bytes_first(content, (size_t)size[way]));
                assert_int_equal(number(t, FILE_COMPLETE), 0);
                fixture_destroy(t);
            }
            assert_int_equal(size[0], size[1]);
        }
        forget(encoded);
    }
    forget(text);
}

// One byte wrong at each place: whatever comes out, it must not depend on the steps.
static void test_damage_everywhere(void **state)
{
    (void)state;
    bytes text = some_text(), content = bytes_first(text, 8000);
    for (enum body_coding coding = BODY_GZIP; coding <= BODY_ZSTD; coding++) {
        bytes encoded = encode(coding, content);
        for (size_t n = 0; n < encoded.n; n += 11) {
            ((uint8_t *)encoded.p)[n] ^= 0x55;
            uint8_t first[SHA256_SIZE];
            for (unsigned way = 0; way < 3; way++) {
                static const size_t steps[] = {100000, 1, 333};
                struct fixture *t = fixture_create(UINT64_MAX, 1 << 20);
                uint32_t file = open_one(t, coding);
                give_in_steps(t, file, encoded, steps[way]);
                close_one(t, file, true);
                if (way == 0) memcpy(first, t->summary.sha256, sizeof first);
                assert_memory_equal(first, t->summary.sha256, sizeof first);
                fixture_destroy(t);
            }
            ((uint8_t *)encoded.p)[n] ^= 0x55;
        }
        forget(encoded);
    }
    forget(text);
}

static void test_chain(void **state)
{
    (void)state;
    bytes content = some_text();
    bytes zstd = encode(BODY_ZSTD, content), gzip = encode(BODY_GZIP, zstd);
    bytes brotli = encode(BODY_BROTLI, gzip), deflate = encode(BODY_DEFLATE, brotli);
    const enum body_coding codings[] = {BODY_ZSTD, BODY_GZIP, BODY_BROTLI, BODY_DEFLATE};
    struct body_start start = start_of(codings, 4);
    for (size_t step = 1; step < 40000; step = step * 3 + 1) {
        struct fixture *t = fixture_create(UINT64_MAX, UINT64_C(1) << 30);
        uint32_t file = extract_open(t->x, &start);
        give_in_steps(t, file, deflate, step);
        close_one(t, file, true);
        assert_no_fault(t);
        assert_content(t, content);
        bytes list = batch_get_bytes(t->batch, FILE_ENCODINGS, 0), element;
        assert_true(list_next_text(&list, &element));
        assert_true(bytes_equal(element, bytes_text("zstd")));
        fixture_destroy(t);
    }
    forget(content), forget(zstd), forget(gzip), forget(brotli), forget(deflate);
}

static void test_members(void **state)
{
    (void)state;
    bytes text = some_text(), one = encode(BODY_GZIP, text);
    for (size_t step = 1; step < 40000; step = step * 7 + 1) {
        struct fixture *t = fixture_create(UINT64_MAX, UINT64_C(1) << 30);
        uint32_t file = open_one(t, BODY_GZIP);
        give_in_steps(t, file, one, step);
        give_in_steps(t, file, one, step);
        close_one(t, file, true);
        assert_no_fault(t);
        assert_int_equal(number(t, FILE_SIZE), 2 * text.n);
        fixture_destroy(t);
    }
    forget(text), forget(one);
}

static void test_trailing(void **state)
{
    (void)state;
    bytes text = some_text();
    for (enum body_coding coding = BODY_GZIP; coding <= BODY_ZSTD; coding++) {
        bytes encoded = encode(coding, text);
        for (size_t step = 1; step < 40000; step = step * 7 + 1) {
            struct fixture *t = fixture_create(UINT64_MAX, UINT64_C(1) << 30);
            uint32_t file = open_one(t, coding);
            give_in_steps(t, file, encoded, step);
            give_in_steps(t, file, bytes_text("\r\nrest"), step);
            close_one(t, file, true);
            assert_no_fault(t);
            assert_content(t, text);
            assert_int_equal(number(t, FILE_TRAILING_BYTES), 6);
            fixture_destroy(t);
        }
        forget(encoded);
    }
    forget(text);
}

// Declared as encoded, sent as it is: all four, whatever the text begins with.
static void test_not_encoded(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "<html><body>plain</body></html>",
        "{\"a\": 1, \"b\": [true, false]}",
        "Hello",
        "a",
        ";",
        "body { color: red; }",
        "0123456789 0123456789 0123456789",
        "\n\n\n",
        "%PDF-1.4 and more",
    };
    for (unsigned i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        for (enum body_coding coding = BODY_GZIP; coding <= BODY_ZSTD; coding++) {
            bytes content = bytes_text(texts[i]);
            for (unsigned way = 0; way < 2; way++) {
                struct fixture *t = fixture_create(100, UINT64_C(1) << 30);
                uint32_t file = open_one(t, coding);
                give_in_steps(t, file, content, way ? 1 : content.n);
                close_one(t, file, true);
                // A codec without a mark cannot tell a few bytes from its own beginning.
                bool told = coding == BODY_GZIP || coding == BODY_ZSTD || content.n > 20;
                if (told) assert_text(t, FILE_BROKEN, "not-encoded");
                if (told) assert_content(t, content);
                assert_int_equal(number(t, FILE_COMPLETE), told ? 0 : number(t, FILE_COMPLETE));
                fixture_destroy(t);
            }
        }
    }
}

// "gzip, br" was announced, but only gzip was applied.
static void test_half_encoded(void **state)
{
    (void)state;
    bytes content = some_text(), gzip = encode(BODY_GZIP, content);
    const enum body_coding codings[] = {BODY_GZIP, BODY_ZSTD};
    struct body_start start = start_of(codings, 2);
    struct fixture *t = fixture_create(UINT64_MAX, UINT64_C(1) << 30);
    uint32_t file = extract_open(t->x, &start);
    give_in_steps(t, file, gzip, 100);
    close_one(t, file, true);
    assert_text(t, FILE_BROKEN, "not-encoded");
    assert_content(t, content);
    fixture_destroy(t);
    forget(content), forget(gzip);
}

static void test_cap(void **state)
{
    (void)state;
    bytes content = some_text();
    for (size_t step = 1; step < 100000; step = step * 9 + 1) {
        struct fixture *t = fixture_create(1000, UINT64_C(1) << 30);
        uint32_t file = open_one(t, BODY_PLAIN);
        give_in_steps(t, file, content, step);
        close_one(t, file, true);
        assert_int_equal(number(t, FILE_SIZE), content.n);
        assert_int_equal(number(t, FILE_KEPT_BYTES), 1000);
        assert_int_equal(number(t, FILE_TRUNCATED), 1);
        assert_int_equal(number(t, FILE_COMPLETE), 1);
        assert_int_equal(t->keeper.slots[0].n, 1000);
        uint8_t kept[SHA256_SIZE], all[SHA256_SIZE];
        sha256_of(bytes_first(content, 1000), kept);
        sha256_of(content, all);
        assert_memory_equal(batch_get_bytes(t->batch, FILE_ARTIFACT, 0).p, kept, SHA256_SIZE);
        assert_memory_equal(batch_get_bytes(t->batch, FILE_SHA256, 0).p, all, SHA256_SIZE);
        fixture_destroy(t);
    }
    // Exactly at the cap nothing is cut.
    struct fixture *t = fixture_create(content.n, UINT64_C(1) << 30);
    uint32_t file = open_one(t, BODY_PLAIN);
    extract_data(t->x, file, content);
    close_one(t, file, true);
    assert_int_equal(number(t, FILE_TRUNCATED), 0);
    assert_content(t, content);
    fixture_destroy(t);
    forget(content);
}

static void test_gap_in_plain(void **state)
{
    (void)state;
    struct fixture *t = fixture_create(100, UINT64_C(1) << 30);
    uint32_t file = open_one(t, BODY_PLAIN);
    extract_data(t->x, file, bytes_text("ab"));
    extract_gap(t->x, file, 10);
    extract_gap(t->x, file, 5);
    extract_data(t->x, file, bytes_text("c"));
    extract_gap(t->x, file, 7);
    close_one(t, file, true);
    assert_int_equal(number(t, FILE_GAPS), 2);
    assert_int_equal(number(t, FILE_MISSING_BYTES), 22);
    assert_int_equal(number(t, FILE_COMPLETE), 0);
    assert_content(t, bytes_text("abc"));
    struct reader offsets = reader_of(batch_get_bytes(t->batch, FILE_GAP_OFFSETS, 0));
    struct reader lengths = reader_of(batch_get_bytes(t->batch, FILE_GAP_LENGTHS, 0));
    assert_int_equal(read_le64(&offsets), 2);
    assert_int_equal(read_le64(&offsets), 18);
    assert_int_equal(read_le64(&lengths), 15);
    assert_int_equal(read_le64(&lengths), 7);
    assert_no_fault(t);
    fixture_destroy(t);
}

static void test_gap_in_encoded(void **state)
{
    (void)state;
    bytes content = some_text();
    for (enum body_coding coding = BODY_GZIP; coding <= BODY_ZSTD; coding++) {
        bytes encoded = encode(coding, content);
        uint64_t size = 0;
        for (size_t step = 1; step < 10000; step = step * 9 + 1) {
            struct fixture *t = fixture_create(UINT64_MAX, UINT64_C(1) << 30);
            uint32_t file = open_one(t, coding);
            give_in_steps(t, file, bytes_first(encoded, 9001), step);
            extract_gap(t->x, file, 99);
            give_in_steps(t, file, bytes_after(encoded, 9100), step);
            close_one(t, file, true);
            assert_text(t, FILE_BROKEN, "gap");
            if (step == 1) size = number(t, FILE_SIZE);
            assert_int_equal(number(t, FILE_SIZE), size);
            if (size) assert_content(t, bytes_first(content, (size_t)size));
            assert_int_equal(number(t, FILE_ENCODED_BYTES), encoded.n - 99);
            assert_int_equal(number(t, FILE_COMPLETE), 0);
            fixture_destroy(t);
        }
        forget(encoded);
    }
    forget(content);
}

static void test_gap_before_encoded(void **state)
{
    (void)state;
    bytes content = some_text(), encoded = encode(BODY_GZIP, content);
    struct fixture *t = fixture_create(UINT64_MAX, UINT64_C(1) << 30);
    uint32_t file = open_one(t, BODY_GZIP);
    extract_gap(t->x, file, 1);
    extract_data(t->x, file, bytes_after(encoded, 1));
    close_one(t, file, true);
    assert_text(t, FILE_BROKEN, "gap");
    assert_int_equal(number(t, FILE_SIZE), 0);
    fixture_destroy(t);
    forget(content), forget(encoded);
}

// A gigabyte of zeros, as gzip: stops at the total, here 32 MB.
static void test_bomb_by_size(void **state)
{
    (void)state;
    enum { LIMIT = 32 << 20 };
    static uint8_t zeros[1 << 16], out[1 << 12];
    uint64_t size = 0;
    for (unsigned way = 0; way < 2; way++) {
        struct fixture *t = fixture_create(1000, LIMIT);
        uint32_t file = open_one(t, BODY_GZIP);
        z_stream z = {0};
        assert_int_equal(deflateInit2(&z, 1, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
        for (unsigned i = 0; i < (64 << 20) / sizeof zeros; i++) {
            z.next_in = zeros;
            z.avail_in = sizeof zeros;
            do {
                z.next_out = out;
                z.avail_out = sizeof out;
                deflate(&z, Z_NO_FLUSH);
                bytes made = bytes_of(out, sizeof out - z.avail_out);
                give_in_steps(t, file, made, way ? 5 : sizeof out);
            } while (z.avail_out == 0);
        }
        deflateEnd(&z);
        close_one(t, file, true);
        assert_text(t, FILE_BROKEN, "limit");
        if (way == 0) size = number(t, FILE_SIZE);
        assert_int_equal(number(t, FILE_SIZE), size);
        assert_true(size <= LIMIT && size > LIMIT - 100000);
        fixture_destroy(t);
    }
}

// Zstandard blocks of one repeated byte (RFC 8878 section 3.1.1.2): 128 kB from 4 bytes.
static void test_bomb_by_ratio(void **state)
{
    (void)state;
    enum { BLOCKS = 4096 };
    static uint8_t bomb[6 + 4 * BLOCKS] = {0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38};
    for (unsigned i = 0; i < BLOCKS; i++) {
        static const uint8_t block[] = {0x02, 0x00, 0x10, 0x00};
        memcpy(bomb + 6 + 4 * (size_t)i, block, sizeof block);
    }
    uint64_t size = 0;
    for (size_t step = 1; step < 20000; step = step * 12 + 1) {
        struct fixture *t = fixture_create(1000, UINT64_C(1) << 30);
        uint32_t file = open_one(t, BODY_ZSTD);
        give_in_steps(t, file, bytes_of(bomb, sizeof bomb), step);
        close_one(t, file, true);
        assert_text(t, FILE_BROKEN, "limit");
        if (step == 1) size = number(t, FILE_SIZE);
        assert_int_equal(number(t, FILE_SIZE), size);
        assert_true(size < 4 << 20 && size > 1 << 20);
        fixture_destroy(t);
    }
}

// Four can be open; the fifth is counted, and its handle does nothing.
static void test_files_used_up(void **state)
{
    (void)state;
    struct fixture *t = fixture_create(100, UINT64_C(1) << 30);
    uint32_t files[4];
    for (unsigned i = 0; i < 4; i++) files[i] = open_one(t, BODY_PLAIN);
    struct body_start start = start_of(NULL, 0);
    assert_int_equal(extract_open(t->x, &start), 0);
    assert_int_equal(extractor_counts(t->x)->files_refused, 1);
    extract_data(t->x, 0, bytes_text("x"));
    extract_gap(t->x, 0, 1);
    extract_close(t->x, 0, true, &t->summary, NULL);
    assert_false(t->summary.complete);
    for (unsigned i = 0; i < 4; i++) {
        extract_data(t->x, files[i], bytes_text("x"));
        close_one(t, files[i], true);
        assert_int_equal(number(t, FILE_SIZE), 1);
    }
    fixture_destroy(t);
}

// Six decoders are there: the second chain of four gets none, and says so.
static void test_decoders_used_up(void **state)
{
    (void)state;
    struct fixture *t = fixture_create(100, UINT64_C(1) << 30);
    const enum body_coding codings[] = {BODY_ZSTD, BODY_GZIP, BODY_BROTLI, BODY_DEFLATE};
    struct body_start start = start_of(codings, 4);
    uint32_t first = extract_open(t->x, &start), second = extract_open(t->x, &start);
    extract_data(t->x, second, bytes_text("as it is"));
    close_one(t, second, true);
    assert_text(t, FILE_BROKEN, "busy");
    assert_content(t, bytes_text("as it is"));
    assert_int_equal(extractor_counts(t->x)->busy, 1);
    close_one(t, first, true);
    fixture_destroy(t);
}

// Codecs with large windows are fewer than the others: gzip is still decoded when they are used up.
static void test_large_decoders_used_up(void **state)
{
    (void)state;
    struct fixture *t = fixture_create_wide(100, UINT64_C(1) << 30, 4096, 4096);
    const enum body_coding large[] = {BODY_ZSTD}, small[] = {BODY_GZIP};
    struct body_start start = start_of(large, 1);
    uint32_t open[DECODERS_LARGE_MAX];
    for (unsigned i = 0; i < DECODERS_LARGE_MAX; i++) open[i] = extract_open(t->x, &start);
    uint32_t one_more = extract_open(t->x, &start);
    extract_data(t->x, one_more, bytes_text("as it is"));
    close_one(t, one_more, true);
    assert_text(t, FILE_BROKEN, "busy");
    start = start_of(small, 1);
    uint32_t gzip = extract_open(t->x, &start);
    close_one(t, gzip, true);
    assert_int_equal(extractor_counts(t->x)->busy, 1);
    for (unsigned i = 0; i < DECODERS_LARGE_MAX; i++) close_one(t, open[i], true);
    start = start_of(large, 1);
    uint32_t free_again = extract_open(t->x, &start);
    close_one(t, free_again, true);
    assert_int_equal(extractor_counts(t->x)->busy, 1);
    fixture_destroy(t);
}

static void test_no_slot(void **state)
{
    (void)state;
    struct fixture *t = fixture_create(100, UINT64_C(1) << 30);
    t->keeper.slots_max = 0;
    uint32_t file = open_one(t, BODY_PLAIN);
    extract_data(t->x, file, bytes_text("abc"));
    close_one(t, file, true);
    assert_int_equal(number(t, FILE_KEPT_BYTES), 0);
    assert_int_equal(number(t, FILE_TRUNCATED), 0);
    assert_false(batch_has(t->batch, FILE_ARTIFACT, 0));
    assert_int_equal(extractor_counts(t->x)->artifacts_refused, 1);
    fixture_destroy(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_each_coding),
        cmocka_unit_test(test_cut_everywhere),
        cmocka_unit_test(test_damage_everywhere),
        cmocka_unit_test(test_chain),
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_trailing),
        cmocka_unit_test(test_not_encoded),
        cmocka_unit_test(test_half_encoded),
        cmocka_unit_test(test_cap),
        cmocka_unit_test(test_gap_in_plain),
        cmocka_unit_test(test_gap_in_encoded),
        cmocka_unit_test(test_gap_before_encoded),
        cmocka_unit_test(test_bomb_by_size),
        cmocka_unit_test(test_bomb_by_ratio),
        cmocka_unit_test(test_files_used_up),
        cmocka_unit_test(test_decoders_used_up),
        cmocka_unit_test(test_large_decoders_used_up),
        cmocka_unit_test(test_no_slot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
