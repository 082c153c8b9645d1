#include "service/service.h"

#include <string.h>

#include "api/page.h"
#include "base/memory.h"
#include "bus/kafka_place.h"
#include "record/element.h"
#include "record/loss.h"
#include "record/printer.h"
#include "service/service_inside.h"
#include "store/store.h"

#define FLUSH_EVERY (NANOS_PER_SECOND / 5)
#define TELL_EVERY (60 * NANOS_PER_SECOND)
#define CARE_EVERY (10 * NANOS_PER_SECOND)
#define CARE_EVERY_FULL NANOS_PER_SECOND
#define TELL_PATIENCE (2 * NANOS_PER_SECOND)

static void remark(struct service *s, const char *sentence)
{
    if (s->options.remark) s->options.remark(s->options.context, sentence);
}

// ---- a batch on its way -------------------------------------------------------------------------

void service_take(void *context, const struct record_batch *batch)
{
    struct service *s = context;
    struct record_sink sink;
    lock_take(&s->counting);
    tally_take(s->tally, batch);
    lock_give(&s->counting);
    lock_take(&s->passing);
    if (s->is_full) {
        s->full_count += batch->rows;
        s->passed_count += batch->rows;
    } else if (s->store) {
        sink = store_sink(s->store);
        sink.take(sink.context, batch);
    }
    if (s->options.printer) {
        sink = printer_sink(s->options.printer);
        sink.take(sink.context, batch);
    }
    for (uint32_t i = 0; i < s->delivery_count; i++) delivery_take(s->deliveries[i], batch);
    lock_give(&s->passing);
}

// ---- parts of the case --------------------------------------------------------------------------

static void count_commit(struct service *s, bool ok, uint64_t rows, nanos began, nanos ended)
{
    lock_take(&s->counting);
    struct store_counts *n = &s->stored;
    n->faults += !ok;
    if (ok) n->commits++;
    if (ok) n->rows += rows;
    if (ok) n->last = (uint64_t)ended;
    n->waiting = ok ? 0 : rows;
    n->took += (uint64_t)(ended > began ? ended - began : 0);
    lock_give(&s->counting);
}

static void count_holdings(struct service *s)
{
    struct store_holding now[CATALOGUE_MAX];
    store_holdings(s->store, now);
    lock_take(&s->counting);
    memcpy(s->holdings, now, sizeof now);
    s->stored.free = store_free(s->store);
    lock_give(&s->counting);
}

static bool store_part(struct service *s, struct topics *topics, nanos now, struct err *err)
{
    uint64_t rows = store_rows(s->store);
    topics_mark(topics, s->store);
    bool ok = store_cut(s->store, now, err);
    if (rows || !ok) count_commit(s, ok, rows, now, s->options.clock());
    count_holdings(s);
    return ok;
}

// After `kept` is true, and if all was so before, topics are told.
static bool acknowledge(struct service *s, struct topics *topics, bool kept, struct err *err)
{
    lock_take(&s->passing);
    s->has_failed =
        s->has_failed || !kept || (s->options.printer && !printer_end(s->options.printer, err));
    bool ok = !s->has_failed;
    lock_give(&s->passing);
    if (ok) topics_kept(topics);
    return ok;
}

bool service_sync(struct service *s, struct topics *topics, struct err *err)
{
    if (s->store) topics_mark(topics, s->store);
    return acknowledge(s, topics, !s->store || store_sync(s->store, err), err);
}

bool service_commit(struct service *s, struct topics *topics, nanos now, struct err *err)
{
    return acknowledge(s, topics, !s->store || store_part(s, topics, now, err), err);
}

static bool sources_are_idle(const struct service *s)
{
    for (uint32_t i = 0; i < s->source_count; i++)
        if (!source_is_idle(s->sources[i])) return false;
    return true;
}

