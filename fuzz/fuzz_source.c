// Any bytes as a capture file: whatever they are, reading ends, and packets lie within their
// buffers.
#include <stdlib.h>

#include "source/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// Touches every byte, so that a sanitizer sees what lies outside.
static uint64_t sum_of(const struct packet_batch *batch)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct packet *p = &batch->packets[i];
        for (uint32_t j = 0; j < p->captured; j++) sum += p->data[j];
    }
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct source_options options = {.bpf = size % 2 ? "ip or len > 100" : NULL};
    struct source *s = source_open_memory(bytes_of(data, size), &options, NULL);
    if (!s) return 0;
    struct packet_batch *batch = packet_batch_create();
    volatile uint64_t sum = 0;
    while (source_read(s, batch, NULL) == SOURCE_PACKETS) {
        sum += sum_of(batch);
        packet_batch_clear(batch);
    }
    const struct capture_info *info = source_capture(s, 0);
    if (info->packets_filtered > info->packets) abort();
    if (info->compression[0] == 0 && info->damaged_bytes + info->cut_bytes > size) abort();
    char remark[CAPTURE_REMARK_MAX];
    capture_remark(info, remark);
    packet_batch_destroy(batch);
    source_close(s);
    return 0;
}
