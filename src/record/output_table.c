// Tables: aligned columns, two spaces between them. The widths come from the first rows; on a
// terminal the widest columns give way until a row fits a line.
#include <string.h>

#include "base/glyph.h"
#include "record/output_inside.h"

enum { GAP = 2, COLUMN_WIDTH_MIN = 8, CELL_WIDTH_MAX = 4096 };

static unsigned cell_width(bytes cell)
{
    unsigned width = 0;
    while (cell.n && width < CELL_WIDTH_MAX) width += glyph_next(&cell).width;
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
        struct glyph g = glyph_next(&cell);
        if (used + g.width > width - 1) break;
        glyph_put(line, &g);
        used += g.width;
    }
    text_add(line, "…");
}

static void put_whole(struct text *line, bytes cell)
{
    while (cell.n) {
        struct glyph g = glyph_next(&cell);
        glyph_put(line, &g);
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
