// Sources of the service: a thread each, which gathers.
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "bus/kafka_place.h"
#include "collect/exporters.h"
#include "service/remember.h"
#include "service/service_inside.h"

void source_name(char name[SOURCE_NAME_MAX], const char *input)
{
    int shown = kafka_is_place(input) ? (int)strcspn(input, "?") : SOURCE_NAME_MAX;
    snprintf(name, SOURCE_NAME_MAX, "%.*s", shown, input);
}

// ---- in its thread ------------------------------------------------------------------------------

static void source_show(struct service_source *source, bool tells)
{
    lock_take(&source->service->counting);
    source->shown = source->counts;
    lines_counts_add(&source->shown.lines, topics_counts(source->topics));
    source->shown.pairs = joining_counts(source->joining);
    source->shown_flows = collector_counts(source->collector);
    if (source->shown_topics) topics_rows(source->topics, source->shown_topics);
    if (tells && source->port_count) {
        text_clear(&source->told);
        exporters_write(source->collector, &source->told);
    }
    lock_give(&source->service->counting);
}

// What is not on disk was not kept.
static bool dead_sync(const struct service_source *source, struct err *err)
{
    if (!source->dead) return true;
    bool ok = fflush(source->dead) == 0 && !ferror(source->dead) &&
              (fdatasync(fileno(source->dead)) == 0 || errno == EINVAL);
    return ok ||
           err_set(err, ERR_MACHINE, "%s could not be written to its end", source->options->dead);
}

// All that came up to now is in the store, but what waits for the other direction.
static void source_flush(struct service_source *source)
{
    joining_turn(source->joining, source->service->options.clock());
    writer_flush(source->writer);
    joining_flush(source->joining);
}

// All that came is: so it may count how far topics were taken.
static void source_cut(struct service_source *source)
{
    source_flush(source);
    if (source->topics) joining_end(source->joining, JOINING_kept);
    source->cut = source->service->options.clock();
}

// What is told of exporters and lines, too, and who asks may see it.
static bool source_tell(struct service_source *source, struct err *err)
{
    collector_tell(source->collector);
    topics_tell(source->topics);
    source_flush(source);
    source_show(source, true);
    return dead_sync(source, err);
}

// Makes safe what came: parts of the case that tell how far topics were taken.
static bool source_commit(struct service_source *source, struct err *err)
{
    struct service *s = source->service;
    bool ok = source_tell(source, err);
    source_cut(source);
    return ok && service_commit(s, source->topics, s->options.clock(), err);
}

// Makes safe what came, as far as topics were taken.
static bool source_sync(void *context, struct err *err)
{
    struct service_source *source = context;
    topics_tell(source->topics);
    source_cut(source);
    source_show(source, false);
    return dead_sync(source, err) && service_sync(source->service, source->topics, err);
}

// A message of a topic counts once and not twice only where the rows of all before it are kept, and
// what is held would not be. So it is made safe when nothing is held, or has to leave: until then
// there is time for the other direction to come.
static bool may_wait(const struct service_source *source)
{
    return joining_counts(source->joining).held &&
           source->service->options.clock() - source->cut < source->options->join;
}

// What was recorded up to now is to go into the part, too.
static bool is_recording_on(const struct service_source *source)
{
    return source->recording && live_is_cutting(source->live);
}

bool source_rest(void *context, nanos now, struct err *err)
{
    struct service_source *source = context;
    bool ok = true;
    (void)now;
    int task = atomic_load(&source->task);
    switch ((enum source_task)task) {
    case TASK_NONE:
        return true;
    case TASK_FLUSH:
        source_flush(source);
        source_show(source, false);
        break;
    case TASK_SYNC:
        source_flush(source);
        if (may_wait(source)) source_show(source, false);
        else ok = source_sync(source, err);
        break;
    case TASK_PART:
        if (is_recording_on(source)) return true;
        ok = source_tell(source, err);
        break;
    case TASK_TELL:
        ok = source_tell(source, err);
        break;
    case TASK_COMMIT:
        ok = source_commit(source, err);
        break;
    }
    // It may have been asked for more meanwhile.
    atomic_compare_exchange_strong(&source->task, &task, TASK_NONE);
    return ok;
}

