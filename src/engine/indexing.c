#include "engine/indexing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "engine/named_artifacts.h"
#include "engine/replay.h"
#include "flow/flow.h"
#include "flow/references.h"
#include "store/case.h"

enum {
    OPEN_MAX = 8 * 1024 * 1024, // conversations
    SMALL = 8192,               // bytes of a conversation that shares its stretch with others
    GROUPS = 8,                 // of small conversations that are open at once
    STRETCH_MAX = NGRAMS_CHUNK + NGRAMS_OVERLAP,
    HELD_MIN = 256,
    PATH_SIZE = 4096,
};

// Bytes of one direction that are in no stretch yet, and those before them that overlap.
struct held {
    uint8_t *bytes;
    uint32_t count, room;
    bool has_new; // bytes that are in no stretch
};

struct open_conversation {
    struct held side[2];
    bool has_own; // stretches
    bool is_lost; // it is always looked at, since nothing could be held of it
};

// Small conversations that began near one another.
struct group {
    uint64_t from, to;
    uint32_t count;
    uint8_t bytes[STRETCH_MAX];
};

struct run {
    struct ngrams_writer *writer;
    struct blocks blocks;
    struct pool open;
    struct group *groups;
};

// ---- groups -------------------------------------------------------------------------------------

static void group_flush(struct run *r, struct group *g)
{
    if (g->count) ngrams_group(r->writer, g->from, g->to, bytes_of(g->bytes, g->count));
    g->count = 0;
}

// By how much the group would reach further if it took this one.
static uint64_t group_stretch(const struct group *g, uint64_t time)
{
    if (!g->count) return UINT64_MAX;
    if (time < g->from) return g->from - time;
    return time > g->to ? time - g->to : 0;
}

static void group_add(struct run *r, uint64_t time, bytes content)
{
    struct group *best = &r->groups[0], *empty = NULL;
    for (unsigned i = 0; i < GROUPS; i++) {
        struct group *g = &r->groups[i];
        if (!g->count) empty = g;
        if (group_stretch(g, time) < group_stretch(best, time)) best = g;
    }
    // Further away than it is long, a group of its own is better.
    if (empty && (!best->count || group_stretch(best, time) > best->to - best->from)) best = empty;
    if (best->count + content.n > NGRAMS_CHUNK) group_flush(r, best);
    if (!best->count) best->from = best->to = time;
    if (time < best->from) best->from = time;
    if (time > best->to) best->to = time;
    memcpy(best->bytes + best->count, content.p, content.n);
    best->count += (uint32_t)content.n;
}

// ---- conversations ------------------------------------------------------------------------------

static void held_free(struct run *r, struct held *h)
{
    if (h->bytes) blocks_give(&r->blocks, h->bytes, h->room);
    *h = (struct held){0};
}

// Becomes a stretch, but for what overlaps the next one.
static void held_flush(struct run *r, const struct conversation *c, struct open_conversation *o,
                       struct held *h)
{
    ngrams_conversation(r->writer, conversation_id(c), bytes_of(h->bytes, h->count));
    o->has_own = true;
    uint32_t kept = h->count < NGRAMS_OVERLAP ? h->count : NGRAMS_OVERLAP;
    memmove(h->bytes, h->bytes + h->count - kept, kept);
    h->count = kept;
    h->has_new = false;
}

static bool held_grow(struct run *r, struct held *h)
{
    uint32_t room = h->room ? 2 * h->room : HELD_MIN;
    if (room > STRETCH_MAX) room = STRETCH_MAX;
    uint8_t *more = room > h->room ? blocks_take(&r->blocks, room) : NULL;
    if (!more) return false;
    if (h->count) memcpy(more, h->bytes, h->count);
    if (h->bytes) blocks_give(&r->blocks, h->bytes, h->room);
    h->bytes = more;
    h->room = room;
    return true;
}

static void lose(struct run *r, const struct conversation *c, struct open_conversation *o)
{
    ngrams_conversation(r->writer, conversation_id(c), bytes_of(NULL, 0));
    held_free(r, &o->side[0]);
    held_free(r, &o->side[1]);
    o->has_own = o->is_lost = true;
}

static uint32_t watch_begin(void *context, const struct conversation *c)
{
    struct run *r = context;
    (void)c;
    return pool_take(&r->open);
}

static void watch_piece(void *context, const struct conversation *c,
                        const struct stream_delivery *piece)
{
    struct run *r = context;
    struct open_conversation none = {0};
    struct open_conversation *o = c->watched ? pool_at(&r->open, c->watched) : &none;
    struct held *h = &o->side[piece->side];
    ngrams_payload(r->writer, piece->data.n);
    if (!c->watched) lose(r, c, o);
    for (bytes rest = piece->data; rest.n && !o->is_lost;) {
        if (h->count == h->room && !held_grow(r, h)) {
            if (!h->room) lose(r, c, o);
            else held_flush(r, c, o, h);
            continue;
        }
        bytes part = bytes_first(rest, h->room - h->count);
        memcpy(h->bytes + h->count, part.p, part.n);
        h->count += (uint32_t)part.n;
        h->has_new = true;
        rest = bytes_after(rest, part.n);
    }
}

static void watch_end(void *context, const struct conversation *c)
{
    struct run *r = context;
    struct open_conversation *o = c->watched ? pool_at(&r->open, c->watched) : NULL;
    if (!o) return;
    uint32_t all = o->side[0].count + o->side[1].count;
    bool is_small = !o->has_own && all <= SMALL;
    for (unsigned side = 0; side < 2; side++) {
        struct held *h = &o->side[side];
        if (h->has_new && is_small)
            group_add(r, conversation_id(c).time_us, bytes_of(h->bytes, h->count));
        else if (h->has_new) held_flush(r, c, o, h);
        held_free(r, h);
    }
    pool_give(&r->open, c->watched);
}

