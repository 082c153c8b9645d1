// What was counted, as Prometheus reads it:
// https://prometheus.io/docs/instrumenting/exposition_formats
//
// A metric is a row: where its number lies, name, type, help.
#include <inttypes.h>
#include <string.h>

#include "engine/version.h"
#include "service/service_inside.h"

// clang-format off
#define SOURCE_METRICS(X) \
    X("datagrams_total", shown.datagrams, "Datagrams that came") \
    X("kernel_drops_total", shown.dropped, "Datagrams that found no room in the kernel") \
    X("connections_total", shown.connections, "Connections that are over") \
    X("connection_faults_total", shown.faults, "Connections that ended before their time") \
    X("lines_total", shown.lines.lines, "Lines that were read") \
    X("lines_dead_total", shown.lines.dead, "Lines that were not understood") \
    X("messages_total", shown_flows.messages, "Messages of exporters") \
    X("flows_total", shown_flows.flows, "Flows that they told, without those in lines") \
    X("options_total", shown_flows.options, "Records of options") \
    X("unknown_version_total", shown_flows.unknown_version, \
      "Messages of no version that is known")
// clang-format on

struct source_metric {
    const char *name;
    size_t offset;
    const char *help;
};

static const struct source_metric source_metrics[] = {
#define SOURCE_ROW(name, field, help) {name, offsetof(struct service_source, field), help},
    SOURCE_METRICS(SOURCE_ROW)
#undef SOURCE_ROW
};

static void family(struct text *out, const char *area, const char *name, const char *type,
                   const char *help)
{
    text_format(out, "# HELP weir_%s%s %s.\n# TYPE weir_%s%s %s\n", area, name, help, area, name,
                type);
}

// Backslashes, quotes and line feeds are escaped, as JSON escapes them.
static void label(struct text *out, const char *before, const char *name, const char *value)
{
    char clean[4 * GATHER_INPUTS_MAX * 4];
    size_t n = text_escape(clean, sizeof clean, bytes_text(value));
    text_format(out, "%s%s=", before, name);
    text_json(out, bytes_of(clean, n));
}

static void number(struct text *out, uint64_t v)
{
    text_format(out, " %" PRIu64 "\n", v);
}

// ---- the parts ----------------------------------------------------------------------------------

static void put_sources(const struct service *s, struct text *out)
{
    for (size_t m = 0; m < sizeof source_metrics / sizeof source_metrics[0]; m++) {
        const struct source_metric *row = &source_metrics[m];
        family(out, "source_", row->name, "counter", row->help);
        for (uint32_t i = 0; i < s->source_count; i++) {
            const struct service_source *source = s->sources[i];
            text_format(out, "weir_source_%s", row->name);
            label(out, "{", "source", source->name);
            text_add(out, "}");
            number(out, *(const uint64_t *)((const char *)source + row->offset));
        }
    }
}

static void put_exporters(const struct tally *t, struct text *out)
{
    family(out, "", "exporter_flows_total", "counter", "Flows by who told them");
    for (uint32_t i = 0; i < t->exporter_count; i++) {
        char name[ADDRESS_TEXT_MAX];
        address_format(name, t->exporters[i].address);
        text_format(out, "weir_exporter_flows_total{exporter=\"%s\"}", name);
        number(out, t->exporters[i].flows);
    }
    if (t->other_flows) {
        text_add(out, "weir_exporter_flows_total{exporter=\"other\"}");
        number(out, t->other_flows);
    }
}

static void put_loss(const struct tally_loss *l, const char *unit, uint64_t n, struct text *out)
{
    if (!n) return;
    text_add(out, "weir_lost_total");
    label(out, "{", "stage", *l->stage ? l->stage : "other");
    label(out, ",", "reason", *l->reason ? l->reason : "other");
    label(out, ",", "point", l->point);
    label(out, ",", "unit", unit);
    text_add(out, "}");
    number(out, n);
}

