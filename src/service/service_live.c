// Network interfaces as sources of the service: one lane each, in the thread of the source.
#include <stdio.h>

#include "engine/version.h"
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
    struct live_counts shown = {.reading = *counts};
    live_state(r->source->live, 0, &shown.state);
    for (uint32_t i = 0; i < source_capture_count(r->packets); i++) {
        const struct capture_info *c = source_capture(r->packets, i);
        shown.packets += c->packets;
        shown.bytes += c->packet_bytes;
        shown.captured_bytes += c->captured_bytes;
    }
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

// Packets are not kept, nor the bodies in them: a part of the case is made while lanes work.
bool live_gather(struct service_source *source, struct err *err)
{
    const char *point = source->options->tap;
    struct reading_options options = READING_DEFAULTS;
    struct reading_counts counts;
    uint32_t kind_count;
    const struct record_kind *const *kinds = catalogue(&kind_count);
    struct live_run run = {source, NULL};
    options.lane.point = point ? point : "";
    options.lane.references = false;
    options.rest = live_rest;
    options.rest_context = &run;
    run.packets = source_open(&(struct source_options){.live = source->live}, err);
    struct record_sink sink = {source->service, service_take};
    bool ok =
        run.packets && reading_run(run.packets, &options, kinds, kind_count, sink, &counts, err);
    if (ok) live_show(&run, &counts);
    source_close(run.packets);
    return ok;
}
