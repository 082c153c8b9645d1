// Network interfaces as sources of the service: one lane each, in the thread of the source.
#include <stdio.h>

#include "engine/ingest.h"
#include "engine/shaping.h"
#include "engine/version.h"
#include "service/packet_options.h"
#include "service/service_inside.h"
#include "source/rights.h"

static void tell_capturing(const struct service *s, const struct live *live)
{
    char sentence[SOURCE_NAME_MAX];
    snprintf(sentence, sizeof sentence, "capturing at %s", live_name(live));
    if (s->options.remark) s->options.remark(s->options.context, sentence);
}

bool lives_open(struct service *s, struct err *err)
{
    const struct config_source *sources = s->config->sources.items;
    bool any = false;
    for (uint32_t i = 0; i < s->config->sources.count; i++) {
        const char *name = sources[i].read ? live_interface_of(sources[i].read) : NULL;
        if (!name) continue;
        if (s->options.together)
            return err_set(err, ERR_USAGE,
                           "packets of an interface are read by weir read -i %s, "
                           "or as a source of weir run",
                           name);
        struct live_options options = {.interfaces = &name,
                                       .interface_count = 1,
                                       .bpf = sources[i].bpf,
                                       .quiet = sources[i].no_promiscuous,
                                       .buffer = sources[i].buffer,
                                       .program = "weir " WEIR_VERSION,
                                       .stop = &s->lives_stop};
        s->lives[i] = live_open(&options, err);
        if (!s->lives[i]) return false;
        tell_capturing(s, s->lives[i]);
        any = true;
    }
    return !any || rights_give_up(RIGHTS_TO_CAPTURE, err);
}

void lives_close(struct service *s)
{
    for (uint32_t i = 0; i < SERVICE_SOURCES_MAX; i++) live_close(s->lives[i]);
}

// An interface while its packets are taken.
struct live_run {
    struct service_source *source;
    struct source *packets;
};

static void live_show(const struct live_run *r, const struct reading_counts *counts)
{
    struct service *s = r->source->service;
    struct source_sums sums = source_sums(r->packets);
    struct live_counts shown = {.packets = sums.packets,
                                .bytes = sums.bytes,
                                .captured_bytes = sums.captured_bytes,
                                .reading = *counts};
    live_state(r->source->live, 0, &shown.state);
    lock_take(&s->counting);
    r->source->shown_live = shown;
    lock_give(&s->counting);
}

static bool live_rest(void *context, const struct reading_counts *counts, struct err *err)
{
    const struct live_run *r = context;
    live_show(r, counts);
    return source_rest(r->source, 0, err);
}

bool lives_wait(struct service *s)
{
    bool any = false;
    lock_take(&s->counting);
    for (uint32_t i = 0; i < s->source_count; i++) {
        const struct service_source *source = s->sources[i];
        any = any || (source->recording && source->shown_live.packets != source->parted);
    }
    lock_give(&s->counting);
    return any;
}

// What the packets of a source are read with; the expression was the kernel's.
static bool options_of(const struct config_source *o, struct ingest_options *all, struct err *err)
{
    *all = (struct ingest_options){.reading = READING_DEFAULTS, .source = {.bpf = o->bpf}};
    return packet_options_fill(o, &all->reading, err);
}

static bool record_one(struct service *s, uint32_t place, nanos now, struct err *err)
{
    const struct config_source *sources = s->config->sources.items;
    struct ingest_options all;
    struct text text = {0};
    if (!options_of(&sources[place], &all, err)) return false;
    shaping_text(&all, &text);
    const struct store_collection of = {live_name(s->lives[place]), text.p,
                                        s->options.author.version};
    bool ok = store_record(s->store, &of, now, &s->recordings[place], err);
    text_deinit(&text);
    return ok;
}

bool lives_record(struct service *s, nanos now, struct err *err)
{
    const struct config_source *sources = s->config->sources.items;
    bool ok = true;
    for (uint32_t i = 0; ok && i < s->config->sources.count; i++)
        if (s->lives[i] && sources[i].keep) ok = record_one(s, i, now, err);
    return ok;
}

// Bodies are not kept: a part of the case is made while lanes work.
bool live_gather(struct service_source *source, struct err *err)
{
    struct ingest_options all;
    struct reading_counts counts;
    uint32_t kind_count;
    const struct record_kind *const *kinds = catalogue(&kind_count);
    struct live_run run = {source, NULL};
    if (!options_of(source->options, &all, err)) return false;
    struct reading_options *options = &all.reading;
    struct source_options from = {.live = source->live};
    options->lane.reading = source->recording;
    options->lane.references = source->recording;
    options->rest = live_rest;
    options->rest_context = &run;
    if (source->recording) {
        from.first_number = 1; // 0 is the interface itself
        from.hash_captures = true;
        from.captures = store_recording(source->service->store, source->recording);
    }
    run.packets = source_open(&from, err);
    struct record_sink sink = {source->service, service_take};
    bool ok =
        run.packets && reading_run(run.packets, options, kinds, kind_count, sink, &counts, err);
    if (ok) live_show(&run, &counts);
    source_close(run.packets);
    return ok;
}