static void source_listening(void *context, const char *input, const char *transport, uint16_t port)
{
    struct service_source *source = context;
    const struct service_options *o = &source->service->options;
    if (o->listening) o->listening(o->context, input, transport, port);
    atomic_fetch_add(&source->listening, 1);
}

// FILE:LINE, why, and the line as it came, with tabs between: cut -f3- gives the lines back.
static void dead_write(void *context, const char *input, uint64_t line, const char *why, bytes text)
{
    const struct service_source *source = context;
    if (!source->dead) return;
    fprintf(source->dead, "%s:%llu\t%s\t", input, (unsigned long long)line, why);
    fwrite(text.p, 1, text.n, source->dead);
    fputc('\n', source->dead);
}

static bool dead_close(struct service_source *source, struct err *err)
{
    bool ok = dead_sync(source, err);
    if (source->dead) fclose(source->dead);
    source->dead = NULL;
    return ok;
}

static void *source_run(void *context)
{
    struct service_source *source = context;
    const struct config_source *o = source->options;
    const struct service_options *all = &source->service->options;
    struct gather_options options = {.inputs = source->inputs,
                                     .input_count = source->input_count,
                                     .topics = source->topics,
                                     .buffer = o->buffer,
                                     .is_shared = o->sockets > 1,
                                     .idle = all->idle,
                                     .stop = &source->stop,
                                     .context = source,
                                     .rest = source_rest,
                                     .listening = source_listening,
                                     .clock = all->clock,
                                     .point = o->tap ? o->tap : "",
                                     .elements = !o->known_only,
                                     .dead = dead_write};
    source->ok = source->live ? live_gather(source, &source->err)
                              : gather(&options, source->collector, source->writer, &source->counts,
                                       &source->err);
    // What came before a failure is kept all the same.
    collector_end(source->collector);
    topics_tell(source->topics);
    writer_flush(source->writer);
    joining_end(source->joining, JOINING_end);
    struct err other = {0};
    if (!dead_close(source, &other) && source->ok) {
        source->err = other;
        source->ok = false;
    }
    source_show(source, true);
    atomic_store(&source->has_ended, true);
    return NULL;
}

// ---- for the service ----------------------------------------------------------------------------

static void source_remark(void *context, const char *sentence)
{
    const struct service_source *source = context;
    const struct service_options *o = &source->service->options;
    if (o->remark) o->remark(o->context, sentence);
}

// Times of files are of their own: what was told then says nothing of what arrives now. What is
// damaged is waited for again.
static void source_recall(struct service_source *source)
{
    const struct service *s = source->service;
    struct err damaged = {0};
    if (!s->store || !source->port_count) return;
    if (!exporters_recall(s->config->store.path, source->number, source->collector, &damaged))
        source_remark(source, damaged.text);
}

bool source_keep(struct service_source *source, struct err *err)
{
    struct service *s = source->service;
    struct text told = {0};
    lock_take(&s->counting);
    text_put(&told, bytes_of(source->told.p, source->told.n));
    lock_give(&s->counting);
    bool ok = !told.n ||
              exporters_keep(s->first->store.path, source->number, bytes_of(told.p, told.n), err);
    text_deinit(&told);
    return ok;
}

static bool source_open_topics(struct service_source *source, struct err *err)
{
    const struct config_source *o = source->options;
    struct topics_options options = {.more = o->kafka,
                                     .store = source->service->store,
                                     .point = o->tap ? o->tap : "",
                                     .elements = !o->known_only,
                                     .context = source,
                                     .keep = source_sync,
                                     .tell = source_remark,
                                     .dead = dead_write};
    struct err wrong = {0};
    source->topics =
        topics_open(&options, source->inputs, source->input_count, source->writer, &wrong);
    if (source->topics) source->service->reader = source;
    if (source->topics) source->shown_topics = memory_get(sizeof *source->shown_topics);
    if (wrong.code && err) *err = wrong;
    return !wrong.code;
}

