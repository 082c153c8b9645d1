// A page of sections for one screen: two columns side by side where the width allows, else one
// below the other.
//
// Whoever fills it says what stands there, the page how: widths, bars, colours, characters. Text of
// traffic goes in by page_name alone, which lets no control character through. One thread.
#pragma once

#include <stdio.h>

#include "base/text.h"
#include "engine/summary_amount.h"

enum { PAGE_SECTIONS_MAX = 12, TABLE_ROWS_MAX = 8, TABLE_CELLS_MAX = 4 };

struct page {
    unsigned width; // of the screen
    unsigned block; // of a section
    unsigned rows;  // that a list may have
    bool twin;      // two columns
    bool colour, utf8;
    struct text head, tail, sections[PAGE_SECTIONS_MAX];
    unsigned section_count;
};

// `rows` is at most TABLE_ROWS_MAX.
void page_init(struct page *p, unsigned width, unsigned rows, bool colour, bool utf8);
void page_deinit(struct page *p);
// Lines of the screen that it takes.
unsigned page_height(const struct page *p);
void page_write(const struct page *p, FILE *out);

// Facts are short phrases, set one behind the other and broken between them, not within. `facts` is
// cleared.
void page_title(struct page *p, struct text *part, const char *title);
enum page_tone { PAGE_PLAIN, PAGE_DIM, PAGE_WARNING };
void page_facts(const struct page *p, struct text *part, unsigned width, struct text *facts,
                enum page_tone tone);
void facts_add(struct text *facts, const char *format, ...) __attribute__((format(printf, 2, 3)));

// A section: a title with headings, facts, and rows of a name, cells and a bar by weight.
struct table_row {
    struct text name;
    struct amount cells[TABLE_CELLS_MAX];
    uint64_t weight;
};

struct table {
    const char *title;
    const char *headings[TABLE_CELLS_MAX];
    unsigned cell_count, row_count;
    struct text facts; // above the rows
    struct text notes; // below them
    struct table_row rows[TABLE_ROWS_MAX];
};

// The next row, its name empty; there must be room.
struct table_row *table_add(struct table *t);
// Sets the section, and frees what the table holds.
void page_table(struct page *p, struct table *t);

// Text that others wrote, made safe for the terminal.
void page_name(const struct page *p, struct text *t, bytes name);
// The same in at most `width` columns, with an ellipsis in its middle where it is longer.
void page_name_within(const struct page *p, struct text *t, bytes name, unsigned width);