static void put_losses(const struct tally *t, struct text *out)
{
    family(out, "", "lost_total", "counter",
           "What was not seen or not kept, by stage, reason and place");
    for (uint32_t i = 0; i <= t->loss_count; i++) {
        const struct tally_loss *l = i < t->loss_count ? &t->losses[i] : &t->other_loss;
        put_loss(l, "packets", l->packets, out);
        put_loss(l, "bytes", l->bytes, out);
        put_loss(l, "count", l->count, out);
    }
}

static void put_records(const struct tally *t, struct text *out)
{
    uint32_t count;
    const struct record_kind *const *kinds = catalogue(&count);
    family(out, "", "records_total", "counter", "Records by kind");
    for (uint32_t i = 0; i < count; i++) {
        if (!t->records[i]) continue;
        text_format(out, "weir_records_total{kind=\"%s\"}", kinds[i]->name);
        number(out, t->records[i]);
    }
}

static void put_store(const struct store_counts *n, struct text *out)
{
#define STORE_PUT(field, type, metric, unit, help)                                                 \
    family(out, "store_", metric, type, help);                                                     \
    text_format(out, "weir_store_" metric " %.15g\n", (double)n->field / unit);
    STORE_METRICS(STORE_PUT)
#undef STORE_PUT
}

static uint64_t delivery_count(const struct delivery_counts *n, unsigned row)
{
#define DELIVERY_VALUE(name, help) n->name,
    const uint64_t values[] = {DELIVERY_COUNTS(DELIVERY_VALUE)};
#undef DELIVERY_VALUE
    return values[row];
}

static void put_deliveries(const struct service *s, struct text *out)
{
#define DELIVERY_NAME(name, help) {#name "_total", help},
    static const char *const rows[][2] = {DELIVERY_COUNTS(DELIVERY_NAME)};
#undef DELIVERY_NAME
    for (unsigned r = 0; s->delivered_count && r < sizeof rows / sizeof rows[0]; r++) {
        family(out, "sink_", rows[r][0], "counter", rows[r][1]);
        for (uint32_t i = 0; i < s->delivered_count; i++) {
            text_format(out, "weir_sink_%s", rows[r][0]);
            label(out, "{", "sink", s->delivered_to[i]);
            text_add(out, "}");
            number(out, delivery_count(&s->delivered[i], r));
        }
    }
}

// ---- all ----------------------------------------------------------------------------------------

void service_metrics(struct service *s, struct text *out)
{
    family(out, "", "build_info", "gauge", "Which program this is");
    text_add(out, "weir_build_info{version=\"" WEIR_VERSION "\"} 1\n");
    family(out, "", "start_time_seconds", "gauge", "When it began");
    text_format(out, "weir_start_time_seconds %.15g\n", (double)s->began / 1e9);
    lock_take(&s->counting);
    put_sources(s, out);
    put_exporters(s->tally, out);
    put_losses(s->tally, out);
    put_records(s->tally, out);
    put_store(&s->stored, out);
    put_deliveries(s, out);
    family(out, "", "reloads_total", "counter", "How often the configuration was read again");
    text_format(out, "weir_reloads_total %" PRIu64 "\n", s->reloads);
    family(out, "", "reload_errors_total", "counter", "Of them, those that were refused");
    text_format(out, "weir_reload_errors_total %" PRIu64 "\n", s->reload_faults);
    lock_give(&s->counting);
}

void service_status(struct service *s, struct text *out)
{
    uint64_t flows = 0, drops = 0;
    lock_take(&s->counting);
    for (uint32_t i = 0; i < s->source_count; i++) {
        flows += s->sources[i]->shown_flows.flows + s->sources[i]->shown.lines.flows;
        drops += s->sources[i]->shown.dropped;
    }
    text_format(out, "%" PRIu64 " flows came, %" PRIu64 " datagrams found no room, ", flows, drops);
    text_format(out, "%" PRIu64 " records are in the case", s->stored.rows);
    lock_give(&s->counting);
}
