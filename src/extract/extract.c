#include "extract/extract.h"

#include <assert.h>
#include <stdio.h>

#include "base/hash.h"
#include "base/memory.h"
#include "extract/decoding.h"
#include "extract/type.h"

// The three hashes are fed by blocks that stay in the processor's nearest cache.
enum { HASH_BLOCK_SIZE = 8192, GAPS_NOTED_MAX = 16, SOURCE_NAME_MAX = 16 };

struct gap {
    uint64_t offset, length; // in encoded bytes
};

struct file {
    struct body_place place;
    struct record_id record;
    char source[SOURCE_NAME_MAX];
    bool has_total;
    uint8_t coding_count;
    uint8_t codings[BODY_CODINGS_MAX];
    uint16_t name_length, declared_length;
    uint64_t total_bytes, encoded_bytes, size, missing_bytes, kept_bytes;
    uint32_t gap_count;
    struct gap gaps[GAPS_NOTED_MAX];
    uint64_t gap_end; // where the last gap ended
    struct decoding decoding;
    struct md5 md5;
    struct sha1 sha1;
    struct sha256 sha256;
    uint32_t slot; // of the artifact sink; 0 when nothing is kept
    bool kept_cut; // the cap was reached: kept_sha256 holds
    uint8_t kept_sha256[SHA256_SIZE];
    uint16_t head_length;
    uint8_t name[BODY_NAME_MAX];
    uint8_t declared[BODY_NAME_MAX];
    uint8_t head[TYPE_HEAD_SIZE]; // the first decoded bytes
};

struct extractor {
    struct extract_options options;
    struct pool files;
    struct decoders decoders;
    struct extract_counts counts;
};

struct extractor *extractor_create(const struct extract_options *options, struct err *err)
{
    struct extractor *x = memory_get(sizeof *x);
    x->options = *options;
    if (pool_init(&x->files, sizeof(struct file), options->files_max, err) &&
        decoders_init(&x->decoders, options->decoders_max, options->decoded_max, err))
        return x;
    pool_deinit(&x->files);
    memory_free(x);
    return NULL;
}

void extractor_destroy(struct extractor *x)
{
    if (!x) return;
    assert(x->files.used == 0);
    decoders_deinit(&x->decoders);
    pool_deinit(&x->files);
    memory_free(x);
}

const struct extract_counts *extractor_counts(const struct extractor *x)
{
    return &x->counts;
}

static struct file *file_at(const struct extractor *x, uint32_t file)
{
    return pool_at(&x->files, file);
}

static uint16_t copy_text(uint8_t to[BODY_NAME_MAX], bytes from)
{
    from = bytes_first(from, BODY_NAME_MAX);
    if (from.n) memcpy(to, from.p, from.n);
    return (uint16_t)from.n;
}

uint32_t extract_open(struct extractor *x, const struct body_start *start)
{
    assert(start->coding_count <= BODY_CODINGS_MAX);
    uint32_t index = pool_take(&x->files);
    if (!index) {
        x->counts.files_refused++;
        return 0;
    }
    struct file *f = file_at(x, index);
    f->place = (struct body_place){start->side, start->position, start->time};
    f->record = start->record;
    snprintf(f->source, sizeof f->source, "%s", start->source);
    f->has_total = start->has_length;
    f->total_bytes = start->length;
    f->coding_count = start->coding_count;
    for (unsigned i = 0; i < start->coding_count; i++) f->codings[i] = (uint8_t)start->codings[i];
    f->name_length = copy_text(f->name, start->file_name);
    f->declared_length = copy_text(f->declared, start->media_type);
    decoding_init(&f->decoding, &x->decoders, start->codings, start->coding_count);
    md5_init(&f->md5);
    sha1_init(&f->sha1);
    sha256_init(&f->sha256);
    x->counts.files++;
    return index;
}

struct body_place extract_place(const struct extractor *x, uint32_t file)
{
    return file ? file_at(x, file)->place : (struct body_place){0};
}

// ---- decoded bytes ------------------------------------------------------------------------------