// What comes of topics counts with how far they were taken, which only their thread knows.
static void sources_ask(struct service *s, enum source_task task)
{
    for (uint32_t i = 0; i < s->source_count; i++)
        if (task == TASK_TELL || task == TASK_PART || source_is_idle(s->sources[i]))
            source_ask(s->sources[i],
                       task == TASK_FLUSH && s->sources[i] == s->reader ? TASK_SYNC : task);
}

static bool keep_told(struct service *s, struct err *err)
{
    bool ok = true;
    for (uint32_t i = 0; s->store && ok && i < s->source_count; i++)
        ok = source_keep(s->sources[i], err);
    return ok;
}

// What exporters told stands in the case after what they sent.
static bool end_commit(struct service *s, nanos now, struct err *err)
{
    s->commit_state = COMMIT_RESTS;
    s->committed = now;
    return keep_told(s, err);
}

// Only the thread that reads topics knows how far they were taken.
static bool has_reader(const struct service *s)
{
    return s->reader && !atomic_load(&s->reader->has_ended);
}

static struct topics *topics_left(const struct service *s)
{
    return s->reader ? s->reader->topics : NULL;
}

static bool begin_commit(struct service *s, nanos now, struct err *err)
{
    if (!has_reader(s))
        return service_commit(s, topics_left(s), now, err) && end_commit(s, now, err);
    source_ask(s->reader, TASK_COMMIT);
    s->commit_state = COMMIT_MAKES;
    return true;
}

static bool is_part_due(struct service *s, nanos now, nanos every)
{
    if (!s->store) return now - s->committed >= every;
    return store_is_cut_due(s->store, now, every) || (now - s->committed >= every && lives_wait(s));
}

// Sources tell what they know first; one that is in the middle of a file is not waited for.
static bool turn_commit(struct service *s, nanos now, struct err *err)
{
    switch (s->commit_state) {
    case COMMIT_RESTS:
        if (!is_part_due(s, now, s->config->store.every)) return true;
        sources_ask(s, TASK_PART);
        s->asked = now;
        s->commit_state = COMMIT_TELLS;
        return true;
    case COMMIT_TELLS:
        return (!sources_are_idle(s) && now - s->asked < TELL_PATIENCE) ||
               begin_commit(s, now, err);
    case COMMIT_MAKES:
        break;
    }
    return !source_is_idle(s->reader) || end_commit(s, now, err);
}

// What came counts a moment later, whatever happens; what exporters told, a minute later.
static bool turn_sync(struct service *s, nanos now, struct err *err)
{
    if (s->commit_state != COMMIT_RESTS) return true;
    if (now - s->told >= TELL_EVERY) {
        s->told = now;
        sources_ask(s, TASK_TELL);
        return keep_told(s, err);
    }
    return has_reader(s) || service_sync(s, topics_left(s), err);
}

// ---- a store that grows -------------------------------------------------------------------------

static void begin_full(struct service *s, nanos now)
{
    lock_take(&s->passing);
    s->is_full = true;
    s->full_since = now;
    lock_give(&s->passing);
    store_pause_recordings(s->store, true);
    remark(s, "less of the disk is free than shall be, and nothing may go: nothing is kept until "
              "there is room");
}

static void end_full(struct service *s, nanos now)
{
    struct loss loss = {.stage = "store", .reason = "disk_full", .from = s->full_since, .to = now};
    lock_take(&s->passing);
    s->is_full = false;
    loss.count = s->full_count;
    s->full_count = 0;
    lock_give(&s->passing);
    if (loss.count) loss_tell(s->writer, &loss);
    writer_flush(s->writer);
    store_pause_recordings(s->store, false);
}

// Where it is known elsewhere how far we are, nothing is passed by: whoever reads on later has all.
static bool refuse_full(const struct service *s, struct err *err)
{
    return err_set(err, ERR_MACHINE,
                   "less of the disk with %s is free than shall be, and nothing may go: make room, "
                   "or say what may go (retain)",
                   s->config->store.path);
}

// Segments take a tenth of the room that their records took before; but somebody may still read
// those. So only what is full a second later is.
static bool cut_first(struct service *s, nanos now, struct err *err)
{
    s->cared = now;
    s->was_full = true;
    return has_reader(s) || service_commit(s, topics_left(s), now, err);
}

