#include "store/query_needs.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { TOKENS_MAX = 512, DEPTH_MAX = 16 };

struct token {
    enum { TOKEN_WORD, TOKEN_TEXT, TOKEN_SIGN } type;
    bytes of; // a text without its quotes
};

// An OR of ANDs that is not closed yet.
struct level {
    struct needs any; // of what stands before the last OR
    struct needs all; // of what stands behind it
};

struct parse {
    const struct record_kind *kind;
    struct token tokens[TOKENS_MAX];
    unsigned count, at;
    struct level levels[DEPTH_MAX];
    unsigned depth;
};

// ---- words --------------------------------------------------------------------------------------

static bool is_word_byte(char c)
{
    return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static size_t text_end(const char *s)
{
    size_t n = 1;
    while (s[n] && (s[n] != '\'' || s[n + 1] == '\'')) n += s[n] == '\'' ? 2 : 1;
    return s[n] ? n + 1 : 0;
}

// Comments, names in quotes, lists and what begins with a dollar sign are left alone.
static bool is_strange(const char *s)
{
    return strchr("\"$[]{}", *s) || !strncmp(s, "--", 2) || !strncmp(s, "/*", 2) ||
           !strncmp(s, "->", 2);
}

static bool split(struct parse *p, const char *s)
{
    while (*s) {
        size_t n = 1;
        if (isspace((unsigned char)*s)) {
            s++;
            continue;
        }
        if (p->count == TOKENS_MAX || is_strange(s)) return false;
        if (!strncmp(s, "==", 2)) s++; // the same as one
        struct token *t = &p->tokens[p->count++];
        t->type = *s == '\'' ? TOKEN_TEXT : is_word_byte(*s) ? TOKEN_WORD : TOKEN_SIGN;
        if (t->type == TOKEN_TEXT && !(n = text_end(s))) return false;
        while (t->type == TOKEN_WORD && is_word_byte(s[n])) n++;
        t->of = t->type == TOKEN_TEXT ? bytes_of(s + 1, n - 2) : bytes_of(s, n);
        s += n;
    }
    return true;
}

static bool is(const struct parse *p, unsigned at, const char *word)
{
    const struct token *t = &p->tokens[at];
    return at < p->count && t->type != TOKEN_TEXT && t->of.n == strlen(word) &&
           !strncasecmp((const char *)t->of.p, word, t->of.n);
}

static bool is_one_of(const struct parse *p, unsigned at, const char *const *words)
{
    for (; *words; words++)
        if (is(p, at, *words)) return true;
    return false;
}

static bool ends_condition(const struct parse *p, unsigned at)
{
    static const char *const words[] = {"group",     "having", "order",   "limit",
                                        "offset",    "window", "qualify", "union",
                                        "intersect", "except", ";",       NULL};
    return at >= p->count || is_one_of(p, at, words);
}

static bool ends_part(const struct parse *p, unsigned at)
{
    static const char *const words[] = {"and", "or", ")", NULL};
    return ends_condition(p, at) || is_one_of(p, at, words);
}

// ---- sets of needs ------------------------------------------------------------------------------

// Both hold: the smaller set says more.
static void needs_and(struct needs *all, const struct needs *one)
{
    if (one->known && (!all->known || one->count < all->count)) *all = *one;
}

static void needs_or(struct needs *any, const struct needs *one)
{
    any->known = any->known && one->known && any->count + one->count <= NEEDS_MAX;
    for (unsigned i = 0; any->known && i < one->count; i++) any->of[any->count++] = one->of[i];
}

// ---- comparisons --------------------------------------------------------------------------------

static bool take_text(const struct parse *p, unsigned at, unsigned field, struct needs *needs)
{
    char text[ADDRESS_TEXT_MAX];
    struct need *need = &needs->of[needs->count];
    bytes of = p->tokens[at].of;
    if (p->tokens[at].type != TOKEN_TEXT || needs->count == NEEDS_MAX) return false;
    need->field = field;
    // Only as it is shown: another form of the same address is another text.
    if (!address_parse(of, &need->address)) return false;
    int n = address_format(text, need->address);
    if (!bytes_equal(of, bytes_of(text, (size_t)n))) return false;
    needs->count++;
    return true;
}

static int address_field(const struct parse *p, unsigned at)
{
    if (p->tokens[at].type != TOKEN_WORD) return -1;
    for (unsigned f = 0; f < p->kind->field_count; f++) {
        const struct field *field = &p->kind->fields[f];
        bool shown = field->type == FIELD_ADDRESS && !(field->flags & FIELD_HIDDEN);
        if (shown && is(p, at, field->name)) return (int)f;
    }
    return -1;
}

// `tokens` from `from` to `to` are field = 'text', 'text' = field, or field IN ('text', ...).
static struct needs needs_of(const struct parse *p, unsigned from, unsigned to)
{
    struct needs needs = {.known = true};
    unsigned n = to - from;
    int first = address_field(p, from), last = address_field(p, to - 1);
    bool is_equal = n == 3 && is(p, from + 1, "=");
    if (is_equal && first >= 0 && take_text(p, to - 1, (unsigned)first, &needs)) return needs;
    if (is_equal && last >= 0 && take_text(p, from, (unsigned)last, &needs)) return needs;
    needs.known = n >= 5 && n % 2 && first >= 0 && is(p, from + 1, "in") && is(p, from + 2, "(") &&
                  is(p, to - 1, ")");
    for (unsigned at = from + 3; needs.known && at < to; at += 2)
        needs.known =
            take_text(p, at, (unsigned)first, &needs) && (at + 2 == to || is(p, at + 1, ","));
    return needs;
}

// ---- the condition ------------------------------------------------------------------------------

static unsigned part_end(const struct parse *p, unsigned at)
{
    unsigned inside = 0;
    for (; at < p->count; at++) {
        if (!inside && ends_part(p, at)) break;
        if (is(p, at, "(")) inside++;
        if (is(p, at, ")")) inside--;
    }
    return at;
}

static bool begin_level(struct parse *p)
{
    if (p->depth == DEPTH_MAX) return false;
    p->levels[p->depth++] = (struct level){.any.known = true};
    return true;
}

static void end_term(struct level *l)
{
    needs_or(&l->any, &l->all);
    l->all = (struct needs){0};
}

// At a closing parenthesis: what it closes is a part of the level around it.
static void end_level(struct parse *p)
{
    struct level *l = &p->levels[--p->depth];
    end_term(l);
    unsigned end = part_end(p, ++p->at);
    if (end != p->at) l->any.known = false; // (...) = x, (...) IS NULL
    p->at = end;
    needs_and(&p->levels[p->depth - 1].all, &l->any);
}

// One part, with all that opens before it; false at what is not understood.
static bool take_part(struct parse *p)
{
    while (is(p, p->at, "(")) {
        if (!begin_level(p)) return false;
        p->at++;
    }
    unsigned end = part_end(p, p->at);
    if (end == p->at) return false;
    struct needs needs = needs_of(p, p->at, end);
    needs_and(&p->levels[p->depth - 1].all, &needs);
    p->at = end;
    while (p->depth > 1 && is(p, p->at, ")")) end_level(p);
    return true;
}

static struct needs condition(struct parse *p)
{
    static const struct needs nothing;
    bool goes_on = begin_level(p);
    while (goes_on) {
        if (!take_part(p)) return nothing;
        goes_on = is(p, p->at, "and") || is(p, p->at, "or");
        if (goes_on && is(p, p->at++, "or")) end_term(&p->levels[p->depth - 1]);
    }
    if (p->depth != 1 || !(ends_condition(p, p->at) || is(p, p->at, ")"))) return nothing;
    end_term(&p->levels[0]);
    return p->levels[0].any;
}

// Where the condition begins behind FROM kind WHERE, or FROM kind AS name WHERE; 0 when the
// statement is another one.
static unsigned find_condition(const struct parse *p)
{
    static const char *const strange[] = {"between", "case", "with", "join", "table", NULL};
    unsigned from = 0, froms = 0, wheres = 0;
    for (unsigned i = 0; i < p->count; i++) {
        if (is_one_of(p, i, strange)) return 0;
        if (is(p, i, "where")) wheres++;
        if (is(p, i, "from") && ++froms) from = i;
    }
    if (froms != 1 || wheres != 1 || !is(p, from + 1, p->kind->name)) return 0;
    unsigned at = from + 2;
    if (is(p, at, "as")) at++;
    if (at < p->count && p->tokens[at].type == TOKEN_WORD && !is(p, at, "where")) at++;
    return is(p, at, "where") ? at + 1 : 0;
}

struct needs query_needs(const char *sql, const struct record_kind *kind)
{
    static const struct needs nothing;
    struct parse p = {.kind = kind};
    if (!split(&p, sql) || !(p.at = find_condition(&p))) return nothing;
    return condition(&p);
}
