// Distinguished names as text (RFC 4514), and the character sets of ASN.1 as UTF-8.
#include <assert.h>
#include <stdio.h>

#include "dissect/x509.h"
#include "dissect/x509_names.h"

struct name_part {
    bytes oid;
    struct der value;
    unsigned set; // parts of one set belong together: "CN=a+OU=b"
};

static void put_utf8(struct buf *text, uint32_t c)
{
    assert(c < 0x110000);
    if (c < 0x80) {
        buf_u8(text, (uint8_t)c);
        return;
    }
    unsigned tail = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const uint8_t heads[] = {0, 0xc0, 0xe0, 0xf0};
    buf_u8(text, (uint8_t)(heads[tail] | c >> 6 * tail));
    while (tail-- > 0) buf_u8(text, (uint8_t)(0x80 | (c >> 6 * tail & 0x3f)));
}

// RFC 4514 section 2.4.
static bool must_escape(uint32_t c, bool first, bool last)
{
    if (c == ' ') return first || last;
    if (c == '#') return first;
    return c == ',' || c == '+' || c == '"' || c == '\\' || c == '<' || c == '>' || c == ';';
}

static void put_character(struct buf *text, uint32_t c, bool first, bool last)
{
    if (c < 0x20 || c == 0x7f) {
        char hex[4];
        snprintf(hex, sizeof hex, "\\%02X", c & 0xff);
        buf_text(text, hex);
        return;
    }
    if (must_escape(c, first, last)) buf_u8(text, '\\');
    put_utf8(text, c);
}

// One character of a string with `width` bytes a character (X.690 section 8.23); surrogates come in
// pairs.
static uint32_t read_character(struct reader *r, unsigned width)
{
    if (width == 1) return read_u8(r);
    if (width == 4) return read_be32(r);
    uint32_t high = read_be16(r);
    if (high < 0xd800 || high > 0xdbff || reader_left(r) < 2) return high;
    return 0x10000 + ((high & 0x3ff) << 10) + (read_be16(r) & 0x3ff);
}

static void put_wide(struct buf *text, bytes value, unsigned width)
{
    struct reader r = reader_of(value);
    for (bool first = true; reader_left(&r) >= width; first = false) {
        uint32_t c = read_character(&r, width);
        bool is_character = c < 0x110000 && (c < 0xd800 || c > 0xdfff);
        put_character(text, is_character ? c : 0xfffd, first, reader_left(&r) < width);
    }
}

// Bytes above 0x7f are passed on: whether they are UTF-8 is decided where text enters a record.
static void put_narrow(struct buf *text, bytes value)
{
    struct reader r = reader_of(value);
    for (bool first = true; reader_left(&r) > 0; first = false) {
        uint8_t c = read_u8(&r);
        if (c >= 0x80) buf_u8(text, c);
        else put_character(text, c, first, reader_left(&r) == 0);
    }
}

// What is no string stands as "#" and its DER in hexadecimal digits (RFC 4514 section 2.4).
static void put_hex(struct buf *text, bytes whole)
{
    struct reader r = reader_of(whole);
    buf_u8(text, '#');
    while (reader_left(&r) > 0 && !text->full) {
        char hex[4];
        snprintf(hex, sizeof hex, "%02X", read_u8(&r));
        buf_text(text, hex);
    }
}

static void put_value(struct buf *text, const struct der *value)
{
    switch (value->tag) {
    case DER_UTF8_STRING:
    case DER_PRINTABLE_STRING:
    case DER_IA5_STRING:
    case DER_NUMERIC_STRING:
    case DER_VISIBLE_STRING:
        put_narrow(text, value->body);
        break;
    // In practice Latin-1, whatever T.61 says.
    case DER_T61_STRING:
        put_wide(text, value->body, 1);
        break;
    case DER_BMP_STRING:
        put_wide(text, value->body, 2);
        break;
    case DER_UNIVERSAL_STRING:
        put_wide(text, value->body, 4);
        break;
    default:
        put_hex(text, value->whole);
        break;
    }
}

void x509_oid_format(struct buf *text, bytes oid)
{
    struct reader r = reader_of(oid);
    uint64_t arc = 0;
    bool first = true;
    while (reader_left(&r) > 0 && !text->full) {
        uint8_t c = read_u8(&r);
        arc = arc << 7 | (c & 0x7f);
        if (c & 0x80) continue;
        uint64_t root = arc < 80 ? arc / 40 : 2;
        char number[48];
        if (first)
            snprintf(number, sizeof number, "%u.%llu", (unsigned)root,
                     (unsigned long long)(arc - 40 * root));
        else snprintf(number, sizeof number, ".%llu", (unsigned long long)arc);
        buf_text(text, number);
        first = false;
        arc = 0;
    }
}

static void put_part(struct buf *text, const struct name_part *part)
{
    const char *known = x509_attribute_name(part->oid);
    if (known) buf_text(text, known);
    else x509_oid_format(text, part->oid);
    buf_u8(text, '=');
    // The syntax of an attribute that is not known is not known either.
    if (known) put_value(text, &part->value);
    else put_hex(text, part->value.whole);
}

static unsigned name_parts(struct name_part parts[X509_NAME_PARTS_MAX], bytes name)
{
    struct reader outer = reader_of(name);
    struct reader sets = der_enter(&outer, DER_SEQUENCE);
    unsigned count = 0;
    for (unsigned set = 0; reader_left(&sets) > 0; set++) {
        struct reader attributes = der_enter(&sets, DER_SET);
        while (reader_left(&attributes) > 0) {
            struct reader a = der_enter(&attributes, DER_SEQUENCE);
            struct name_part part = {.oid = der_expect(&a, DER_OID), .set = set};
            part.value = der_next(&a);
            if (a.bad || count == X509_NAME_PARTS_MAX) return count;
            parts[count++] = part;
        }
    }
    return count;
}

void x509_name_format(struct buf *text, bytes name)
{
    struct name_part parts[X509_NAME_PARTS_MAX];
    unsigned count = name_parts(parts, name);
    for (unsigned i = count; i-- > 0;) {
        if (i + 1 < count) buf_u8(text, parts[i].set == parts[i + 1].set ? '+' : ',');
        put_part(text, &parts[i]);
    }
}

bytes x509_name_attribute(bytes name, bytes oid)
{
    struct name_part parts[X509_NAME_PARTS_MAX];
    unsigned count = name_parts(parts, name);
    while (count-- > 0)
        if (bytes_equal(parts[count].oid, oid)) return parts[count].value.body;
    return (bytes){0};
}
