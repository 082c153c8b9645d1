#include "filter/token.h"

static const struct sign {
    const char *text;
    enum token_type type;
    enum comparison comparison;
    bool negated;
} signs[] = {
    // Longer ones first.
    {"==~", TOKEN_COMPARISON, COMPARE_EQUAL_NOCASE, false},
    {"==", TOKEN_COMPARISON, COMPARE_EQUAL, false},
    {"!=", TOKEN_COMPARISON, COMPARE_UNEQUAL, false},
    {"!~", TOKEN_COMPARISON, COMPARE_MATCHES, true},
    {"<=", TOKEN_COMPARISON, COMPARE_LESS_EQUAL, false},
    {">=", TOKEN_COMPARISON, COMPARE_GREATER_EQUAL, false},
    {"&&", TOKEN_AND, 0, false},
    {"||", TOKEN_OR, 0, false},
    {"=", TOKEN_COMPARISON, COMPARE_EQUAL, false},
    {"<", TOKEN_COMPARISON, COMPARE_LESS, false},
    {">", TOKEN_COMPARISON, COMPARE_GREATER, false},
    {"~", TOKEN_COMPARISON, COMPARE_MATCHES, false},
    {"!", TOKEN_NOT, 0, false},
    {"(", TOKEN_OPEN, 0, false},
    {")", TOKEN_CLOSE, 0, false},
    {"{", TOKEN_SET_OPEN, 0, false},
    {"}", TOKEN_SET_CLOSE, 0, false},
    {"[", TOKEN_SET_OPEN, 0, false}, // Arkime's and nfdump's lists
    {"]", TOKEN_SET_CLOSE, 0, false},
    {",", TOKEN_COMMA, 0, false},
};

// Words that stand where an operator may stand. As values they must be quoted, as names nobody has
// them.
static const struct sign words[] = {
    {"and", TOKEN_AND, 0, false},
    {"or", TOKEN_OR, 0, false},
    {"not", TOKEN_NOT, 0, false},
    {"in", TOKEN_COMPARISON, COMPARE_IN, false},
    {"contains", TOKEN_COMPARISON, COMPARE_CONTAINS, false},
    {"starts_with", TOKEN_COMPARISON, COMPARE_STARTS_WITH, false},
    {"ends_with", TOKEN_COMPARISON, COMPARE_ENDS_WITH, false},
    {"matches", TOKEN_COMPARISON, COMPARE_MATCHES, false},
    {"eq", TOKEN_COMPARISON, COMPARE_EQUAL, false},
    {"ne", TOKEN_COMPARISON, COMPARE_UNEQUAL, false},
    {"lt", TOKEN_COMPARISON, COMPARE_LESS, false},
    {"le", TOKEN_COMPARISON, COMPARE_LESS_EQUAL, false},
    {"gt", TOKEN_COMPARISON, COMPARE_GREATER, false},
    {"ge", TOKEN_COMPARISON, COMPARE_GREATER_EQUAL, false},
};

static bool is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_word(uint8_t c)
{
    return c > ' ' && c != 0x7f && !strchr("=!<>&|~(){}[],\"'", c);
}

static void token_take(struct lexer *lexer, struct token *token, const struct sign *sign, size_t n)
{
    token->type = sign->type;
    token->comparison = sign->comparison;
    token->negated = sign->negated;
    token->text = bytes_first(bytes_after(lexer->text, lexer->at), n);
    lexer->at += (uint32_t)n;
}

static bool take_sign(struct lexer *lexer, struct token *token)
{
    bytes rest = bytes_after(lexer->text, lexer->at);
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
        if (!bytes_start_with(rest, signs[i].text)) continue;
        token_take(lexer, token, &signs[i], strlen(signs[i].text));
        return true;
    }
    return false;
}

static void take_word(struct lexer *lexer, struct token *token)
{
    static const struct sign plain = {"", TOKEN_WORD, 0, false};
    bytes rest = bytes_after(lexer->text, lexer->at);
    size_t n = 0;
    while (n < rest.n && is_word(rest.p[n])) n++;
    const struct sign *sign = &plain;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (bytes_equal(bytes_first(rest, n), bytes_text(words[i].text))) sign = &words[i];
    token_take(lexer, token, sign, n);
}

// In double quotes a backslash and what follows are a pair: neither ends the string.
static bool take_string(struct compiling *c, struct lexer *lexer, struct token *token)
{
    bytes rest = bytes_after(lexer->text, lexer->at + 1);
    uint8_t quote = lexer->text.p[lexer->at];
    size_t n = 0;
    while (n < rest.n && rest.p[n] != quote) n += quote == '"' && rest.p[n] == '\\' ? 2 : 1;
    if (n >= rest.n) return compiling_fail(c, lexer->at, "this string has no end");
    token->type = TOKEN_STRING;
    token->raw = quote == '\'';
    token->text = bytes_first(rest, n);
    lexer->at += (uint32_t)n + 2;
    return true;
}

bool lexer_next(struct compiling *c, struct lexer *lexer, struct token *token)
{
    while (lexer->at < lexer->text.n && is_space(lexer->text.p[lexer->at])) lexer->at++;
    *token = (struct token){.type = TOKEN_END, .at = lexer->at};
    if (lexer->at == lexer->text.n) return true;
    uint8_t first = lexer->text.p[lexer->at];
    if (first == '"' || first == '\'') return take_string(c, lexer, token);
    if (take_sign(lexer, token)) return true;
    if (first == '&' || first == '|')
        return compiling_fail(c, lexer->at, "write %c%c, or %s", first, first,
                              first == '&' ? "and" : "or");
    if (!is_word(first)) return compiling_fail(c, lexer->at, "this character means nothing here");
    take_word(lexer, token);
    return true;
}
