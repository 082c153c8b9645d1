#include "store/fixture.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "store/duckdb.h"

// clang-format off
static const struct field sample_fields[] = {
    {"id", FIELD_ID, NULL, "", NULL, NULL, 0},
    {"ts", FIELD_TIME, NULL, "", NULL, NULL, 0},
    {"duration", FIELD_DURATION, "s", "", NULL, NULL, 0},
    {"count", FIELD_UINT, NULL, "", NULL, NULL, 0},
    {"ratio", FIELD_REAL, NULL, "", NULL, NULL, 0},
    {"flag", FIELD_BOOL, NULL, "", NULL, NULL, 0},
    {"addr", FIELD_ADDRESS, NULL, "", NULL, NULL, 0},
    {"name", FIELD_TEXT, NULL, "", NULL, NULL, 0},
    {"md5", FIELD_HASH, NULL, "", NULL, NULL, 0},
    {"blob", FIELD_BLOB, NULL, "", NULL, NULL, 0},
    {"names", FIELD_TEXTS, NULL, "", NULL, NULL, 0},
    {"numbers", FIELD_UINTS, NULL, "", NULL, NULL, 0},
    {"addrs", FIELD_ADDRESSES, NULL, "", NULL, NULL, 0},
    {"hidden", FIELD_UINT, NULL, "", NULL, NULL, FIELD_HIDDEN},
    {"path", FIELD_TEXT, NULL, "", NULL, NULL, FIELD_UNDIGESTED},
};
static const struct field plain_fields[] = {
    {"src_addr", FIELD_ADDRESS, NULL, "", NULL, NULL, 0},
    {"bytes", FIELD_UINT, "bytes", "", NULL, NULL, 0},
};
// clang-format on

const struct record_kind sample_kind = {"sample", "Everything", sample_fields, 15, false, false};
const struct record_kind plain_kind = {"plain", "Little", plain_fields, 2, false, false};
const struct record_kind *const fixture_kinds[2] = {&sample_kind, &plain_kind};

static uint64_t mix(uint64_t n)
{
    n = (n + 1) * UINT64_C(0x9e3779b97f4a7c15);
    return n ^ n >> 29;
}

static struct address address_of(uint64_t number)
{
    return number % 3 ? address_v4((uint32_t)(0x0a000000 + number % 65536))
                      : (struct address){0x20010db800000000, mix(number)};
}

static void put_lists(struct record_batch *b, uint64_t number)
{
    uint8_t memory[256];
    struct buf names = buf_on(memory, sizeof memory);
    for (uint32_t i = 0; i < number % 4; i++) {
        char text[32];
        uint32_t n = (uint32_t)snprintf(text, sizeof text, "name, \"%u\" of many", i);
        buf_put(&names, bytes_of(&n, sizeof n));
        buf_put(&names, bytes_of(text, n));
    }
    batch_text(b, SAMPLE_NAMES, buf_bytes(&names));
    uint64_t numbers[2] = {number, UINT64_MAX};
    batch_text(b, SAMPLE_NUMBERS, bytes_of(numbers, number % 3 * sizeof *numbers));
    struct address addresses[2] = {address_of(number), address_of(number + 1)};
    batch_text(b, SAMPLE_ADDRESSES, bytes_of(addresses, number % 3 * sizeof *addresses));
}

static void put_texts(struct record_batch *b, uint64_t number)
{
    char text[64];
    static const char *const texts[] = {"", "short", "a text of more than twelve bytes",
                                        "Zürich → 東京", "quo\"te,\n\\x41"};
    batch_text(b, SAMPLE_NAME, bytes_text(texts[number % 5]));
    uint64_t hash[2] = {mix(number), mix(number + 7)};
    batch_text(b, SAMPLE_HASH, bytes_of(hash, sizeof hash));
    batch_text(b, SAMPLE_BLOB, bytes_of("a\0b\xff", 4));
    int n = snprintf(text, sizeof text, "/captures/%llu.pcap", (unsigned long long)number);
    batch_text(b, SAMPLE_PATH, bytes_of(text, (size_t)n));
}

