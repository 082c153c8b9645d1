#include "filter/needle.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/memory.h"
#include "base/text.h"
#include "filter/limits.h"
#include "filter/required.h"

struct needle {
    pcre2_code *code;
    struct pattern_limits limits;
    size_t behind;
    uint8_t *required;
    size_t required_count;
};

static bool is_pattern(bytes term)
{
    return term.n >= 2 && term.p[0] == '/' && term.p[term.n - 1] == '/';
}

static bool digits_parse(bytes digits, uint8_t *out)
{
    if (!digits.n || digits.n % 2) return false;
    for (size_t i = 0; i < digits.n; i += 2) {
        int high = text_hex_value(digits.p[i]), low = text_hex_value(digits.p[i + 1]);
        if (high < 0 || low < 0) return false;
        out[i / 2] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static pcre2_code *needle_compile(bytes text, uint32_t options, char error[NEEDLE_ERROR_MAX])
{
    int number;
    PCRE2_SIZE at = 0;
    pcre2_code *code = pcre2_compile(text.p, text.n, options, &number, &at, NULL);
    if (code) return code;
    PCRE2_UCHAR why[NEEDLE_ERROR_MAX / 2];
    pcre2_get_error_message(number, why, sizeof why);
    snprintf(error, NEEDLE_ERROR_MAX, "%s, at character %zu of the pattern", (const char *)why,
             (size_t)at + 1);
    return NULL;
}

// The code of a term in any of its three forms, and the bytes that it requires.
static pcre2_code *term_compile(bytes term, bool fold, struct buf *required,
                                char error[NEEDLE_ERROR_MAX])
{
    uint32_t options = fold ? PCRE2_CASELESS : 0;
    uint8_t digits[NEEDLE_SIZE_MAX];
    if (!term.n || term.n > NEEDLE_SIZE_MAX) {
        snprintf(error, NEEDLE_ERROR_MAX, "what is looked for has 1 to %d bytes", NEEDLE_SIZE_MAX);
        return NULL;
    }
    if (is_pattern(term)) {
        term = bytes_of(term.p + 1, term.n - 2);
        buf_put(required, required_bytes(term, digits));
        return needle_compile(term, options | PCRE2_NEVER_UTF, error);
    }
    bool is_digits = bytes_start_with(term, "0x");
    if (is_digits && digits_parse(bytes_after(term, 2), digits)) {
        term = bytes_of(digits, term.n / 2 - 1);
        is_digits = false;
    }
    buf_put(required, term);
    if (!is_digits) return needle_compile(term, options | PCRE2_LITERAL, error);
    snprintf(error, NEEDLE_ERROR_MAX,
             "behind 0x stand two hexadecimal digits a byte; text that begins so is written as a "
             "pattern: /0x.../");
    return NULL;
}

struct needle *needle_create(const char *term, bool fold, char error[NEEDLE_ERROR_MAX])
{
    uint32_t behind = 0;
    struct buf required = buf_on(memory_get(NEEDLE_SIZE_MAX), NEEDLE_SIZE_MAX);
    pcre2_code *code = term_compile(bytes_text(term), fold, &required, error);
    if (!code) {
        memory_free(required.p);
        return NULL;
    }
    struct needle *n = memory_get(sizeof *n);
    *n = (struct needle){.code = code, .required = required.p, .required_count = required.n};
    bool fine = pattern_limits_init(&n->limits, code, PCRE2_JIT_COMPLETE | PCRE2_JIT_PARTIAL_HARD);
    if (!fine) snprintf(error, NEEDLE_ERROR_MAX, "no memory");
    pcre2_pattern_info(code, PCRE2_INFO_MAXLOOKBEHIND, &behind);
    if (fine && behind > NEEDLE_BEHIND_MAX) {
        snprintf(error, NEEDLE_ERROR_MAX, "a pattern may look back %d bytes, not %u",
                 NEEDLE_BEHIND_MAX, behind);
        fine = false;
    }
    // \b and ^ look back one byte, and do not always count as looking back.
    n->behind = behind ? behind : 1;
    if (fine) return n;
    needle_destroy(n);
    return NULL;
}

void needle_destroy(struct needle *n)
{
    if (!n) return;
    pattern_limits_deinit(&n->limits);
    pcre2_code_free(n->code);
    memory_free(n->required);
    memory_free(n);
}

bytes needle_required(const struct needle *n)
{
    return bytes_of(n->required, n->required_count);
}

size_t needle_behind(const struct needle *n)
{
    return n->behind;
}

enum needle_result needle_find(struct needle *n, bytes text, size_t from, enum needle_end end,
                               size_t *begin, size_t *behind_it)
{
    static const uint32_t options[] = {
        [NEEDLE_MORE] = PCRE2_PARTIAL_HARD, [NEEDLE_CUT] = PCRE2_NOTEOL, [NEEDLE_LAST] = 0};
    static const uint8_t nothing[1];
    int found = pcre2_match(n->code, text.n ? text.p : nothing, text.n, from,
                            options[end] | PCRE2_NOTEMPTY, n->limits.data, n->limits.context);
    const PCRE2_SIZE *at = pcre2_get_ovector_pointer(n->limits.data);
    if (found == PCRE2_ERROR_NOMATCH) return NEEDLE_NONE;
    if (found < 0 && found != PCRE2_ERROR_PARTIAL) return NEEDLE_GIVEN_UP;
    *begin = at[0];
    *behind_it = at[1];
    return found < 0 ? NEEDLE_OPEN : NEEDLE_FOUND;
}
