#include "store/segment_rows.h"

#include <string.h>

#include "base/memory.h"
#include "store/parquet.h"
#include "store/schema.h"

// A group of rows: larger ones are smaller on disk, smaller ones are passed over sooner. It is in
// memory as the spool has it, and its texts once more.
enum {
    GROUP_ROWS = 245760,
    GROUP_BYTES = 12 * 1024 * 1024,
    GROUP_TEXTS = 2 * 1024 * 1024,
    COLUMNS_MAX = 2 * KIND_FIELDS_MAX,
};

struct writing {
    const struct segment_rows *rows;
    const struct record_kind *kind;
    struct parquet *file;
    struct parquet_values values;
    struct record_batch *batch;
    size_t group_end; // the batches of the group are up to here
    uint8_t *content; // they, one behind the other
    size_t content_size;
    struct narrow_view *views; // of each
    size_t view_count, view_size;
    size_t texts; // bytes of their texts, in values.heap
};

static bool is_ours(const struct writing *w, size_t entry)
{
    return w->rows->spool->entries[entry].kind == w->rows->kind;
}

// ---- values of a batch --------------------------------------------------------------------------

// A column of a batch: its values, and its texts in the heap from `base` on.
struct part {
    enum field_type type;
    uint32_t rows;
    bool is_whole;        // every row has a value
    uint64_t least, most; // no number is outside
    uint64_t present[BATCH_ROWS_MAX / 64];
    uint64_t words[BATCH_ROWS_MAX];
    size_t base, heap_used;
};

static bool part_has(const struct part *p, uint32_t row)
{
    return p->present[row / 64] >> (row % 64) & 1;
}

static void add_nulls(struct parquet_values *v, uint32_t rows, bool list)
{
    parquet_values_reserve(v, rows, 0);
    if (!list) parquet_values_null(v, rows);
    for (uint32_t row = 0; list && row < rows; row++) parquet_list_level(v, LEVEL_NULL, false);
}

static void add_words(struct parquet_values *v, const struct part *p)
{
    parquet_values_reserve(v, p->rows, p->rows);
    parquet_values_within(v, p->least, p->most);
    uint64_t *out = v->words + v->word_count;
    if (p->is_whole) {
        memcpy(out, p->words, p->rows * sizeof *out);
        parquet_values_there(v, p->rows);
        v->word_count += p->rows;
        return;
    }
    for (uint32_t row = 0; row < p->rows; row++) {
        bool has = part_has(p, row);
        *out = p->words[row];
        out += has;
        if (has) parquet_values_there(v, 1);
        else parquet_values_null(v, 1);
    }
    v->word_count = (size_t)(out - v->words);
}

// Where a text of the batch lies in the heap of the group; false when the spool is damaged.
static bool place_of(const struct part *p, uint32_t row, uint64_t *place)
{
    uint64_t offset = p->words[row] >> 32, length = (uint32_t)p->words[row];
    *place = parquet_place(p->base + offset, length);
    return offset + length <= p->heap_used;
}

static bool add_texts(struct parquet_values *v, const struct part *p)
{
    parquet_values_reserve(v, p->rows, p->rows);
    for (uint32_t row = 0; row < p->rows; row++) {
        bool has = part_has(p, row);
        if (has && !place_of(p, row, &v->words[v->word_count++])) return false;
        if (has) parquet_values_there(v, 1);
        else parquet_values_null(v, 1);
    }
    return true;
}

// The next element of a list, of which `rest` bytes at the place `*at` of the heap are left; false
// at its end. An address is kept as text: behind the texts of the group, as long as its column
// takes.
static bool next_element(struct parquet_values *v, enum field_type type, uint64_t *place,
                         uint64_t *word)
{
    bytes list = bytes_of(v->heap.p + (*place >> 32), (uint32_t)*place), element;
    struct address address;
    char text[ADDRESS_TEXT_MAX];
    bool more = type == FIELD_UINTS   ? list_next_uint(&list, word)
                : type == FIELD_TEXTS ? list_next_text(&list, &element)
                                      : list_next_address(&list, &address);
    if (!more) return false;
    *place = parquet_place((size_t)(list.p - (uint8_t *)v->heap.p), list.n);
    if (type == FIELD_TEXTS)
        *word = parquet_place((size_t)(element.p - (uint8_t *)v->heap.p), element.n);
    if (type == FIELD_ADDRESSES) {
        int n = address_format(text, address);
        text_put(&v->heap, bytes_of(text, (size_t)n));
        *word = parquet_place(v->heap.n - (size_t)n, (size_t)n);
    }
    return true;
}

static bool add_lists(struct parquet_values *v, const struct part *p)
{
    for (uint32_t row = 0; row < p->rows; row++) {
        uint64_t place = 0, word;
        bool goes_on = false, has = part_has(p, row);
        if (has && !place_of(p, row, &place)) return false;
        while (has && next_element(v, p->type, &place, &word)) {
            parquet_values_reserve(v, 1, 1);
            parquet_values_within(v, 0, UINT64_MAX);
            v->words[v->word_count++] = word;
            parquet_list_level(v, LIST_ELEMENT, goes_on);
            goes_on = true;
        }
        if (goes_on) continue;
        parquet_values_reserve(v, 1, 0);
        parquet_list_level(v, has ? LIST_EMPTY : LEVEL_NULL, false);
    }
    return true;
}

static bool add_part(struct parquet_values *v, const struct part *p)
{
    if (field_is_list(p->type)) return add_lists(v, p);
    if (field_is_in_heap(p->type)) return add_texts(v, p);
    add_words(v, p);
    return true;
}

// ---- columns of a group -------------------------------------------------------------------------

