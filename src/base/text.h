// Growing text, and the one rule by which bytes become text.
//
// Text of traffic need not be UTF-8. What is not valid is written as \xNN, a NUL too, and a
// backslash that stands before an x as \x5c: so every "\x" in the result is an escape, and the
// bytes can be had back.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

struct text {
    char *p; // always ends in a terminator once anything was put
    size_t n, size;
};

void text_deinit(struct text *t);
void text_clear(struct text *t);
void text_put(struct text *t, bytes b);
void text_add(struct text *t, const char *s);
void text_format(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
// A JSON string with its quotes. `b` must be UTF-8 (see text_escape); U+2028 and control characters
// are escaped.
void text_json(struct text *t, bytes b);
// A whole number in decimal.
void text_number(struct text *t, uint64_t v);

// Whether `b` may stand as text unchanged.
bool text_is_clean(bytes b);
// Whether `b` is what text_escape may have given: UTF-8 without NUL.
bool text_is_valid(bytes b);
// Writes `b` by the rule above into `out`, up to `size` bytes, never cutting an escape or a
// character; returns the length written. 4 * b.n is always enough.
size_t text_escape(char *out, size_t size, bytes b);
// The same, and moves *b on behind what was written: what is left there did not fit.
size_t text_escape_from(char *out, size_t size, bytes *b);
// The way back; returns the length, at most b.n. `out` may be b.p.
size_t text_unescape(uint8_t *out, bytes b);
// The bytes as a string of their own, freed with memory_free.
char *text_unescaped(bytes b);
// A copy, freed with memory_free; NULL of NULL.
char *text_copy(const char *s);
// Value of a hexadecimal digit of either case, or -1.
int text_hex_value(uint8_t c);
