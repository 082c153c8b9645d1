// A conversation: one TCP connection, or one exchange of another protocol without a pause longer
// than the timeout.
//
// Lives in its lane's table (flow/table.h) by index; never touched by another thread. Side 0 and 1
// are those of the key; `src_side` says which of them began.
#pragma once

#include "base/time.h"
#include "record/packet.h"

// What is known of an endpoint of a TCP connection; the terms and their meaning are Zeek's.
enum endpoint_state {
    ENDPOINT_INACTIVE,
    ENDPOINT_SYN_SENT,
    ENDPOINT_SYN_ACK_SENT,
    ENDPOINT_PARTIAL, // seen, but its handshake was not
    ENDPOINT_ESTABLISHED,
    ENDPOINT_CLOSED, // sent FIN
    ENDPOINT_RESET,
};

enum { HISTORY_MAX = 32, SERVICES_MAX = 3, PROXIES_MAX = 2 };

struct conversation_side {
    uint64_t packets, bytes; // bytes on the IP layer
    uint64_t payload_bytes;  // TCP: of the stream, retransmissions not counted twice
    uint64_t missed_bytes;   // TCP: known to have been sent, never seen
    uint64_t unplaced_bytes; // of them, those in gaps that stand in no map
    uint64_t cut_bytes;      // of the payload, those that the snap length cut off
    uint64_t metered_packets, metered_bytes; // part that earlier flow records told
    uint32_t retransmits;
    uint32_t isn;          // sequence number of its SYN; until that is known, the lowest heard of
    uint8_t state;         // enum endpoint_state
    uint8_t metered_flags; // TCP flags of the running flow interval
    uint16_t history_seen; // bit per letter that is noted once
    uint8_t zero_windows, gaps_noted, retransmits_noted, has_isn;
};

struct conversation {
    struct conversation_key key;
    uint64_t hash;
    nanos active_at; // watermark of its last packet: silence is measured by watermarks, which never
                     // go back
    // --- second cache line
    nanos first_seen, last_seen;
    uint64_t id_hash;
    uint32_t stream;                   // TCP: index in the lane's pool of streams, or 0
    uint32_t dissect;                  // index in the lane's pool of dissections, or 0
    uint32_t watched;                  // number that a watcher of the lane gave it, or 0
    uint32_t timer_next, timer_before; // in its slot of the table's wheel, by index
    uint32_t accounts[2];              // who is charged for what each side sends (flow/accounts.h)
    uint16_t timer_slot;
    uint8_t src_side;
    uint8_t first_side; // that sent its first packet
    uint8_t shard;
    bool turned;  // src and dst were exchanged after the first packet
    bool settled; // a record told who src is, so it can't be turned any more
    uint8_t tos;
    bool ended; // TCP: closed by both, or reset
    bool metered;
    bool undissected; // nothing more will be made of its payload
    uint8_t history_length;
    uint16_t ambiguities; // places where its bytes have two readings, at most UINT16_MAX
    bool is_open;         // its slot of the table is in use
    bool stirred;         // a packet came since it was last looked at whether it rests
    bool is_awake;        // it stands in the queue of those to be looked at
    uint16_t gap_count, gap_room;
    nanos metered_from, metered_last; // the running flow interval, while `metered`
    nanos metered_at;                 // watermark of its first packet
    nanos syn_time, rtt;              // 0 until known
    struct conversation_side side[2];
    const char *services[SERVICES_MAX]; // by content, in the order in which they were found; NULL
                                        // behind the last
    char history[HISTORY_MAX];
    bool carries; // others: counted by the dispatcher, not by a lane
    uint8_t tunnel_depth;
    uint8_t tunnels[PACKET_TUNNELS_MAX]; // around it, by its first packet, as the packet has them
    uint8_t proxy_depth;
    const char *proxies[PROXIES_MAX]; // that its stream goes through, the first of them: constants
    struct record_id parent;          // the innermost that carries it, if tunnel_depth

    // The map of its gaps (flow/gaps.h).
    struct gap *gaps;

    // While it rests: what its stream and dissection keep, packed, and both of them are 0.
    struct rest *rest;

    // References to its packets (flow/references.h).
    uint8_t *references;
    uint32_t references_used, references_size, references_part;
    uint32_t last_capture;
    uint64_t last_ordinal;
};

// Whether side `side` is the one that began.
static inline bool conversation_is_src(const struct conversation *c, unsigned side)
{
    return side == c->src_side;
}

// Since when silence counts: from the watermark `at` of a packet, or from its own time where the
// watermark has come to believe that since. It does so late when a capture goes on after days.
static inline nanos silent_since(nanos at, nanos time, nanos watermark)
{
    return time > at && time <= watermark ? time : at;
}
