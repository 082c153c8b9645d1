#include "engine/summary_page.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

#include "base/glyph.h"

enum {
    TWIN_MIN = 100, // columns from which on two sections stand side by side
    WIDTH_MIN = 40,
    WIDTH_MAX = 150,
    BLOCK_MAX = 80,
    TWIN_GAP = 4,
    INDENT = 2,
    CELL_GAP = 2,
    NAME_MIN = 12,
    FULL_MIN = 56,  // columns for a table of TABLE_CELLS_MAX
    NAME_FAIR = 24, // rather than that a name is cut below this, there is no bar
    BAR_MIN = 6,
    BAR_MAX = 18,
};

// ---- life ---------------------------------------------------------------------------------------

void page_init(struct page *p, unsigned width, unsigned rows, bool colour, bool utf8)
{
    assert(rows <= TABLE_ROWS_MAX);
    *p = (struct page){.rows = rows, .colour = colour, .utf8 = utf8};
    p->width = width < WIDTH_MIN ? WIDTH_MIN : width > WIDTH_MAX ? WIDTH_MAX : width;
    p->twin = p->width >= TWIN_MIN;
    p->block = p->twin ? (p->width - TWIN_GAP) / 2 : p->width;
    if (p->block > BLOCK_MAX) p->block = BLOCK_MAX;
}

void page_deinit(struct page *p)
{
    text_deinit(&p->head);
    text_deinit(&p->tail);
    for (unsigned i = 0; i < p->section_count; i++) text_deinit(&p->sections[i]);
    *p = (struct page){0};
}

// ---- pieces -------------------------------------------------------------------------------------

static void put_tone(const struct page *p, struct text *t, const char *code)
{
    if (p->colour) text_format(t, "\x1b[%sm", code);
}

static void put_spaces(struct text *t, unsigned n)
{
    while (n--) text_add(t, " ");
}

static const char *tone_code(enum page_tone tone)
{
    switch (tone) {
    case PAGE_PLAIN:
        return NULL;
    case PAGE_DIM:
        return "2";
    case PAGE_WARNING:
        return "33";
    }
    return NULL;
}

static bytes text_bytes(const struct text *t)
{
    return bytes_of(t->p, t->n);
}

// Takes the text up to the next `end` out of `rest`.
static bytes next_part(bytes *rest, uint8_t end)
{
    bytes part = bytes_first(*rest, bytes_find(*rest, end));
    *rest = bytes_after(*rest, part.n + 1);
    return part;
}

// Columns of a line of the page, in which only the page itself has written escape sequences.
static unsigned line_columns(bytes line)
{
    unsigned width = 0;
    while (line.n) {
        if (line.p[0] == 0x1b) next_part(&line, 'm');
        else width += glyph_next(&line).width;
    }
    return width;
}

void page_name(const struct page *p, struct text *t, bytes name)
{
    while (name.n) {
        struct glyph g = glyph_next(&name);
        if (!p->utf8 && g.as.p[0] >= 0x80) g.unsafe = true;
        glyph_put(t, &g);
    }
}

// The part of `name` that stands before (or, from the end, behind) `width` columns.
static bytes name_head(bytes name, unsigned width)
{
    bytes rest = name;
    unsigned used = 0;
    while (rest.n) {
        bytes before = rest;
        used += glyph_next(&rest).width;
        if (used > width) return bytes_first(name, name.n - before.n);
    }
    return name;
}

static bytes name_tail(bytes name, unsigned width)
{
    for (unsigned columns = glyph_columns(name); columns > width;)
        columns -= glyph_next(&name).width;
    return name;
}

// A safe name in at most `width` columns; returns how many it takes. Hosts and paths tell most at
// their ends.
static unsigned put_name(const struct page *p, struct text *t, bytes name, unsigned width)
{
    unsigned columns = glyph_columns(name), dots = p->utf8 ? 1 : 3;
    if (columns <= width) {
        text_put(t, name);
        return columns;
    }
    unsigned room = width - dots;
    bytes head = name_head(name, room / 2), tail = name_tail(name, room - room / 2);
    text_put(t, head);
    text_add(t, p->utf8 ? "…" : "...");
    text_put(t, tail);
    return glyph_columns(head) + dots + glyph_columns(tail);
}

void page_name_within(const struct page *p, struct text *t, bytes name, unsigned width)
{
    struct text safe = {0};
    page_name(p, &safe, name);
    put_name(p, t, text_bytes(&safe), width);
    text_deinit(&safe);
}

