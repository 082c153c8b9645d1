#include "store/parquet_values.h"

#include <string.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/memory.h"

enum {
    // A dictionary pays where a value comes three times, for readers more than for room; more than
    // so many are too many to look for.
    DICTIONARY_MAX = 131072,
    DICTIONARY_SHARE = 3,
    LOOK_EVERY = 8192, // whether nearly all so far were different
    CLOSE_MAX = 65536, // numbers that lie so close together need no hashing
    SLOTS_MIN = 1024,
    AHEAD = 12,    // values whose slots are on their way to the cache
    GROUP = 8,     // numbers that are packed together
    SAME_MIN = 16, // so many of the same are a run of their own
    WORD_SIZE = 8,
};

void parquet_values_clear(struct parquet_values *v)
{
    v->nulls = v->level_count = v->word_count = 0;
    v->least = UINT64_MAX;
    v->most = 0;
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

static void dictionary_clear(struct parquet_dictionary *d, size_t values)
{
    if (!d->words) d->words = memory_get(DICTIONARY_MAX * sizeof *d->words);
    if (values > d->index_size) {
        d->index_size = values;
        d->indices = memory_resize(d->indices, values * sizeof *d->indices);
    }
    d->count = 0;
}

// So many slots, all empty.
static uint32_t *dictionary_slots(struct parquet_dictionary *d, size_t slots)
{
    if (slots > d->slot_size) {
        d->slot_size = slots;
        d->slots = memory_resize(d->slots, slots * sizeof *d->slots);
    }
    return memset(d->slots, 0, slots * sizeof *d->slots);
}

static inline uint32_t slot_of(uint64_t hash, uint32_t mask)
{
    return (uint32_t)(hash * UINT64_C(0x9e3779b97f4a7c15) >> 32) & mask;
}

// What is being made; the loops over it keep it in registers.
struct making {
    uint64_t *words;
    uint32_t *indices;
    uint32_t *slots;
    uint32_t mask; // of hashed slots
    size_t count, limit;
};

// Gives `word` its number, in the slot that was found for it; false when there are too many.
static inline bool number_word(struct making *m, uint32_t *slot, uint64_t word, size_t i)
{
    if (!*slot) {
        if (m->count == m->limit) return false;
        m->words[m->count++] = word;
        *slot = (uint32_t)m->count;
    }
    m->indices[i] = *slot - 1;
    return true;
}

// Numbers that lie so close together that each has a slot of its own.
static bool add_close(struct making *m, const struct parquet_values *v, size_t from, size_t to)
{
    const uint64_t *words = v->words, least = v->least;
    struct making k = *m;
    bool fine = true;
    for (size_t i = from; fine && i < to; i++)
        fine = number_word(&k, &k.slots[words[i] - least], words[i], i);
    *m = k;
    return fine;
}

static bool add_hashed(struct making *m, const struct parquet_values *v, size_t from, size_t to)
{
    const uint64_t *words = v->words;
    struct making k = *m;
    bool fine = true;
    for (size_t i = from; fine && i < to; i++) {
        if (i + AHEAD < to) __builtin_prefetch(&k.slots[slot_of(words[i + AHEAD], k.mask)]);
        uint32_t at = slot_of(words[i], k.mask);
        while (k.slots[at] && k.words[k.slots[at] - 1] != words[i]) at = (at + 1) & k.mask;
        fine = number_word(&k, &k.slots[at], words[i], i);
    }
    *m = k;
    return fine;
}

static bool add_texts(struct making *m, const struct parquet_values *v, size_t from, size_t to)
{
    bool fine = true;
    for (size_t i = from; fine && i < to; i++) {
        if (i && v->words[i] == v->words[i - 1]) {
            m->indices[i] = m->indices[i - 1];
            continue;
        }
        bytes text = text_at(v, v->words[i]);
        uint32_t at = slot_of(table_hash(text.p, text.n, 0), m->mask);
        while (m->slots[at] && !bytes_equal(text_at(v, m->words[m->slots[at] - 1]), text))
            at = (at + 1) & m->mask;
        fine = number_word(m, &m->slots[at], v->words[i], i);
    }
    return fine;
}

static void place_word(struct making *m, const struct parquet_values *v, bool texts,
                       uint32_t number)
{
    uint64_t word = m->words[number], hash = word;
    if (texts) hash = table_hash(text_at(v, word).p, text_at(v, word).n, 0);
    uint32_t at = slot_of(hash, m->mask);
    while (m->slots[at]) at = (at + 1) & m->mask;
    m->slots[at] = number + 1;
}

// Few slots lie in a near cache: there are no more than so many `more` values can need.
static void reserve_slots(struct making *m, struct parquet_dictionary *d,
                          const struct parquet_values *v, bool texts, size_t more)
{
    size_t slots = m->slots ? (size_t)m->mask + 1 : SLOTS_MIN;
    while (slots < 2 * (m->count + more)) slots *= 2;
    if (m->slots && slots == (size_t)m->mask + 1) return;
    m->slots = dictionary_slots(d, slots);
    m->mask = (uint32_t)slots - 1;
    for (uint32_t i = 0; i < m->count; i++) place_word(m, v, texts, i);
}

bool parquet_dictionary_make(struct parquet_dictionary *d, const struct parquet_values *v,
                             bool texts)
{
    size_t limit = v->word_count / DICTIONARY_SHARE + 1;
    if (limit > DICTIONARY_MAX) limit = DICTIONARY_MAX;
    bool is_close = !texts && v->least <= v->most && v->most - v->least < CLOSE_MAX;
    dictionary_clear(d, v->word_count);
    struct making m = {.words = d->words, .indices = d->indices, .limit = limit};
    if (is_close) m.slots = dictionary_slots(d, v->most - v->least + 1);
    bool fine = true;
    for (size_t from = 0, to; fine && from < v->word_count; from = to) {
        to = v->word_count - from < LOOK_EVERY ? v->word_count : from + LOOK_EVERY;
        if (!is_close) reserve_slots(&m, d, v, texts, to - from);
        fine = texts      ? add_texts(&m, v, from, to)
               : is_close ? add_close(&m, v, from, to)
                          : add_hashed(&m, v, from, to);
        fine = fine && (to - from < LOOK_EVERY || m.count <= to / 4 * 3);
    }
    d->count = m.count;
    return fine;
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

// How many are the same from `at` on; 0 when they are less than a run of their own needs.
static size_t same_from(const uint32_t *numbers, size_t at, size_t count)
{
    size_t end = at + 1;
    if (count - at < SAME_MIN || numbers[at] != numbers[at + SAME_MIN - 1]) return 0;
    while (end < count && numbers[end] == numbers[at]) end++;
    return end - at < SAME_MIN ? 0 : end - at;
}

void parquet_put_runs(struct text *out, const uint32_t *numbers, size_t count, unsigned width)
{
    size_t packed = 0; // from here on nothing is put yet
    for (size_t at = 0; at < count;) {
        size_t same = same_from(numbers, at, count);
        if (!same) {
            at += GROUP;
            continue;
        }
        put_packed(out, numbers + packed, at - packed, width);
        parquet_put_same(out, numbers[at], same, width);
        packed = at += same;
    }
    put_packed(out, numbers + packed, count - packed, width);
}
