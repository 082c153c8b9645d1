// A walk over the records in one view, step by step: what tls.c (records) and tls_handshake.c
// (messages in them) share.
//
// Thread: lives for one call. Nothing is kept; the view is the caller's.
#pragma once

#include <assert.h>

#include "dissect/tls_state.h"

enum {
    TLS_HEADER_SIZE = 5,
    TLS_RECORD_MAX = 16384 + 2048, // RFC 5246 section 6.2.3
    TLS_MESSAGE_HEADER_SIZE = 4,
};

struct tls_header {
    uint8_t type, major, minor;
    uint16_t length;
};

static inline struct tls_header tls_header_read(bytes b)
{
    struct reader r = reader_of(b);
    struct tls_header h = {.type = read_u8(&r)};
    h.major = read_u8(&r);
    h.minor = read_u8(&r);
    h.length = read_be16(&r);
    return h;
}

static inline bool tls_has_type(const struct tls_header *h)
{
    return h->type >= TLS_CHANGE_CIPHER_SPEC && h->type <= TLS_HEARTBEAT;
}

static inline bool tls_has_version(const struct tls_header *h)
{
    return h->major == 3 && h->minor <= 4;
}

// Empty records are allowed for application data only (RFC 5246 section 6.2.1).
static inline bool tls_has_length(const struct tls_header *h)
{
    return h->length <= TLS_RECORD_MAX && (h->length > 0 || h->type == TLS_APPLICATION_DATA);
}

static inline bool tls_is_record(const struct tls_header *h)
{
    return tls_has_type(h) && tls_has_version(h) && tls_has_length(h);
}

// One call: a walk over the records of a view.
struct tls_walk {
    struct dissect *d;
    struct tls_state *s;
    struct tls_side *side;
    const struct piece *piece;
    size_t at; // bytes of the view that are done with
    struct progress progress;
};

enum tls_step {
    TLS_STEP_ON,
    TLS_STEP_PAUSE, // the call is over; `progress` says how to go on
};

static inline bytes tls_walk_rest(const struct tls_walk *w)
{
    return bytes_after(w->piece->data, w->at);
}

static inline struct tls_place tls_walk_place(const struct tls_walk *w)
{
    return (struct tls_place){w->d, w->s, w->piece->side, w->piece->position + w->at, 0};
}

static inline enum tls_step tls_walk_stop(struct tls_walk *w)
{
    w->progress.verdict = DISSECT_STOP;
    return TLS_STEP_PAUSE;
}

// Needs `n` bytes from here on.
static inline enum tls_step tls_walk_wait(struct tls_walk *w, size_t n)
{
    assert(n > tls_walk_rest(w).n && n <= STREAM_VIEW_MAX);
    if (w->piece->last) return tls_walk_stop(w);
    w->progress.want = n;
    return TLS_STEP_PAUSE;
}

// Passes over `n` bytes, whether they are there or not.
static inline enum tls_step tls_walk_pass(struct tls_walk *w, size_t n)
{
    if (n <= tls_walk_rest(w).n) {
        w->at += n;
        return TLS_STEP_ON;
    }
    w->progress.skip = n;
    return TLS_STEP_PAUSE;
}

static inline void tls_walk_anomaly(const struct tls_walk *w, const char *name, bytes detail)
{
    struct tls_place at = tls_walk_place(w);
    tls_anomaly(&at, name, detail);
}

// What was done until here, and `n` bytes more, was not encrypted.
static inline void tls_walk_cleared(struct tls_walk *w, size_t n)
{
    w->side->clear_end = w->piece->position + w->at + n;
}

// ---- tls_handshake.c ----------------------------------------------------------------------------

// One step in a handshake record whose header is done with.
enum tls_step tls_handshake(struct tls_walk *w);

// ---- tls_recognise.c ----------------------------------------------------------------------------

enum recognition tls_recognise(const struct piece *first, enum transport transport);
