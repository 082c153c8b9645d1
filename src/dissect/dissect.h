// Application protocols to records. One file a protocol: dissect/NAME.c ends in a constant `struct
// dissector` named NAME_dissector; the list in dissect/meson.build registers it.
//
// A dissector is chosen by what the first bytes look like, and only then by port. On a datagram it
// sees one message; on a stream it sees a contiguous view of all delivered bytes it has not
// consumed yet (at most STREAM_VIEW_MAX), consumes whole messages, says how many bytes it used, how
// many more to skip unseen, or how many it wants before it is called again. It buffers nothing:
// what must outlive the call lies in its state (a bounded block without pointers, zeroed at start)
// or in a row that it holds. Results must not depend on how the bytes were cut into segments.
//
// Thread: all calls for one conversation come from the lane that owns it. Nothing blocks, nothing
// allocates.
#pragma once

#include "base/bytes.h"
#include "base/time.h"
#include "record/kind.h"
#include "record/row.h"

enum { STREAM_VIEW_MAX = 65536, DISSECT_STATE_MAX = 4096, DISSECT_HELD_MAX = 64 };

enum transport { TRANSPORT_TCP = 1, TRANSPORT_UDP = 2 };

struct dissect; // the services of the stage for one conversation; see below

// What is there to see: a datagram, or the unread part of one direction of a stream.
struct piece {
    bytes data;
    uint64_t
        position; // of data in its direction: stream offset, or payload bytes of earlier datagrams
    nanos time;   // of the packet that holds the first byte; dissect_time_at for later bytes
    uint8_t side; // 0: sent by who began, 1: by the other; the same number throughout (see
                  // dissect_client_is)
    bool last;    // nothing follows in this direction (half close, or end of the conversation)
    bool closed;  // and its sender closed it (FIN): what ends by closing is complete
    bool cut;     // the datagram was cut by the snap length: fewer bytes are there than were sent
    uint32_t length; // bytes that were sent, for a datagram
};

// How sure a dissector is by looking at the first bytes of a conversation.
enum recognition {
    RECOGNISE_NO,   // cannot be mine
    RECOGNISE_MORE, // could be, more bytes of this direction would tell
    RECOGNISE_PORT, // could be, if the port says so too
    RECOGNISE_YES,  // is mine, on any port
};

enum verdict {
    DISSECT_GO,       // `used`, `skip` and `want` hold; a datagram was understood
    DISSECT_NOT_MINE, // the conversation belongs to another protocol; never after a record was
                      // emitted
    DISSECT_STOP,     // nothing more can be made of this direction
};

struct progress {
    enum verdict verdict;
    size_t used;   // bytes of the view that are done with
    uint64_t skip; // bytes after them that need not be shown (they still count, and gaps within are
                   // of no interest)
    size_t want;   // do not call again below this many unread bytes; 0: any new byte. At most
                   // STREAM_VIEW_MAX
};

struct dissector {
    const char *name;                   // the `service` of the conversation: "dns", "http", "tls"
    unsigned transports;                // enum transport
    uint16_t ports[8];                  // hints, ended by 0
    uint16_t state_size;                // at first; at most DISSECT_STATE_MAX
    const struct record_kind *kinds[4]; // ended by NULL

    // Looks at the first unread bytes of one direction. Must not keep anything.
    enum recognition (*recognise)(const struct piece *first, enum transport transport);

    // One datagram. DISSECT_NOT_MINE gives the conversation up; anything broken is an anomaly and
    // DISSECT_GO.
    enum verdict (*datagram)(struct dissect *d, const struct piece *piece);

    // A stream. Called when there are new bytes, and once more with `last` set when a direction
    // ends (data may be empty).
    struct progress (*stream)(struct dissect *d, const struct piece *piece);

    // `length` bytes of direction `side` are missing at `position` (bytes that were skipped are not
    // told). The next view begins behind them. False: nothing more can be made of this direction.
    bool (*gap)(struct dissect *d, uint8_t side, uint64_t position, uint64_t length);

    // The conversation is over: emit what is held.
    void (*end)(struct dissect *d);
};

