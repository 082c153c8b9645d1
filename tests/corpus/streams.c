// What reassembly delivers of a capture, for comparison with other programs: one line of JSON for
// each direction of a TCP conversation, with the bytes delivered, their SHA-256, and the gaps.
// `filled` is the same with zeros in the gaps. Inner gaps are those that bytes follow, without what
// the snap length cut off.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "engine/catalogue.h"
#include "engine/reading.h"
#include "flow/flow.h"

// A longer gap is not filled: nobody writes such files.
enum {
    DIRECTIONS_MAX = 1 << 18,
    FILLED_GAP_MAX = 64 * 1024 * 1024,
    ZEROS = 4096,
    ENDPOINT_TEXT_MAX = 80
};

struct direction {
    struct record_id id;
    uint8_t side;
    bool used;
    char from[ENDPOINT_TEXT_MAX], to[ENDPOINT_TEXT_MAX];
    uint64_t delivered, gaps, gap_bytes;
    uint64_t inner_gaps, inner_gap_bytes; // up to the last byte delivered
    uint64_t later_gaps, later_gap_bytes; // behind it
    struct sha256 plain, filled;
};

struct directions {
    struct direction *table;
    uint32_t count;
};

static void endpoint_format(char *text, struct address a, uint32_t port)
{
    char address[ADDRESS_TEXT_MAX];
    address_format(address, a);
    snprintf(text, ENDPOINT_TEXT_MAX, address_is_v4(a) ? "%s:%u" : "[%s]:%u", address, port);
}

static void direction_begin(struct direction *d, const struct conversation *c, uint8_t side)
{
    const struct conversation_key *k = &c->key;
    d->used = true;
    d->id = conversation_id(c);
    d->side = side;
    endpoint_format(side ? d->to : d->from, k->a, k->port_a);
    endpoint_format(side ? d->from : d->to, k->b, k->port_b);
    sha256_init(&d->plain);
    sha256_init(&d->filled);
}

// NULL when there are too many.
static struct direction *direction_of(struct directions *all, const struct conversation *c,
                                      uint8_t side)
{
    uint32_t at = (uint32_t)(c->id_hash + side) % DIRECTIONS_MAX;
    struct record_id id = conversation_id(c);
    for (;; at = (at + 1) % DIRECTIONS_MAX) {
        struct direction *d = &all->table[at];
        if (d->used && record_id_equal(d->id, id) && d->side == side) return d;
        if (d->used) continue;
        if (all->count == DIRECTIONS_MAX / 2) return NULL;
        all->count++;
        direction_begin(d, c, side);
        return d;
    }
}

static void watch(void *context, const struct conversation *c, const struct stream_delivery *piece)
{
    if (c->key.proto != 6) return;
    struct direction *d = direction_of(context, c, piece->side);
    if (!d) return;
    d->delivered += piece->data.n;
    d->inner_gaps += d->later_gaps;
    d->inner_gap_bytes += d->later_gap_bytes;
    d->later_gaps = d->later_gap_bytes = 0;
    sha256_add(&d->plain, piece->data);
    sha256_add(&d->filled, piece->data);
}

static void watch_gap(void *context, const struct conversation *c, uint8_t side, uint64_t position,
                      uint64_t length, enum gap_kind kind)
{
    (void)position;
    static const uint8_t zeros[ZEROS];
    struct direction *d = direction_of(context, c, side);
    if (!d) return;
    d->gaps++;
    d->gap_bytes += length;
    if (kind != GAP_CUT) d->later_gaps++;
    if (kind != GAP_CUT) d->later_gap_bytes += length;
    if (length > FILLED_GAP_MAX) return;
    for (uint64_t left = length, n; left; left -= n) {
        n = left < ZEROS ? left : ZEROS;
        sha256_add(&d->filled, bytes_of(zeros, n));
    }
}

static void print_direction(struct direction *d)
{
    uint8_t digest[SHA256_SIZE];
    char plain[HEX_SHA256_SIZE], filled[HEX_SHA256_SIZE];
    sha256_end(&d->plain, digest);
    hex_format(plain, bytes_of(digest, sizeof digest));
    sha256_end(&d->filled, digest);
    hex_format(filled, bytes_of(digest, sizeof digest));
    printf("{\"from\":\"%s\",\"to\":\"%s\",\"began\":%" PRIu64 ",\"bytes\":%" PRIu64
           ",\"sha256\":\"%s\","
           "\"filled\":\"%s\",\"gaps\":%" PRIu64 ",\"gap_bytes\":%" PRIu64
           ",\"inner_gaps\":%" PRIu64 ",\"inner_gap_bytes\":%" PRIu64 "}\n",
           d->from, d->to, d->id.time_us, d->delivered, plain, filled, d->gaps, d->gap_bytes,
           d->inner_gaps, d->inner_gap_bytes);
}

static void ignore(void *context, const struct record_batch *batch)
{
    (void)context;
    (void)batch;
}

static bool run(const char *path, struct directions *all, struct err *err)
{
    struct source_options from = {.paths = &path, .path_count = 1};
    struct source *source = source_open(&from, err);
    if (!source) return false;
    struct reading_options reading = READING_DEFAULTS;
    reading.lane.dissect = reading.lane.references = false;
    reading.lane.watcher = all;
    reading.lane.watch = watch;
    reading.lane.watch_gap = watch_gap;
    uint32_t kind_count;
    const struct record_kind *const *kinds = catalogue(&kind_count);
    struct reading_counts counts;
    bool ok = reading_run(source, &reading, kinds, kind_count, (struct record_sink){NULL, ignore},
                          &counts, err);
    source_close(source);
    return ok;
}

int main(int argc, char **argv)
{
    struct err err = {0};
    struct directions all = {0};
    if (argc != 2) {
        fputs("usage: streams CAPTURE\n", stderr);
        return ERR_USAGE;
    }
    all.table = memory_get(DIRECTIONS_MAX * sizeof *all.table);
    bool ok = run(argv[1], &all, &err);
    if (!ok) fprintf(stderr, "streams: %s\n", err.text);
    for (uint32_t i = 0; ok && i < DIRECTIONS_MAX; i++)
        if (all.table[i].used) print_direction(&all.table[i]);
    memory_free(all.table);
    return ok ? 0 : (int)err.code;
}
