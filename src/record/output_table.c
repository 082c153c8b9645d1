// Tables: aligned columns, two spaces between them. The widths come from the first rows; on a
// terminal the widest columns give way until a row fits a line.
#include <string.h>

#include "record/output_inside.h"

enum { GAP = 2, COLUMN_WIDTH_MIN = 8, CELL_WIDTH_MAX = 4096 };

struct range {
    uint32_t first, last;
};

static bool is_within(const struct range *ranges, size_t n, uint32_t c)
{
    for (size_t i = 0; i < n; i++)
        if (c >= ranges[i].first && c <= ranges[i].last) return true;
    return false;
}

// How many columns of a terminal a character takes (Unicode Standard Annex 11, the blocks that
// matter).
static unsigned character_width(uint32_t c)
{
    static const struct range none[] = {{0x300, 0x36f},   {0x483, 0x489},   {0x591, 0x5bd},
                                        {0x610, 0x61a},   {0x64b, 0x65f},   {0x200b, 0x200f},
                                        {0x202a, 0x202e}, {0x2060, 0x206f}, {0x20d0, 0x20ff},
                                        {0xfe00, 0xfe0f}, {0xfeff, 0xfeff}};
    static const struct range two[] = {{0x1100, 0x115f},  {0x2e80, 0xa4cf},   {0xac00, 0xd7a3},
                                       {0xf900, 0xfaff},  {0xfe30, 0xfe6f},   {0xff00, 0xff60},
                                       {0xffe0, 0xffe6},  {0x1f300, 0x1f64f}, {0x1f900, 0x1f9ff},
                                       {0x20000, 0x3fffd}};
    if (c < 0x300) return 1;
    if (is_within(none, sizeof none / sizeof *none, c)) return 0;
    return is_within(two, sizeof two / sizeof *two, c) ? 2 : 1;
}

// The next character of UTF-8 text; a byte that is none stands for itself.
static uint32_t next_character(bytes *text, bytes *as)
{
    static const uint8_t masks[] = {0x7f, 0x1f, 0x0f, 0x07};
    uint8_t first = text->p[0];
    size_t more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : 0;
    if (more >= text->n) more = 0;
    uint32_t c = first & (more || first < 0x80 ? masks[more] : 0xff);
    for (size_t i = 1; i <= more; i++) c = c << 6 | (text->p[i] & 0x3f);
    *as = bytes_first(*text, more + 1);
    *text = bytes_after(*text, more + 1);
    return c;
}

// Control characters, and those that turn the direction of writing, could make a terminal show what
// is not there.
static bool is_unsafe(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x202a && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069);
}

static void put_character(struct text *t, uint32_t c, bytes as)
{
    if (!is_unsafe(c)) {
        text_put(t, as);
        return;
    }
    for (size_t i = 0; i < as.n; i++) text_format(t, "\\x%02x", as.p[i]);
}

static unsigned width_of(uint32_t c, bytes as)
{
    return is_unsafe(c) ? 4 * (unsigned)as.n : character_width(c);
}

static unsigned cell_width(bytes cell)
{
    unsigned width = 0;
    while (cell.n && width < CELL_WIDTH_MAX) {
        bytes as;
        uint32_t c = next_character(&cell, &as);
        width += width_of(c, as);
    }
    return width;
}

static void pad(struct text *line, unsigned n)
{
    while (n--) text_add(line, " ");
}

// As much of the cell as `width` columns take, with an ellipsis where something is missing.
static void put_cut(struct text *line, bytes cell, unsigned width)
{
    for (unsigned used = 0; cell.n;) {
        bytes as;
        uint32_t c = next_character(&cell, &as);
        unsigned n = width_of(c, as);
        if (used + n > width - 1) break;
        put_character(line, c, as);
        used += n;
    }
    text_add(line, "…");
}

