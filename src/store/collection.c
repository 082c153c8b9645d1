// A collection that goes on: its rows in a tail, made durable when asked, made segments now and
// then, and had back after a kill.
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "store/segment.h"
#include "store/store_inside.h"

// Compressed packets of one part: what a kill may take away, and what goes at once when they are
// too much.
#define PACKETS_PART_MAX (UINT64_C(1) << 30)

// Greater than the number of every line and of every tail that there is.
static uint64_t next_number(const struct store *s, uint64_t last)
{
    uint64_t line = s->catalogue.chain.seq;
    if (s->catalogue.tail_taken > last) last = s->catalogue.tail_taken;
    return (line > last ? line : last) + 1;
}

// ---- a tail becomes segments --------------------------------------------------------------------

// It is named by what it is of, when it was begun and its number: nothing is the same twice.
static void name_of(const char *input, nanos begun, uint64_t number, uint8_t name[SHA256_SIZE])
{
    struct sha256 h;
    sha256_init(&h);
    sha256_add(&h, bytes_text(input));
    sha256_add(&h, bytes_of(&begun, sizeof begun));
    sha256_add(&h, bytes_of(&number, sizeof number));
    sha256_end(&h, name);
}

static bool make_segments(struct store *s, struct spool *spool, const struct tail_about *about,
                          nanos now, struct err *err)
{
    struct making m = {.store = s, .spool = spool};
    struct reading_capture capture = {.path = about->input};
    const struct reading reading = {&capture, 1, about->options, about->version, now};
    name_of(about->input, about->begun, about->number, capture.sha256);
    making_describe(&m, &reading);
    m.entry.artifacts += s->collecting.artifacts;
    m.entry.tail = about->number;
    m.entry.tail_cut = about->cut_off;
    m.entry.positions = about->positions.list;
    m.entry.position_count = about->positions.count;
    bool fine = making_write(&m, err) && making_publish(&m, err) &&
                artifacts_commit(&s->artifacts, err) &&
                extents_publish(&s->extents, &m.entry, err) && making_append(&m, err);
    making_deinit(&m);
    if (!fine) return false;
    s->collecting.artifacts = 0;
    tail_remove(s->folder, about->number);
    return true;
}

// ---- recovery -----------------------------------------------------------------------------------

static bool is_damaged(uint64_t number, struct err *err)
{
    char path[TAIL_PATH_MAX];
    tail_path(path, number);
    return err_set(err, ERR_INPUT, "%s is damaged: move it away to go on without what is in it",
                   path);
}

static bool recover_one(struct store *s, uint64_t number, struct err *err)
{
    struct spool spool;
    struct tail_about about = {0};
    spool_init_empty(&spool, s->spool.kinds, s->spool.kind_count);
    bool fine = tail_load(&spool, s->folder, number, &about, err);
    for (unsigned kind = 0; fine && kind < spool.kind_count; kind++)
        fine = spool_check(&spool, kind) || is_damaged(number, err);
    if (fine && (spool.entry_count || about.positions.count))
        fine = make_segments(s, &spool, &about, s->author.time, err);
    else if (fine) tail_remove(s->folder, number);
    spool_deinit(&spool);
    tail_about_deinit(&about);
    return fine || err_in(err, "case %s", s->folder);
}

bool collecting_recover(struct store *s, struct err *err)
{
    size_t count;
    bool fine = true;
    uint64_t *numbers = tail_list(s->folder, &s->catalogue, &count);
    for (size_t i = 0; fine && i < count; i++) fine = recover_one(s, numbers[i], err);
    memory_free(numbers);
    return fine;
}

// ---- recordings ---------------------------------------------------------------------------------

// A reading without captures and records, which come later; its line says with which options.
bool store_record(struct store *s, const struct store_collection *of, nanos now, uint64_t *number,
                  struct err *err)
{
    struct spool none;
    struct making m = {.store = s, .spool = &none};
    struct reading_capture input = {.path = of->input};
    const struct reading reading = {&input, 1, of->options, of->version, now};
    assert(!s->collecting.is_active);
    *number = s->catalogue.chain.seq + 1;
    name_of(of->input, now, *number, input.sha256);
    spool_init_empty(&none, s->spool.kinds, s->spool.kind_count);
    making_describe(&m, &reading);
    m.entry.is_recording = true;
    bool fine = making_append(&m, err);
    making_deinit(&m);
    spool_deinit(&none);
    return fine || err_in(err, "case %s", s->folder);
}

struct capture_sink store_recording(struct store *s, uint64_t number)
{
    return extents_record(&s->extents, number);
}

void store_pause_recordings(struct store *s, bool is_paused)
{
    extents_pause(&s->extents, is_paused);
}

// ---- collecting ---------------------------------------------------------------------------------

