#include "store/parquet.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/compress.h"
#include "base/file.h"
#include "base/memory.h"
#include "store/thrift.h"

// Numbers of the format (parquet.thrift).
enum {
    TYPE_BOOLEAN = 0,
    TYPE_INT64 = 2,
    TYPE_DOUBLE = 5,
    TYPE_BYTE_ARRAY = 6,
    OPTIONAL = 1,
    REPEATED = 2,
    AS_UTF8 = 0,
    AS_LIST = 3,
    AS_UINT64 = 14,
    AS_INT64 = 18,
    AS_NOTHING = -1,
    PLAIN = 0,
    RUNS = 3,
    DICTIONARY = 8,
    ZSTD = 6,
    DATA_PAGE = 0,
    DICTIONARY_PAGE = 2,
    VERSION = 1,
};

static const char magic[] = "PAR1";

// Where a chunk lies, for the footer.
struct chunk {
    const struct schema_column *column;
    uint64_t dictionary, data; // where its pages begin; `dictionary` 0: it has none
    uint64_t raw, written;     // bytes of its pages, headers included
    size_t values, nulls;
    bool is_bounded;
    uint64_t min, max;
};

struct parquet {
    int file;
    const char *path;
    const struct schema_column *columns;
    size_t column_count, chunk_count, row_count, group_rows;
    uint64_t at;
    int error; // errno of the first write that failed
    struct sha256 hash;
    struct frame_codec *codec;
    struct parquet_dictionary dictionary;
    struct text page, packed;
    struct thrift header;
    struct chunk *chunks; // all of all groups, one behind the other
    size_t *rows;         // of each group
    size_t group_count;
};

// ---- what a column is ---------------------------------------------------------------------------

static int physical_type(const struct schema_column *c)
{
    if (c->type == DUCK_BOOLEAN) return TYPE_BOOLEAN;
    if (c->type == DUCK_DOUBLE) return TYPE_DOUBLE;
    return c->type == DUCK_VARCHAR || c->type == DUCK_BLOB ? TYPE_BYTE_ARRAY : TYPE_INT64;
}

static int converted_type(const struct schema_column *c)
{
    if (c->type == DUCK_UBIGINT) return AS_UINT64;
    if (c->type == DUCK_BIGINT) return AS_INT64;
    return c->type == DUCK_VARCHAR ? AS_UTF8 : AS_NOTHING;
}

static enum parquet_form form_of(const struct schema_column *c)
{
    int type = physical_type(c);
    return type == TYPE_BOOLEAN ? FORM_BITS : type == TYPE_BYTE_ARRAY ? FORM_TEXTS : FORM_WORDS;
}

// ---- bytes out ----------------------------------------------------------------------------------

static void put(struct parquet *p, bytes content)
{
    struct err err = {0};
    errno = 0;
    if (!p->error && !file_write_all(p->file, content, &err)) p->error = errno ? errno : EIO;
    sha256_add(&p->hash, content);
    p->at += content.n;
}

struct parquet *parquet_create(const char *path, const struct schema_column *columns,
                               size_t column_count, struct err *err)
{
    struct parquet *p = memory_get(sizeof *p);
    p->path = path;
    p->columns = columns;
    p->column_count = column_count;
    p->file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    p->codec = frame_codec_create(false); // the log has the hash of the whole file
    if (p->file >= 0 && p->codec) {
        sha256_init(&p->hash);
        put(p, bytes_text(magic));
        return p;
    }
    err_system(err, p->codec ? errno : ENOMEM, "cannot make %s", path);
    parquet_destroy(p);
    return NULL;
}

void parquet_destroy(struct parquet *p)
{
    if (!p) return;
    if (p->file >= 0) close(p->file);
    frame_codec_destroy(p->codec);
    parquet_dictionary_deinit(&p->dictionary);
    text_deinit(&p->page);
    text_deinit(&p->packed);
    text_deinit(&p->header.out);
    memory_free(p->chunks);
    memory_free(p->rows);
    memory_free(p);
}

