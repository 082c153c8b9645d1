#include "store/parquet_values.h"

#include <string.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/memory.h"

enum {
    // A dictionary pays where a value comes four times; more than so many are too many to look for.
    DICTIONARY_MAX = 32768,
    DICTIONARY_SHARE = 4,
    LOOK_EVERY = 8192, // whether most so far were different
    SLOTS_MIN = 1024,
    AHEAD = 12,    // values whose slots are on their way to the cache
    GROUP = 8,     // numbers that are packed together
    SAME_MIN = 16, // so many of the same are a run of their own
    WORD_SIZE = 8,
};

void parquet_values_clear(struct parquet_values *v)
{
    v->nulls = v->level_count = v->word_count = 0;
}

void parquet_values_deinit(struct parquet_values *v)
{
    memory_free(v->levels);
    memory_free(v->goes_on);
    memory_free(v->words);
    text_deinit(&v->heap);
    *v = (struct parquet_values){0};
}

// Half as much again, or just as much as is wanted: whoever knows how much comes says so at once.
static size_t grown(size_t size, size_t wanted)
{
    return wanted > size + size / 2 ? wanted : size + size / 2;
}

void parquet_values_reserve(struct parquet_values *v, size_t levels, size_t words)
{
    if (v->level_count + levels > v->level_size) {
        v->level_size = grown(v->level_size, v->level_count + levels);
        v->levels = memory_resize(v->levels, v->level_size * sizeof *v->levels);
        v->goes_on = memory_resize(v->goes_on, v->level_size * sizeof *v->goes_on);
    }
    if (v->word_count + words > v->word_size) {
        v->word_size = grown(v->word_size, v->word_count + words);
        v->words = memory_resize(v->words, v->word_size * sizeof *v->words);
    }
}

static void put_levels(struct parquet_values *v, enum parquet_level level, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) v->levels[i] = level;
}

void parquet_values_there(struct parquet_values *v, size_t rows)
{
    if (v->nulls) put_levels(v, LEVEL_THERE, v->level_count, v->level_count + rows);
    v->level_count += rows;
}

void parquet_values_null(struct parquet_values *v, size_t rows)
{
    if (!v->nulls) put_levels(v, LEVEL_THERE, 0, v->level_count);
    put_levels(v, LEVEL_NULL, v->level_count, v->level_count + rows);
    v->level_count += rows;
    v->nulls += rows;
}

// ---- dictionaries -------------------------------------------------------------------------------

void parquet_dictionary_deinit(struct parquet_dictionary *d)
{
    memory_free(d->words);
    memory_free(d->slots);
    memory_free(d->indices);
    *d = (struct parquet_dictionary){0};
}

static bytes text_at(const struct parquet_values *v, uint64_t place)
{
    return bytes_of(v->heap.p + (place >> 32), (uint32_t)place);
}

static void dictionary_clear(struct parquet_dictionary *d, size_t limit, size_t values)
{
    size_t slots = SLOTS_MIN;
    while (slots < 2 * limit) slots *= 2;
    if (!d->words) d->words = memory_get(DICTIONARY_MAX * sizeof *d->words);
    if (values > d->index_size) {
        d->index_size = values;
        d->indices = memory_resize(d->indices, values * sizeof *d->indices);
    }
    if (slots > d->slot_size) {
        d->slot_size = slots;
        d->slots = memory_resize(d->slots, slots * sizeof *d->slots);
    }
    memset(d->slots, 0, slots * sizeof *d->slots);
    d->slot_count = slots;
    d->count = 0;
}

static inline uint32_t word_slot(const struct parquet_dictionary *d, uint64_t word)
{
    word *= UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(word >> 32) & (uint32_t)(d->slot_count - 1);
}

// The slot of a value: where it stands, or where it is to be put.
static inline uint16_t *find_word(struct parquet_dictionary *d, uint64_t word)
{
    uint32_t at = word_slot(d, word);
    while (d->slots[at] && d->words[d->slots[at] - 1] != word)
        at = (at + 1) & (uint32_t)(d->slot_count - 1);
    return &d->slots[at];
}

static uint16_t *find_text(struct parquet_dictionary *d, const struct parquet_values *v,
                           uint64_t place)
{
    bytes text = text_at(v, place);
    uint32_t at = word_slot(d, table_hash(text.p, text.n, 0));
    while (d->slots[at] && !bytes_equal(text_at(v, d->words[d->slots[at] - 1]), text))
        at = (at + 1) & (uint32_t)(d->slot_count - 1);
    return &d->slots[at];
}

