// What the HTTP/1.x dissector remembers of a conversation, and the run of one call over it.
//
// Messages of one direction are parsed without looking at the other, save for what only the other
// can tell: the method of the request decides about the body of its response (RFC 9112 6.3), and
// CONNECT and Upgrade wait for their answer.
//
// Pairing. A response answers the oldest request that has no answer. When there is none it waits,
// for the packets of the two directions may have been captured in the wrong order, and is paired
// with the next request if that was sent no later (or hardly later, if the directions were in step
// before); otherwise it stands alone. Bytes that were lost break the step: responses that wait then
// stand alone, and after a loss on the server's side only a request that was sent with nothing
// unanswered before it is believed to be the one that is answered next. HEAD and CONNECT of a
// request that comes after its response cannot be respected.
#pragma once

#include "dissect/dissect.h"
#include "dissect/http_head.h"

enum {
    HTTP_ENTRIES_FIRST = 1,     // room in the state of most conversations
    HTTP_PIPELINE_MAX = 32,     // messages without counterpart; then the oldest goes on alone
    HTTP_WAITING_MAX = 8,       // of them responses without request
    HTTP_DISORDER_MAX = 100000, // ns by which a response may seem to come before its request
    HTTP_LOST_MAX = 16 << 20,   // bytes searched for the next message
    HTTP_LOSSES_TOLD_MAX = 16,  // anomalies about losses in one direction
};

enum http_role { HTTP_CLIENT, HTTP_SERVER };

enum http_phase {
    HTTP_HEAD,
    HTTP_BODY, // `left` bytes
    HTTP_CHUNK_SIZE,
    HTTP_CHUNK, // `left` bytes
    HTTP_CHUNK_END,
    HTTP_TRAILER,
    HTTP_UNTIL_CLOSE,
    HTTP_BARE,     // a body without a head, which goes on until a head is seen after all
    HTTP_HANDOVER, // of the client, behind CONNECT or Upgrade: what follows may be another protocol
    HTTP_LOST,     // searching the next message
    HTTP_OVER,
};

struct http_direction {
    uint8_t phase;
    bool in_line;    // HTTP_LOST: see http_find_request
    bool chunk_seen; // of this body
    uint8_t entry;   // of the message under way, index in `entries`
    uint8_t losses_told;
    uint32_t scanned;       // HTTP_HEAD: see http_request_split; HTTP_TRAILER: bytes so far
    uint32_t body;          // handle
    uint64_t left;          // of body or chunk
    uint64_t seen, missing; // bytes of the body
    uint64_t begin;         // position of the message under way
    uint64_t position;      // up to where it was read, between calls
    uint64_t lost;          // bytes searched since the loss
};

enum http_entry_flag {
    ENTRY_REQUEST = 1, // its head was seen
    ENTRY_REQUEST_DONE = 2,
    ENTRY_NO_REQUEST = 4, // and none will come
    ENTRY_RESPONSE = 8,   // the head of the final one was seen
    ENTRY_RESPONSE_DONE = 16,
    ENTRY_NO_RESPONSE = 32, // and none will come
    ENTRY_PIPELINED = 64,   // sent while others had no answer
    ENTRY_SIMPLE = 128,     // HTTP/0.9
    ENTRY_EXPECTS = 256,    // said Expect: 100-continue
};

// A request with its response, while one of them is under way or yet to come.
struct http_entry {
    nanos time;    // first byte of the half that came first
    uint32_t held; // the record; 0 when it was emitted, since no more could be held
    uint16_t flags;
    uint8_t method; // enum http_method
};

struct http {
    bool roles_known;
    uint8_t client; // its side
    bool in_step;
    bool server_lost; // since the last response
    bool overflow_told;
    uint16_t info_code; // of an interim response that had no request
    uint32_t orphans;   // responses to come whose requests went on alone
    uint64_t depth;
    struct http_direction directions[2]; // by role
    uint32_t entry_count, entry_room;
    struct http_entry entries[]; // oldest first; grows up to HTTP_PIPELINE_MAX
};

#define HTTP_STATE_SIZE(entries) (sizeof(struct http) + (entries) * sizeof(struct http_entry))

// One call: where it is in the view.
struct http_run {
    struct dissect *d;
    struct http *http;
    struct http_direction *direction;
    uint8_t role;
    uint8_t side;
    bool last;
    bool switched;
    bytes rest;
    uint64_t position; // of rest
    size_t want;
};

static inline void http_run_use(struct http_run *run, size_t n)
{
    run->rest = bytes_after(run->rest, n);
    run->position += n;
}

static inline void http_run_anomaly(struct http_run *run, const char *name, uint64_t position,
                                    bytes detail)
{
    dissect_anomaly(run->d, name, run->side, position, dissect_time_at(run->d, run->side, position),
                    detail);
}