static bool source_make(struct service_source *source, struct err *err)
{
    const struct config_source *o = source->options;
    uint32_t kind_count;
    const struct record_kind *const *kinds = catalogue(&kind_count);
    if (o->dead && !(source->dead = fopen(o->dead, "ae")))
        return err_set(err, ERR_USAGE, "%s cannot be written: %s", o->dead, strerror(errno));
    struct record_sink sink = {source->service, service_take};
    struct joining_options joining = {.window = o->join, .elements = !o->known_only};
    if (o->join) {
        source->joining = joining_create(&joining, sink, err);
        if (!source->joining) return false;
        joining_turn(source->joining, source->service->began);
        sink = joining_sink(source->joining);
    }
    source->cut = source->service->began;
    source->writer = writer_create(kinds, kind_count, sink);
    struct collector_options options = {.point = o->tap ? o->tap : "", .elements = !o->known_only};
    source->collector = collector_create(&options, source->writer, err);
    if (!source->collector) return false;
    source_recall(source);
    return source_open_topics(source, err);
}

// Several may read the same, or share a port.
static void source_name_own(struct service_source *source, const char *input)
{
    const struct service *s = source->service;
    unsigned same = 0;
    source_name(source->name, input);
    size_t n = strlen(source->name);
    for (uint32_t i = 0; i < s->source_count; i++) {
        const char *other = s->sources[i]->name;
        same += strncmp(other, source->name, n) == 0 && (!other[n] || other[n] == '#');
    }
    if (same) snprintf(source->name + n, SOURCE_NAME_MAX - n, "#%u", same + 1);
}

struct service_source *source_begin(struct service *s, const struct config_source *options,
                                    const char *const *inputs, uint32_t count, struct err *err)
{
    struct service_source *source = memory_get(sizeof *source);
    source->service = s;
    source->options = options;
    source->number = s->source_count;
    ptrdiff_t place = options - (const struct config_source *)s->config->sources.items;
    source->live = s->lives[place];
    source->recording = s->recordings[place];
    source_name_own(source, inputs[0]);
    for (uint32_t i = 0; i < count; i++) {
        source->inputs[source->input_count++] = inputs[i];
        source->port_count += gather_is_port(inputs[i]);
    }
    if (source_make(source, err)) {
        int wrong = pthread_create(&source->thread, NULL, source_run, source);
        source->has_thread = !wrong;
        if (!wrong) return source;
        err_system(err, wrong, "no thread for %s", source->name);
    }
    source_destroy(source);
    return NULL;
}

void source_ask(struct service_source *source, enum source_task task)
{
    if (task == TASK_PART && source->recording) {
        lock_take(&source->service->counting);
        source->parted = source->shown_live.packets;
        lock_give(&source->service->counting);
        live_cut(source->live);
    }
    atomic_store(&source->task, task);
}

bool source_is_idle(const struct service_source *source)
{
    return atomic_load(&source->has_ended) || atomic_load(&source->task) == TASK_NONE;
}

void source_end(struct service_source *source)
{
    if (!source->has_thread) return;
    atomic_store(&source->stop, true);
    if (source->live) __atomic_store_n(&source->service->lives_stop, true, __ATOMIC_RELAXED);
    pthread_join(source->thread, NULL);
    source->has_thread = false;
}

void source_destroy(struct service_source *source)
{
    if (!source) return;
    source_end(source);
    if (source->service->reader == source) source->service->reader = NULL;
    if (source->dead) fclose(source->dead);
    topics_close(source->topics);
    memory_free(source->shown_topics);
    collector_destroy(source->collector);
    text_deinit(&source->told);
    if (source->writer) writer_destroy(source->writer);
    joining_destroy(source->joining);
    memory_free(source);
}
