// From text to tests and steps: precedence climbing with a stack of its own, since depth comes from
// outside.
#include <assert.h>

#include "base/memory.h"
#include "filter/aliases.h"
#include "filter/token.h"

enum waiting_type { WAITING_OPEN, WAITING_OR, WAITING_AND, WAITING_NOT }; // weakest first

// An operator whose right side is being read.
struct waiting {
    enum waiting_type type;
    uint32_t at;   // of a parenthesis
    uint32_t skip; // of `and` and `or` the step that leads behind them
};

struct parser {
    struct compiling *compiling;
    struct filter *filter;
    struct lexer lexer;
    struct token token; // the next one
    struct waiting stack[FILTER_DEPTH_MAX];
    uint32_t depth, values_size, steps_size, unescaped;
};

static bool advance(struct parser *p)
{
    return lexer_next(p->compiling, &p->lexer, &p->token);
}

static bool fail_here(struct parser *p, const char *wanted)
{
    if (p->token.type == TOKEN_END)
        return compiling_fail(p->compiling, p->token.at, "expected %s, but it ends here", wanted);
    return compiling_fail(p->compiling, p->token.at, "expected %s", wanted);
}

static uint32_t put_step(struct parser *p, enum step_type type, uint32_t to)
{
    struct filter *f = p->filter;
    if (f->step_count == p->steps_size) {
        p->steps_size = p->steps_size ? p->steps_size * 2 : 16;
        f->steps = memory_resize(f->steps, p->steps_size * sizeof *f->steps);
    }
    f->steps[f->step_count] = (struct step){type, to};
    return f->step_count++;
}

// ---- values -------------------------------------------------------------------------------------

// In double quotes \" is a quote and \\ a backslash; other pairs stand as they are, so that \x00,
// which is how text shows what is no text, can be searched for.
static bytes unescape(struct parser *p, bytes text)
{
    char *out = p->filter->unescaped + p->unescaped;
    uint32_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        bool pair = text.p[i] == '\\' && i + 1 < text.n;
        if (pair && (text.p[i + 1] == '"' || text.p[i + 1] == '\\')) i++;
        out[n++] = (char)text.p[i];
    }
    p->unescaped += n;
    return bytes_of(out, n);
}

static bool parse_value(struct parser *p, const struct test *test)
{
    const struct token *t = &p->token;
    struct filter *f = p->filter;
    if (t->type != TOKEN_WORD && t->type != TOKEN_STRING)
        return fail_here(p, t->type == TOKEN_SET_OPEN ? "one value, not a set" : "a value");
    if (f->value_count == p->values_size) {
        p->values_size = p->values_size ? p->values_size * 2 : 16;
        f->values = memory_resize(f->values, p->values_size * sizeof *f->values);
    }
    bool quoted = t->type == TOKEN_STRING;
    bool as_written = !quoted || t->raw || test->comparison == COMPARE_MATCHES;
    f->values[f->value_count++] = (struct value){
        .text = as_written ? t->text : unescape(p, t->text),
        .at = t->at + quoted,
        .quoted = quoted,
    };
    return advance(p);
}

static bool parse_set(struct parser *p, const struct test *test)
{
    if (!advance(p)) return false;
    while (p->token.type != TOKEN_SET_CLOSE) {
        if (!parse_value(p, test)) return false;
        if (p->token.type == TOKEN_COMMA && !advance(p)) return false;
    }
    return advance(p);
}

static bool parse_values(struct parser *p, struct test *test)
{
    enum comparison c = test->comparison;
    bool many =
        c == COMPARE_IN || c == COMPARE_EQUAL || c == COMPARE_UNEQUAL || c == COMPARE_EQUAL_NOCASE;
    uint32_t at = p->token.at;
    test->value_first = p->filter->value_count;
    test->in_set = many && p->token.type == TOKEN_SET_OPEN;
    if (!(test->in_set ? parse_set(p, test) : parse_value(p, test))) return false;
    test->value_count = p->filter->value_count - test->value_first;
    return test->value_count || compiling_fail(p->compiling, at, "this set is empty");
}

// ---- tests --------------------------------------------------------------------------------------

static bool parse_exists(struct parser *p, struct test *test)
{
    test->comparison = COMPARE_EXISTS;
    if (!advance(p)) return false;
    if (p->token.type != TOKEN_WORD) return fail_here(p, "the name of a field");
    test->name = p->token.text;
    test->name_at = p->token.at;
    if (!advance(p)) return false;
    return p->token.type == TOKEN_CLOSE ? advance(p) : fail_here(p, "')'");
}

// "src ip", "dst port": two words, one name.
static bool parse_name(struct parser *p, struct test *test)
{
    test->name = p->token.text;
    test->name_at = p->token.at;
    if (!advance(p)) return false;
    if (p->token.type != TOKEN_WORD) return true;
    const char *joined = alias_of_two_words(test->name, p->token.text);
    if (!joined) return true;
    test->name = bytes_text(joined);
    return advance(p);
}

