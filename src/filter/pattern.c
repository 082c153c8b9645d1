#include "filter/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/memory.h"

// Without limits, (a+)+$ takes hours on a text of fifty letters.
enum {
    MATCH_STEPS_MAX = 1000000,
    MATCH_DEPTH_MAX = 10000,
    MATCH_MEMORY_MAX_KIB = 4096,
    JIT_STACK_FIRST = 32 * 1024,
    JIT_STACK_MAX = 1024 * 1024,
};

struct pattern {
    pcre2_code *code;
    pcre2_match_data *data;
    pcre2_match_context *limits;
    pcre2_jit_stack *stack; // NULL where there is no machine code
    uint64_t given_up;
};

static bool pattern_ready(struct pattern *p)
{
    p->data = pcre2_match_data_create(1, NULL);
    p->limits = pcre2_match_context_create(NULL);
    if (!p->data || !p->limits) return false;
    pcre2_set_match_limit(p->limits, MATCH_STEPS_MAX);
    pcre2_set_depth_limit(p->limits, MATCH_DEPTH_MAX);
    pcre2_set_heap_limit(p->limits, MATCH_MEMORY_MAX_KIB);
    // Where machine code may not be made, it is interpreted.
    if (pcre2_jit_compile(p->code, PCRE2_JIT_COMPLETE) != 0) return true;
    p->stack = pcre2_jit_stack_create(JIT_STACK_FIRST, JIT_STACK_MAX, NULL);
    if (p->stack) pcre2_jit_stack_assign(p->limits, NULL, p->stack);
    return true;
}

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
    if (pattern_ready(p)) return p;
    pattern_destroy(p);
    *error_at = 0;
    memcpy(error, "no memory", sizeof "no memory");
    return NULL;
}

void pattern_destroy(struct pattern *p)
{
    if (!p) return;
    pcre2_jit_stack_free(p->stack);
    pcre2_match_context_free(p->limits);
    pcre2_match_data_free(p->data);
    pcre2_code_free(p->code);
    memory_free(p);
}

bool pattern_match(struct pattern *p, bytes text)
{
    static const uint8_t nothing[1];
    int found = pcre2_match(p->code, text.n ? text.p : nothing, text.n, 0, 0, p->data, p->limits);
    if (found >= 0) return true;
    if (found != PCRE2_ERROR_NOMATCH) p->given_up++;
    return false;
}

uint64_t pattern_given_up(const struct pattern *p)
{
    return p->given_up;
}
