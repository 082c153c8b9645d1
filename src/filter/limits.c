#include "filter/limits.h"

bool pattern_limits_init(struct pattern_limits *l, pcre2_code *code, uint32_t jit)
{
    l->data = pcre2_match_data_create(1, NULL);
    l->context = pcre2_match_context_create(NULL);
    if (!l->data || !l->context) return false;
    pcre2_set_match_limit(l->context, MATCH_STEPS_MAX);
    pcre2_set_depth_limit(l->context, MATCH_DEPTH_MAX);
    pcre2_set_heap_limit(l->context, MATCH_MEMORY_MAX_KIB);
    if (pcre2_jit_compile(code, jit) != 0) return true;
    l->stack = pcre2_jit_stack_create(JIT_STACK_FIRST, JIT_STACK_MAX, NULL);
    if (l->stack) pcre2_jit_stack_assign(l->context, NULL, l->stack);
    return true;
}

void pattern_limits_deinit(struct pattern_limits *l)
{
    pcre2_jit_stack_free(l->stack);
    pcre2_match_context_free(l->context);
    pcre2_match_data_free(l->data);
}
