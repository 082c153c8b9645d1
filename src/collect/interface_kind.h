// The kind `interface`: counters of a router's interface, as its exporter tells them now and then.
#pragma once

#include "record/kind.h"

enum interface_field {
    INTERFACE_TS,
    INTERFACE_POINT,
    INTERFACE_EXPORTER,
    INTERFACE_DOMAIN,
    INTERFACE_INDEX,
    INTERFACE_TYPE,
    INTERFACE_SPEED,
    INTERFACE_DUPLEX,
    INTERFACE_STATUS,
    INTERFACE_IN_BYTES,
    INTERFACE_IN_UNICAST,
    INTERFACE_IN_MULTICAST,
    INTERFACE_IN_BROADCAST,
    INTERFACE_IN_DISCARDS,
    INTERFACE_IN_ERRORS,
    INTERFACE_IN_UNKNOWN,
    INTERFACE_OUT_BYTES,
    INTERFACE_OUT_UNICAST,
    INTERFACE_OUT_MULTICAST,
    INTERFACE_OUT_BROADCAST,
    INTERFACE_OUT_DISCARDS,
    INTERFACE_OUT_ERRORS,
    INTERFACE_FIELDS,
};

extern const struct record_kind interface_kind;
