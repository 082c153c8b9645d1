#include "store/values.h"

#include "store/vector.h"

enum { DECIMAL_TYPE = 19, BIG_DIGITS_MAX = 41 };

__extension__ typedef unsigned __int128 big;

struct value_type value_type_of(struct duck_result *result, uint64_t column)
{
    struct duck_logical *logical = duck.column_logical_type(result, column);
    struct value_type type = {duck.get_type_id(logical), 0};
    if (type.type == DUCK_LIST) {
        struct duck_logical *child = duck.list_type_child_type(logical);
        type.element = duck.get_type_id(child);
        duck.destroy_logical_type(&child);
    }
    duck.destroy_logical_type(&logical);
    return type;
}

static bool is_simple(int type)
{
    static const int simple[] = {
        DUCK_BOOLEAN,  DUCK_TINYINT,     DUCK_SMALLINT,     DUCK_INTEGER,      DUCK_BIGINT,
        DUCK_UTINYINT, DUCK_USMALLINT,   DUCK_UINTEGER,     DUCK_UBIGINT,      DUCK_FLOAT,
        DUCK_DOUBLE,   DUCK_HUGEINT,     DUCK_UHUGEINT,     DUCK_VARCHAR,      DUCK_TIMESTAMP,
        DUCK_BLOB,     DUCK_TIMESTAMP_S, DUCK_TIMESTAMP_MS, DUCK_TIMESTAMP_NS, DUCK_TIMESTAMP_TZ,
    };
    for (size_t i = 0; i < sizeof simple / sizeof *simple; i++)
        if (simple[i] == type) return true;
    return false;
}

const char *value_cast(struct value_type type)
{
    if (is_simple(type.type)) return NULL;
    if (type.type == DUCK_LIST && is_simple(type.element)) return NULL;
    return type.type == DECIMAL_TYPE ? "DOUBLE" : "VARCHAR";
}

bool value_is_number(struct value_type type)
{
    if (type.type >= DUCK_TINYINT && type.type <= DUCK_DOUBLE) return true;
    return type.type == DUCK_HUGEINT || type.type == DUCK_UHUGEINT || type.type == DECIMAL_TYPE;
}

static void put_big(struct output *o, big magnitude, bool negative)
{
    char digits[BIG_DIGITS_MAX];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + (int)(magnitude % 10));
        magnitude /= 10;
    } while (magnitude);
    if (negative) digits[--at] = '-';
    output_digits(o, bytes_of(digits + at, sizeof digits - at));
}

static void put_hugeint(struct output *o, struct duck_hugeint v, bool is_signed)
{
    big all = (big)(uint64_t)v.upper << 64 | v.lower;
    bool negative = is_signed && v.upper < 0;
    put_big(o, negative ? -all : all, negative);
}

// Times beyond the years that nanoseconds reach are shown as the number they are.
static void put_time(struct output *o, int64_t v, int64_t unit)
{
    int64_t time;
    if (__builtin_mul_overflow(v, unit, &time)) output_int(o, v);
    else output_time(o, time);
}

static void put_signed(struct output *o, int type, const void *data, uint64_t row)
{
    if (type == DUCK_TINYINT) output_int(o, ((const int8_t *)data)[row]);
    else if (type == DUCK_SMALLINT) output_int(o, ((const int16_t *)data)[row]);
    else if (type == DUCK_INTEGER) output_int(o, ((const int32_t *)data)[row]);
    else output_int(o, ((const int64_t *)data)[row]);
}

static void put_unsigned(struct output *o, int type, const void *data, uint64_t row)
{
    if (type == DUCK_UTINYINT) output_uint(o, ((const uint8_t *)data)[row]);
    else if (type == DUCK_USMALLINT) output_uint(o, ((const uint16_t *)data)[row]);
    else if (type == DUCK_UINTEGER) output_uint(o, ((const uint32_t *)data)[row]);
    else output_uint(o, ((const uint64_t *)data)[row]);
}

static void put_string(struct output *o, int type, const void *data, uint64_t row)
{
    const struct duck_string *s = (const struct duck_string *)data + row;
    bytes b = bytes_of(duck_string_data(s), s->length);
    if (type == DUCK_BLOB) output_hex(o, b);
    else output_text(o, b);
}

static void put_simple(struct output *o, int type, const void *data, uint64_t row)
{
    switch (type) {
    case DUCK_BOOLEAN:
        output_bool(o, ((const bool *)data)[row]);
        return;
    case DUCK_FLOAT:
        output_real(o, (double)((const float *)data)[row]);
        return;
    case DUCK_DOUBLE:
        output_real(o, ((const double *)data)[row]);
        return;
    case DUCK_HUGEINT:
    case DUCK_UHUGEINT:
        put_hugeint(o, ((const struct duck_hugeint *)data)[row], type == DUCK_HUGEINT);
        return;
    case DUCK_TIMESTAMP_S:
        put_time(o, ((const int64_t *)data)[row], NANOS_PER_SECOND);
        return;
    case DUCK_TIMESTAMP_MS:
        put_time(o, ((const int64_t *)data)[row], 1000 * NANOS_PER_MICRO);
        return;
    case DUCK_TIMESTAMP:
    case DUCK_TIMESTAMP_TZ:
        put_time(o, ((const int64_t *)data)[row], NANOS_PER_MICRO);
        return;
    case DUCK_TIMESTAMP_NS:
        put_time(o, ((const int64_t *)data)[row], 1);
        return;
    case DUCK_VARCHAR:
    case DUCK_BLOB:
        put_string(o, type, data, row);
        return;
    default:
        break;
    }
    if (type >= DUCK_UTINYINT) put_unsigned(o, type, data, row);
    else put_signed(o, type, data, row);
}

static void put_list(struct output *o, int element, struct duck_vector *v, uint64_t row)
{
    struct duck_list_entry e = ((const struct duck_list_entry *)duck.vector_get_data(v))[row];
    struct duck_vector *child = duck.list_vector_get_child(v);
    const uint64_t *validity = duck.vector_get_validity(child);
    output_list_begin(o);
    for (uint64_t i = e.offset; i < e.offset + e.length; i++) {
        if (vector_is_null(validity, i)) output_null(o);
        else put_simple(o, element, duck.vector_get_data(child), i);
    }
    output_list_end(o);
}

void value_put(struct output *o, struct value_type type, struct duck_vector *v, uint64_t row)
{
    if (vector_is_null(duck.vector_get_validity(v), row)) output_null(o);
    else if (type.type == DUCK_LIST) put_list(o, type.element, v, row);
    else put_simple(o, type.type, duck.vector_get_data(v), row);
}