// ---- pages --------------------------------------------------------------------------------------

// Compresses what is in p->page and writes it. `values` and `encoding` are those of its content.
static void put_page(struct parquet *p, struct chunk *chunk, int type, size_t values, int encoding)
{
    struct thrift *h = &p->header;
    size_t room = frame_room(p->page.n);
    if (p->packed.size < room) {
        p->packed.p = memory_resize(p->packed.p, room);
        p->packed.size = room;
    }
    size_t n = frame_make(p->codec, bytes_of(p->page.p, p->page.n), (uint8_t *)p->packed.p, room);
    if (!n) p->error = EIO;
    text_clear(&h->out);
    thrift_int(h, 1, type);
    thrift_int(h, 2, (int32_t)p->page.n);
    thrift_int(h, 3, (int32_t)n);
    thrift_begin(h, type == DATA_PAGE ? 5 : 7);
    thrift_int(h, 1, (int32_t)values);
    thrift_int(h, 2, encoding);
    if (type == DATA_PAGE) {
        thrift_int(h, 3, RUNS);
        thrift_int(h, 4, RUNS);
    }
    thrift_end(h);
    thrift_end(h);
    chunk->raw += h->out.n + p->page.n;
    chunk->written += h->out.n + n;
    put(p, bytes_of(h->out.p, h->out.n));
    put(p, bytes_of(p->packed.p, n));
}

// Behind their length in four bytes. NULL: all are 1.
static void put_levels(struct text *page, const uint32_t *levels, size_t count, unsigned width)
{
    size_t before = page->n;
    text_put(page, bytes_of("\0\0\0\0", 4));
    if (levels) parquet_put_runs(page, levels, count, width);
    else parquet_put_same(page, LEVEL_THERE, count, width);
    uint32_t length = (uint32_t)(page->n - before - 4);
    memcpy(page->p + before, &length, sizeof length);
}

static void put_all_levels(struct text *page, const struct schema_column *c,
                           const struct parquet_values *v)
{
    text_clear(page);
    if (c->list) put_levels(page, v->goes_on, v->level_count, 1);
    put_levels(page, c->list || v->nulls ? v->levels : NULL, v->level_count,
               parquet_width(c->list ? LIST_ELEMENT : LEVEL_THERE));
}

// The least and the greatest, by which readers pass over groups. Not of texts and reals.
static void note_bounds(struct chunk *chunk, const uint64_t *words, size_t count)
{
    // Signed numbers are in the order of unsigned ones when the sign is turned round.
    uint64_t turn = chunk->column->type == DUCK_UBIGINT ? 0 : UINT64_C(1) << 63;
    if (form_of(chunk->column) != FORM_WORDS || physical_type(chunk->column) == TYPE_DOUBLE ||
        !count)
        return;
    chunk->is_bounded = true;
    chunk->min = chunk->max = words[0] ^ turn;
    for (size_t i = 1; i < count; i++) {
        uint64_t word = words[i] ^ turn;
        if (word < chunk->min) chunk->min = word;
        if (word > chunk->max) chunk->max = word;
    }
    chunk->min ^= turn;
    chunk->max ^= turn;
}

static void put_with_dictionary(struct parquet *p, struct chunk *chunk,
                                const struct parquet_values *v)
{
    const struct parquet_dictionary *d = &p->dictionary;
    uint8_t width = (uint8_t)parquet_width(d->count ? d->count - 1 : 0);
    note_bounds(chunk, d->words, d->count);
    chunk->dictionary = p->at;
    text_clear(&p->page);
    parquet_put_plain(&p->page, form_of(chunk->column), v, d->words, d->count);
    put_page(p, chunk, DICTIONARY_PAGE, d->count, PLAIN);
    chunk->data = p->at;
    put_all_levels(&p->page, chunk->column, v);
    text_put(&p->page, bytes_of(&width, 1));
    parquet_put_runs(&p->page, d->indices, v->word_count, width);
    put_page(p, chunk, DATA_PAGE, v->level_count, DICTIONARY);
}

