// What a capture says of one of its interfaces; formats without interfaces have one.
#pragma once

#include <stdint.h>

enum { INTERFACE_NAME_MAX = 64 };

// The comment of statistics that tell from when to when an interface was down.
#define INTERFACE_DOWN "the interface was down"

struct capture_interface {
    uint16_t link_type;
    uint32_t snap_length;          // 0: no limit, or not known
    char name[INTERFACE_NAME_MAX]; // cut; "" when it has none
};
