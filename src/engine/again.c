#include "engine/again.h"

#include <string.h>

#include "base/memory.h"
#include "engine/catalogue.h"
#include "flow/flow.h"
#include "record/kinds.h"
#include "store/case.h"
#include "store/store.h"

struct again {
    struct record_sink sink;
    struct again_counts *counts;
    struct record_id *done; // conversations that were replayed
    size_t done_count, done_room;
};

// ---- what is made again -------------------------------------------------------------------------

static const char loss_made_again[] = "stage IN ('dissect', 'extract')";

static bool is_loss_made_again(const struct record_batch *b, uint32_t row)
{
    bytes stage = batch_get_bytes(b, LOSS_STAGE, row);
    return bytes_equal(stage, bytes_text("dissect")) || bytes_equal(stage, bytes_text("extract"));
}

static void again_pass(struct again *a, const struct record_batch *b)
{
    a->counts->records += b->rows;
    if (b->rows) a->sink.take(a->sink.context, b);
}

static void again_take(void *context, const struct record_batch *b)
{
    struct again *a = context;
    if (kind_has_common_fields(b->kind)) again_pass(a, b);
    if (b->kind != &loss_kind) return;
    struct record_batch *some = batch_create(b->kind);
    for (uint32_t row = 0; row < b->rows; row++)
        if (is_loss_made_again(b, row)) batch_copy(some, b, row);
    again_pass(a, some);
    batch_destroy(some);
}

static uint32_t again_begin(void *context, const struct conversation *c)
{
    struct again *a = context;
    if (a->done_count == a->done_room) {
        a->done_room = a->done_room ? 2 * a->done_room : 256;
        a->done = memory_resize(a->done, a->done_room * sizeof *a->done);
    }
    a->done[a->done_count++] = conversation_id(c);
    a->counts->conversations++;
    return 0;
}

static bool again_run(struct again *a, struct case_reader *reader,
                      const struct again_options *options, uint64_t reading,
                      const struct artifact_sink *artifacts, struct err *err)
{
    struct replay_options replaying = {
        .which = {options->conversations, options->conversation_count, reading},
        .context = a,
        .begin = again_begin,
        .dissect = true,
        .sink = {a, again_take},
        .artifacts = artifacts,
        .kept_max = options->kept_max,
    };
    return replay(reader, &replaying, err);
}

bool again_tell(struct case_reader *reader, const struct again_options *options,
                struct record_sink sink, struct again_counts *counts, struct err *err)
{
    struct again a = {.sink = sink, .counts = counts};
    *counts = (struct again_counts){0};
    bool ok = again_run(&a, reader, options, 0, NULL, err);
    memory_free(a.done);
    return ok;
}

// ---- in the place of what was there -------------------------------------------------------------

static bool again_commit(const struct again *a, struct store *store, uint64_t reading,
                         struct err *err)
{
    struct store_kind again[CATALOGUE_MAX];
    uint32_t count;
    const struct record_kind *const *kinds = catalogue(&count);
    struct store_swap swap = {reading, a->done, a->done_count, again, 0};
    for (uint32_t i = 0; i < count; i++)
        if (kind_has_common_fields(kinds[i]))
            again[swap.kind_count++] = (struct store_kind){kinds[i]->name, NULL};
    again[swap.kind_count++] = (struct store_kind){loss_kind.name, loss_made_again};
    return store_swap(store, &swap, err);
}

static bool again_reading(struct store *store, const struct again_options *options,
                          uint64_t reading, struct again_counts *counts, struct err *err)
{
    struct artifact_sink artifacts = store_artifacts(store);
    struct again a = {.sink = store_sink(store), .counts = counts};
    struct case_reader *reader = case_of_store(store, err);
    bool ok = reader && again_run(&a, reader, options, reading, &artifacts, err);
    case_close(reader);
    if (!ok) store_abort(store);
    ok = ok && (!a.done_count || again_commit(&a, store, reading, err));
    memory_free(a.done);
    return ok;
}

// The numbers of the readings that count; each commit changes the list that the store has.
static uint64_t *list_readings(struct store *store, size_t *count, struct err *err)
{
    struct case_reader *reader = case_of_store(store, err);
    if (!reader) return NULL;
    const struct catalogue *c = case_catalogue(reader);
    uint64_t *list = memory_get((c->reading_count + 1) * sizeof *list);
    for (const struct catalogue_reading *r = NULL; (r = catalogue_next(c, r));)
        list[(*count)++] = r->seq;
    case_close(reader);
    return list;
}

bool again_replace(struct store *store, const struct again_options *options,
                   struct again_counts *counts, struct err *err)
{
    size_t count = 0;
    *counts = (struct again_counts){0};
    uint64_t *readings = list_readings(store, &count, err);
    bool ok = readings != NULL;
    for (size_t i = 0; ok && i < count; i++)
        ok = again_reading(store, options, readings[i], counts, err);
    memory_free(readings);
    return ok;
}
