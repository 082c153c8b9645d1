#include "dissect/dns_text.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/address.h"

void dns_put_number(struct buf *out, uint64_t v)
{
    uint8_t digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (uint8_t)('0' + v % 10);
        v /= 10;
    } while (v);
    buf_put(out, bytes_of(digits + at, sizeof digits - at));
}

void dns_put_hexadecimal(struct buf *out, bytes b)
{
    static const char DIGITS[] = "0123456789abcdef";
    for (size_t i = 0; i < b.n && !out->full; i++) {
        buf_u8(out, (uint8_t)DIGITS[b.p[i] >> 4]);
        buf_u8(out, (uint8_t)DIGITS[b.p[i] & 15]);
    }
}

void dns_put_dashed(struct buf *out, bytes b)
{
    for (size_t i = 0; i < b.n; i++) {
        if (i) buf_u8(out, '-');
        dns_put_hexadecimal(out, bytes_first(bytes_after(b, i), 1));
    }
}

void dns_put_base64(struct buf *out, bytes b)
{
    static const char ALPHABET[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct reader r = reader_of(b);
    while (reader_left(&r) && !out->full) {
        size_t n = reader_left(&r) < 3 ? reader_left(&r) : 3;
        uint32_t group = 0;
        for (size_t i = 0; i < 3; i++) group = group << 8 | (i < n ? read_u8(&r) : 0u);
        for (size_t i = 0; i < 4; i++) {
            buf_u8(out, (uint8_t)(i <= n ? ALPHABET[group >> (18 - 6 * i) & 63] : '='));
        }
    }
}

void dns_put_base32(struct buf *out, bytes b)
{
    static const char ALPHABET[] = "0123456789abcdefghijklmnopqrstuv";
    uint32_t bits = 0;
    unsigned count = 0;
    for (size_t i = 0; i < b.n; i++) {
        bits = (bits << 8 | b.p[i]) & 0xfff;
        for (count += 8; count >= 5; count -= 5) {
            buf_u8(out, (uint8_t)ALPHABET[bits >> (count - 5) & 31]);
        }
    }
    if (count) buf_u8(out, (uint8_t)ALPHABET[bits << (5 - count) & 31]);
}

void dns_put_quoted(struct buf *out, bytes b)
{
    buf_u8(out, '"');
    for (size_t i = 0; i < b.n && !out->full; i++) {
        if (b.p[i] == '"' || b.p[i] == '\\') buf_u8(out, '\\');
        buf_u8(out, b.p[i]);
    }
    buf_u8(out, '"');
}

void dns_put_time(struct buf *out, uint32_t t)
{
    time_t seconds = t;
    struct tm parts;
    char text[32];
    gmtime_r(&seconds, &parts);
    size_t n = strftime(text, sizeof text, "%Y%m%d%H%M%S", &parts);
    buf_put(out, bytes_of(text, n));
}

// ---- service parameters (RFC 9460) --------------------------------------------------------------

enum parameter {
    PARAMETER_MANDATORY,
    PARAMETER_ALPN,
    PARAMETER_NO_DEFAULT_ALPN,
    PARAMETER_PORT,
    PARAMETER_IPV4HINT,
    PARAMETER_ECH,
    PARAMETER_IPV6HINT,
    PARAMETER_DOHPATH,
    PARAMETER_OHTTP,
    PARAMETER_COUNT,
};

static const char *const PARAMETER_NAMES[PARAMETER_COUNT] = {
    "mandatory", "alpn",     "no-default-alpn", "port",  "ipv4hint",
    "ech",       "ipv6hint", "dohpath",         "ohttp",
};

static void put_key(struct buf *out, uint16_t key)
{
    if (key < PARAMETER_COUNT) {
        buf_text(out, PARAMETER_NAMES[key]);
        return;
    }
    buf_text(out, "key");
    dns_put_number(out, key);
}

// One element of a value that is a list.
static void put_element(struct buf *out, uint16_t key, struct reader *r)
{
    char text[ADDRESS_TEXT_MAX];
    struct address a = {0};
    if (key == PARAMETER_MANDATORY) {
        put_key(out, read_be16(r));
    } else if (key == PARAMETER_ALPN) {
        buf_put(out, read_bytes(r, read_u8(r)));
    } else if (key == PARAMETER_PORT) {
        dns_put_number(out, read_be16(r));
    } else if (key == PARAMETER_IPV4HINT) {
        buf_put(out, bytes_of(text, (size_t)address_format(text, address_v4(read_be32(r)))));
    } else {
        assert(key == PARAMETER_IPV6HINT);
        a.hi = read_be64(r);
        a.lo = read_be64(r);
        buf_put(out, bytes_of(text, (size_t)address_format(text, a)));
    }
}

static void put_elements(struct buf *out, uint16_t key, struct reader *r)
{
    const char *separator = "=";
    while (reader_left(r) && !r->bad && !out->full) {
        buf_text(out, separator);
        put_element(out, key, r);
        separator = ",";
    }
}

static void put_parameter(struct buf *out, uint16_t key, struct reader *value)
{
    put_key(out, key);
    switch (key) {
    case PARAMETER_MANDATORY:
    case PARAMETER_ALPN:
    case PARAMETER_PORT:
    case PARAMETER_IPV4HINT:
    case PARAMETER_IPV6HINT:
        put_elements(out, key, value);
        break;
    case PARAMETER_ECH:
        buf_u8(out, '=');
        dns_put_base64(out, reader_rest(value));
        break;
    default:
        if (reader_left(value) == 0) break;
        buf_u8(out, '=');
        dns_put_quoted(out, reader_rest(value));
    }
}

void dns_put_parameters(struct buf *out, struct reader *r)
{
    const char *separator = "";
    while (reader_left(r) && !r->bad) {
        uint16_t key = read_be16(r);
        struct reader value = read_sub(r, read_be16(r));
        if (r->bad) return;
        buf_text(out, separator);
        put_parameter(out, key, &value);
        if (value.bad) r->bad = true;
        separator = " ";
    }
}

// ---- locations (RFC 1876) -----------------------------------------------------------------------

// Thousandths of a second of arc from the equator or the first meridian, which is 2^31.
static void put_angle(struct buf *out, uint32_t angle, const char *sides)
{
    bool positive = angle >= UINT32_C(0x80000000);
    uint32_t v = positive ? angle - UINT32_C(0x80000000) : UINT32_C(0x80000000) - angle;
    char text[64];
    int n = snprintf(text, sizeof text, "%u %u %u.%03u %c ", v / 3600000, v / 60000 % 60,
                     v / 1000 % 60, v % 1000, positive ? sides[0] : sides[1]);
    buf_put(out, bytes_of(text, (size_t)n));
}

static void put_centimetres(struct buf *out, int64_t v)
{
    char text[64];
    int64_t size = v < 0 ? -v : v;
    int n = snprintf(text, sizeof text, "%s%" PRId64 ".%02" PRId64 "m", v < 0 ? "-" : "",
                     size / 100, size % 100);
    buf_put(out, bytes_of(text, (size_t)n));
}

// Mantissa and power of ten, four bits each.
static bool put_precision(struct buf *out, uint8_t v)
{
    int64_t size = v >> 4;
    if (size > 9 || (v & 15) > 9) return false;
    for (unsigned i = 0; i < (v & 15u); i++) size *= 10;
    buf_u8(out, ' ');
    put_centimetres(out, size);
    return true;
}

void dns_put_location(struct buf *out, struct reader *r)
{
    uint8_t version = read_u8(r);
    uint8_t precisions[3];
    for (size_t i = 0; i < 3; i++) precisions[i] = read_u8(r);
    uint32_t latitude = read_be32(r), longitude = read_be32(r), altitude = read_be32(r);
    if (version != 0) r->bad = true;
    if (r->bad) return;
    put_angle(out, latitude, "NS");
    put_angle(out, longitude, "EW");
    put_centimetres(out, (int64_t)altitude - 10000000);
    for (size_t i = 0; i < 3; i++) {
        if (!put_precision(out, precisions[i])) r->bad = true;
    }
}