// What came later may flag rows that had no flag, and that needs all of the batch.
static bool is_flag(const struct writing *w, unsigned field)
{
    return disputes_fields(&w->rows->spool->disputes, w->kind) >> field & 1;
}

static bool read_flag(struct writing *w, const struct spool_entry *e, unsigned field,
                      struct part *p)
{
    const struct column *c = &w->batch->columns[field];
    if (!spool_read(w->rows->spool, e, w->batch)) return false;
    p->is_whole = false;
    p->least = 0;
    p->most = UINT64_MAX;
    memcpy(p->present, c->present, sizeof p->present);
    memcpy(p->words, c->words, e->rows * sizeof *p->words);
    return true;
}

static void open_part(struct narrow_view *view, unsigned field, unsigned word, struct part *p)
{
    struct narrow_column column = narrow_find(view, field);
    p->is_whole = !column.bits;
    p->least = narrow_least(&column, word);
    p->most = narrow_most(&column, word);
    narrow_presence(&column, p->present);
    narrow_words(&column, word, p->words, 1);
}

static bool add_entry(struct writing *w, const struct spool_entry *e, struct narrow_view *view,
                      unsigned field, unsigned word, struct part *p)
{
    p->rows = e->rows;
    p->heap_used = e->heap_used;
    if (is_flag(w, field)) return read_flag(w, e, field, p) && add_part(&w->values, p);
    if (!(e->present >> field & 1)) {
        add_nulls(&w->values, e->rows, field_is_list(p->type));
        return true;
    }
    open_part(view, field, word, p);
    return add_part(&w->values, p);
}

static bool add_column(struct writing *w, size_t from, unsigned field, unsigned word)
{
    struct part part = {.type = w->kind->fields[field].type};
    struct narrow_view *view = w->views;
    for (size_t i = from; i < w->group_end; i++) {
        const struct spool_entry *e = &w->rows->spool->entries[i];
        if (!is_ours(w, i)) continue;
        if (!add_entry(w, e, view++, field, word, &part)) return false;
        part.base += e->heap_used;
    }
    parquet_chunk(w->file, &w->values);
    parquet_values_clear(&w->values);
    w->values.heap.n = w->texts;
    return true;
}

static bool add_columns(struct writing *w, size_t from)
{
    for (unsigned f = 0; f < w->kind->field_count; f++)
        for (unsigned word = 0; word < field_words(w->kind->fields[f].type); word++)
            if (w->rows->with >> f & 1 && !add_column(w, from, f, word)) return false;
    return true;
}

// ---- groups -------------------------------------------------------------------------------------

// Finds where the group that begins at `from` ends, and how large it is; returns its rows.
static size_t group_rows(struct writing *w, size_t from)
{
    size_t rows = 0, texts = 0, size = 0, i = from;
    for (; i < w->rows->to; i++) {
        const struct spool_entry *e = &w->rows->spool->entries[i];
        if (!is_ours(w, i)) continue;
        bool fits = rows + e->rows <= GROUP_ROWS && texts + e->heap_used <= GROUP_TEXTS &&
                    size + e->size <= GROUP_BYTES;
        if (rows && !fits) break;
        rows += e->rows;
        texts += e->heap_used;
        size += e->size;
    }
    w->group_end = i;
    w->content_size = size;
    return rows;
}

static struct narrow_view *next_view(struct writing *w)
{
    if (w->view_count == w->view_size) {
        w->view_size = w->view_size ? 2 * w->view_size : 512;
        w->views = memory_resize(w->views, w->view_size * sizeof *w->views);
    }
    return &w->views[w->view_count++];
}

static bool read_group(struct writing *w, size_t from)
{
    uint8_t *at = w->content = memory_resize(w->content, w->content_size + NARROW_SLACK);
    text_clear(&w->values.heap);
    w->view_count = 0;
    for (size_t i = from; i < w->group_end; i++) {
        const struct spool_entry *e = &w->rows->spool->entries[i];
        if (!is_ours(w, i)) continue;
        struct narrow_view *view = next_view(w);
        if (!spool_read_bytes(w->rows->spool, e, at, view)) return false;
        text_put(&w->values.heap, view->heap);
        at += e->size;
    }
    w->texts = w->values.heap.n;
    return true;
}

static bool write_groups(struct writing *w, struct err *err)
{
    size_t rows;
    for (size_t at = w->rows->from; (rows = group_rows(w, at)) > 0; at = w->group_end) {
        parquet_group(w->file, rows);
        parquet_values_reserve(&w->values, rows, rows);
        if (!read_group(w, at) || !add_columns(w, at))
            return err_set(err, ERR_MACHINE, "the spooled records cannot be read back");
    }
    return true;
}

bool segment_rows_write(const struct segment_rows *rows, const char *path,
                        char sha256[HEX_SHA256_SIZE], uint64_t *size, struct err *err)
{
    const struct record_kind *kind = rows->spool->kinds[rows->kind];
    struct schema_column columns[COLUMNS_MAX];
    size_t count = 0;
    for (unsigned f = 0; f < kind->field_count; f++)
        if (rows->with >> f & 1) count += schema_columns(&kind->fields[f], &columns[count]);
    struct writing w = {.rows = rows, .kind = kind};
    parquet_values_clear(&w.values);
    w.file = parquet_create(path, columns, count, err);
    if (!w.file) return false;
    w.batch = batch_create(kind);
    bool fine = write_groups(&w, err) && parquet_end(w.file, sha256, size, err);
    batch_destroy(w.batch);
    memory_free(w.content);
    memory_free(w.views);
    parquet_values_deinit(&w.values);
    parquet_destroy(w.file);
    return fine;
}