static bool parse_comparison(struct parser *p, struct test *test, bool *negated)
{
    if (p->token.type == TOKEN_NOT) {
        *negated = true;
        if (!advance(p)) return false;
        if (p->token.type != TOKEN_COMPARISON || p->token.comparison != COMPARE_IN)
            return fail_here(p, "'in' after 'not'");
    }
    test->comparison_at = p->token.at;
    if (p->token.type == TOKEN_COMPARISON) {
        test->comparison = p->token.comparison;
        *negated = *negated || p->token.negated;
        return advance(p) && parse_values(p, test);
    }
    bool value = p->token.type == TOKEN_WORD || p->token.type == TOKEN_STRING;
    test->direct = p->token.type == TOKEN_WORD && alias_is_direct(test->name);
    test->comparison = test->direct ? COMPARE_EQUAL : COMPARE_NAMED;
    if (value && !test->direct) return fail_here(p, "an operator, such as == or in");
    return test->direct ? parse_values(p, test) : true;
}

static bool parse_test(struct parser *p)
{
    struct filter *f = p->filter;
    struct test test = {0};
    bool negated = false;
    if (f->test_count == FILTER_TESTS_MAX)
        return compiling_fail(p->compiling, p->token.at, "there are more than %d comparisons",
                              FILTER_TESTS_MAX);
    if (!parse_name(p, &test)) return false;
    bool exists = bytes_equal(test.name, bytes_text("exists")) && p->token.type == TOKEN_OPEN;
    if (!(exists ? parse_exists(p, &test) : parse_comparison(p, &test, &negated))) return false;
    f->tests = memory_resize(f->tests, (f->test_count + 1) * sizeof *f->tests);
    f->tests[f->test_count] = test;
    put_step(p, STEP_TEST, f->test_count++);
    if (negated) put_step(p, STEP_NOT, 0);
    return true;
}

// ---- operators ----------------------------------------------------------------------------------

static bool push(struct parser *p, enum waiting_type type, uint32_t skip)
{
    if (p->depth == FILTER_DEPTH_MAX)
        return compiling_fail(p->compiling, p->token.at, "this is nested more than %d deep",
                              FILTER_DEPTH_MAX);
    p->stack[p->depth++] = (struct waiting){type, p->token.at, skip};
    return advance(p);
}

// Ends what waits and binds at least as strongly.
static void reduce(struct parser *p, enum waiting_type weakest)
{
    while (p->depth && p->stack[p->depth - 1].type >= weakest) {
        struct waiting w = p->stack[--p->depth];
        static const enum step_type steps[] = {
            [WAITING_OR] = STEP_OR, [WAITING_AND] = STEP_AND, [WAITING_NOT] = STEP_NOT};
        assert(w.type != WAITING_OPEN);
        uint32_t step = put_step(p, steps[w.type], 0);
        if (w.type != WAITING_NOT) p->filter->steps[w.skip].to = step + 1;
    }
}

static bool parse_close(struct parser *p)
{
    reduce(p, WAITING_OR);
    if (p->depth == 0) return compiling_fail(p->compiling, p->token.at, "there is no '(' for this");
    p->depth--;
    reduce(p, WAITING_NOT);
    return advance(p);
}

// Parentheses and `not` before a test, and the test.
static bool parse_operand(struct parser *p)
{
    for (;;) {
        bool more = true;
        if (p->token.type == TOKEN_OPEN) more = push(p, WAITING_OPEN, 0);
        else if (p->token.type == TOKEN_NOT) more = push(p, WAITING_NOT, 0);
        else break;
        if (!more) return false;
    }
    if (p->token.type != TOKEN_WORD) return fail_here(p, "a field, 'not' or '('");
    if (!parse_test(p)) return false;
    reduce(p, WAITING_NOT);
    return true;
}

// What follows an operand. `more` says whether another operand must come.
static bool parse_between(struct parser *p, bool *more)
{
    *more = true;
    while (p->token.type == TOKEN_CLOSE)
        if (!parse_close(p)) return false;
    if (p->token.type == TOKEN_AND) {
        reduce(p, WAITING_AND);
        return push(p, WAITING_AND, put_step(p, STEP_SKIP_FALSE, 0));
    }
    if (p->token.type == TOKEN_OR) {
        reduce(p, WAITING_OR);
        return push(p, WAITING_OR, put_step(p, STEP_SKIP_TRUE, 0));
    }
    *more = false;
    return p->token.type == TOKEN_END || fail_here(p, "'and', 'or' or the end");
}

bool filter_parse(struct compiling *c)
{
    struct parser p = {
        .compiling = c, .filter = c->filter, .lexer = {bytes_text(c->filter->text), 0}};
    if (!advance(&p)) return false;
    if (p.token.type == TOKEN_END) return compiling_fail(c, 0, "the expression is empty");
    bool more = true;
    while (more)
        if (!parse_operand(&p) || !parse_between(&p, &more)) return false;
    reduce(&p, WAITING_OR);
    if (p.depth == 0) return true;
    return compiling_fail(c, p.stack[p.depth - 1].at, "there is no ')' for this");
}
