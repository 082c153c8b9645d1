// The limits of a search by pattern. Without them, (a+)+$ takes hours on a text of fifty letters.
// Not for other folders.
#pragma once

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <stdbool.h>

enum {
    MATCH_STEPS_MAX = 1000000,
    MATCH_DEPTH_MAX = 10000,
    MATCH_MEMORY_MAX_KIB = 4096,
    JIT_STACK_FIRST = 32 * 1024,
    JIT_STACK_MAX = 1024 * 1024,
};

// Working memory of a search. Zeroed is none.
struct pattern_limits {
    pcre2_match_data *data;
    pcre2_match_context *context;
    pcre2_jit_stack *stack; // NULL where there is no machine code
};

// Makes machine code of `code` for these kinds of search (PCRE2_JIT_...), where it may be made;
// elsewhere it is interpreted. False when there is no memory.
bool pattern_limits_init(struct pattern_limits *l, pcre2_code *code, uint32_t jit);
void pattern_limits_deinit(struct pattern_limits *l);