static void put_bar(const struct page *p, struct text *t, uint64_t weight, uint64_t most,
                    unsigned width)
{
    static const char *const parts[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    if (!weight || !most) return;
    unsigned fine = p->utf8 ? 8 : 1;
    unsigned n = (unsigned)((double)weight * width * fine / (double)most + 0.5);
    if (!n) n = 1;
    for (; n >= fine; n -= fine) text_add(t, p->utf8 ? "█" : "#");
    if (p->utf8) text_add(t, parts[n]);
}

// ---- titles and facts ---------------------------------------------------------------------------

void page_title(struct page *p, struct text *part, const char *title)
{
    put_tone(p, part, "1");
    text_add(part, title);
    put_tone(p, part, "0");
    text_add(part, "\n");
}

void facts_add(struct text *facts, const char *format, ...)
{
    char phrase[512];
    va_list list;
    va_start(list, format);
    vsnprintf(phrase, sizeof phrase, format, list);
    va_end(list);
    if (facts->n) text_add(facts, "\n");
    text_add(facts, phrase);
}

static void begin_line(const struct page *p, struct text *part, const char *code)
{
    put_spaces(part, INDENT);
    if (code) put_tone(p, part, code);
}

static void end_line(const struct page *p, struct text *part, const char *code)
{
    if (code) put_tone(p, part, "0");
    text_add(part, "\n");
}

void page_facts(const struct page *p, struct text *part, unsigned width, struct text *facts,
                enum page_tone tone)
{
    const char *code = tone_code(tone), *between = p->utf8 ? " · " : ", ";
    unsigned used = 0, gap = glyph_columns(bytes_text(between));
    for (bytes rest = text_bytes(facts); rest.n;) {
        bytes fact = next_part(&rest, '\n');
        unsigned columns = glyph_columns(fact);
        if (columns > width - INDENT) columns = width - INDENT;
        if (used && used + gap + columns > width) {
            end_line(p, part, code);
            used = 0;
        }
        if (used) text_add(part, between);
        else begin_line(p, part, code);
        used += columns + (used ? gap : INDENT);
        put_name(p, part, fact, columns);
    }
    if (used) end_line(p, part, code);
    text_clear(facts);
}

// ---- tables -------------------------------------------------------------------------------------

struct layout {
    unsigned name, cells[TABLE_CELLS_MAX], bar;
    uint64_t most;
};

static struct layout table_layout(const struct page *p, const struct table *t)
{
    struct layout l = {.bar = p->block / 6};
    if (l.bar > BAR_MAX) l.bar = BAR_MAX;
    unsigned taken = INDENT, longest = NAME_MIN;
    for (unsigned c = 0; c < t->cell_count; c++) {
        l.cells[c] = (unsigned)strlen(t->headings[c]);
        for (unsigned r = 0; r < t->row_count; r++) {
            unsigned width = glyph_columns(bytes_text(t->rows[r].cells[c].text));
            if (width > l.cells[c]) l.cells[c] = width;
        }
        taken += CELL_GAP + l.cells[c];
    }
    for (unsigned r = 0; r < t->row_count; r++) {
        unsigned width = glyph_columns(text_bytes(&t->rows[r].name));
        if (t->rows[r].weight > l.most) l.most = t->rows[r].weight;
        if (width > longest) longest = width;
    }
    if (longest > NAME_FAIR) longest = NAME_FAIR;
    unsigned left =
        p->block > taken + CELL_GAP + longest ? p->block - taken - CELL_GAP - longest : 0;
    if (l.bar > left) l.bar = left;
    if (l.bar < BAR_MIN) l.bar = 0;
    if (l.bar) taken += CELL_GAP + l.bar;
    l.name = p->block > taken + NAME_MIN ? p->block - taken : NAME_MIN;
    return l;
}

static void put_cell(struct text *part, const char *cell, unsigned width)
{
    put_spaces(part, CELL_GAP + width - glyph_columns(bytes_text(cell)));
    text_add(part, cell);
}

static void put_headings(const struct page *p, struct text *part, const struct table *t,
                         const struct layout *l)
{
    put_tone(p, part, "1");
    text_add(part, t->title);
    put_tone(p, part, "0");
    if (!t->row_count) {
        text_add(part, "\n");
        return;
    }
    put_spaces(part, INDENT + l->name - glyph_columns(bytes_text(t->title)));
    put_tone(p, part, "2");
    for (unsigned c = 0; c < t->cell_count; c++) put_cell(part, t->headings[c], l->cells[c]);
    put_tone(p, part, "0");
    text_add(part, "\n");
}

static void put_row(const struct page *p, struct text *part, const struct table *t,
                    const struct table_row *row, const struct layout *l)
{
    put_spaces(part, INDENT);
    put_spaces(part, l->name - put_name(p, part, text_bytes(&row->name), l->name));
    bool has_bar = l->bar && row->weight;
    unsigned cells = t->cell_count;
    while (!has_bar && cells && !row->cells[cells - 1].text[0]) cells--;
    for (unsigned c = 0; c < cells; c++) put_cell(part, row->cells[c].text, l->cells[c]);
    if (has_bar) {
        put_spaces(part, CELL_GAP);
        put_bar(p, part, row->weight, l->most, l->bar);
    }
    text_add(part, "\n");
}

struct table_row *table_add(struct table *t)
{
    assert(t->row_count < TABLE_ROWS_MAX);
    return &t->rows[t->row_count++];
}

void page_table(struct page *p, struct table *t)
{
    assert(p->section_count < PAGE_SECTIONS_MAX);
    struct text *part = &p->sections[p->section_count++];
    // On a narrow screen four cells leave no room for a name.
    if (t->cell_count == TABLE_CELLS_MAX && p->block < FULL_MIN) t->cell_count--;
    struct layout l = table_layout(p, t);
    put_headings(p, part, t, &l);
    page_facts(p, part, p->block, &t->facts, PAGE_PLAIN);
    for (unsigned r = 0; r < t->row_count; r++) {
        put_row(p, part, t, &t->rows[r], &l);
        text_deinit(&t->rows[r].name);
    }
    page_facts(p, part, p->block, &t->notes, PAGE_DIM);
    text_deinit(&t->facts);
    text_deinit(&t->notes);
}

// ---- setting ------------------------------------------------------------------------------------

// The empty line that follows included.
static unsigned part_lines(const struct text *part)
{
    unsigned n = part->n > 0;
    for (size_t i = 0; i < part->n; i++) n += part->p[i] == '\n';
    return n;
}

// How many sections stand in the left column, so that the page becomes as short as can be, and how
// high it is then.
static unsigned page_split(const struct page *p, unsigned *height_of_best)
{
    unsigned all = 0, left = 0, best = 0, best_height = UINT32_MAX;
    for (unsigned i = 0; i < p->section_count; i++) all += part_lines(&p->sections[i]);
    for (unsigned i = 0; i <= p->section_count; i++) {
        unsigned height = left > all - left ? left : all - left;
        if (height <= best_height) {
            best = i;
            best_height = height;
        }
        if (i < p->section_count) left += part_lines(&p->sections[i]);
    }
    *height_of_best = best_height;
    return best;
}

unsigned page_height(const struct page *p)
{
    unsigned height = 0;
    if (p->twin) page_split(p, &height);
    for (unsigned i = 0; i < p->section_count && !p->twin; i++)
        height += part_lines(&p->sections[i]);
    return height + part_lines(&p->head) + part_lines(&p->tail);
}

static struct text page_column(const struct page *p, unsigned from, unsigned to)
{
    struct text column = {0};
    for (unsigned i = from; i < to; i++) {
        if (i > from) text_add(&column, "\n");
        text_put(&column, text_bytes(&p->sections[i]));
    }
    return column;
}

static void write_twin(const struct page *p, FILE *out)
{
    unsigned height, split = page_split(p, &height);
    struct text left = page_column(p, 0, split);
    struct text right = page_column(p, split, p->section_count), line = {0};
    bytes left_rest = text_bytes(&left), right_rest = text_bytes(&right);
    while (left_rest.n || right_rest.n) {
        bytes l = next_part(&left_rest, '\n'), r = next_part(&right_rest, '\n');
        text_clear(&line);
        text_put(&line, l);
        if (r.n) put_spaces(&line, p->block + TWIN_GAP - line_columns(l));
        text_put(&line, r);
        text_add(&line, "\n");
        fwrite(line.p, 1, line.n, out);
    }
    text_deinit(&left);
    text_deinit(&right);
    text_deinit(&line);
}

static void write_single(const struct page *p, FILE *out)
{
    struct text all = page_column(p, 0, p->section_count);
    if (all.n) fwrite(all.p, 1, all.n, out);
    text_deinit(&all);
}

void page_write(const struct page *p, FILE *out)
{
    fwrite(p->head.p, 1, p->head.n, out);
    if (p->section_count) {
        fputc('\n', out);
        if (p->twin) write_twin(p, out);
        else write_single(p, out);
    }
    if (!p->tail.n) return;
    fputc('\n', out);
    fwrite(p->tail.p, 1, p->tail.n, out);
}
