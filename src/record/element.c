#include "record/element.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/memory.h"

static const struct element elements[] = {
#include "elements_table.h"
};
enum { ELEMENT_COUNT = sizeof elements / sizeof elements[0] };

static int element_compare(const struct element *e, uint32_t enterprise, uint16_t number)
{
    if (e->enterprise != enterprise) return e->enterprise < enterprise ? -1 : 1;
    if (e->number != number) return e->number < number ? -1 : 1;
    return 0;
}

// What users add, in the order of the table. Set once, before there are threads.
static struct element *extras;
static uint32_t extra_count;

static const struct element *find_in(const struct element *list, size_t count, uint32_t enterprise,
                                     uint16_t number)
{
    size_t from = 0, to = count;
    while (from < to) {
        size_t at = (from + to) / 2;
        int order = element_compare(&list[at], enterprise, number);
        if (order == 0) return &list[at];
        if (order < 0) from = at + 1;
        else to = at;
    }
    return NULL;
}

const struct element *element_find(uint32_t enterprise, uint16_t number)
{
    const struct element *e = find_in(extras, extra_count, enterprise, number);
    return e ? e : find_in(elements, ELEMENT_COUNT, enterprise, number);
}

static int element_order(const void *a, const void *b)
{
    const struct element *e = b;
    return element_compare(a, e->enterprise, e->number);
}

bool element_extend(const struct element *list, uint32_t count)
{
    extras = memory_resize(extras, (extra_count + count) * sizeof *extras + 1);
    if (count) memcpy(extras + extra_count, list, count * sizeof *list);
    extra_count += count;
    qsort(extras, extra_count, sizeof *extras, element_order);
    for (uint32_t i = 1; i < extra_count; i++)
        if (element_order(&extras[i - 1], &extras[i]) == 0) return false;
    return true;
}

const struct element *element_named(bytes name)
{
    for (size_t i = 0; i < ELEMENT_COUNT; i++)
        if (bytes_equal(bytes_text(elements[i].name), name)) return &elements[i];
    for (uint32_t i = 0; i < extra_count; i++)
        if (bytes_equal(bytes_text(extras[i].name), name)) return &extras[i];
    return NULL;
}

bool element_type_named(bytes name, enum element_type *type)
{
#define ELEMENT_TYPE_NAME(name) #name,
    static const char *const names[] = {ELEMENT_TYPES(ELEMENT_TYPE_NAME)};
#undef ELEMENT_TYPE_NAME
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
        if (bytes_equal(bytes_text(names[i]), name)) {
            *type = (enum element_type)i;
            return true;
        }
    return false;
}

uint64_t element_number(bytes value)
{
    uint64_t n = 0;
    struct reader r = reader_of(value);
    if (value.n == sizeof(uint32_t)) return read_be32(&r);
    if (value.n == sizeof(uint16_t)) return read_be16(&r);
    if (value.n > sizeof n) return 0;
    for (size_t i = 0; i < value.n; i++) n = n << 8 | value.p[i];
    return n;
}

nanos element_time(enum element_type type, bytes value)
{
    uint64_t n = element_number(value);
    if (type == ELEMENT_dateTimeSeconds) return (nanos)(n & UINT32_MAX) * NANOS_PER_SECOND;
    if (type == ELEMENT_dateTimeMilliseconds)
        return n < INT64_MAX / NANOS_PER_MILLI ? (nanos)n * NANOS_PER_MILLI : 0;
    // The other two are seconds since 1900 and a fraction of 32 bits (RFC 7011 section 6.1.9).
    uint64_t seconds = n >> 32, fraction = n & UINT32_MAX;
    if (seconds < NTP_EPOCH) return 0;
    return (nanos)(seconds - NTP_EPOCH) * NANOS_PER_SECOND +
           (nanos)(fraction * (uint64_t)NANOS_PER_SECOND >> 32);
}

struct address element_address(bytes value)
{
    if (value.n == 4) return address_v4((uint32_t)element_number(value));
    if (value.n != 16) return (struct address){0};
    return (struct address){element_number(bytes_first(value, 8)),
                            element_number(bytes_after(value, 8))};
}

static const char *const end_reasons[] = {NULL, "idle", "active", "end", "forced", "resources"};
enum { END_REASON_COUNT = sizeof end_reasons / sizeof end_reasons[0] };

const char *element_end_reason(uint64_t number)
{
    return number < END_REASON_COUNT ? end_reasons[number] : NULL;
}

uint8_t element_end_reason_number(bytes reason)
{
    for (uint8_t i = 1; i < END_REASON_COUNT; i++)
        if (bytes_equal(reason, bytes_text(end_reasons[i]))) return i;
    return 0;
}

const struct element *element_filling(const char *field, enum element_type from,
                                      enum element_type to)
{
    for (size_t i = 0; i < ELEMENT_COUNT; i++) {
        const struct element *e = &elements[i];
        if (e->fills && e->type >= from && e->type <= to && strcmp(e->fills, field) == 0) return e;
    }
    return NULL;
}

