#include "dissect/harness_text.h"

#include <inttypes.h>

#include "base/address.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/time.h"

static void put_address(struct text *out, struct address a)
{
    char text[ADDRESS_TEXT_MAX];
    address_format(text, a);
    text_add(out, text);
}

static void put_hexadecimal(struct text *out, bytes b)
{
    char *digits = memory_get(2 * b.n + 1);
    hex_format(digits, b);
    text_add(out, digits);
    memory_free(digits);
}

static void put_time(struct text *out, nanos t)
{
    char text[TIME_TEXT_MAX];
    time_format(text, t);
    text_add(out, text);
}

static void put_duration(struct text *out, nanos d)
{
    uint64_t n = d < 0 ? (uint64_t)-d : (uint64_t)d;
    text_format(out, "%s%" PRIu64 ".%09" PRIu64, d < 0 ? "-" : "", n / NANOS_PER_SECOND,
                n % NANOS_PER_SECOND);
}

static void put_texts(struct text *out, bytes list)
{
    const char *separator = "[";
    for (bytes element; list_next_text(&list, &element); separator = ",") {
        text_add(out, separator);
        text_json(out, element);
    }
    text_add(out, separator[0] == '[' ? "[]" : "]");
}

// Elements of 8 or 16 bytes, as the batch lays them out (record/batch.h).
static void put_words(struct text *out, bytes list, enum field_type type)
{
    size_t size = type == FIELD_ADDRESSES ? 16 : 8;
    text_add(out, "[");
    for (size_t at = 0; at + size <= list.n; at += size) {
        uint64_t words[2] = {0};
        memcpy(words, bytes_after(list, at).p, size);
        if (at) text_add(out, ",");
        if (type == FIELD_ADDRESSES) put_address(out, (struct address){words[0], words[1]});
        else text_number(out, words[0]);
    }
    text_add(out, "]");
}

static void put_list(struct text *out, enum field_type type, bytes list)
{
    if (type == FIELD_TEXTS) put_texts(out, list);
    else put_words(out, list, type);
}

static void put_real(struct text *out, uint64_t word)
{
    double v;
    memcpy(&v, &word, sizeof v);
    text_format(out, "%.17g", v);
}

static void put_id(struct text *out, struct record_id id)
{
    char text[RECORD_ID_TEXT_SIZE];
    record_id_format(text, id);
    text_add(out, text);
}

void harness_put_value(struct text *out, const struct record_batch *batch, unsigned field)
{
    if (!batch_has(batch, field, 0)) return;
    switch (batch->kind->fields[field].type) {
    case FIELD_TIME:
        put_time(out, (nanos)batch_get(batch, field, 0));
        break;
    case FIELD_DURATION:
        put_duration(out, (nanos)batch_get(batch, field, 0));
        break;
    case FIELD_UINT:
    case FIELD_MAC:
        text_number(out, batch_get(batch, field, 0));
        break;
    case FIELD_BOOL:
        text_add(out, batch_get(batch, field, 0) ? "true" : "false");
        break;
    case FIELD_REAL:
        put_real(out, batch_get(batch, field, 0));
        break;
    case FIELD_ADDRESS:
        put_address(out, batch_get_address(batch, field, 0));
        break;
    case FIELD_ID:
        put_id(out, batch_get_id(batch, field, 0));
        break;
    case FIELD_TEXT:
        text_json(out, batch_get_bytes(batch, field, 0));
        break;
    case FIELD_HASH:
    case FIELD_BLOB:
        put_hexadecimal(out, batch_get_bytes(batch, field, 0));
        break;
    case FIELD_TEXTS:
    case FIELD_UINTS:
    case FIELD_ADDRESSES:
        put_list(out, batch->kind->fields[field].type, batch_get_bytes(batch, field, 0));
        break;
    }
}

void harness_put_text(struct text *out, const char *name, bytes b)
{
    char *clean = memory_get(4 * b.n + 1);
    size_t n = text_escape(clean, 4 * b.n, b);
    text_format(out, " %s=", name);
    text_json(out, bytes_of(clean, n));
    memory_free(clean);
}
