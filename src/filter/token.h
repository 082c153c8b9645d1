// The words and signs of an expression.
#pragma once

#include "filter/filter_inside.h"

enum token_type {
    TOKEN_END,
    TOKEN_WORD,   // a name, a number, an address, a time: what stands between signs and spaces
    TOKEN_STRING, // without its quotes, escapes as written
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_SET_OPEN,
    TOKEN_SET_CLOSE,
    TOKEN_COMMA,
    TOKEN_AND,
    TOKEN_OR,
    TOKEN_NOT,
    TOKEN_COMPARISON,
};

struct token {
    enum token_type type;
    enum comparison comparison;
    bool negated; // !~, of which there is only the opposite
    bool raw;     // a string in single quotes: no escapes at all
    uint32_t at;
    bytes text;
};

struct lexer {
    bytes text;
    uint32_t at;
};

// The next token; false and error when there is none to be made.
bool lexer_next(struct compiling *c, struct lexer *lexer, struct token *token);
