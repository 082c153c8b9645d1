// A lane: the stages flow, stream, dissect and extract for the shards that it owns.
//
// One thread runs it from packets to records; nothing in it is shared. Records leave by the sink,
// which may block.
#pragma once

#include "flow/table.h"
#include "record/artifact.h"
#include "record/batch.h"
#include "stream/stream.h"

// Conversations of all lanes that are dissected and not packed while they rest (engine/resting.h).
enum { AWAKE_MAX = 65536 };

struct lane_options {
    struct flow_options flow; // its accounts are the lane's own
    struct budget shard_max;  // SHARD_BYTES_MAX and so on, but in tests: they shape results
    const char *point;        // name of the observation point, "" when it has none
    bool dissect;             // look into payload
    bool references;          // keep which packets a conversation is made of
    uint64_t reading;         // number of the reading in the log of the case, for the references
    uint64_t kept_max;        // bytes of one artifact
    uint32_t awake_max;       // AWAKE_MAX divided by the lanes, but in tests
    struct overlap_rules overlap;          // who wins where segments differ, by receiver
    const struct artifact_sink *artifacts; // NULL: contents are hashed and not kept
    uint32_t lane, lanes;                  // owns the shards s with s % lanes == lane
    // Told every piece of stream and every datagram; for showing conversations again and searching
    // them. Each may be NULL. `watch_begin` gives the watcher's own number for a conversation, kept
    // in c->watched.
    void *watcher;
    uint32_t (*watch_begin)(void *watcher, const struct conversation *c);
    void (*watch_end)(void *watcher, const struct conversation *c);
    void (*watch)(void *watcher, const struct conversation *c, const struct stream_delivery *piece);
    void (*watch_gap)(void *watcher, const struct conversation *c, uint8_t side, uint64_t position,
                      uint64_t length, enum gap_kind kind);
    // Told where the payload of a packet stands in the stream of its side, also of what came again.
    // May be NULL.
    void (*placed)(void *watcher, const struct conversation *c, uint8_t side, uint64_t position,
                   uint64_t length);
    // Whether anything is made of a conversation that begins; NULL: of all.
    bool (*wants)(void *watcher, const struct conversation *c);
};

// packets_in = packets_counted + packets_shed: every packet of the lane's shards is one or the
// other, and so is every frame that a packet was joined from. A row each: name, unit, help. They
// stand in every case as `counter` records.
// clang-format off
#define LANE_COUNTERS(X) \
    X(packets_in, "packets", "Packets of conversations that came to the lanes") \
    X(packets_counted, "packets", "Of them, those that a conversation counted") \
    X(packets_shed, "packets", "Of them, those for which no conversation could be made") \
    X(packets_unread, "packets", "With payload that nobody looked at, since no stream was free") \
    X(conversations, "conversations", "Conversations that were begun") \
    X(conversations_evicted, "conversations", "Of them, those ended because their shard was full") \
    X(conversations_of_source, "conversations", \
      "Of them, those ended because who began them had begun too many") \
    X(references_lost, "packets", "Packets whose reference could not be kept") \
    X(gaps, "gaps", "Holes in TCP streams") \
    X(missed_bytes, "bytes", "Bytes of TCP streams that were sent and never seen") \
    X(budget_bytes, "bytes", "Of them, those given up because too much waited behind them") \
    X(ambiguities, "places", "Where bytes came twice and differed") \
    X(ambiguities_untold, "records", "Of them, those beyond the most that one conversation tells") \
    X(uncompared_bytes, "bytes", "Bytes not kept to compare with what was sent again") \
    X(recognised, "conversations", "Conversations whose protocol was recognised by content") \
    X(given_up, "conversations", "Conversations that no dissector could be begun for") \
    X(rows_truncated, "records", "Records that had more than fits") \
    X(held_full, "records", "Records that could not wait for their other half") \
    X(dissect_refused, "times", \
      "A state or a record for which its source or shard had no memory left") \
    X(anomalies_untold, "records", "Anomalies beyond the most that one conversation tells") \
    X(files, "files", "Bodies that were begun") \
    X(files_refused, "files", "Bodies for which no file was free") \
    X(files_unbudgeted, "files", "Bodies for which their source or shard had no file left") \
    X(extract_faults, "files", "Bodies whose encoding was broken, cut or at its limit") \
    X(records, "records", "Records of all kinds from the lanes")
// clang-format on

struct lane_counters {
#define LANE_COUNTER_FIELD(name, unit, help) uint64_t name;
    LANE_COUNTERS(LANE_COUNTER_FIELD)
#undef LANE_COUNTER_FIELD
    // How often what a conversation keeps was packed. No row, as it depends on the lanes.
    uint64_t rests;
};

// What a lane holds at the moment. A row each, as above.
// clang-format off
#define LANE_GAUGES(X) \
    X(open_conversations, "conversations", "Conversations that have not ended") \
    X(held_bytes, "bytes", "What streams and dissectors keep: unread, or behind a hole")
// clang-format on

struct lane_gauges {
#define LANE_GAUGE_FIELD(name, unit, help) uint64_t name;
    LANE_GAUGES(LANE_GAUGE_FIELD)
#undef LANE_GAUGE_FIELD
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
// The conversation of a decoded packet, or NULL; and its end before its time. For showing
// conversations again.
const struct conversation *lane_find(struct lane *l, const struct packet *p);
void lane_finish(struct lane *l, const struct packet *p);
// Ends all conversations and passes on everything.
void lane_end(struct lane *l);

struct lane_counters lane_counters(const struct lane *l);
struct lane_gauges lane_gauges(const struct lane *l);
