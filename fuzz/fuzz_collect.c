// Any bytes as messages of an exporter: each begins with its length in two bytes and with a byte
// that chooses its sender. The version is put in, so that every protocol is met.
#include <assert.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "collect/collector.h"
#include "collect/interface_kind.h"
#include "collect/protocol.h"
#include "flow/flow_kind.h"
#include "record/kinds.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MESSAGE_MAX = 4096, SENDERS = 4 };

static void drop(void *context, const struct record_batch *batch)
{
    (void)context;
    assert(batch->rows && batch->rows <= BATCH_ROWS_MAX);
}

static void take(struct collector *c, struct reader r, uint64_t number)
{
    uint8_t message[MESSAGE_MAX];
    uint8_t choice = read_u8(&r);
    bytes rest = bytes_first(reader_rest(&r), MESSAGE_MAX - 2);
    uint16_t version = export_protocols[choice / SENDERS % export_protocol_count]->version;
    message[0] = (uint8_t)(version >> 8);
    message[1] = (uint8_t)version;
    if (rest.n) memcpy(message + 2, rest.p, rest.n);
    struct export_message m = {.data = bytes_of(message, rest.n + 2),
                               .from = address_v4(choice % SENDERS),
                               .port = 2055,
                               .received = (nanos)number * NANOS_PER_SECOND + 1};
    collector_take(c, &m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct record_kind *const kinds[] = {&flow_kind, &interface_kind, &loss_kind};
    static const struct collector_options options = {.point = "", .elements = true};
    struct record_writer *writer = writer_create(kinds, 3, (struct record_sink){NULL, drop});
    struct collector *c = collector_create(&options, writer, NULL);
    struct reader r = reader_of(bytes_of(data, size));
    for (uint64_t number = 0; c && reader_left(&r) > 2; number++) {
        size_t length = read_be16(&r) % MESSAGE_MAX, left = reader_left(&r);
        take(c, read_sub(&r, length < left ? length : left), number);
    }
    if (c) collector_tell(c);
    writer_flush(writer);
    collector_destroy(c);
    writer_destroy(writer);
    return 0;
}