static void format_hex(struct text *text, bytes value)
{
    text_add(text, "0x");
    for (size_t i = 0; i < value.n; i++) text_format(text, "%02x", value.p[i]);
}

static void format_signed(struct text *text, bytes value)
{
    uint64_t n = element_number(value), sign = UINT64_C(1) << (8 * value.n - 1);
    text_format(text, "%" PRId64, (int64_t)((n ^ sign) - sign));
}

static void format_real(struct text *text, bytes value)
{
    uint64_t n = element_number(value);
    uint32_t half = (uint32_t)n;
    double d;
    float f;
    memcpy(&d, &n, sizeof d);
    memcpy(&f, &half, sizeof f);
    text_format(text, "%.17g", value.n == sizeof f ? (double)f : d);
}

static void format_address(struct text *text, bytes value)
{
    char name[ADDRESS_TEXT_MAX];
    address_format(name, element_address(value));
    text_add(text, name);
}

static void format_time(struct text *text, enum element_type type, bytes value)
{
    char time[TIME_TEXT_MAX];
    time_format(time, element_time(type, value));
    text_add(text, time);
}

static void format_mac(struct text *text, bytes value)
{
    for (size_t i = 0; i < value.n; i++) text_format(text, "%s%02x", i ? ":" : "", value.p[i]);
}

// Strings are padded with zeros by many.
static void format_string(struct text *text, bytes value)
{
    while (value.n && value.p[value.n - 1] == 0) value.n--;
    text_put(text, value);
}

static void format_plain(struct text *text, const struct element *element, bytes value)
{
    enum element_type type = element ? element->type : ELEMENT_octetArray;
    bool is_number = value.n > 0 && value.n <= sizeof(uint64_t);
    if (type >= ELEMENT_unsigned8 && type <= ELEMENT_unsigned64 && is_number)
        text_format(text, "%" PRIu64, element_number(value));
    else if (type >= ELEMENT_signed8 && type <= ELEMENT_signed64 && is_number)
        format_signed(text, value);
    else if ((type == ELEMENT_float32 || type == ELEMENT_float64) &&
             (value.n == sizeof(float) || value.n == sizeof(double)))
        format_real(text, value);
    else if (type == ELEMENT_boolean && value.n == 1)
        text_add(text, value.p[0] == 1 ? "true" : "false"); // RFC 7011 section 6.1.5
    else if (type == ELEMENT_macAddress && value.n == 6) format_mac(text, value);
    else if (type == ELEMENT_string) format_string(text, value);
    else if (type >= ELEMENT_dateTimeSeconds && type <= ELEMENT_dateTimeNanoseconds && is_number)
        format_time(text, type, value);
    else if ((type == ELEMENT_ipv4Address && value.n == 4) ||
             (type == ELEMENT_ipv6Address && value.n == 16))
        format_address(text, value);
    else format_hex(text, value);
}

// ---- lists --------------------------------------------------------------------------------------

// What the list says of its values (RFC 6313 section 4.4); nothing where it does not.
static const char *list_meaning(uint8_t semantic)
{
    static const char *const words[] = {"noneOf ", "exactlyOneOf ", "oneOrMoreOf ", "allOf ",
                                        "ordered "};
    return semantic < sizeof words / sizeof *words ? words[semantic] : "";
}

static void list_values(struct text *text, const struct element *element, uint16_t length,
                        struct reader r)
{
    enum { VALUES_MAX = 64, VARIABLE = 65535 };
    bool is_cut = false;
    for (unsigned i = 0; reader_left(&r) && !is_cut; i++) {
        size_t n = length;
        if (length == VARIABLE && (n = read_u8(&r)) == UINT8_MAX) n = read_be16(&r);
        bytes value = read_bytes(&r, n);
        is_cut = i == VALUES_MAX || r.bad || !length;
        if (i) text_add(text, ", ");
        if (is_cut) text_add(text, "...");
        else format_plain(text, element, value);
    }
}

// RFC 6313 section 4.5.1; lists in lists are octets. False when it has no header.
static bool format_list(struct text *text, bytes list)
{
    enum { ENTERPRISE_BIT = 0x8000 };
    struct reader r = reader_of(list);
    const char *meaning = list_meaning(read_u8(&r));
    uint16_t number = read_be16(&r), length = read_be16(&r);
    uint32_t enterprise = number & ENTERPRISE_BIT ? read_be32(&r) : 0;
    if (r.bad) return false;
    number &= ENTERPRISE_BIT - 1;
    const struct element *element = element_find(enterprise, number);
    if (element) text_format(text, "%s%s[", meaning, element->name);
    else text_format(text, "%s%" PRIu32 "/%u[", meaning, enterprise, number);
    list_values(text, element, length, r);
    text_add(text, "]");
    return true;
}

void element_format(struct text *text, const struct element *element, bytes value)
{
    bool is_list = element && element->type == ELEMENT_basicList;
    if (!is_list || !format_list(text, value)) format_plain(text, element, value);
}
