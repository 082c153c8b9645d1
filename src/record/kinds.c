#include "record/kinds.h"

// clang-format off
static const struct field anomaly_fields[] = {
    RECORD_COMMON_FIELDS,
    {"name", FIELD_TEXT, NULL,
     "What is wrong, as a constant word: dns_pointer_loop", "event.code", NULL, 0},
    {"service", FIELD_TEXT, NULL,
     "The dissector or stage that told it", "network.protocol", "source", 0},
    {"side", FIELD_TEXT, NULL, "Who sent it: src or dst", NULL, NULL, 0},
    {"detail", FIELD_TEXT, NULL, "What was seen", "message", "addl", 0},
};

static const struct field loss_fields[] = {
    {"ts", FIELD_TIME, NULL, "Time from which on it was missing", "@timestamp", NULL, 0},
    {"last_seen", FIELD_TIME, NULL, "Time until which it was missing", "event.end", NULL, 0},
    {"point", FIELD_TEXT, NULL,
     "Observation point, where it has a name", "observer.name", "peer", 0},
    {"stage", FIELD_TEXT, NULL,
     "Where it was lost: source, decode, flow, stream, dissect or extract", NULL, NULL, 0},
    {"reason", FIELD_TEXT, NULL, "Why, as a constant word", "event.reason", NULL, 0},
    {"packets", FIELD_UINT, "packets",
     "Packets that are missing", NULL, "droppedPacketDeltaCount", 0},
    {"bytes", FIELD_UINT, "bytes", "Bytes that are missing", NULL, "droppedOctetDeltaCount", 0},
    {"conversation_id", FIELD_ID, NULL,
     "The conversation it is missing in, where it is one", "network.session_id", "uid", 0},
    {"capture", FIELD_TEXT, NULL,
     "Path of the capture it is missing in", "file.path", NULL, FIELD_UNDIGESTED},
    {"count", FIELD_UINT, NULL,
     "How many of what the reason names, where these are neither packets nor bytes", NULL, NULL, 0},
};
static const struct field counter_fields[] = {
    {"stage", FIELD_TEXT, NULL, "Which stage counted: source, decode or lane", NULL, NULL, 0},
    {"name", FIELD_TEXT, NULL, "What was counted", NULL, NULL, 0},
    {"value", FIELD_UINT, NULL, "How many", NULL, NULL, 0},
    {"unit", FIELD_TEXT, NULL, "Of what", NULL, NULL, 0},
    {"help", FIELD_TEXT, NULL, "What it means", NULL, NULL, 0},
    {"reading", FIELD_UINT, NULL, "Number of the reading in the log", NULL, NULL, FIELD_HIDDEN},
};
// clang-format on

#define COUNT(fields) (sizeof(fields) / sizeof((fields)[0]))
_Static_assert(COUNT(anomaly_fields) == ANOMALY_DETAIL + 1, "a number for each field");
_Static_assert(COUNT(loss_fields) == LOSS_COUNT + 1, "a number for each field");

const struct record_kind anomaly_kind = {
    .name = "anomaly",
    .help = "Something broken or suspicious in a conversation",
    .fields = anomaly_fields,
    .field_count = COUNT(anomaly_fields),
};

const struct record_kind loss_kind = {
    .name = "loss",
    .help = "Packets or bytes that were not seen or not kept, and why",
    .fields = loss_fields,
    .field_count = COUNT(loss_fields),
};

const struct record_kind counter_kind = {
    .name = "counter",
    .help = "What the stages counted: packets in are packets out and dropped, by reason",
    .fields = counter_fields,
    .field_count = COUNT(counter_fields),
    .undigested = true,
};
