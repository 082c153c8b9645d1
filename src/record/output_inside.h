// What an output is made of; for its two files.
#pragma once

#include "base/text.h"
#include "record/community_id.h"
#include "record/output.h"

enum { TABLE_ROWS_HELD_MAX = 1000 };

// The value being written.
struct output {
    enum output_format format;
    FILE *out;
    struct output_column *columns;
    unsigned column_count, width;
    unsigned column;  // of the next value
    unsigned put;     // JSON members of this row so far
    struct text kind; // JSON: what each row begins with; or nothing
    nanos day;        // whose digits `date` begins with
    char date[TIME_TEXT_MAX];
    struct text *heads; // JSON: ,"NAME": of each column, and zeros as far as wide copies go
    uint8_t fields[KIND_FIELDS_MAX]; // of a kind those that are shown
    unsigned field_count;
    uint64_t all;   // columns of fields, as bits
    bool has_tuple; // of a kind that has what Community ID is made of, and where
    unsigned tuple[COMMUNITY_FIELDS];
    bool in_list;
    unsigned elements; // of the list so far
    struct text row;   // JSON and CSV: the line; tables: the cells, one behind the other
    uint64_t rows;

    // Tables only.
    size_t *ends;      // of the cells of this row in `row`
    struct text *held; // rows whose widths are not settled, cells ended by a zero byte
    unsigned held_count;
    unsigned *widths;
    bool settled;
};

// Cells are in o->row, ends in o->ends.
void table_row_end(struct output *o);
void table_end(struct output *o);
