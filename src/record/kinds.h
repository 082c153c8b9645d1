// Kinds that more than one stage writes: what was broken or suspicious, and what is missing.
#pragma once

#include "record/kind.h"

// Something broken or suspicious in the traffic: data, not an error of ours.
enum anomaly_field {
    ANOMALY_NAME = COMMON_COUNT,
    ANOMALY_SERVICE,
    ANOMALY_SIDE,
    ANOMALY_DETAIL,
};
extern const struct record_kind anomaly_kind;

// What was not seen or not kept, by place and reason. Hangs on a conversation only where it is
// one's own.
enum loss_field {
    LOSS_TS,
    LOSS_LAST_SEEN,
    LOSS_POINT,
    LOSS_STAGE,
    LOSS_REASON,
    LOSS_PACKETS,
    LOSS_BYTES,
    LOSS_CONVERSATION_ID,
    LOSS_CAPTURE,
    LOSS_COUNT,
};
extern const struct record_kind loss_kind;