// ---- what a dissector may ask for
// -------------------------------------------------------------------------------

void *dissect_state(struct dissect *d);
// The state, moved to where it has `size` bytes, more than before; what is new is zero. NULL when
// there is no room: then it stays where it is. For what few conversations need.
void *dissect_state_resize(struct dissect *d, size_t size);
enum transport dissect_transport(const struct dissect *d);
uint16_t dissect_port(const struct dissect *d, uint8_t side); // of src (0) or dst (1)

// Time of the packet that brought the byte at `position` of the view last shown.
nanos dissect_time_at(const struct dissect *d, uint8_t side, uint64_t position);

// A fresh row that begins at `position` of direction `side`, valid until the next dissect_row or
// dissect_take. The common fields are filled in by dissect_emit; the ranges by row_range.
struct row *dissect_row(struct dissect *d, const struct record_kind *kind, uint8_t side,
                        uint64_t position, nanos ts);
void dissect_emit(struct dissect *d, struct row *row);
// The id that `row` has or will have.
struct record_id dissect_row_id(const struct dissect *d, const struct row *row);

// Keeps the row with the conversation until it is taken; returns a handle, 0 when the
// conversation's budget is used up (then emit it as it is). The handle is a number that may stand
// in the state.
uint32_t dissect_hold(struct dissect *d, const struct row *row);
struct row *dissect_take(struct dissect *d,
                         uint32_t held); // valid as dissect_row; the handle is void

// Something broken or suspicious: `name` is a constant like "dns_pointer_loop", `detail` what was
// seen (cut at 256 bytes).
void dissect_anomaly(struct dissect *d, const char *name, uint8_t side, uint64_t position,
                     nanos time, bytes detail);

// Who asked is now known by content: `side` is the client. Turns src and dst of the conversation
// round where that can still be done (no record was emitted, and no handshake says otherwise). A
// dissector goes on with its numbers of the sides as before: they are turned into src and dst when
// a record is emitted.
void dissect_client_is(struct dissect *d, uint8_t side);

// From the next byte on, both directions are something else (CONNECT, Upgrade, STARTTLS):
// recognised anew by content, or `name` when it is not NULL and known. Unread bytes are offered to
// the next one. Held rows must have been emitted.
void dissect_switch(struct dissect *d, const char *name);

// What follows in the stream is carried for others by the protocol `name` (a constant), as through
// a proxy: the conversation's `tunnel` names it behind those around it. Goes before a switch.
void dissect_tunnel(struct dissect *d, const char *name);

// ---- bodies: bytes that become files (extract/)
// -----------------------------------------------------------------

enum { BODY_NAME_MAX = 256, BODY_CODINGS_MAX = 4, BODIES_OPEN_MAX = 4 };

enum body_coding { BODY_PLAIN, BODY_GZIP, BODY_DEFLATE, BODY_BROTLI, BODY_ZSTD };

struct body_start {
    const char *source;      // "http"
    struct record_id record; // what it belongs to (dissect_row_id)
    uint8_t side;            // who sends it
    uint64_t position;
    nanos time;
    bytes file_name;  // as told by the protocol; may be empty. Borrowed for the call
    bytes media_type; // as declared
    bool has_length;
    uint64_t length; // encoded bytes that were announced
    uint8_t coding_count;
    enum body_coding codings[BODY_CODINGS_MAX]; // in the order in which they were applied
};

struct body_summary {
    uint64_t seen_bytes; // encoded bytes that were given
    uint64_t file_bytes; // decoded
    char media_type[64]; // by content; "" when not known
    uint8_t sha256[32];
    bool complete;
};

// Returns a handle, 0 when no more bodies can be open in this conversation; with 0 the other calls
// do nothing.
uint32_t dissect_body_open(struct dissect *d, const struct body_start *start);
void dissect_body_data(struct dissect *d, uint32_t body, bytes data);
void dissect_body_gap(struct dissect *d, uint32_t body, uint64_t length);
// `complete`: it ended as the protocol says it should. Emits the `file` record. `summary` may be
// NULL.
void dissect_body_close(struct dissect *d, uint32_t body, bool complete,
                        struct body_summary *summary);
