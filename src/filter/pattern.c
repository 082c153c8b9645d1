#include "filter/pattern.h"

#include "base/memory.h"
#include "filter/limits.h"

struct pattern {
    pcre2_code *code;
    struct pattern_limits limits;
    uint64_t given_up;
};

struct pattern *pattern_create(bytes text, size_t *error_at, char error[PATTERN_ERROR_MAX])
{
    int number;
    PCRE2_SIZE offset = 0;
    pcre2_code *code =
        pcre2_compile(text.p, text.n, PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C,
                      &number, &offset, NULL);
    if (!code) {
        *error_at = offset;
        pcre2_get_error_message(number, (PCRE2_UCHAR *)error, PATTERN_ERROR_MAX);
        return NULL;
    }
    struct pattern *p = memory_get(sizeof *p);
    *p = (struct pattern){.code = code};
    if (pattern_limits_init(&p->limits, code, PCRE2_JIT_COMPLETE)) return p;
    pattern_destroy(p);
    *error_at = 0;
    memcpy(error, "no memory", sizeof "no memory");
    return NULL;
}

void pattern_destroy(struct pattern *p)
{
    if (!p) return;
    pattern_limits_deinit(&p->limits);
    pcre2_code_free(p->code);
    memory_free(p);
}

bool pattern_match(struct pattern *p, bytes text)
{
    static const uint8_t nothing[1];
    int found = pcre2_match(p->code, text.n ? text.p : nothing, text.n, 0, 0, p->limits.data,
                            p->limits.context);
    if (found >= 0) return true;
    if (found != PCRE2_ERROR_NOMATCH) p->given_up++;
    return false;
}

uint64_t pattern_given_up(const struct pattern *p)
{
    return p->given_up;
}