static bool turn_care(struct service *s, nanos now, struct err *err)
{
    if (!s->store || s->commit_state != COMMIT_RESTS) return true;
    bool is_full = store_is_full(s->store);
    if (is_full && !s->was_full) return cut_first(s, now, err);
    s->was_full = is_full;
    if (now - s->cared < (is_full || s->is_full ? CARE_EVERY_FULL : CARE_EVERY)) return true;
    struct err wrong = {0};
    s->cared = now;
    if (!store_care(s->store, now, &wrong)) remark(s, wrong.text);
    count_holdings(s);
    is_full = store_is_full(s->store);
    if (is_full && has_reader(s)) return refuse_full(s, err);
    if (is_full && !s->is_full) begin_full(s, now);
    if (!is_full && s->is_full) end_full(s, now);
    return true;
}

// ---- sinks --------------------------------------------------------------------------------------

static void count_deliveries(struct service *s)
{
    lock_take(&s->counting);
    s->delivered_count = s->delivery_count;
    for (uint32_t i = 0; i < s->delivery_count; i++) {
        s->delivered[i] = delivery_counts(s->deliveries[i]);
        snprintf(s->delivered_to[i], TALLY_WORD_MAX, "%s", delivery_to(s->deliveries[i]));
    }
    s->stored.waiting = s->store ? store_rows(s->store) : 0;
    s->stored.full = s->is_full;
    s->stored.passed = s->passed_count;
    lock_give(&s->counting);
}

static void turn_flush(struct service *s, nanos now)
{
    if (now - s->flushed < FLUSH_EVERY) return;
    s->flushed = now;
    if (s->commit_state == COMMIT_RESTS) sources_ask(s, TASK_FLUSH);
    lock_take(&s->passing);
    for (uint32_t i = 0; i < s->delivery_count; i++) {
        struct err err;
        if (delivery_turn(s->deliveries[i], now, &err)) remark(s, err.text);
    }
    count_deliveries(s);
    lock_give(&s->passing);
}

static struct delivery *delivery_found(struct service *s, const struct config_sink *sink)
{
    for (uint32_t i = 0; i < s->delivery_count; i++)
        if (s->deliveries[i] && delivery_is(s->deliveries[i], sink)) {
            struct delivery *d = s->deliveries[i];
            s->deliveries[i] = NULL;
            return d;
        }
    return NULL;
}

// Those that stay keep what waits in them; those that go are closed before others open, as these
// may be at the same place. One that cannot be opened is a remark while it runs.
static bool deliveries_set(struct service *s, const struct config *c, nanos now, struct err *err)
{
    struct delivery *list[DELIVERIES_MAX];
    const struct config_sink *sinks = c->sinks.items;
    uint32_t count = 0;
    for (uint32_t i = 0; i < c->sinks.count; i++) {
        list[i] = delivery_found(s, &sinks[i]);
        if (list[i]) delivery_refilter(list[i], c, &sinks[i], now, err);
    }
    for (uint32_t i = 0; i < s->delivery_count; i++) {
        struct err wrong = {0};
        if (!delivery_close(s->deliveries[i], &wrong)) remark(s, wrong.text);
    }
    bool ok = true;
    for (uint32_t i = 0; i < c->sinks.count; i++) {
        if (!list[i] && (ok || s->first)) list[i] = delivery_open(c, &sinks[i], now, err);
        if (!list[i] && s->first) remark(s, err->text);
        ok = ok && list[i];
        if (list[i]) s->deliveries[count++] = list[i];
    }
    s->delivery_count = count;
    return ok;
}

// ---- life ---------------------------------------------------------------------------------------