static bool index_streams(struct run *r, struct case_reader *reader, uint64_t reading,
                          struct err *err)
{
    struct replay_options replaying = {
        .which = {.reading = reading},
        .context = r,
        .begin = watch_begin,
        .end = watch_end,
        .watch = watch_piece,
    };
    r->groups = memory_get(GROUPS * sizeof *r->groups);
    bool ok = blocks_init(&r->blocks, INDEXING_HELD_MAX, err) &&
              pool_init(&r->open, sizeof(struct open_conversation), OPEN_MAX, err) &&
              replay(reader, &replaying, err);
    for (unsigned i = 0; i < GROUPS; i++) group_flush(r, &r->groups[i]);
    if (r->blocks.range) blocks_deinit(&r->blocks);
    if (r->open.items) pool_deinit(&r->open);
    memory_free(r->groups);
    return ok;
}

// ---- artifacts ----------------------------------------------------------------------------------

static bool index_file(struct run *r, int file, const uint8_t sha256[SHA256_SIZE], struct err *err)
{
    static uint8_t memory[STRETCH_MAX];
    size_t kept = 0;
    for (;;) {
        size_t used = kept;
        ssize_t n;
        while (used < sizeof memory && (n = read(file, memory + used, sizeof memory - used)) != 0) {
            if (n < 0) return err_system(err, errno, "cannot read an artifact");
            used += (size_t)n;
        }
        if (used == kept) return true;
        ngrams_payload(r->writer, used - kept);
        ngrams_artifact(r->writer, sha256, bytes_of(memory, used));
        kept = used < NGRAMS_OVERLAP ? used : NGRAMS_OVERLAP;
        memmove(memory, memory + used - kept, kept);
    }
}

// Small ones are not in the index: reading them costs no more than asking it.
static bool index_artifact(struct run *r, const char *path, const uint8_t sha256[SHA256_SIZE],
                           struct err *err)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    bool ok = true;
    if (file < 0) return true;
    if (lseek(file, 0, SEEK_END) > SMALL && lseek(file, 0, SEEK_SET) == 0)
        ok = index_file(r, file, sha256, err);
    close(file);
    return ok;
}

static bool index_artifacts(struct run *r, struct case_reader *reader, struct err *err)
{
    struct named_artifacts named = {0};
    char path[NAMED_PATH_MAX];
    bool ok = named_artifacts_load(&named, reader, NULL, 0, err);
    for (size_t i = 0; ok && i < named.count; i += named_artifacts_same(&named, i))
        ok = index_artifact(r, named_artifact_path(reader, &named.all[i], path),
                            named.all[i].sha256, err);
    named_artifacts_deinit(&named);
    return ok;
}

// ---- the run ------------------------------------------------------------------------------------

static bool take_any(void *context, const struct record_batch *b)
{
    *(bool *)context |= b->rows > 0;
    return false;
}

static bool has_streams(struct case_reader *reader, uint64_t reading, bool *has, struct err *err)
{
    char where[64];
    struct case_scan scan = {&packets_kind, 1u << PACKETS_READING, where, take_any, has};
    snprintf(where, sizeof where, "reading = %llu", (unsigned long long)reading);
    return case_scan(reader, &scan, err);
}

static bool index_write(struct case_reader *reader, uint64_t reading, struct ngrams_writer *writer,
                        struct err *err)
{
    struct run r = {.writer = writer};
    bool has = false;
    if (!reading) return index_artifacts(&r, reader, err);
    return has_streams(reader, reading, &has, err) &&
           (!has || index_streams(&r, reader, reading, err));
}

// The index of one reading, or of the artifacts (0). Those are named by their content: what an
// index says of them stays true, but there may be new ones.
static bool index_one(struct case_reader *reader, uint64_t reading, const uint8_t name[SHA256_SIZE],
                      struct ngrams_size *made, struct err *err)
{
    char below[NGRAMS_PATH_MAX], path[PATH_SIZE];
    const struct ngrams_asking nothing = {0};
    struct ngrams_size size = {0};
    ngrams_path(below, reading);
    snprintf(path, sizeof path, "%s/%s", case_path(reader), below);
    if (reading && ngrams_ask(path, name, &nothing) == NGRAMS_FIT) return true;
    struct ngrams_writer *w = ngrams_create(path, name, err);
    if (!w) return false;
    if (!index_write(reader, reading, w, err)) {
        ngrams_abandon(w);
        return false;
    }
    bool ok = ngrams_finish(w, &size, err);
    made->payload += size.payload;
    made->index += size.index;
    made->stretches += size.stretches;
    made->unfiltered += size.unfiltered;
    return ok;
}

bool indexing(struct case_reader *reader, struct ngrams_size *made, struct err *err)
{
    char folder[PATH_SIZE];
    *made = (struct ngrams_size){0};
    snprintf(folder, sizeof folder, "%s/cache", case_path(reader));
    if (!folder_make(folder, err)) return false;
    const struct catalogue *c = case_catalogue(reader);
    for (const struct catalogue_reading *r = NULL; (r = catalogue_next(c, r));) {
        uint8_t name[SHA256_SIZE];
        if (r->is_recording) continue; // what an index says of it would not stay true
        if (!hex_parse(bytes_text(r->id), name, sizeof name) ||
            !index_one(reader, r->seq, name, made, err))
            return false;
    }
    const uint8_t no_name[SHA256_SIZE] = {0};
    return index_one(reader, 0, no_name, made, err);
}
