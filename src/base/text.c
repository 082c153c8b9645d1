#include "base/text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/memory.h"

enum { TEXT_SIZE_FIRST = 64, ESCAPE_SIZE = 4 };

#define EACH_BYTE(v) (UINT64_C(0x0101010101010101) * (v))
#define HIGH_BITS EACH_BYTE(0x80)

static void text_room(struct text *t, size_t more)
{
    size_t need = t->n + more + 1;
    if (need <= t->size) return;
    size_t size = t->size ? t->size : TEXT_SIZE_FIRST;
    while (size < need) size *= 2;
    t->p = memory_resize(t->p, size);
    t->size = size;
}

void text_deinit(struct text *t)
{
    if (!t) return;
    memory_free(t->p);
    *t = (struct text){0};
}

void text_clear(struct text *t)
{
    t->n = 0;
    if (t->p) t->p[0] = 0;
}

void text_put(struct text *t, bytes b)
{
    text_room(t, b.n);
    if (b.n) memcpy(t->p + t->n, b.p, b.n);
    t->n += b.n;
    t->p[t->n] = 0;
}

void text_add(struct text *t, const char *s)
{
    text_put(t, bytes_text(s));
}

void text_format(struct text *t, const char *format, ...)
{
    text_room(t, 0);
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(t->p + t->n, t->size - t->n, format, args);
    va_end(args);
    assert(n >= 0);
    if ((size_t)n >= t->size - t->n) {
        text_room(t, (size_t)n);
        vsnprintf(t->p + t->n, t->size - t->n, format, again);
    }
    va_end(again);
    t->n += (size_t)n;
}

void text_number(struct text *t, uint64_t v)
{
    char digits[20]; // 2^64 - 1 has 20 digits
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    text_put(t, bytes_of(digits + at, sizeof digits - at));
}

// Nonzero when a byte of v is zero; says nothing about which, since borrows run on.
static uint64_t has_zero(uint64_t v)
{
    return (v - EACH_BYTE(1)) & ~v & HIGH_BITS;
}