static bool elements_add(const struct config *c, struct err *err)
{
    const struct config_element *elements = c->elements.items;
    struct element *list = memory_get((c->elements.count + 1) * sizeof *list);
    for (uint32_t i = 0; i < c->elements.count; i++) {
        const struct config_element *e = &elements[i];
        enum element_type type;
        element_type_named(bytes_text(e->type), &type);
        list[i] = (struct element){(uint32_t)e->enterprise, (uint16_t)e->number, (uint8_t)type,
                                   e->name, e->fills};
    }
    bool ok = element_extend(list, c->elements.count);
    memory_free(list);
    return ok || err_set(err, ERR_USAGE, "an element is told twice");
}

static bool begin_source(struct service *s, const struct config_source *options,
                         const char *const *inputs, uint32_t count, struct err *err)
{
    if (s->source_count == SERVICE_SOURCES_MAX)
        return err_set(err, ERR_USAGE, "more than %d sources and sockets", SERVICE_SOURCES_MAX);
    struct service_source *source = source_begin(s, options, inputs, count, err);
    lock_take(&s->counting); // metrics are asked already
    if (source) s->sources[s->source_count++] = source;
    lock_give(&s->counting);
    return source;
}

// With as many sockets as were asked for: the kernel gives all that comes from one address and port
// to the same one, so that each collector knows its exporters' templates.
static bool begin_shared(struct service *s, const struct config_source *options,
                         const char *const *inputs, uint32_t count, struct err *err)
{
    const char *shared[GATHER_INPUTS_MAX];
    uint32_t shared_count = 0;
    for (uint32_t i = 0; i < count; i++)
        if (gather_is_datagrams(inputs[i])) shared[shared_count++] = inputs[i];
    bool ok = begin_source(s, options, inputs, count, err);
    for (uint32_t copy = 1; ok && shared_count && copy < options->sockets; copy++)
        ok = begin_source(s, options, shared, shared_count, err);
    return ok;
}

// One by one; but what is to be read together is, and all topics are.
static bool sources_begin(struct service *s, struct err *err)
{
    const struct config_source *sources = s->config->sources.items, *first = NULL;
    const char *inputs[GATHER_INPUTS_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < s->config->sources.count; i++) {
        const char *input = sources[i].listen ? sources[i].listen : sources[i].read;
        bool is_joined = s->options.together || kafka_is_place(input);
        if (is_joined && !first) first = &sources[i];
        if (is_joined) inputs[count++] = input;
        else if (!begin_shared(s, &sources[i], &input, 1, err)) return false;
    }
    return !count || begin_shared(s, first, inputs, count, err);
}

static bool metrics_page(void *context, const char *path, struct text *out)
{
    if (strcmp(path, "/metrics") != 0) return false;
    service_metrics(context, out);
    return true;
}

static bool pages_open(struct service *s, struct err *err)
{
    struct page_options options = {s->config->metrics.listen, s, metrics_page,
                                   "text/plain; version=0.0.4; charset=utf-8"};
    if (!options.listen) return true;
    s->pages = page_server_open(&options, err);
    return s->pages || err_in(err, "metrics");
}

static bool limit(struct service *s, const struct config *c, struct err *err)
{
    return !s->store || store_limit(s->store, c->store.retain, c->store.free, err);
}

static bool store_begin(struct service *s, nanos now, struct err *err)
{
    uint32_t kind_count;
    const struct record_kind *const *kinds = catalogue(&kind_count);
    s->writer = writer_create(kinds, kind_count, (struct record_sink){s, service_take});
    if (!s->config->store.path) return true;
    s->store = store_open(s->config->store.path, kinds, kind_count, &s->options.author, err);
    const struct store_collection of = {s->options.name, "collect", s->options.author.version};
    return s->store && limit(s, s->config, err) && lives_record(s, now, err) &&
           store_collect(s->store, &of, now, err);
}

struct service *service_open(const struct config *c, const struct service_options *options,
                             nanos now, struct err *err)
{
    struct service *s = memory_get(sizeof *s);
    s->config = c;
    s->options = *options;
    s->began = s->committed = s->flushed = s->told = now;
    s->tally = memory_get(sizeof *s->tally);
    lock_init(&s->passing);
    lock_init(&s->counting);
    bool ok = service_check(c, now, err) && lives_open(s, err) && elements_add(c, err) &&
              pages_open(s, err) && store_begin(s, now, err) && deliveries_set(s, c, now, err);
    s->first = c;
    if (ok && sources_begin(s, err)) return s;
    service_close(s, now, NULL, NULL, NULL);
    return NULL;
}