static void put_without(struct parquet *p, struct chunk *chunk, const struct parquet_values *v)
{
    note_bounds(chunk, v->words, v->word_count);
    chunk->data = p->at;
    put_all_levels(&p->page, chunk->column, v);
    parquet_put_plain(&p->page, form_of(chunk->column), v, v->words, v->word_count);
    put_page(p, chunk, DATA_PAGE, v->level_count, PLAIN);
}

void parquet_group(struct parquet *p, size_t rows)
{
    size_t chunks = (p->group_count + 1) * p->column_count;
    p->chunks = memory_resize(p->chunks, chunks * sizeof *p->chunks);
    p->rows = memory_resize(p->rows, (p->group_count + 1) * sizeof *p->rows);
    p->rows[p->group_count++] = rows;
    p->row_count += rows;
}

void parquet_chunk(struct parquet *p, const struct parquet_values *v)
{
    assert(p->chunk_count < p->group_count * p->column_count);
    struct chunk *chunk = &p->chunks[p->chunk_count];
    enum parquet_form form;
    *chunk = (struct chunk){.column = &p->columns[p->chunk_count % p->column_count],
                            .values = v->level_count,
                            .nulls = v->nulls};
    p->chunk_count++;
    form = form_of(chunk->column);
    if (form != FORM_BITS && parquet_dictionary_make(&p->dictionary, v, form == FORM_TEXTS))
        put_with_dictionary(p, chunk, v);
    else put_without(p, chunk, v);
}

// ---- footer -------------------------------------------------------------------------------------

static void put_logical_type(struct thrift *t, const struct schema_column *c)
{
    enum { STRING = 1, TIMESTAMP = 8, INTEGER = 10, NANOS = 3 };
    if (c->type == DUCK_TIMESTAMP_NS) {
        thrift_begin(t, 10);
        thrift_begin(t, TIMESTAMP);
        thrift_bool(t, 1, false); // not to be moved by a time zone
        thrift_begin(t, 2);
        thrift_begin(t, NANOS);
        for (unsigned i = 0; i < 4; i++) thrift_end(t);
    }
}

static void put_leaf(struct thrift *t, const struct schema_column *c, const char *name)
{
    thrift_element_begin(t);
    thrift_int(t, 1, physical_type(c));
    thrift_int(t, 3, OPTIONAL);
    thrift_bytes(t, 4, bytes_text(name));
    if (converted_type(c) != AS_NOTHING) thrift_int(t, 6, converted_type(c));
    put_logical_type(t, c);
    thrift_end(t);
}

static void put_group(struct thrift *t, const char *name, int repetition, size_t children, int as)
{
    thrift_element_begin(t);
    if (repetition) thrift_int(t, 3, repetition);
    thrift_bytes(t, 4, bytes_text(name));
    thrift_int(t, 5, (int32_t)children);
    if (as != AS_NOTHING) thrift_int(t, 6, as);
    thrift_end(t);
}

static void put_schema(struct thrift *t, const struct parquet *p)
{
    size_t elements = 1 + p->column_count;
    for (size_t i = 0; i < p->column_count; i++) elements += p->columns[i].list ? 2 : 0;
    thrift_list(t, 2, THRIFT_STRUCT, elements);
    put_group(t, "weir", 0, p->column_count, AS_NOTHING);
    for (size_t i = 0; i < p->column_count; i++) {
        const struct schema_column *c = &p->columns[i];
        if (c->list) {
            put_group(t, c->name, OPTIONAL, 1, AS_LIST);
            put_group(t, "list", REPEATED, 1, AS_NOTHING);
        }
        put_leaf(t, c, c->list ? "element" : c->name);
    }
}

