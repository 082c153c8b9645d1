#include "cmd/sending.h"

#include <stdio.h>

#include "bus/kafka_place.h"
#include "cmd/cmd.h"
#include "record/packet_message.h"

struct packets_out *sending_open(const char *url, const char *more, struct err *err)
{
    const struct kafka_writer_options options = {.tell = command_say};
    if (kafka_is_place(url)) return packets_out_open(url, more, &options, err);
    err_set(err, ERR_USAGE, "packets are sent into a topic: kafka://HOST:PORT/TOPIC, not %s", url);
    return NULL;
}

bool sending_end(struct packets_out *packets, bool quiet, struct err *err)
{
    bool ok = packets_out_end(packets, err);
    struct packets_out_counts n = packets_out_counts(packets);
    packets_out_close(packets);
    if (!quiet && n.packets)
        fprintf(stderr, "weir: %llu packets sent: %llu delivered, %llu failed\n",
                (unsigned long long)n.packets, (unsigned long long)n.delivered,
                (unsigned long long)n.failed);
    return ok && (!n.too_long ||
                  err_set(err, ERR_INPUT, "%llu packets longer than %d bytes were not sent",
                          (unsigned long long)n.too_long, PACKET_MESSAGE_MAX));
}