static uint64_t word_at(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

// How many bytes at the front are ASCII that no rule touches: neither NUL nor backslash.
static size_t plain_length(bytes b)
{
    size_t i = 0;
    for (; b.n - i >= sizeof(uint64_t); i += sizeof(uint64_t)) {
        uint64_t v = word_at(b.p + i);
        if ((v & HIGH_BITS) | has_zero(v) | has_zero(v ^ EACH_BYTE('\\'))) break;
    }
    while (i < b.n && b.p[i] && b.p[i] < 0x80 && b.p[i] != '\\') i++;
    return i;
}

static bool is_tail(uint8_t c)
{
    return (c & 0xc0) == 0x80;
}

// Length of the UTF-8 character of more than one byte at the front, or 0 (RFC 3629 section 4: no
// surrogates, nothing longer than needed, nothing beyond U+10FFFF).
static size_t character_length(bytes b)
{
    uint8_t c = b.p[0];
    if (c < 0xc2 || c > 0xf4 || b.n < 2 || !is_tail(b.p[1])) return 0;
    if (c < 0xe0) return 2;
    uint8_t second = b.p[1];
    if (b.n < 3 || !is_tail(b.p[2])) return 0;
    if (c < 0xf0) {
        if (c == 0xe0 && second < 0xa0) return 0;
        if (c == 0xed && second > 0x9f) return 0;
        return 3;
    }
    if (b.n < 4 || !is_tail(b.p[3])) return 0;
    if (c == 0xf0 && second < 0x90) return 0;
    if (c == 0xf4 && second > 0x8f) return 0;
    return 4;
}

// Length of the character at the front when it may stand unchanged; 0 when its first byte must be
// escaped.
static size_t clean_character(bytes b)
{
    uint8_t c = b.p[0];
    if (c >= 0x80) return character_length(b);
    if (c == 0) return 0;
    if (c == '\\' && b.n > 1 && b.p[1] == 'x') return 0;
    return 1;
}

// How many bytes at the front may stand unchanged: whole characters, and at most `max` bytes.
static size_t clean_length(bytes b, size_t max)
{
    size_t n = 0;
    while (n < b.n && n < max) {
        bytes rest = bytes_after(b, n);
        size_t plain = plain_length(bytes_first(rest, max - n));
        n += plain;
        if (n == b.n || n == max) break;
        size_t character = clean_character(bytes_after(rest, plain));
        if (!character || character > max - n) break;
        n += character;
    }
    return n;
}

bool text_is_clean(bytes b)
{
    return clean_length(b, b.n) == b.n;
}

bool text_is_valid(bytes b)
{
    while (b.n) {
        size_t plain = plain_length(b);
        b = bytes_after(b, plain);
        if (!b.n) break;
        size_t character = b.p[0] == '\\' ? 1 : clean_character(b);
        if (!character) return false;
        b = bytes_after(b, character);
    }
    return true;
}

static void escape_byte(char *out, uint8_t c)
{
    static const char digits[] = "0123456789abcdef";
    out[0] = '\\';
    out[1] = 'x';
    out[2] = digits[c >> 4];
    out[3] = digits[c & 15];
}

size_t text_escape_from(char *out, size_t size, bytes *b)
{
    size_t written = 0;
    while (b->n) {
        size_t clean = clean_length(*b, size - written);
        if (clean) memcpy(out + written, b->p, clean);
        written += clean;
        *b = bytes_after(*b, clean);
        if (!b->n) break;
        // What is clean stopped for want of room.
        if (size - written < ESCAPE_SIZE || clean_character(*b)) break;
        escape_byte(out + written, b->p[0]);
        written += ESCAPE_SIZE;
        *b = bytes_after(*b, 1);
    }
    return written;
}

size_t text_escape(char *out, size_t size, bytes b)
{
    return text_escape_from(out, size, &b);
}

int text_hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

size_t text_unescape(uint8_t *out, bytes b)
{
    size_t n = 0, i = 0;
    while (i < b.n) {
        if (b.n - i >= ESCAPE_SIZE && b.p[i] == '\\' && b.p[i + 1] == 'x') {
            int high = text_hex_value(b.p[i + 2]), low = text_hex_value(b.p[i + 3]);
            if (high >= 0 && low >= 0) {
                out[n++] = (uint8_t)(high << 4 | low);
                i += ESCAPE_SIZE;
                continue;
            }
        }
        out[n++] = b.p[i++];
    }
    return n;
}

char *text_unescaped(bytes b)
{
    char *copy = memory_get(b.n + 1);
    copy[text_unescape((uint8_t *)copy, b)] = 0;
    return copy;
}

char *text_copy(const char *s)
{
    size_t size = s ? strlen(s) + 1 : 0;
    return s ? memcpy(memory_get(size), s, size) : NULL;
}

static bool json_needs_care(bytes b, size_t i)
{
    uint8_t c = b.p[i];
    if (c < 0x20 || c == '"' || c == '\\') return true;
    // U+2028 and U+2029 end a line in JavaScript before ES2019: JSON that holds them breaks when
    // pasted there.
    return c == 0xe2 && b.n - i >= 3 && b.p[i + 1] == 0x80 && (b.p[i + 2] | 1) == 0xa9;
}

static size_t json_plain_length(bytes b)
{
    size_t i = 0;
    while (i < b.n) {
        if (b.n - i >= sizeof(uint64_t)) {
            uint64_t v = word_at(b.p + i);
            uint64_t control = (v - EACH_BYTE(0x20)) & ~v;
            uint64_t other = has_zero(v ^ EACH_BYTE('"')) | has_zero(v ^ EACH_BYTE('\\'));
            if (!((v | control | other) & HIGH_BITS)) {
                i += sizeof v;
                continue;
            }
        }
        if (json_needs_care(b, i)) break;
        i++;
    }
    return i;
}

// Writes the escape of what is at the front and returns how many bytes it stands for.
static size_t json_escape(struct text *t, bytes b)
{
    switch (b.p[0]) {
    case '"':
        text_add(t, "\\\"");
        return 1;
    case '\\':
        text_add(t, "\\\\");
        return 1;
    case '\b':
        text_add(t, "\\b");
        return 1;
    case '\f':
        text_add(t, "\\f");
        return 1;
    case '\n':
        text_add(t, "\\n");
        return 1;
    case '\r':
        text_add(t, "\\r");
        return 1;
    case '\t':
        text_add(t, "\\t");
        return 1;
    case 0xe2:
        text_add(t, b.p[2] == 0xa8 ? "\\u2028" : "\\u2029");
        return 3;
    default:
        text_format(t, "\\u%04x", b.p[0]);
        return 1;
    }
}

void text_json(struct text *t, bytes b)
{
    text_room(t, b.n + 2);
    text_add(t, "\"");
    while (b.n) {
        size_t plain = json_plain_length(b);
        text_put(t, bytes_first(b, plain));
        b = bytes_after(b, plain);
        if (b.n) b = bytes_after(b, json_escape(t, b));
    }
    text_add(t, "\"");
}
