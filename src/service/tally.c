#include "service/tally.h"

#include <string.h>

#include "flow/flow_kind.h"
#include "record/kinds.h"

// ---- flows by exporter --------------------------------------------------------------------------

static uint64_t *exporter_flows(struct tally *t, struct address exporter)
{
    if (t->exporter_count && address_equal(t->exporters[t->exporter_last].address, exporter))
        return &t->exporters[t->exporter_last].flows;
    uint32_t i = 0;
    while (i < t->exporter_count && !address_equal(t->exporters[i].address, exporter)) i++;
    if (i == TALLY_PLACES_MAX) return &t->other_flows;
    if (i == t->exporter_count)
        t->exporters[t->exporter_count++] = (struct tally_exporter){.address = exporter};
    t->exporter_last = i;
    return &t->exporters[i].flows;
}

static void take_flows(struct tally *t, const struct record_batch *batch)
{
    for (uint32_t row = 0; row < batch->rows; row++)
        if (batch_has(batch, FLOW_EXPORTER, row))
            ++*exporter_flows(t, batch_get_address(batch, FLOW_EXPORTER, row));
}

// ---- losses -------------------------------------------------------------------------------------

static void word_of(char word[TALLY_WORD_MAX], const struct record_batch *batch, unsigned field,
                    uint32_t row)
{
    bytes text = {0};
    if (batch_has(batch, field, row)) text = batch_get_bytes(batch, field, row);
    if (text.n >= TALLY_WORD_MAX) text.n = TALLY_WORD_MAX - 1;
    memset(word, 0, TALLY_WORD_MAX);
    if (text.n) memcpy(word, text.p, text.n);
}

static uint64_t number_of(const struct record_batch *batch, unsigned field, uint32_t row)
{
    return batch_has(batch, field, row) ? batch_get(batch, field, row) : 0;
}

static struct tally_loss *loss_named(struct tally *t, const struct tally_loss *name)
{
    for (uint32_t i = 0; i < t->loss_count; i++) {
        struct tally_loss *l = &t->losses[i];
        if (strcmp(l->stage, name->stage) == 0 && strcmp(l->reason, name->reason) == 0 &&
            strcmp(l->point, name->point) == 0 && strcmp(l->interface, name->interface) == 0)
            return l;
    }
    if (t->loss_count == TALLY_PLACES_MAX) return &t->other_loss;
    t->losses[t->loss_count] = *name;
    return &t->losses[t->loss_count++];
}

static void take_losses(struct tally *t, const struct record_batch *batch)
{
    for (uint32_t row = 0; row < batch->rows; row++) {
        struct tally_loss name = {0};
        word_of(name.stage, batch, LOSS_STAGE, row);
        word_of(name.reason, batch, LOSS_REASON, row);
        word_of(name.point, batch, LOSS_POINT, row);
        word_of(name.interface, batch, LOSS_INTERFACE, row);
        struct tally_loss *l = loss_named(t, &name);
        l->packets += number_of(batch, LOSS_PACKETS, row);
        l->bytes += number_of(batch, LOSS_BYTES, row);
        l->count += number_of(batch, LOSS_COUNT, row);
    }
}

// ---- anomalies ----------------------------------------------------------------------------------

static uint64_t *anomaly_count(struct tally *t, const struct tally_anomaly *name)
{
    for (uint32_t i = 0; i < t->anomaly_count; i++) {
        struct tally_anomaly *a = &t->anomalies[i];
        if (strcmp(a->protocol, name->protocol) == 0 && strcmp(a->name, name->name) == 0)
            return &a->count;
    }
    if (t->anomaly_count == TALLY_PLACES_MAX) return &t->other_anomalies;
    t->anomalies[t->anomaly_count] = *name;
    return &t->anomalies[t->anomaly_count++].count;
}

static void take_anomalies(struct tally *t, const struct record_batch *batch)
{
    for (uint32_t row = 0; row < batch->rows; row++) {
        struct tally_anomaly name = {.count = 0};
        word_of(name.protocol, batch, ANOMALY_SERVICE, row);
        word_of(name.name, batch, ANOMALY_NAME, row);
        ++*anomaly_count(t, &name);
    }
}

void tally_take(struct tally *t, const struct record_batch *batch)
{
    uint32_t count, i = 0;
    const struct record_kind *const *kinds = catalogue(&count);
    while (i < count && kinds[i] != batch->kind) i++;
    if (i < count) t->records[i] += batch->rows;
    if (batch->kind == &flow_kind) take_flows(t, batch);
    if (batch->kind == &loss_kind) take_losses(t, batch);
    if (batch->kind == &anomaly_kind) take_anomalies(t, batch);
}
