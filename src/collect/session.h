// What is known of one exporter: its templates, its samplers, where its count stands, and what
// waits for a template.
//
// A session is one observation domain of one address and port (UDP) or connection (TCP): templates
// of one say nothing about another (RFC 7011 section 8). Bounded: SESSIONS_MAX sessions with
// SESSIONS_BYTES of templates and data together, of which the one that was silent longest makes
// room; SESSION_TEMPLATE_BYTES of templates of each, of which the one told longest ago makes room;
// SESSION_HELD_BYTES of data that wait for their template, of which the oldest go. What goes is
// counted. One thread.
#pragma once

#include "base/err.h"
#include "collect/flows.h"

enum {
    SESSIONS_MAX = 8192,
    SESSIONS_BYTES = 64 * 1024 * 1024,
    SESSION_TEMPLATES_MAX = 4096,
    SESSION_TEMPLATE_BYTES = 1024 * 1024,
    SESSION_HELD_BYTES = 256 * 1024,
    NETFLOW_5 = 5,
    NETFLOW_7 = 7,
    NETFLOW_9 = 9,
    IPFIX = 10,
    SFLOW = 0, // of two bytes: its number is 5 in four
};
#define TEMPLATE_LIFETIME (1800 * NANOS_PER_SECOND)

// Why something of an exporter is missing: a word, its unit, what it means.
// clang-format off
#define EXPORT_LOSSES(X) \
    X(sequence_gap, "flows", \
      "Flows (NetFlow 9, sFlow: messages) that its own count says were sent and never came") \
    X(cut_message, "messages", "Messages that end within a header or a set") \
    X(bad_set, "sets", "Sets whose length cannot be") \
    X(bad_template, "templates", "Templates that make no sense, or have too many fields") \
    X(no_template, "sets", "Sets that were given up before their template came") \
    X(cut_record, "records", "Records that go beyond their set") \
    X(templates_full, "templates", "Templates that made room for others")
// clang-format on

enum export_loss {
#define EXPORT_LOSS_NUMBER(name, unit, help) EXPORT_LOSS_##name,
    EXPORT_LOSSES(EXPORT_LOSS_NUMBER)
#undef EXPORT_LOSS_NUMBER
        EXPORT_LOSS_COUNT
};

struct session_key {
    struct address address;
    uint32_t domain;
    uint16_t port;       // 0 for connections
    uint16_t version;    // of the protocol
    uint64_t connection; // 0 for datagrams
};

// A set that waits for its template.
struct held_set {
    struct held_set *next;
    uint16_t id, length;
    nanos received;
    struct flow_origin origin;
    uint8_t data[];
};

// Where the exporter's count of records or messages stands.
struct sequence {
    bool is_known;
    bool counts_own;     // it stands behind the message that tells it, not before it
    uint8_t back_run;    // messages in a row that follow each other behind `next`
    uint32_t last, next; // as it was told, and with what that message told of
    uint32_t doubted; // of what was counted as lost: what was not if the exporter counts as some do
    uint32_t back_last, back_n;
    uint64_t back_found; // what they told that was taken for lost
};

struct session {
    struct session_key key;
    nanos heard;                 // when it last said something
    struct template **templates; // by id, ascending
    uint32_t template_count, template_room;
    size_t template_bytes;
    struct sampling sampling;
    nanos began;     // when its system began to count, as options told; 0: not known
    uint32_t uptime; // as it was told last, at `exported`; 0: never
    nanos exported;
    struct sequence sequence;
    struct held_set *held, **held_end;
    size_t held_bytes;
    size_t *bytes_of_all; // templates and data that wait, of all sessions
    uint64_t messages, restarts;
    uint64_t lost[EXPORT_LOSS_COUNT];
    nanos lost_from, lost_to; // since it was told last
    uint32_t chain_next, earlier, later;
};

struct sessions;

struct sessions *sessions_create(struct err *err);
void sessions_destroy(struct sessions *s);
// Found or made. `gone` is told of the session that makes room, before it goes.
typedef void session_each(void *context, struct session *session);
struct session *session_of(struct sessions *s, const struct session_key *key, nanos now,
                           session_each *gone, void *context);
// Ends those of a connection; `gone` is told of each before it goes.
void sessions_close(struct sessions *s, uint64_t connection, session_each *gone, void *context);
// Each in turn; the one that was silent longest first.
void sessions_each(struct sessions *s, session_each *each, void *context);

void session_lose(struct session *s, enum export_loss why, uint64_t n, nanos now);
// Notes where the exporter's count stands before this message, which counts `n` more. Some
// exporters tell where it stands behind the message: that is found out, and no loss.
void session_sequence(struct session *s, uint32_t sequence, uint32_t n, nanos now);
// After a message of which nobody knows how many it told of.
void session_uncounted(struct session *s);
// Notes what the exporter's system counted when it sent a message. Where that shows that it began
// anew, what it told before holds no longer (RFC 3954 section 9).
void session_uptime(struct session *s, uint32_t uptime, nanos exported);

// NULL when it was not told, or too long ago.
struct template *session_template(const struct session *s, uint16_t id, nanos now);
// Takes a definition in the place of an earlier one.
void session_define(struct session *s, struct template *t, nanos now);
// One template, or all of a set's kind, as RFC 7011 section 8.1 names them; or all.
enum { WITHDRAW_ALL = 0, WITHDRAW_FLOWS = 2, WITHDRAW_OPTIONS = 3 };
void session_withdraw(struct session *s, uint16_t id);
void session_hold(struct session *s, uint16_t id, const struct flow_origin *origin, bytes set,
                  nanos now);
// The next set that waits for `id`, or NULL; freed with memory_free.
struct held_set *session_unhold(struct session *s, uint16_t id);
// No template will come any more: what waits is lost.
void session_give_up(struct session *s);