static void put_statistics(struct thrift *t, const struct chunk *c)
{
    thrift_begin(t, 12);
    thrift_long(t, 3, (int64_t)c->nulls);
    if (c->is_bounded) {
        thrift_bytes(t, 5, bytes_of(&c->max, sizeof c->max));
        thrift_bytes(t, 6, bytes_of(&c->min, sizeof c->min));
    }
    thrift_end(t);
}

static void put_chunk_entry(struct thrift *t, const struct chunk *c)
{
    thrift_element_begin(t);
    thrift_long(t, 2, 0);
    thrift_begin(t, 3);
    thrift_int(t, 1, physical_type(c->column));
    thrift_list(t, 2, THRIFT_INT, c->dictionary ? 3 : 2);
    thrift_element_int(t, PLAIN);
    thrift_element_int(t, RUNS);
    if (c->dictionary) thrift_element_int(t, DICTIONARY);
    thrift_list(t, 3, THRIFT_BYTES, c->column->list ? 3 : 1);
    thrift_element_bytes(t, bytes_text(c->column->name));
    if (c->column->list) {
        thrift_element_bytes(t, bytes_text("list"));
        thrift_element_bytes(t, bytes_text("element"));
    }
    thrift_int(t, 4, ZSTD);
    thrift_long(t, 5, (int64_t)c->values);
    thrift_long(t, 6, (int64_t)c->raw);
    thrift_long(t, 7, (int64_t)c->written);
    thrift_long(t, 9, (int64_t)c->data);
    if (c->dictionary) thrift_long(t, 11, (int64_t)c->dictionary);
    put_statistics(t, c);
    thrift_end(t);
    thrift_end(t);
}

static void put_row_group(struct thrift *t, const struct parquet *p, size_t group)
{
    const struct chunk *chunks = &p->chunks[group * p->column_count];
    uint64_t raw = 0, written = 0;
    thrift_element_begin(t);
    thrift_list(t, 1, THRIFT_STRUCT, p->column_count);
    for (size_t i = 0; i < p->column_count; i++) {
        put_chunk_entry(t, &chunks[i]);
        raw += chunks[i].raw;
        written += chunks[i].written;
    }
    thrift_long(t, 2, (int64_t)raw);
    thrift_long(t, 3, (int64_t)p->rows[group]);
    thrift_long(t, 5, (int64_t)(chunks[0].dictionary ? chunks[0].dictionary : chunks[0].data));
    thrift_long(t, 6, (int64_t)written);
    thrift_end(t);
}

// That bounds are those of the type's own order.
static void put_orders(struct thrift *t, size_t columns)
{
    thrift_list(t, 7, THRIFT_STRUCT, columns);
    for (size_t i = 0; i < columns; i++) {
        thrift_element_begin(t);
        thrift_begin(t, 1);
        thrift_end(t);
        thrift_end(t);
    }
}

bool parquet_end(struct parquet *p, char sha256[HEX_SHA256_SIZE], uint64_t *size, struct err *err)
{
    struct thrift *t = &p->header;
    uint8_t digest[SHA256_SIZE];
    assert(p->chunk_count == p->group_count * p->column_count);
    text_clear(&t->out);
    thrift_int(t, 1, VERSION);
    put_schema(t, p);
    thrift_long(t, 3, (int64_t)p->row_count);
    thrift_list(t, 4, THRIFT_STRUCT, p->group_count);
    for (size_t i = 0; i < p->group_count; i++) put_row_group(t, p, i);
    thrift_bytes(t, 6, bytes_text("weir"));
    put_orders(t, p->column_count);
    thrift_end(t);
    uint32_t length = (uint32_t)t->out.n;
    put(p, bytes_of(t->out.p, t->out.n));
    put(p, bytes_of(&length, sizeof length));
    put(p, bytes_text(magic));
    sha256_end(&p->hash, digest);
    hex_format(sha256, bytes_of(digest, sizeof digest));
    *size = p->at;
    return !p->error || err_system(err, p->error, "cannot write %s", p->path);
}
