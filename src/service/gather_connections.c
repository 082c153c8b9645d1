// Messages from TCP connections, and what was wrong with connections.
#include "record/loss.h"
#include "service/gather.h"
#include "source/connections.h"

struct listening {
    struct collector *collector;
    struct record_writer *writer;
    struct gather_counts *counts;
    uint64_t first;
    nanos now;
};

static void take_message(void *context, const struct connection *from, bytes message)
{
    const struct listening *l = context;
    struct export_message m = {.data = message,
                               .from = from->from,
                               .port = from->port,
                               .connection = l->first + from->number,
                               .received = l->now};
    collector_take(l->collector, &m);
}

static void take_end(void *context, const struct connection *from, enum connection_end why)
{
    static const char *const reasons[] = {NULL,
#define REASON(name, help) #name,
                                          CONNECTION_FAULTS(REASON)
#undef REASON
    };
    const struct listening *l = context;
    collector_close(l->collector, l->first + from->number);
    l->counts->connections++;
    if (!reasons[why]) return;
    char point[ADDRESS_TEXT_MAX];
    address_format(point, from->from);
    struct loss loss = {"collect", reasons[why], l->now, l->now, .count = 1, .point = point};
    loss_tell(l->writer, &loss);
    l->counts->faults++;
}

bool gather_connections(const struct gather_options *options, struct connections *from,
                        uint64_t first, struct collector *c, struct record_writer *writer,
                        struct gather_counts *counts, struct err *err)
{
    enum { ROUNDS_MAX = 16 };
    struct listening l = {c, writer, counts, first, 0};
    struct connection_events events = {&l, take_message, take_end};
    int messages = 1;
    for (unsigned round = 0; round < ROUNDS_MAX && messages > 0; round++) {
        l.now = options->clock();
        messages = connections_read(from, l.now, &events, err);
    }
    return messages >= 0;
}
