// Kinds that more than one stage writes: what was broken or suspicious, what has two readings, and
// what is missing.
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

// Bytes that came twice and differed: where, which reading went on, and what the other was.
enum ambiguity_field {
    AMBIGUITY_LAYER = COMMON_COUNT,
    AMBIGUITY_SIDE,
    AMBIGUITY_OFFSET,
    AMBIGUITY_LENGTH,
    AMBIGUITY_POLICY,
    AMBIGUITY_TAKEN,
    AMBIGUITY_OTHER,
    AMBIGUITY_TAKEN_TS,
    AMBIGUITY_TAKEN_MARKS,
    AMBIGUITY_OTHER_MARKS,
    AMBIGUITY_DATAGRAM,
};
extern const struct record_kind ambiguity_kind;

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
    LOSS_SIDE,
    LOSS_OFFSET,
    LOSS_INTERFACE,
};
extern const struct record_kind loss_kind;

// What a stage counted in one reading, so that sums can be checked: in = out + dropped by reason.
enum counter_field {
    COUNTER_STAGE,
    COUNTER_NAME,
    COUNTER_VALUE,
    COUNTER_UNIT,
    COUNTER_HELP,
    COUNTER_READING,
};
extern const struct record_kind counter_kind;
