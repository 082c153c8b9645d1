// Packets of one interface that wait for their turn, in the order in which they came. Bounded; who
// fills it asks for room first.
//
// One thread.
#pragma once

#include "base/time.h"

enum { LIVE_PACKET_MAX = 262144 }; // bytes of a packet that are taken

struct live_queue {
    uint8_t *data;
    size_t at, end, size;
    nanos last; // time of the packet that was put last
};

struct live_queued {
    nanos time;
    uint32_t captured, length;
    uint16_t link_type;
};

void live_queue_init(struct live_queue *q, size_t size);
void live_queue_deinit(struct live_queue *q);

// Whether one more packet has room, however long.
bool live_queue_has_room(struct live_queue *q);
// There must be room.
void live_queue_put(struct live_queue *q, const struct live_queued *head, const uint8_t *data);

// The first packet; false when there is none.
bool live_queue_first(const struct live_queue *q, struct live_queued *head);
const uint8_t *live_queue_data(const struct live_queue *q);                 // its bytes
void live_queue_pass(struct live_queue *q, const struct live_queued *head); // takes it out
