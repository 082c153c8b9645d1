// What was counted, as Prometheus reads it. A metric is a row: where its number lies, name, type,
// help.
#include <inttypes.h>
#include <string.h>

#include "engine/version.h"
#include "service/metrics_text.h"
#include "service/process.h"
#include "service/service_inside.h"

// clang-format off
#define SOURCE_METRICS(X) \
    X("datagrams_total", shown.datagrams, "Datagrams that came") \
    X("bytes_total", shown.bytes, "Bytes of them") \
    X("kernel_drops_total", shown.dropped, "Datagrams that found no room in the kernel") \
    X("connections_total", shown.connections, "Connections that are over") \
    X("connection_faults_total", shown.faults, "Connections that ended before their time") \
    X("lines_total", shown.lines.lines, "Lines that were read") \
    X("lines_dead_total", shown.lines.dead, "Lines that were not understood") \
    X("messages_total", shown_flows.messages, "Messages of exporters") \
    X("flows_total", shown_flows.flows, "Flows that they told, without those in lines") \
    X("options_total", shown_flows.options, "Records of options") \
    X("unknown_version_total", shown_flows.unknown_version, \
      "Messages of no version that is known") \
    X("joined_pairs_total", shown.pairs.joined, "Pairs of one-way flows that were joined")
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
#define UNJOINED_ROW(name, help)                                                                   \
    {"unjoined_" #name "_total", offsetof(struct service_source, shown.pairs.name), help},
        JOINING_REASONS(UNJOINED_ROW)
#undef UNJOINED_ROW
};

// ---- the parts ----------------------------------------------------------------------------------

static void put_sources(const struct service *s, struct text *out)
{
    for (size_t m = 0; m < sizeof source_metrics / sizeof source_metrics[0]; m++) {
        const struct source_metric *row = &source_metrics[m];
        metric_family(out, "source_", row->name, "counter", row->help);
        for (uint32_t i = 0; i < s->source_count; i++) {
            const struct service_source *source = s->sources[i];
            if (source->live) continue;
            metric_sample(out, "source_", row->name);
            metric_label(out, "{", "source", source->name);
            text_add(out, "}");
            metric_number(out, *(const uint64_t *)((const char *)source + row->offset));
        }
    }
}

// ---- topics -------------------------------------------------------------------------------------

// clang-format off
#define BUS_METRICS(X) \
    X("consumed_messages_total", "counter", messages, "Messages that were taken of a topic") \
    X("consumed_bytes_total", "counter", bytes, "Bytes of them") \
    X("lag_messages", "gauge", behind, "Messages that are there and were not taken yet")
// clang-format on

static void put_bus_row(const struct topic_row *row, const char *name, uint64_t value,
                        struct text *out)
{
    char partition[16] = "other";
    if (row->partition >= 0) snprintf(partition, sizeof partition, "%d", row->partition);
    metric_sample(out, "bus_", name);
    metric_label(out, "{", "source", row->source);
    metric_label(out, ",", "topic", row->topic);
    metric_label(out, ",", "partition", partition);
    text_add(out, "}");
    metric_number(out, value);
}

static void put_bus_faults(const struct topic_rows *rows, struct text *out)
{
    static const char help[] = "How often the brokers did not answer";
    metric_family(out, "bus_", "errors_total", "counter", help);
    for (uint32_t i = 0; rows && i < rows->topic_count; i++) {
        metric_sample(out, "bus_", "errors_total");
        metric_label(out, "{", "source", rows->sources[i]);
        metric_label(out, ",", "topic", rows->topics[i]);
        text_add(out, "}");
        metric_number(out, rows->faults[i]);
    }
}

// All topics are one source's.
static void put_bus(const struct service *s, struct text *out)
{
    const struct topic_rows *rows = NULL;
    for (uint32_t i = 0; i < s->source_count; i++)
        if (s->sources[i]->shown_topics) rows = s->sources[i]->shown_topics;
#define BUS_PUT(name, type, field, help)                                                           \
    metric_family(out, "bus_", name, type, help);                                                  \
    for (uint32_t i = 0; rows && i < rows->count; i++)                                             \
        put_bus_row(&rows->list[i], name, rows->list[i].field, out);
    BUS_METRICS(BUS_PUT)
#undef BUS_PUT
    put_bus_faults(rows, out);
}

// ---- what passed --------------------------------------------------------------------------------

static void put_exporters(const struct tally *t, struct text *out)
{
    metric_family(out, "", "exporter_flows_total", "counter", "Flows by who told them");
    for (uint32_t i = 0; i < t->exporter_count; i++) {
        char name[ADDRESS_TEXT_MAX];
        address_format(name, t->exporters[i].address);
        text_format(out, "weir_exporter_flows_total{exporter=\"%s\"}", name);
        metric_number(out, t->exporters[i].flows);
    }
    if (t->other_flows) {
        text_add(out, "weir_exporter_flows_total{exporter=\"other\"}");
        metric_number(out, t->other_flows);
    }
}

static void put_loss(const struct tally_loss *l, const char *unit, uint64_t n, struct text *out)
{
    if (!n) return;
    text_add(out, "weir_lost_total");
    metric_label(out, "{", "stage", *l->stage ? l->stage : "other");
    metric_label(out, ",", "reason", *l->reason ? l->reason : "other");
    metric_label(out, ",", "point", l->point);
    metric_label(out, ",", "iface", l->interface);
    metric_label(out, ",", "unit", unit);
    text_add(out, "}");
    metric_number(out, n);
}

