// Network interfaces as sources of the service: one lane each, in the thread of the source.
#include "engine/reading.h"
#include "engine/version.h"
#include "service/service_inside.h"
#include "source/live.h"
#include "source/rights.h"

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
        any = true;
    }
    return !any || rights_give_up(RIGHTS_TO_CAPTURE, err);
}

void lives_close(struct service *s)
{
    for (uint32_t i = 0; i < SERVICE_SOURCES_MAX; i++) live_close(s->lives[i]);
}

static bool live_rest(void *context, struct err *err)
{
    return source_rest(context, 0, err);
}

// Packets are not kept, nor the bodies in them: a part of the case is made while lanes work.
bool live_gather(struct service_source *source, struct err *err)
{
    const char *point = source->options->tap;
    struct reading_options options = READING_DEFAULTS;
    struct reading_counts counts;
    uint32_t kind_count;
    const struct record_kind *const *kinds = catalogue(&kind_count);
    options.lane.point = point ? point : "";
    options.lane.references = false;
    options.rest = live_rest;
    options.rest_context = source;
    struct source *in = source_open(&(struct source_options){.live = source->live}, err);
    struct record_sink sink = {source->service, service_take};
    bool ok = in && reading_run(in, &options, kinds, kind_count, sink, &counts, err);
    source_close(in);
    return ok;
}
