// What a summary holds, for the one who collects (summary.c) and the one who writes
// (summary_print.c).
#pragma once

#include "base/address.h"
#include "base/lock.h"
#include "base/time.h"
#include "engine/summary.h"
#include "engine/summary_counts.h"

enum {
    SUMMARY_PROTOS = 256,
    SUMMARY_COLUMNS_MAX = 20,
    SUMMARY_KINDS = 11,
    SUMMARY_LABEL_MAX = 256
};

// What the sums of a count are; the first decides the order.
// MISSED: payload that was never seen; SHOULD: with it, what there should be.
enum service_sum { SERVICE_BYTES, SERVICE_CONVERSATIONS, SERVICE_MISSED, SERVICE_SHOULD };
enum talker_sum {
    TALKER_BYTES,
    TALKER_SENT,
    TALKER_RECEIVED,
    TALKER_PEERS,
    TALKER_MISSED,
    TALKER_SHOULD
};
enum host_sum { HOST_REQUESTS, HOST_BYTES, HOST_INCOMPLETE };
enum name_sum { NAME_COUNT, NAME_INCOMPLETE };
enum file_sum { FILE_BYTES, FILE_COUNT, FILE_INCOMPLETE };
enum certificate_sum { CERTIFICATE_SEEN, CERTIFICATE_EXPIRED, CERTIFICATE_SELF_SIGNED };
enum source_sum { SOURCE_BYTES, SOURCE_PACKETS, SOURCE_FLOWS };
enum loss_sum { LOST_PACKETS, LOST_BYTES, LOST_TOLD };

struct summary_captures {
    uint64_t captures, packets, bytes, captured_bytes, filtered, backwards;
    uint64_t cut, damaged, damaged_bytes, interface_drops;
    nanos first_seen, last_seen; // of packets; none when the first is after the last
    struct counts formats, paths;
};

struct summary_proto {
    uint64_t conversations, packets, bytes;
    uint64_t missed, should;
};

struct summary_conversations {
    uint64_t conversations, packets, bytes;
    uint64_t missed_bytes, payload_bytes, gappy; // TCP; conversations that lack bytes
    struct summary_proto protos[SUMMARY_PROTOS];
    struct counts states, services, talkers;
    struct pairs pairs;
    uint64_t largest_bytes;
    struct record_id largest;
};

struct summary_dns {
    uint64_t transactions, answered, nxdomain, failed, incomplete;
    struct counts names;
};

struct summary_http {
    uint64_t transactions, incomplete;
    uint64_t classes[6]; // by hundreds; 0: no response seen
    struct counts hosts;
};

struct summary_tls {
    uint64_t handshakes, established, nameless, incomplete;
    struct counts names, versions, certificates;
};

struct summary_files {
    uint64_t files, bytes, incomplete, largest_size;
    struct record_id largest;
    char largest_label[SUMMARY_LABEL_MAX + 1];
    struct counts types;
};

// Those that others measured.
struct summary_flows {
    uint64_t flows, packets, bytes, sampled;
    nanos first_seen, last_seen;
    struct counts exporters, sources;
};

struct summary {
    struct lock lock;
    const struct record_kind *kinds[SUMMARY_KINDS]; // whose field numbers are known
    int fields[SUMMARY_KINDS][SUMMARY_COLUMNS_MAX];
    struct summary_captures captures;
    struct summary_conversations conversations;
    struct summary_dns dns;
    struct summary_http http;
    struct summary_tls tls;
    struct summary_files files;
    struct summary_flows flows;
    struct counts anomalies, losses;
    uint64_t ambiguities, ambiguous_bytes;
};