static void put_losses(const struct tally *t, struct text *out)
{
    metric_family(
        out, "", "lost_total", "counter",
        "What was not seen or not kept, by stage, reason and place; the point is the exporter, "
        "where it was one of exporters");
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
    metric_family(out, "", "records_total", "counter", "Records by kind");
    for (uint32_t i = 0; i < count; i++) {
        if (!t->records[i]) continue;
        text_format(out, "weir_records_total{kind=\"%s\"}", kinds[i]->name);
        metric_number(out, t->records[i]);
    }
}

static void put_anomaly(const struct tally_anomaly *a, struct text *out)
{
    if (!a->count) return;
    metric_sample(out, "", "anomalies_total");
    metric_label(out, "{", "protocol", a->protocol);
    metric_label(out, ",", "name", a->name);
    text_add(out, "}");
    metric_number(out, a->count);
}

static void put_anomalies(const struct tally *t, struct text *out)
{
    const struct tally_anomaly others = {"other", "other", t->other_anomalies};
    metric_family(out, "", "anomalies_total", "counter",
                  "What dissectors could not read, or found suspicious, by protocol");
    for (uint32_t i = 0; i < t->anomaly_count; i++) put_anomaly(&t->anomalies[i], out);
    put_anomaly(&others, out);
}

// ---- the store ----------------------------------------------------------------------------------

// clang-format off
#define HOLDING_METRICS(X) \
    X("segments", segments, 1, "Parts of the case by kind") \
    X("segment_rows", rows, 1, "Records in them") \
    X("segment_bytes", bytes, 1, "Bytes of them on the disk") \
    X("oldest_timestamp_seconds", first, 1e9, "The earliest time in them")
// clang-format on

static void put_holding(const struct store_holding *of, const char *name, double value,
                        const struct record_kind *kind, struct text *out)
{
    if (!of->segments || of->first == INT64_MAX) return;
    metric_sample(out, "store_", name);
    metric_label(out, "{", "kind", kind->name);
    text_add(out, "}");
    metric_real(out, value);
}

static void put_holdings(const struct store_holding *holdings, struct text *out)
{
    uint32_t count;
    const struct record_kind *const *kinds = catalogue(&count);
#define HOLDING_PUT(name, field, unit, help)                                                       \
    metric_family(out, "store_", name, "gauge", help);                                             \
    for (uint32_t i = 0; i < count; i++)                                                           \
        put_holding(&holdings[i], name, (double)holdings[i].field / unit, kinds[i], out);
    HOLDING_METRICS(HOLDING_PUT)
#undef HOLDING_PUT
}

static void put_store(const struct store_counts *n, struct text *out)
{
#define STORE_PUT(field, type, metric, unit, help)                                                 \
    metric_family(out, "store_", metric, type, help);                                              \
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
    for (unsigned r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        metric_family(out, "sink_", rows[r][0], "counter", rows[r][1]);
        for (uint32_t i = 0; i < s->delivered_count; i++) {
            metric_sample(out, "sink_", rows[r][0]);
            metric_label(out, "{", "sink", s->delivered_to[i]);
            text_add(out, "}");
            metric_number(out, delivery_count(&s->delivered[i], r));
        }
    }
}

// ---- all ----------------------------------------------------------------------------------------

void service_metrics(struct service *s, struct text *out)
{
    metric_family(out, "", "build_info", "gauge", "Which program this is");
    text_add(out, "weir_build_info{version=\"" WEIR_VERSION "\"} 1\n");
    metric_family(out, "", "start_time_seconds", "gauge", "When it began");
    text_format(out, "weir_start_time_seconds %.15g\n", (double)s->began / 1e9);
    lock_take(&s->counting);
    put_sources(s, out);
    put_bus(s, out);
    put_exporters(s->tally, out);
    put_losses(s->tally, out);
    put_records(s->tally, out);
    put_anomalies(s->tally, out);
    metrics_put_live(s, out);
    put_store(&s->stored, out);
    put_holdings(s->holdings, out);
    put_deliveries(s, out);
    metric_family(out, "", "reloads_total", "counter",
                  "How often the configuration was read again");
    text_format(out, "weir_reloads_total %" PRIu64 "\n", s->reloads);
    metric_family(out, "", "reload_errors_total", "counter", "Of them, those that were refused");
    text_format(out, "weir_reload_errors_total %" PRIu64 "\n", s->reload_faults);
    lock_give(&s->counting);
    process_metrics(s->began, out);
}

void service_status(struct service *s, struct text *out)
{
    uint64_t flows = 0, drops = 0, packets = 0, packet_drops = 0;
    bool has_live = false;
    lock_take(&s->counting);
    for (uint32_t i = 0; i < s->source_count; i++) {
        const struct service_source *source = s->sources[i];
        flows += source->shown_flows.flows + source->shown.lines.flows;
        drops += source->shown.dropped;
        packets += source->shown_live.packets;
        packet_drops +=
            source->shown_live.state.kernel_drops + source->shown_live.state.interface_drops;
        has_live = has_live || source->live;
    }
    text_format(out, "%" PRIu64 " flows came, %" PRIu64 " datagrams found no room, ", flows, drops);
    if (has_live)
        text_format(out, "%" PRIu64 " packets came, %" PRIu64 " found no room, ", packets,
                    packet_drops);
    text_format(out, "%" PRIu64 " records are in the case", s->stored.rows);
    if (s->stored.full) text_add(out, ", and the disk is full");
    lock_give(&s->counting);
}