static void put_whole(struct text *line, bytes cell)
{
    while (cell.n) {
        bytes as;
        uint32_t c = next_character(&cell, &as);
        put_character(line, c, as);
    }
}

static void put_cell(const struct output *o, struct text *line, bytes cell, unsigned column)
{
    unsigned room = o->widths[column], width = cell_width(cell);
    bool last = column + 1 == o->column_count, right = o->columns[column].right;
    if (column) pad(line, GAP);
    if (o->width && width > room) {
        put_cut(line, cell, room);
        return;
    }
    if (right && width < room) pad(line, room - width);
    put_whole(line, cell);
    if (!right && !last && width < room) pad(line, room - width);
}

// Cells lie one behind the other; `ends` says where each ends.
static void put_line(const struct output *o, bytes cells, const size_t *ends)
{
    struct text line = {0};
    for (unsigned i = 0; i < o->column_count; i++) {
        size_t from = i ? ends[i - 1] : 0;
        put_cell(o, &line, bytes_of(cells.p + from, ends[i] - from), i);
    }
    text_add(&line, "\n");
    fwrite(line.p, 1, line.n, o->out);
    text_deinit(&line);
}

static void put_header(const struct output *o)
{
    struct text line = {0};
    for (unsigned i = 0; i < o->column_count; i++)
        put_cell(o, &line, bytes_text(o->columns[i].name), i);
    text_add(&line, "\n");
    for (unsigned i = 0; i < o->column_count; i++) {
        if (i) pad(&line, GAP);
        for (unsigned k = 0; k < o->widths[i]; k++) text_add(&line, "-");
    }
    text_add(&line, "\n");
    fwrite(line.p, 1, line.n, o->out);
    text_deinit(&line);
}

// Held rows are their ends, then their cells.
static void hold(struct output *o)
{
    struct text *held = &o->held[o->held_count++];
    size_t ends_size = o->column_count * sizeof *o->ends;
    text_put(held, bytes_of(o->ends, ends_size));
    text_put(held, bytes_of(o->row.p, o->row.n));
    for (unsigned i = 0; i < o->column_count; i++) {
        size_t from = i ? o->ends[i - 1] : 0;
        unsigned width = cell_width(bytes_of(o->row.p + from, o->ends[i] - from));
        if (width > o->widths[i]) o->widths[i] = width;
    }
}

static unsigned widest(const struct output *o)
{
    unsigned most = 0;
    for (unsigned i = 1; i < o->column_count; i++)
        if (o->widths[i] > o->widths[most]) most = i;
    return most;
}

static void fit_widths(struct output *o)
{
    unsigned total = GAP * (o->column_count ? o->column_count - 1 : 0);
    for (unsigned i = 0; i < o->column_count; i++) {
        unsigned name = cell_width(bytes_text(o->columns[i].name));
        if (o->widths[i] < name) o->widths[i] = name;
        total += o->widths[i];
    }
    if (o->column_count == 0) return;
    for (; o->width && total > o->width; total--) {
        unsigned i = widest(o);
        if (o->widths[i] <= COLUMN_WIDTH_MIN) return;
        o->widths[i]--;
    }
}

static void settle(struct output *o)
{
    if (o->settled || o->column_count == 0) return;
    o->settled = true;
    fit_widths(o);
    put_header(o);
    size_t ends_size = o->column_count * sizeof *o->ends;
    for (unsigned i = 0; i < o->held_count; i++) {
        bytes held = bytes_of(o->held[i].p, o->held[i].n);
        memcpy(o->ends, held.p, ends_size);
        put_line(o, bytes_after(held, ends_size), o->ends);
    }
}

void table_row_end(struct output *o)
{
    if (!o->settled && o->held_count < TABLE_ROWS_HELD_MAX) {
        hold(o);
        return;
    }
    settle(o);
    put_line(o, bytes_of(o->row.p, o->row.n), o->ends);
}

void table_end(struct output *o)
{
    settle(o);
}
