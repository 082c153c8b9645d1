// Metrics of interfaces: what came, what was dropped, what the lanes hold. Decoder and lanes have
// tables of what they count, which are those of the records `counter`.
#include "service/metrics_text.h"
#include "service/service_inside.h"

struct live_metric {
    const char *name, *type;
    size_t offset; // in struct live_counts
    const char *help;
};

#define LIVE(field) offsetof(struct live_counts, field)
static const struct live_metric interface_metrics[] = {
    {"packets_total", "counter", LIVE(packets), "Packets that came"},
    {"bytes_total", "counter", LIVE(bytes), "Bytes of them on the wire"},
    {"captured_bytes_total", "counter", LIVE(captured_bytes), "Bytes of them that are there"},
    {"queued_bytes", "gauge", LIVE(state.queued_bytes), "Packets that wait for their turn"},
    {"up", "gauge", LIVE(state.up), "1 while the interface is up"},
};

static const struct live_metric drop_metrics[] = {
    {"kernel", NULL, LIVE(state.kernel_drops), NULL},
    {"interface", NULL, LIVE(state.interface_drops), NULL},
};

static const struct live_metric lane_metrics[] = {
#define COUNTER(name, unit, help) {#name "_total", "counter", LIVE(reading.lanes.name), help},
    LANE_COUNTERS(COUNTER)
#undef COUNTER
#define GAUGE(name, unit, help) {#name, "gauge", LIVE(reading.now.name), help},
        LANE_GAUGES(GAUGE)
#undef GAUGE
};
#undef LIVE
#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

static uint64_t value_of(const struct service_source *source, const struct live_metric *m)
{
    return *(const uint64_t *)((const char *)&source->shown_live + m->offset);
}

static bool is_shown(const struct service_source *source)
{
    return source->shown_live.state.interface != NULL;
}

static void sample(struct text *out, const char *area, const char *name,
                   const struct service_source *source)
{
    metric_sample(out, area, name);
    metric_label(out, "{", "source", source->name);
    metric_label(out, ",", "iface", source->shown_live.state.interface);
}

static void put_rows(const struct service *s, const char *area, const struct live_metric *rows,
                     size_t count, struct text *out)
{
    for (size_t m = 0; m < count; m++) {
        metric_family(out, area, rows[m].name, rows[m].type, rows[m].help);
        for (uint32_t i = 0; i < s->source_count; i++) {
            if (!is_shown(s->sources[i])) continue;
            sample(out, area, rows[m].name, s->sources[i]);
            text_add(out, "}");
            metric_number(out, value_of(s->sources[i], &rows[m]));
        }
    }
}

static void put_drops(const struct service *s, struct text *out)
{
    static const char area[] = "interface_", name[] = "dropped_packets_total";
    metric_family(out, area, name, "counter", "Packets that found no room, by who dropped them");
    for (uint32_t i = 0; i < s->source_count; i++)
        for (size_t m = 0; is_shown(s->sources[i]) && m < COUNT(drop_metrics); m++) {
            sample(out, area, name, s->sources[i]);
            metric_label(out, ",", "reason", drop_metrics[m].name);
            text_add(out, "}");
            metric_number(out, value_of(s->sources[i], &drop_metrics[m]));
        }
}

static void put_decoded(const struct service *s, struct text *out)
{
    static const char area[] = "decode_", name[] = "packets_total";
    metric_family(out, area, name, "counter",
                  "Packets by what became of them: ok, or why they were not looked into");
    for (uint32_t i = 0; i < s->source_count; i++)
        for (unsigned reason = 0; is_shown(s->sources[i]) && reason < REASON_COUNT; reason++) {
            uint64_t n = s->sources[i]->shown_live.reading.reasons[reason];
            if (!n) continue;
            sample(out, area, name, s->sources[i]);
            metric_label(out, ",", "reason", decode_reason_name(reason));
            text_add(out, "}");
            metric_number(out, n);
        }
}

void metrics_put_live(const struct service *s, struct text *out)
{
    put_rows(s, "interface_", interface_metrics, COUNT(interface_metrics), out);
    put_drops(s, out);
    put_decoded(s, out);
    put_rows(s, "lane_", lane_metrics, COUNT(lane_metrics), out);
}