bool store_collect(struct store *s, const struct store_collection *of, nanos now, struct err *err)
{
    struct collecting *c = &s->collecting;
    struct spool tail;
    lock_init(&c->sync);
    spool_init_empty(&c->waiting, s->spool.kinds, s->spool.kind_count);
    spool_init_empty(&tail, s->spool.kinds, s->spool.kind_count);
    c->is_active = true;
    c->about = (struct tail_about){.number = next_number(s, 0),
                                   .input = text_copy(of->input),
                                   .options = text_copy(of->options),
                                   .version = text_copy(of->version),
                                   .begun = now};
    bool fine = tail_create(&tail, s->folder, &c->about, err);
    if (fine) {
        spool_exchange(&s->spool, &tail);
        s->spool.is_tail = true;
    }
    spool_deinit(&tail);
    return fine;
}

// What was put into a tail since the last mark counts from now on, with how far the inputs were
// taken; under the lock of syncing. 0, or errno.
static int mark(struct store *s, struct spool *tail, struct tail_about *about)
{
    struct text content = {0};
    lock_take(&tail->lock);
    bool is_marked = tail->marked == tail->entry_count;
    int error = tail->error;
    lock_give(&tail->lock);
    if (error || (is_marked && !s->position_count)) return error;
    text_add(&content, "{\"mark\":true");
    positions_write(&content, s->positions, s->position_count);
    text_add(&content, "}");
    error = spool_mark(tail, bytes_of(content.p, content.n));
    text_deinit(&content);
    if (!error && fdatasync(tail->file) != 0) error = errno;
    for (size_t i = 0; i < s->position_count; i++)
        positions_put(&about->positions, s->positions[i].input, s->positions[i].next);
    store_mark(s, NULL, 0);
    return error;
}

// Bodies first: a record never names one that a kill would take away.
bool store_sync(struct store *s, struct err *err)
{
    lock_take(&s->collecting.sync);
    uint64_t bodies = s->artifacts.kept;
    bool fine = artifacts_commit(&s->artifacts, err);
    if (fine) s->collecting.artifacts += bodies;
    int error = fine ? mark(s, &s->spool, &s->collecting.about) : 0;
    lock_give(&s->collecting.sync);
    if (error) err_system(err, error, "case %s: cannot write records", s->folder);
    return fine && !error;
}

bool store_is_cut_due(struct store *s, nanos now, nanos after)
{
    lock_take(&s->spool.lock);
    uint64_t rows = s->spool.rows, size = s->spool.size;
    lock_give(&s->spool.lock);
    bool any_over;
    uint64_t packets = extents_waiting(&s->extents, &any_over);
    return packets >= PACKETS_PART_MAX ||
           (rows && (rows >= SEGMENT_ROWS_MAX || size >= SEGMENT_SPOOL_MAX ||
                     now - s->collecting.about.begun >= after));
}

// A fresh tail takes the place of the one at hand, which waits; it is durable before anybody who
// syncs can look past it.
static bool turn(struct store *s, nanos now, struct err *err)
{
    struct collecting *c = &s->collecting;
    struct tail_about fresh = {.number = next_number(s, c->about.number),
                               .input = text_copy(c->about.input),
                               .options = text_copy(c->about.options),
                               .version = text_copy(c->about.version),
                               .begun = now};
    if (!tail_create(&c->waiting, s->folder, &fresh, err)) {
        tail_about_deinit(&fresh);
        return false;
    }
    lock_take(&c->sync);
    spool_exchange(&s->spool, &c->waiting);
    c->waiting_about = c->about;
    c->about = fresh;
    int error = mark(s, &c->waiting, &c->waiting_about);
    lock_give(&c->sync);
    return !error || err_system(err, error, "cannot write records");
}

static bool cut_waiting(struct store *s, nanos now, struct err *err)
{
    struct collecting *c = &s->collecting;
    if (!c->waiting_about.number) return true;
    if (!make_segments(s, &c->waiting, &c->waiting_about, now, err)) return false;
    const struct record_kind *const *kinds = c->waiting.kinds;
    unsigned kind_count = c->waiting.kind_count;
    spool_deinit(&c->waiting);
    spool_init_empty(&c->waiting, kinds, kind_count);
    tail_about_deinit(&c->waiting_about);
    return true;
}

static bool is_empty(struct store *s)
{
    lock_take(&s->spool.lock);
    bool empty = s->spool.entry_count == 0;
    lock_give(&s->spool.lock);
    bool any_over;
    extents_waiting(&s->extents, &any_over);
    return empty && !any_over && !s->position_count && !s->collecting.about.positions.count;
}

bool store_cut(struct store *s, nanos now, struct err *err)
{
    bool fine = cut_waiting(s, now, err);
    if (fine && !is_empty(s)) fine = turn(s, now, err) && cut_waiting(s, now, err);
    return fine || err_in(err, "case %s", s->folder);
}

bool collecting_end(struct store *s)
{
    struct collecting *c = &s->collecting;
    if (!c->is_active) return false;
    bool is_left = c->waiting_about.number || !is_empty(s);
    if (is_empty(s)) tail_remove(s->folder, c->about.number);
    spool_deinit(&c->waiting);
    tail_about_deinit(&c->about);
    tail_about_deinit(&c->waiting_about);
    lock_deinit(&c->sync);
    return is_left;
}
