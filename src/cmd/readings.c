#include "cmd/readings.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "record/kinds.h"

enum { PAIRS_FIRST = 16, SHOWN_MAX = 16 };

// Where the bytes or the marks of one reading lie in `bytes`.
struct reading_part {
    size_t at, length;
};

struct reading_pair {
    uint64_t offset, length;
    unsigned side;                                 // 0 src, 1 dst
    struct reading_part policy, data[2], marks[2]; // of the one that was taken, and the other
};

static struct reading_part part_put(struct readings *r, bytes data)
{
    struct reading_part part = {r->bytes.n, data.n};
    text_put(&r->bytes, data);
    return part;
}

static bytes part_get(const struct readings *r, struct reading_part part)
{
    return bytes_of(r->bytes.p + part.at, part.length);
}

static bytes value_of(const struct record_batch *b, unsigned field, uint32_t row)
{
    return batch_has(b, field, row) ? batch_get_bytes(b, field, row) : bytes_of(NULL, 0);
}

static struct reading_part marks_put(struct readings *r, bytes list)
{
    struct reading_part part = {r->bytes.n, 0};
    for (bytes mark; list_next_text(&list, &mark);) {
        text_add(&r->bytes, "  ");
        text_put(&r->bytes, mark);
    }
    part.length = r->bytes.n - part.at;
    return part;
}

static bool take_readings(void *context, const struct record_batch *b)
{
    struct readings *r = context;
    for (uint32_t row = 0; row < b->rows; row++) {
        bytes taken = value_of(b, AMBIGUITY_TAKEN, row);
        // Readings of fragments stand with their datagram.
        if (!taken.n) continue;
        if (r->count == r->size) {
            r->size = r->size ? 2 * r->size : PAIRS_FIRST;
            r->pairs = memory_resize(r->pairs, r->size * sizeof *r->pairs);
        }
        struct reading_pair *pair = &r->pairs[r->count++];
        pair->offset = batch_get(b, AMBIGUITY_OFFSET, row);
        pair->length = batch_get(b, AMBIGUITY_LENGTH, row);
        pair->side = bytes_equal(value_of(b, AMBIGUITY_SIDE, row), bytes_text("dst"));
        pair->policy = part_put(r, value_of(b, AMBIGUITY_POLICY, row));
        pair->data[0] = part_put(r, taken);
        pair->data[1] = part_put(r, value_of(b, AMBIGUITY_OTHER, row));
        pair->marks[0] = marks_put(r, value_of(b, AMBIGUITY_TAKEN_MARKS, row));
        pair->marks[1] = marks_put(r, value_of(b, AMBIGUITY_OTHER_MARKS, row));
    }
    return true;
}

bool readings_load(struct readings *r, struct case_reader *reader, struct record_id conversation,
                   struct err *err)
{
    char where[CASE_ID_CONDITION_MAX];
    case_id_condition(where, "conversation_id", conversation);
    struct case_scan scan = {&ambiguity_kind, CASE_ALL_FIELDS, where, take_readings, r};
    return case_scan(reader, &scan, err);
}

void readings_deinit(struct readings *r)
{
    text_deinit(&r->bytes);
    memory_free(r->pairs);
}

static void print_reading(const char *name, bytes data, bytes marks)
{
    bytes shown = bytes_first(data, SHOWN_MAX);
    printf("  %s  ", name);
    for (size_t i = 0; i < SHOWN_MAX; i++) {
        if (i < shown.n) printf("%02x ", shown.p[i]);
        else fputs("   ", stdout);
    }
    putchar(' ');
    for (size_t i = 0; i < shown.n; i++)
        putchar(shown.p[i] >= 0x20 && shown.p[i] < 0x7f ? shown.p[i] : '.');
    printf("%s%.*s\n", shown.n < data.n ? " ..." : "", (int)marks.n, (const char *)marks.p);
}

void readings_print(const struct readings *r, unsigned side, uint64_t from, uint64_t to)
{
    for (size_t i = 0; i < r->count; i++) {
        const struct reading_pair *pair = &r->pairs[i];
        if (pair->side != side || pair->offset < from || pair->offset >= to) continue;
        bytes policy = part_get(r, pair->policy);
        printf("  two readings of %llu bytes at %llu, %.*s:\n", (unsigned long long)pair->length,
               (unsigned long long)pair->offset, (int)policy.n, (const char *)policy.p);
        print_reading("taken", part_get(r, pair->data[0]), part_get(r, pair->marks[0]));
        print_reading("other", part_get(r, pair->data[1]), part_get(r, pair->marks[1]));
    }
}
