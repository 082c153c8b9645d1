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

static const struct field ambiguity_fields[] = {
    RECORD_COMMON_FIELDS,
    {"layer", FIELD_TEXT, NULL,
     "Where it is: tcp (segments that overlap) or ip (fragments)", "network.transport", NULL, 0},
    {"side", FIELD_TEXT, NULL, "Who sent it: src or dst", NULL, NULL, 0},
    {"offset", FIELD_UINT, "bytes",
     "Where it begins in the stream of that side, or in the datagram", NULL, NULL, 0},
    {"length", FIELD_UINT, "bytes", "How many bytes are in dispute", NULL, NULL, 0},
    {"policy", FIELD_TEXT, NULL,
     "The rule that decided which reading went on", "rule.name", NULL, 0},
    {"taken", FIELD_HASH, NULL,
     "The reading that went on, up to a bound", NULL, NULL, 0},
    {"other", FIELD_HASH, NULL,
     "The other reading, up to a bound", NULL, NULL, 0},
    {"taken_ts", FIELD_TIME, NULL,
     "When the packet came whose reading went on; ts is that of the later one", NULL, NULL, 0},
    {"taken_marks", FIELD_TEXTS, NULL,
     "What speaks against the reading that went on: bad_checksum, low_ttl, old_timestamp, "
     "out_of_window",
     NULL, NULL, 0},
    {"other_marks", FIELD_TEXTS, NULL,
     "What speaks against the other reading, in the same words", NULL, NULL, 0},
    {"datagram", FIELD_UINT, NULL,
     "Identification of the datagram whose fragments disagree", NULL, NULL, 0},
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
    {"side", FIELD_TEXT, NULL, "Whose bytes they are: src or dst", NULL, NULL, 0},
    {"offset", FIELD_UINT, "bytes",
     "Where they are missing in the stream of that side", NULL, NULL, 0},
    {"interface", FIELD_TEXT, NULL,
     "Name of the interface that lost them", "observer.ingress.interface.name", NULL, 0},
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
_Static_assert(COUNT(ambiguity_fields) == AMBIGUITY_DATAGRAM + 1, "a number for each field");
_Static_assert(COUNT(loss_fields) == LOSS_INTERFACE + 1, "a number for each field");

const struct record_kind anomaly_kind = {
    .name = "anomaly",
    .help = "Something broken or suspicious in a conversation",
    .fields = anomaly_fields,
    .field_count = COUNT(anomaly_fields),
};

const struct record_kind ambiguity_kind = {
    .name = "ambiguity",
    .help = "Bytes that came twice and differed: both readings, and which went on",
    .fields = ambiguity_fields,
    .field_count = COUNT(ambiguity_fields),
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