static void keep_begin(struct extractor *x, struct file *f)
{
    const struct artifact_sink *sink = x->options.artifacts;
    if (!sink || x->options.kept_max == 0) return;
    f->slot = sink->begin(sink->context);
    if (!f->slot) x->counts.artifacts_refused++;
}

// The hash of what is kept is that of the file so far, at the moment when the cap is reached.
static void keep(struct extractor *x, struct file *f, bytes b)
{
    if (!f->slot || b.n == 0) return;
    const struct artifact_sink *sink = x->options.artifacts;
    sink->add(sink->context, f->slot, b);
    f->kept_bytes += b.n;
    x->counts.kept_bytes += b.n;
}

static void keep_cut(struct file *f)
{
    struct sha256 so_far = f->sha256;
    sha256_end(&so_far, f->kept_sha256);
    f->kept_cut = true;
}

static void hash(struct file *f, bytes b)
{
    while (b.n) {
        bytes block = bytes_first(b, HASH_BLOCK_SIZE);
        md5_add(&f->md5, block);
        sha1_add(&f->sha1, block);
        sha256_add(&f->sha256, block);
        b = bytes_after(b, block.n);
    }
}

static void take_decoded(struct extractor *x, struct file *f, bytes b)
{
    if (b.n == 0) return;
    if (f->size == 0) keep_begin(x, f);
    bytes head = bytes_first(b, (size_t)TYPE_HEAD_SIZE - f->head_length);
    if (head.n) memcpy(f->head + f->head_length, head.p, head.n);
    f->head_length = (uint16_t)(f->head_length + head.n);

    uint64_t room = f->size < x->options.kept_max ? x->options.kept_max - f->size : 0;
    bytes kept = bytes_first(b, room < b.n ? (size_t)room : b.n), rest = bytes_after(b, kept.n);
    hash(f, kept);
    keep(x, f, kept);
    if (rest.n && !f->kept_cut && x->options.kept_max) keep_cut(f);
    hash(f, rest);
    f->size += b.n;
    x->counts.decoded_bytes += b.n;
}

static void decode(struct extractor *x, struct file *f, bytes data, bool ending)
{
    bytes piece;
    decoding_feed(&f->decoding, &x->decoders, data, ending);
    while (decoding_next(&f->decoding, &x->decoders, &piece)) take_decoded(x, f, piece);
}

void extract_data(struct extractor *x, uint32_t file, bytes data)
{
    if (!file) return;
    struct file *f = file_at(x, file);
    f->encoded_bytes += data.n;
    x->counts.encoded_bytes += data.n;
    decode(x, f, data, false);
}

// Gaps that touch are one, however they were told.
static void note_gap(struct file *f, uint64_t length)
{
    uint64_t offset = f->encoded_bytes + f->missing_bytes;
    if (f->gap_count == 0 || f->gap_end != offset) {
        if (f->gap_count < GAPS_NOTED_MAX) f->gaps[f->gap_count].offset = offset;
        f->gap_count++;
    }
    if (f->gap_count <= GAPS_NOTED_MAX) f->gaps[f->gap_count - 1].length += length;
    f->gap_end = offset + length;
    f->missing_bytes += length;
}

void extract_gap(struct extractor *x, uint32_t file, uint64_t length)
{
    if (!file || length == 0) return;
    struct file *f = file_at(x, file);
    note_gap(f, length);
    x->counts.missing_bytes += length;
    if (f->decoding.stage_count == 0) return;
    decode(x, f, (bytes){0}, true);
    decoding_gap(&f->decoding, &x->decoders);
}

// ---- the end ------------------------------------------------------------------------------------

struct ending {
    uint8_t md5[MD5_SIZE], sha1[SHA1_SIZE], sha256[SHA256_SIZE];
    const char *type; // NULL when there was no content
    bool complete;
};

static void tell_encoding(const struct file *f, struct row *row)
{
    for (unsigned i = 0; i < f->coding_count; i++)
        row_text(row, FILE_ENCODINGS, bytes_text(body_coding_name(f->codings[i])));
    if (f->coding_count) row_uint(row, FILE_TRAILING_BYTES, f->decoding.trailing_bytes);
    if (f->decoding.fault)
        row_text(row, FILE_BROKEN, bytes_text(decode_fault_name(f->decoding.fault)));
}

