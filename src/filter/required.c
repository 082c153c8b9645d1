// A pattern is walked once, from left to right. Whatever is not known for sure ends the walk with
// nothing, since too little costs time and too much would hide a match.
#include "filter/required.h"

#include "base/text.h"

struct walk {
    struct reader at;
    uint8_t *memory;       // runs, one behind the other
    size_t used, run;      // where the run at hand ends and begins
    size_t best, best_end; // the longest so far
    bool unsure;
};

static int walk_peek(const struct walk *w)
{
    return reader_left(&w->at) ? *w->at.at : -1;
}

static void run_end(struct walk *w)
{
    if (w->used - w->run > w->best_end - w->best) {
        w->best = w->run;
        w->best_end = w->used;
    }
    w->run = w->used;
}

static void run_add(struct walk *w, uint8_t byte)
{
    w->memory[w->used++] = byte;
}

// Behind a backslash. False when it stands for no single byte.
static bool escape_byte(struct walk *w, uint8_t *byte)
{
    static const char controls[] = "a\ae\033f\fn\nr\rt\t", classes[] = "dDwWsSbBAzZhHvVRKNX";
    uint8_t c = read_u8(&w->at);
    *byte = c;
    bool is_word = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    if (w->at.bad || c >= 0x80) w->unsure = true;
    if (!is_word) return !w->unsure;
    for (const char *at = controls; *at; at += 2)
        if (*at == (char)c) *byte = (uint8_t)at[1];
    if (*byte != c) return true;
    if (strchr(classes, c)) return false;
    // \x41; other forms of it, and all other escapes, are left alone.
    int high = c == 'x' ? text_hex_value(read_u8(&w->at)) : -1;
    int low = high < 0 ? -1 : text_hex_value(read_u8(&w->at));
    if (low < 0) w->unsure = true;
    else *byte = (uint8_t)(high << 4 | low);
    return low >= 0;
}

// To the end of a class, whose bracket was read.
static void skip_class(struct walk *w)
{
    if (walk_peek(w) == '^') read_u8(&w->at);
    if (walk_peek(w) == ']') read_u8(&w->at);
    for (;;) {
        uint8_t c = read_u8(&w->at);
        if (w->at.bad || c == '[') w->unsure = true; // a class in a class, such as [:alpha:]
        if (c == '\\') {
            c = read_u8(&w->at);
            if (c == 'Q' || c == 'E') w->unsure = true;
        } else if (c == ']') {
            return;
        }
        if (w->unsure) return;
    }
}

// Behind an opening bracket. Nothing that changes how a pattern is written may stand there; what
// else it says does not matter, since groups are passed over.
static void group_head(struct walk *w, bool *only_options)
{
    *only_options = false;
    if (walk_peek(w) == '*') w->unsure = true;
    if (walk_peek(w) != '?') return;
    read_u8(&w->at);
    int c = walk_peek(w);
    if (c == ':' || c == '=' || c == '!' || c == '>' || c == '<') return;
    for (;;) {
        c = read_u8(&w->at);
        *only_options = c == ')';
        if (c == ')' || c == ':') return;
        if (c == 'i' || c == 's' || c == 'm' || c == '-') continue;
        w->unsure = true;
        return;
    }
}

// To the end of a group, whose opening bracket was read.
static void skip_group(struct walk *w)
{
    bool only_options;
    size_t depth = 1;
    group_head(w, &only_options);
    if (only_options) return;
    while (depth && !w->unsure) {
        uint8_t c = read_u8(&w->at), ignored;
        if (w->at.bad) w->unsure = true;
        if (c == '\\') escape_byte(w, &ignored);
        if (c == '[') skip_class(w);
        if (c == ')') depth--;
        if (c != '(') continue;
        group_head(w, &only_options);
        if (!only_options) depth++;
    }
}

// A quantifier behind a byte, or behind anything else.
static void quantify(struct walk *w, uint8_t c)
{
    bool may_be_left_out = c != '+';
    if (may_be_left_out && w->used > w->run) w->used--;
    run_end(w);
    if (c != '{') return;
    for (int d = walk_peek(w); (d >= '0' && d <= '9') || d == ',' || d == ' '; d = walk_peek(w))
        read_u8(&w->at);
    if (walk_peek(w) == '}') read_u8(&w->at);
}

static void walk_one(struct walk *w)
{
    uint8_t c = read_u8(&w->at), byte;
    switch (c) {
    case '\\':
        if (escape_byte(w, &byte)) run_add(w, byte);
        else run_end(w);
        break;
    case '[':
        run_end(w);
        skip_class(w);
        break;
    case '(':
        run_end(w);
        skip_group(w);
        break;
    case '|':
        w->unsure = true;
        break;
    case '*':
    case '+':
    case '?':
    case '{':
        quantify(w, c);
        break;
    case '.':
    case '^':
    case '$':
        run_end(w);
        break;
    default:
        run_add(w, c);
    }
}

bytes required_bytes(bytes pattern, uint8_t *memory)
{
    struct walk w = {.at = reader_of(pattern), .memory = memory};
    while (reader_left(&w.at) && !w.unsure) walk_one(&w);
    run_end(&w);
    return w.unsure || w.at.bad ? bytes_of(memory, 0)
                                : bytes_of(memory + w.best, w.best_end - w.best);
}
