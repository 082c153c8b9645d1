#include "record/packet.h"

#include <assert.h>
#include <stddef.h>

#include "base/memory.h"

enum { MORE_MIN = 32 };

struct packet_buffer *packet_buffer_create(uint32_t size)
{
    // Not memory_get: the source writes over all of it, so zeroing would touch each byte twice.
    struct packet_buffer *b = memory_resize(NULL, offsetof(struct packet_buffer, data) + size);
    b->refs = 1;
    b->size = size;
    return b;
}

void packet_buffer_ref(struct packet_buffer *b)
{
    // Whoever refers to it holds it already, so nothing needs to be seen in order.
    uint32_t before = __atomic_fetch_add(&b->refs, 1, __ATOMIC_RELAXED);
    assert(before > 0);
    (void)before;
}

void packet_buffer_unref(struct packet_buffer *b)
{
    if (!b) return;
    // The last holder must see what the others did before they let go.
    uint32_t left = __atomic_sub_fetch(&b->refs, 1, __ATOMIC_ACQ_REL);
    if (left == 0) memory_free(b);
}

struct packet_batch *packet_batch_create(void)
{
    return memory_get(sizeof(struct packet_batch));
}

void packet_batch_destroy(struct packet_batch *b)
{
    if (!b) return;
    packet_batch_clear(b);
    memory_free(b->more);
    memory_free(b);
}

void packet_batch_clear(struct packet_batch *b)
{
    for (uint32_t i = 0; i < b->buffer_count; i++) packet_buffer_unref(b->buffers[i]);
    b->buffer_count = 0;
    b->count = 0;
    b->more_count = 0;
    b->rests = false;
    if (b->more_size <= PACKETS_MAX) return;
    memory_free(b->more); // frames as full as that are rare
    b->more = NULL;
    b->more_size = 0;
}

struct packet *packet_batch_more(struct packet_batch *b, uint32_t after)
{
    if (b->more_count == b->more_size) {
        uint32_t size = b->more_size ? b->more_size * 2 : MORE_MIN;
        struct packet_more *larger = memory_get(size * sizeof *larger);
        if (b->more_count) memcpy(larger, b->more, b->more_count * sizeof *larger);
        memory_free(b->more);
        b->more = larger;
        b->more_size = size;
    }
    struct packet_more *m = &b->more[b->more_count++];
    *m = (struct packet_more){.after = after};
    return &m->packet;
}

bool packet_batch_keep(struct packet_batch *b, struct packet_buffer *buffer)
{
    if (b->buffer_count && b->buffers[b->buffer_count - 1] == buffer) return true;
    if (b->buffer_count == PACKET_BUFFERS_MAX) return false;
    packet_buffer_ref(buffer);
    b->buffers[b->buffer_count++] = buffer;
    return true;
}