bool parquet_dictionary_make(struct parquet_dictionary *d, const struct parquet_values *v,
                             bool texts)
{
    size_t limit = v->word_count / DICTIONARY_SHARE + 1;
    if (limit > DICTIONARY_MAX) limit = DICTIONARY_MAX;
    dictionary_clear(d, limit, v->word_count);
    for (size_t i = 0; i < v->word_count; i++) {
        uint64_t word = v->words[i];
        if (i + AHEAD < v->word_count && !texts)
            __builtin_prefetch(&d->slots[word_slot(d, v->words[i + AHEAD])]);
        if (i % LOOK_EVERY == LOOK_EVERY - 1 && d->count > i / 2) return false;
        if (i && word == v->words[i - 1]) {
            d->indices[i] = d->indices[i - 1];
            continue;
        }
        uint16_t *slot = texts ? find_text(d, v, word) : find_word(d, word);
        if (!*slot) {
            if (d->count == limit) return false;
            d->words[d->count++] = word;
            *slot = (uint16_t)d->count;
        }
        d->indices[i] = *slot - 1;
    }
    return true;
}

// ---- plain values -------------------------------------------------------------------------------

static void put_bits(struct text *out, const uint64_t *words, size_t count)
{
    for (size_t i = 0; i < count; i += 8) {
        uint8_t byte = 0;
        for (size_t k = i; k < i + 8 && k < count; k++) byte |= (uint8_t)(words[k] << (k - i));
        text_put(out, bytes_of(&byte, 1));
    }
}

void parquet_put_plain(struct text *out, enum parquet_form form, const struct parquet_values *v,
                       const uint64_t *words, size_t count)
{
    if (form == FORM_WORDS) text_put(out, bytes_of(words, count * WORD_SIZE));
    if (form == FORM_BITS) put_bits(out, words, count);
    for (size_t i = 0; form == FORM_TEXTS && i < count; i++) {
        bytes text = text_at(v, words[i]);
        uint32_t length = (uint32_t)text.n;
        text_put(out, bytes_of(&length, sizeof length));
        text_put(out, text);
    }
}

// ---- runs ---------------------------------------------------------------------------------------

unsigned parquet_width(size_t number)
{
    return number < 2 ? 1 : 64 - (unsigned)__builtin_clzll(number);
}

static void put_varint(struct text *out, uint64_t v)
{
    uint8_t memory[10];
    struct buf b = buf_on(memory, sizeof memory);
    buf_varint(&b, v);
    text_put(out, buf_bytes(&b));
}

void parquet_put_same(struct text *out, uint32_t number, size_t count, unsigned width)
{
    put_varint(out, (uint64_t)count << 1);
    text_put(out, bytes_of(&number, (width + 7) / 8));
}

// Whole groups; behind the last number zeros fill the last one.
static void put_packed(struct text *out, const uint32_t *numbers, size_t count, unsigned width)
{
    enum { AT_ONCE = 1024 }; // a multiple of GROUP
    uint8_t packed[AT_ONCE * 4 + WORD_SIZE];
    if (!count) return;
    put_varint(out, (count + GROUP - 1) / GROUP << 1 | 1);
    for (size_t i = 0; i < count; i += AT_ONCE) {
        size_t end = i + AT_ONCE < count ? i + AT_ONCE : count, n = 0;
        uint64_t word = 0;
        unsigned bits = 0;
        for (size_t k = i; k < (end + GROUP - 1) / GROUP * GROUP; k++) {
            word |= (uint64_t)(k < end ? numbers[k] : 0) << bits;
            bits += width;
            if (bits < 32) continue;
            memcpy(packed + n, &word, 4);
            n += 4;
            word >>= 32;
            bits -= 32;
        }
        memcpy(packed + n, &word, WORD_SIZE);
        text_put(out, bytes_of(packed, n + (bits + 7) / 8));
    }
}

static size_t same_from(const uint32_t *numbers, size_t at, size_t count)
{
    size_t end = at + 1;
    while (end < count && numbers[end] == numbers[at]) end++;
    return end - at;
}

void parquet_put_runs(struct text *out, const uint32_t *numbers, size_t count, unsigned width)
{
    size_t packed = 0; // from here on nothing is put yet
    for (size_t at = 0; at < count;) {
        size_t same = same_from(numbers, at, count);
        if (same < SAME_MIN) {
            at += GROUP;
            continue;
        }
        put_packed(out, numbers + packed, at - packed, width);
        parquet_put_same(out, numbers[at], same, width);
        packed = at += same;
    }
    put_packed(out, numbers + packed, count - packed, width);
}
