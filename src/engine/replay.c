#include "engine/replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/text.h"
#include "decode/decode.h"
#include "engine/catalogue.h"
#include "engine/reading.h"
#include "flow/references.h"
#include "source/capture_kind.h"
#include "source/fetch.h"
#include "store/case.h"

enum { REPLAY_CAPTURES_MAX = 65536, PARTS_MIN = 16 };

struct replay_capture {
    char *path;
    uint64_t file_bytes;
    struct fetch *fetch;
};

// One `packets` record: where its entries lie in the references of the run.
struct part {
    uint64_t number;
    size_t from, length;
};

struct run {
    struct case_reader *reader;
    const struct replay_options *options;
    uint64_t reading;
    bool found;
    struct text references; // all parts, one behind the other
    struct part *parts;     // by number, once all are there
    uint32_t part_count, part_room;
    struct reference *frames; // all that they name
    size_t frame_count;
    struct replay_capture *captures;
    uint32_t capture_count;
    struct lane *lane;
    struct decoder *decoder;
    struct packet_batch *batch;
};

// ---- what the case knows ------------------------------------------------------------------------

static void part_put(struct run *r, uint64_t number, bytes entries)
{
    if (r->part_count == r->part_room) {
        r->part_room = r->part_room ? r->part_room * 2 : PARTS_MIN;
        r->parts = memory_resize(r->parts, r->part_room * sizeof *r->parts);
    }
    r->parts[r->part_count++] = (struct part){number, r->references.n, entries.n};
    text_put(&r->references, entries);
}

static int part_compare(const void *x, const void *y)
{
    const struct part *a = x, *b = y;
    return a->number < b->number ? -1 : a->number > b->number;
}

static bool take_references(void *context, const struct record_batch *b)
{
    struct run *r = context;
    for (uint32_t row = 0; row < b->rows; row++) {
        uint64_t reading = batch_get(b, PACKETS_READING, row);
        if (!r->found) r->reading = reading;
        r->found = true;
        // A conversation that was read twice is replayed from its first reading.
        if (reading != r->reading) continue;
        part_put(r, batch_get(b, PACKETS_PART, row), batch_get_bytes(b, PACKETS_REFERENCES, row));
    }
    return true;
}

static bool load_references(struct run *r, struct err *err)
{
    char where[CASE_ID_CONDITION_MAX];
    case_id_condition(where, "conversation_id", r->options->conversation);
    struct case_scan scan = {&packets_kind, CASE_ALL_FIELDS, where, take_references, r};
    if (!case_scan(r->reader, &scan, err)) return false;
    if (r->part_count) qsort(r->parts, r->part_count, sizeof *r->parts, part_compare);
    return r->found || err_set(err, ERR_INPUT,
                               "the case does not know which packets this conversation is made of");
}

static bool take_captures(void *context, const struct record_batch *b)
{
    struct run *r = context;
    for (uint32_t row = 0; row < b->rows; row++) {
        uint64_t number = batch_get(b, CAPTURE_NUMBER, row);
        if (batch_get(b, CAPTURE_READING, row) != r->reading || number >= REPLAY_CAPTURES_MAX)
            continue;
        if (number >= r->capture_count) {
            r->captures = memory_resize(r->captures, (number + 1) * sizeof *r->captures);
            memset(r->captures + r->capture_count, 0,
                   (number + 1 - r->capture_count) * sizeof *r->captures);
            r->capture_count = (uint32_t)number + 1;
        }
        bytes path = batch_get_bytes(b, CAPTURE_PATH, row);
        struct replay_capture *c = &r->captures[number];
        memory_free(c->path);
        c->path = memory_get(path.n + 1);
        size_t n = text_unescape((uint8_t *)c->path, path);
        c->path[n] = 0;
        c->file_bytes = batch_get(b, CAPTURE_FILE_BYTES, row);
    }
    return true;
}

// ---- packets ------------------------------------------------------------------------------------

// The capture must be the one that was read, as far as its size tells; `weir verify` compares
// hashes.
static bool capture_open(struct replay_capture *c, struct err *err)
{
    struct stat info;
    if (!c->path)
        return err_set(err, ERR_INPUT, "the case does not name the capture of this conversation");
    if (strcmp(c->path, "-") == 0)
        return err_set(err, ERR_INPUT,
                       "the packets came from standard input and are not there any more");
    if (stat(c->path, &info) != 0)
        return err_set(
            err, ERR_INPUT,
            "the packets are in %s, which is not there any more; put it back to see them", c->path);
    if ((uint64_t)info.st_size != c->file_bytes)
        return err_set(err, ERR_INPUT,
                       "%s is not the file that was read: it had %llu bytes and has %llu", c->path,
                       (unsigned long long)c->file_bytes, (unsigned long long)info.st_size);
    c->fetch = fetch_open(c->path, err);
    return c->fetch != NULL;
}

static void run_batch(struct run *r)
{
    if (!r->batch->count) return;
    decode_batch(r->decoder, r->batch);
    lane_deal(r->batch);
    lane_packets(r->lane, r->batch);
    packet_batch_clear(r->batch);
}

