// Which datagrams are joined from the fragments in a capture, for comparison with other programs:
// one line of JSON for each, with the frame that completed it (from 1), the bytes behind its IP
// header, and how many frames it was joined from.
#include <inttypes.h>
#include <stdio.h>

#include "base/memory.h"
#include "decode/decode.h"
#include "source/source.h"

enum { IPV4_HEADER_WORD = 4, IPV6_HEADER = 40 };

static void print_datagram(const struct packet *p)
{
    struct reader r = reader_of(bytes_of(p->data, p->captured));
    uint8_t first = read_u8(&r);
    uint32_t header = first >> 4 == 4 ? (first & 15u) * IPV4_HEADER_WORD : IPV6_HEADER;
    printf("{\"frame\":%" PRIu64 ",\"bytes\":%" PRIu32 ",\"frames\":%u}\n", p->ordinal + 1,
           p->length - header, p->frame_count + 1u);
}

static void print_batch(const struct packet_batch *batch)
{
    for (uint32_t i = 0; i < batch->count; i++)
        if (batch->packets[i].frame_count) print_datagram(&batch->packets[i]);
}

static bool run(const char *path, struct err *err)
{
    struct source_options from = {.paths = &path, .path_count = 1};
    struct source *source = source_open(&from, err);
    if (!source) return false;
    struct decoder *decoder = memory_get(sizeof *decoder);
    struct packet_batch *batch = packet_batch_create();
    decoder_init(decoder);
    enum source_result result;
    while ((result = source_read(source, batch, err)) == SOURCE_PACKETS) {
        decode_batch(decoder, batch);
        print_batch(batch);
        packet_batch_clear(batch);
    }
    decoder_deinit(decoder);
    packet_batch_destroy(batch);
    memory_free(decoder);
    source_close(source);
    return result == SOURCE_END;
}

int main(int argc, char **argv)
{
    struct err err = {0};
    if (argc != 2) {
        fputs("usage: datagrams CAPTURE\n", stderr);
        return ERR_USAGE;
    }
    if (run(argv[1], &err)) return 0;
    fprintf(stderr, "datagrams: %s\n", err.text);
    return (int)err.code;
}
