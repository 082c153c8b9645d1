// What a capture says of one of its interfaces; formats without interfaces have one.
#pragma once

#include <stdint.h>

enum { INTERFACE_NAME_MAX = 64 };

// Statistics that tell of something else than drops, by their comment: a row each, with the reason
// of the loss. Those of messages tell how many.
#define INTERFACE_DOWN "the interface was down"
#define INTERFACE_LOSSES(X)                                                                        \
    X("interface_down", INTERFACE_DOWN)                                                            \
    X("undecodable", MESSAGES_UNDECODABLE)                                                         \
    X("topic_expired", MESSAGES_EXPIRED)
#define MESSAGES_UNDECODABLE "messages that are no packets"
#define MESSAGES_EXPIRED "messages that were gone before they were read"

struct capture_interface {
    uint16_t link_type;
    uint32_t snap_length;          // 0: no limit, or not known
    char name[INTERFACE_NAME_MAX]; // cut; "" when it has none
};