// A fetched packet is valid until the next one: it is copied into a buffer of its own.
static void run_packet(struct run *r, const struct packet *p)
{
    struct packet_buffer *buffer = packet_buffer_create(p->captured ? p->captured : 1);
    if (p->captured) memcpy(buffer->data, p->data, p->captured);
    packet_batch_keep(r->batch, buffer);
    packet_buffer_unref(buffer);
    struct packet *to = &r->batch->packets[r->batch->count++];
    *to = *p;
    to->data = buffer->data;
    if (r->batch->count == PACKETS_MAX) run_batch(r);
}

static bool run_part(struct run *r, bytes part, struct err *err)
{
    struct reader reader = reader_of(part);
    struct reference at = {0};
    // An entry takes a byte at least.
    r->frames = memory_resize(r->frames, (r->frame_count + part.n + 1) * sizeof *r->frames);
    while (reference_next(&reader, &at)) {
        if (at.capture >= r->capture_count)
            return err_set(err, ERR_INPUT, "the references of this conversation are damaged");
        r->frames[r->frame_count++] = at;
    }
    return true;
}

static int ordinal_compare(const void *x, const void *y)
{
    uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;
    return a < b ? -1 : a > b;
}

// Fragments are named where their datagram was whole; they are read in the order of the capture, as
// they were then. The captures take turns as they did.
static void run_sort_capture(struct run *r, uint32_t capture, uint64_t *ordinals)
{
    size_t n = 0;
    bool sorted = true;
    for (size_t i = 0; i < r->frame_count; i++) {
        if (r->frames[i].capture != capture) continue;
        sorted &= !n || ordinals[n - 1] < r->frames[i].ordinal;
        ordinals[n++] = r->frames[i].ordinal;
    }
    if (sorted) return;
    qsort(ordinals, n, sizeof *ordinals, ordinal_compare);
    for (size_t i = 0, k = 0; i < r->frame_count; i++)
        if (r->frames[i].capture == capture) r->frames[i].ordinal = ordinals[k++];
}

static void run_sort(struct run *r)
{
    uint64_t *ordinals = memory_get((r->frame_count + 1) * sizeof *ordinals);
    for (uint32_t capture = 0; capture < r->capture_count; capture++)
        if (r->captures[capture].path) run_sort_capture(r, capture, ordinals);
    memory_free(ordinals);
}

static bool run_frame(struct run *r, struct reference at, struct err *err)
{
    struct replay_capture *c = &r->captures[at.capture];
    struct packet p;
    if (!c->fetch && !capture_open(c, err)) return false;
    if (!fetch_next(c->fetch, at.ordinal, &p, err)) return false;
    p.capture = at.capture;
    if (r->options->packet) r->options->packet(r->options->context, &p, c->path);
    run_packet(r, &p);
    return true;
}

static bool run_all(struct run *r, struct err *err)
{
    struct case_scan captures = {&capture_kind, CASE_ALL_FIELDS, NULL, take_captures, r};
    if (!load_references(r, err) || !case_scan(r->reader, &captures, err)) return false;
    for (uint32_t i = 0; i < r->part_count; i++) {
        bytes part = bytes_of(r->references.p + r->parts[i].from, r->parts[i].length);
        if (!run_part(r, part, err)) return false;
    }
    run_sort(r);
    for (size_t i = 0; i < r->frame_count; i++)
        if (!run_frame(r, r->frames[i], err)) return false;
    run_batch(r);
    lane_end(r->lane);
    return true;
}

static bool run_make(struct run *r, struct err *err)
{
    struct reading_options defaults = READING_DEFAULTS;
    struct lane_options lane = defaults.lane;
    // The packets are of one conversation: nothing may end it early.
    lane.flow.conversation_timeout = lane.flow.closed_linger = INT64_MAX / 4;
    lane.dissect = r->options->dissect;
    lane.references = false;
    lane.lanes = 1;
    lane.watcher = r->options->context;
    lane.watch = r->options->watch;
    lane.watch_gap = r->options->watch_gap;
    uint32_t kind_count;
    const struct record_kind *const *kinds = catalogue(&kind_count);
    r->lane = lane_create(&lane, kinds, kind_count, r->options->sink, err);
    return r->lane != NULL;
}

bool replay(struct case_reader *reader, const struct replay_options *options, struct err *err)
{
    struct run *r = memory_get(sizeof *r);
    r->reader = reader;
    r->options = options;
    r->decoder = memory_get(sizeof *r->decoder);
    decoder_init(r->decoder);
    r->batch = packet_batch_create();
    bool ok = run_make(r, err) && run_all(r, err);
    packet_batch_destroy(r->batch);
    lane_destroy(r->lane);
    for (uint32_t i = 0; i < r->capture_count; i++) {
        fetch_close(r->captures[i].fetch);
        memory_free(r->captures[i].path);
    }
    memory_free(r->captures);
    memory_free(r->frames);
    decoder_deinit(r->decoder);
    memory_free(r->decoder);
    memory_free(r->parts);
    text_deinit(&r->references);
    memory_free(r);
    return ok;
}