static void tell_gaps(const struct file *f, struct row *row)
{
    row_uint(row, FILE_MISSING_BYTES, f->missing_bytes);
    row_uint(row, FILE_GAPS, f->gap_count);
    for (uint32_t i = 0; i < f->gap_count && i < GAPS_NOTED_MAX; i++) {
        row_uint(row, FILE_GAP_OFFSETS, f->gaps[i].offset);
        row_uint(row, FILE_GAP_LENGTHS, f->gaps[i].length);
    }
}

static void tell_content(const struct file *f, const struct ending *e, struct row *row)
{
    if (e->type) row_text(row, FILE_MIME_TYPE, bytes_text(e->type));
    row_uint(row, FILE_SIZE, f->size);
    row_uint(row, FILE_COMPLETE, e->complete);
    row_uint(row, FILE_TRUNCATED, f->kept_cut);
    row_uint(row, FILE_KEPT_BYTES, f->kept_bytes);
    row_hash(row, FILE_MD5, bytes_of(e->md5, sizeof e->md5));
    row_hash(row, FILE_SHA1, bytes_of(e->sha1, sizeof e->sha1));
    row_hash(row, FILE_SHA256, bytes_of(e->sha256, sizeof e->sha256));
    const uint8_t *artifact = f->kept_cut ? f->kept_sha256 : e->sha256;
    if (f->slot) row_hash(row, FILE_ARTIFACT, bytes_of(artifact, SHA256_SIZE));
}

static void tell(const struct file *f, const struct ending *e, struct row *row)
{
    row_text(row, FILE_SOURCE, bytes_text(f->source));
    row_id(row, FILE_RECORD_ID, f->record);
    row_uint(row, FILE_FROM_SRC, f->place.side == 0);
    if (f->name_length) row_text(row, FILE_NAME, bytes_of(f->name, f->name_length));
    if (f->declared_length)
        row_text(row, FILE_DECLARED_TYPE, bytes_of(f->declared, f->declared_length));
    row_uint(row, FILE_ENCODED_BYTES, f->encoded_bytes);
    if (f->has_total) row_uint(row, FILE_TOTAL_BYTES, f->total_bytes);
    tell_encoding(f, row);
    tell_gaps(f, row);
    tell_content(f, e, row);
}

static void summarize(const struct file *f, const struct ending *e, struct body_summary *summary)
{
    *summary = (struct body_summary){
        .seen_bytes = f->encoded_bytes, .file_bytes = f->size, .complete = e->complete};
    memcpy(summary->sha256, e->sha256, SHA256_SIZE);
    if (e->type) snprintf(summary->media_type, sizeof summary->media_type, "%s", e->type);
}

static void finish(struct extractor *x, struct file *f, bool complete, struct ending *e)
{
    decode(x, f, (bytes){0}, true);
    decoding_end(&f->decoding, &x->decoders);
    md5_end(&f->md5, e->md5);
    sha1_end(&f->sha1, e->sha1);
    sha256_end(&f->sha256, e->sha256);
    e->type = type_of_content(bytes_of(f->head, f->head_length), f->size == f->head_length);
    e->complete = complete && f->gap_count == 0 && f->decoding.fault == DECODE_FINE;
}

static void count(struct extractor *x, const struct file *f)
{
    if (f->decoding.fault == DECODE_BUSY) x->counts.busy++;
    else if (f->decoding.fault) x->counts.faults++;
}

void extract_close(struct extractor *x, uint32_t file, bool complete, struct body_summary *summary,
                   struct row *row)
{
    if (summary) *summary = (struct body_summary){0};
    if (!file) return;
    struct file *f = file_at(x, file);
    struct ending e = {0};
    finish(x, f, complete, &e);
    if (row) tell(f, &e, row);
    if (summary) summarize(f, &e, summary);
    if (f->slot) {
        const struct artifact_sink *sink = x->options.artifacts;
        sink->end(sink->context, f->slot, f->kept_cut ? f->kept_sha256 : e.sha256, true);
    }
    count(x, f);
    decoding_deinit(&f->decoding, &x->decoders);
    pool_give(&x->files, file);
}