// Every seventh row has nothing but its id.
static void put_sample(struct record_batch *b, uint64_t number)
{
    uint64_t ratio;
    double real = (double)(int64_t)(number - 5) / 3;
    memcpy(&ratio, &real, sizeof ratio);
    batch_words(b, SAMPLE_ID, 1600000000000000 + number, mix(number));
    if (number % 7 == 6) return;
    batch_word(b, SAMPLE_TS, (uint64_t)(INT64_C(1600000000123456789) + (int64_t)number * 1000));
    batch_word(b, SAMPLE_DURATION, number * 12345677);
    batch_word(b, SAMPLE_COUNT, number % 2 ? number : UINT64_MAX - number);
    batch_word(b, SAMPLE_RATIO, ratio);
    batch_word(b, SAMPLE_FLAG, number % 2);
    struct address a = address_of(number);
    batch_words(b, SAMPLE_ADDRESS, a.hi, a.lo);
    put_texts(b, number);
    if (number % 5 != 4) put_lists(b, number);
    batch_word(b, SAMPLE_HIDDEN, number);
}

bool fixture_row(struct record_batch *b, uint64_t number)
{
    if (!batch_begin(b, 1024)) return false;
    if (b->kind == &sample_kind) put_sample(b, number);
    else {
        struct address a = address_of(number);
        batch_words(b, 0, a.hi, a.lo);
        batch_word(b, 1, number);
    }
    batch_end(b);
    return true;
}

void fixture_fill(struct record_sink sink, const struct record_kind *kind, uint64_t from,
                  uint64_t to, uint32_t rows)
{
    struct record_batch *b = batch_create(kind);
    for (; from < to; from++) {
        if (b->rows == rows || !fixture_row(b, from)) {
            sink.take(sink.context, b);
            batch_clear(b);
            fixture_row(b, from);
        }
    }
    sink.take(sink.context, b);
    batch_destroy(b);
}

bool fixture_rows_equal(const struct record_batch *a, uint32_t row_a, const struct record_batch *b,
                        uint32_t row_b)
{
    for (uint32_t f = 0; f < a->kind->field_count; f++) {
        enum field_type type = a->kind->fields[f].type;
        if (batch_has(a, f, row_a) != batch_has(b, f, row_b)) return false;
        if (!batch_has(a, f, row_a)) continue;
        bool by_bytes =
            field_is_list(type) || type == FIELD_TEXT || type == FIELD_HASH || type == FIELD_BLOB;
        if (by_bytes && !bytes_equal(batch_get_bytes(a, f, row_a), batch_get_bytes(b, f, row_b)))
            return false;
        if (by_bytes) continue;
        size_t words = field_words(type);
        if (memcmp(a->columns[f].words + row_a * words, b->columns[f].words + row_b * words,
                   words * 8) != 0)
            return false;
    }
    return true;
}

char *fixture_folder(void)
{
    char *folder = memory_get(64);
    strcpy(folder, "/tmp/weir-store-XXXXXX");
    if (!mkdtemp(folder)) abort();
    return folder;
}

void fixture_folder_remove(char *folder)
{
    struct err err;
    if (!folder_remove(folder, &err)) fprintf(stderr, "%s\n", err.text);
    memory_free(folder);
}

int fixture_set_up(void **state)
{
    *state = fixture_folder();
    return 0;
}

int fixture_tear_down(void **state)
{
    fixture_folder_remove(*state);
    return 0;
}

const struct reading *fixture_reading(uint8_t number, const char *options)
{
    static struct reading_capture capture = {.path = "/captures/a.pcap", .bytes = 1234};
    static struct reading reading;
    memset(capture.sha256, number, sizeof capture.sha256);
    reading = (struct reading){&capture, 1, options, "0.1.0", INT64_C(1700000000000000000)};
    return &reading;
}

struct author fixture_author = {.version = "0.1.0", .time = 1};

__attribute__((constructor)) static void make_key(void)
{
    static const uint8_t seed[32] = "a key for tests";
    fixture_author.key = signing_key_of(seed);
}

__attribute__((destructor)) static void close_key(void)
{
    signing_key_close((struct signing_key *)fixture_author.key);
}

bool fixture_has_library(void)
{
    struct err err;
    if (duckdb_load(&err)) return true;
    fprintf(stderr, "skipped: %s\n", err.text);
    return false;
}
