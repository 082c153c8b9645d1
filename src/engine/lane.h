// A lane: the stages flow, stream, dissect and extract for the shards that it owns.
//
// One thread runs it from packets to records; nothing in it is shared. Records leave by the sink,
// which may block.
#pragma once

#include "flow/table.h"
#include "record/artifact.h"
#include "record/batch.h"
#include "stream/stream.h"

struct lane_options {
    struct flow_options flow;
    const char *point; // name of the observation point, "" when it has none
    bool dissect;      // look into payload
    bool references;   // keep which packets a conversation is made of
    uint64_t reading;  // number of the reading in the log of the case, for the references
    uint64_t kept_max; // bytes of one artifact
    const struct artifact_sink *artifacts; // NULL: contents are hashed and not kept
    uint32_t lane, lanes;                  // owns the shards s with s % lanes == lane
    // Told every piece of stream and every datagram; for showing one conversation again. May be
    // NULL.
    void *watcher;
    void (*watch)(void *watcher, const struct conversation *c, const struct stream_delivery *piece);
    void (*watch_gap)(void *watcher, const struct conversation *c, uint8_t side, uint64_t position,
                      uint64_t length, enum gap_kind kind);
};

// packets_in = packets_counted + packets_shed: every packet of the lane's shards is one or the
// other.
struct lane_counters {
    uint64_t packets_in, packets_counted, packets_shed;
    uint64_t conversations, conversations_evicted, references_lost;
    uint64_t packets_unread; // with payload that nobody looked at: no stream was free
    uint64_t gaps, missed_bytes, budget_bytes;
    uint64_t recognised, given_up, rows_truncated, held_full, anomalies_untold;
    uint64_t files, files_refused, extract_faults;
    uint64_t records;
};

struct lane;

// Borrows options' strings and artifacts, and the kinds. NULL and err on failure.
struct lane *lane_create(const struct lane_options *options, const struct record_kind *const *kinds,
                         uint32_t kind_count, struct record_sink sink, struct err *err);
void lane_destroy(struct lane *l);

// The packets of a decoded batch that belong to the lane's shards.
void lane_packets(struct lane *l, const struct packet_batch *batch);
// Fills in the shards of a decoded batch, by which lanes find their packets.
void lane_deal(struct packet_batch *batch);
// Ends all conversations and passes on everything.
void lane_end(struct lane *l);

struct lane_counters lane_counters(const struct lane *l);