bool service_is_ready(struct service *s)
{
    for (uint32_t i = 0; i < s->source_count; i++) {
        struct service_source *source = s->sources[i];
        bool listens = atomic_load(&source->listening) == source->port_count;
        if (!listens && !atomic_load(&source->has_ended)) return false;
    }
    return true;
}

bool service_is_done(struct service *s)
{
    for (uint32_t i = 0; i < s->source_count; i++)
        if (!atomic_load(&s->sources[i]->has_ended)) return false;
    return true;
}

bool service_turn(struct service *s, nanos now, struct err *err)
{
    for (uint32_t i = 0; i < s->source_count; i++) {
        struct service_source *source = s->sources[i];
        if (!atomic_load(&source->has_ended) || source->ok) continue;
        *err = source->err;
        return false;
    }
    turn_flush(s, now);
    return turn_sync(s, now, err) && turn_care(s, now, err) && turn_commit(s, now, err);
}

bool service_reload(struct service *s, const struct config *c, nanos now, struct err *err)
{
    bool ok = service_check(c, now, err) && limit(s, c, err);
    lock_take(&s->counting);
    s->reloads++;
    s->reload_faults += !ok;
    lock_give(&s->counting);
    if (!ok) return false;
    struct text fixed = {0}, sentence = {0};
    config_restart(s->first, c, &fixed);
    if (fixed.n) {
        text_format(&sentence, "%s changed and takes effect when weir starts again", fixed.p);
        remark(s, sentence.p);
    }
    text_deinit(&fixed);
    text_deinit(&sentence);
    struct err wrong = {0};
    lock_take(&s->passing);
    deliveries_set(s, c, now, &wrong);
    lock_give(&s->passing);
    s->config = c;
    return true;
}

// ---- the end ------------------------------------------------------------------------------------

// The first thing that went wrong is what is told.
static void note(bool *ok, bool fine, struct err *err, const struct err *wrong)
{
    if (*ok && !fine && err) *err = *wrong;
    *ok = *ok && fine;
}

static void sum_up(const struct service *s, struct gather_counts *counts,
                   struct collector_counts *n)
{
    *counts = (struct gather_counts){0};
    *n = (struct collector_counts){0};
    for (uint32_t i = 0; i < s->source_count; i++) {
        gather_counts_add(counts, &s->sources[i]->shown);
        collector_counts_add(n, s->sources[i]->shown_flows);
    }
}

static void service_destroy(struct service *s)
{
    page_server_close(s->pages);
    for (uint32_t i = 0; i < s->source_count; i++) source_destroy(s->sources[i]);
    lives_close(s);
    store_close(s->store);
    if (s->writer) writer_destroy(s->writer);
    lock_deinit(&s->passing);
    lock_deinit(&s->counting);
    memory_free(s->tally);
    memory_free(s);
}

bool service_close(struct service *s, nanos now, struct gather_counts *counts,
                   struct collector_counts *n, struct err *err)
{
    bool ok = true;
    if (!s) return true;
    for (uint32_t i = 0; i < s->source_count; i++) {
        source_end(s->sources[i]);
        note(&ok, s->sources[i]->ok, err, &s->sources[i]->err);
    }
    if (s->is_full) end_full(s, now);
    struct err wrong = {0};
    bool kept = begin_commit(s, now, &wrong);
    note(&ok, kept, err, &wrong);
    for (uint32_t i = 0; i < s->delivery_count; i++) {
        struct err away = {0};
        if (!delivery_close(s->deliveries[i], &away)) remark(s, away.text);
    }
    s->delivery_count = 0;
    if (counts) sum_up(s, counts, n);
    service_destroy(s);
    return ok;
}
