#include "engine/summary.h"

#include <assert.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "engine/summary_inside.h"

enum { PROTO_TCP = 6 };

// A row of a batch, by the columns of its collector.
struct seen {
    const struct record_batch *batch;
    const int *fields; // of each column; -1: the kind has no such field
    uint32_t row;
};

static bool seen_has(const struct seen *s, unsigned column)
{
    return s->fields[column] >= 0 && batch_has(s->batch, (unsigned)s->fields[column], s->row);
}

static uint64_t seen_number(const struct seen *s, unsigned column)
{
    return seen_has(s, column) ? batch_get(s->batch, (unsigned)s->fields[column], s->row) : 0;
}

static bytes seen_text(const struct seen *s, unsigned column)
{
    return seen_has(s, column) ? batch_get_bytes(s->batch, (unsigned)s->fields[column], s->row)
                               : (bytes){0};
}

static struct record_id seen_id(const struct seen *s, unsigned column)
{
    return seen_has(s, column) ? batch_get_id(s->batch, (unsigned)s->fields[column], s->row)
                               : (struct record_id){0};
}

// Names of hosts are the same in either case (RFC 4343).
static struct count *count_host(struct counts *c, bytes name)
{
    uint8_t folded[COUNT_NAME_MAX];
    name = bytes_first(name, COUNT_NAME_MAX);
    for (size_t i = 0; i < name.n; i++)
        folded[i] = (uint8_t)(name.p[i] >= 'A' && name.p[i] <= 'Z' ? name.p[i] + 32 : name.p[i]);
    return counts_of(c, bytes_of(folded, name.n));
}

static void count_name(struct counts *c, bytes name, bool incomplete)
{
    struct count *count = count_host(c, name);
    count->sums[NAME_COUNT]++;
    count->sums[NAME_INCOMPLETE] += incomplete;
}

// ---- captures and losses ------------------------------------------------------------------------

enum {
    CAP_PATH,
    CAP_FORMAT,
    CAP_PACKETS,
    CAP_BYTES,
    CAP_CAPTURED,
    CAP_FILTERED,
    CAP_BACKWARDS,
    CAP_DAMAGED,
    CAP_DROPS,
    CAP_FIRST,
    CAP_LAST,
    CAP_TRUNCATED,
};
static const char *const capture_columns[] = {
    "path",      "format",        "packets",         "bytes",      "captured_bytes", "filtered",
    "backwards", "damaged_bytes", "interface_drops", "first_seen", "last_seen",      "truncated",
    NULL,
};

static void take_capture(struct summary *s, const struct seen *at)
{
    struct summary_captures *c = &s->captures;
    c->captures++;
    c->packets += seen_number(at, CAP_PACKETS);
    c->bytes += seen_number(at, CAP_BYTES);
    c->captured_bytes += seen_number(at, CAP_CAPTURED);
    c->filtered += seen_number(at, CAP_FILTERED);
    c->backwards += seen_number(at, CAP_BACKWARDS);
    c->damaged += seen_number(at, CAP_DAMAGED) > 0;
    c->damaged_bytes += seen_number(at, CAP_DAMAGED);
    c->interface_drops += seen_number(at, CAP_DROPS);
    c->cut += seen_number(at, CAP_TRUNCATED) != 0;
    counts_of(&c->formats, seen_text(at, CAP_FORMAT))->sums[0]++;
    counts_of(&c->paths, seen_text(at, CAP_PATH))->sums[0]++;
    if (!seen_has(at, CAP_FIRST) || !seen_has(at, CAP_LAST)) return;
    nanos first = (nanos)seen_number(at, CAP_FIRST), last = (nanos)seen_number(at, CAP_LAST);
    if (first < c->first_seen) c->first_seen = first;
    if (last > c->last_seen) c->last_seen = last;
}

enum { LOST_STAGE_NAME, LOST_REASON_NAME, LOST_PACKET_COUNT, LOST_BYTE_COUNT, LOST_COUNT };
static const char *const loss_columns[] = {"stage", "reason", "packets", "bytes", "count", NULL};

// What a source lost stands with its capture, and what streams lack with their conversations.
static void take_loss(struct summary *s, const struct seen *at)
{
    bytes reason = seen_text(at, LOST_REASON_NAME);
    if (bytes_equal(seen_text(at, LOST_STAGE_NAME), bytes_text("source")) ||
        bytes_equal(reason, bytes_text("never_seen")) ||
        bytes_equal(reason, bytes_text("more_gaps")))
        return;
    struct count *count = counts_of(&s->losses, reason);
    count->sums[LOST_PACKETS] += seen_number(at, LOST_PACKET_COUNT);
    count->sums[LOST_BYTES] += seen_number(at, LOST_BYTE_COUNT);
    // What exporters tell is lost is neither of packets nor of bytes.
    if (bytes_equal(seen_text(at, LOST_STAGE_NAME), bytes_text("collect")))
        count->sums[LOST_TOLD] += seen_number(at, LOST_COUNT);
}

enum { BOTH_LENGTH };
static const char *const ambiguity_columns[] = {"length", NULL};

static void take_ambiguity(struct summary *s, const struct seen *at)
{
    s->ambiguities++;
    s->ambiguous_bytes += seen_number(at, BOTH_LENGTH);
}

// ---- conversations ------------------------------------------------------------------------------

enum {
    TALK_ID,
    TALK_PROTO,
    TALK_SRC,
    TALK_DST,
    TALK_SERVICE,
    TALK_STATE,
    TALK_SRC_PACKETS,
    TALK_DST_PACKETS,
    TALK_SRC_BYTES,
    TALK_DST_BYTES,
    TALK_SRC_PAYLOAD,
    TALK_DST_PAYLOAD,
    TALK_SRC_MISSED,
    TALK_DST_MISSED,
    TALK_CARRIES,
};
static const char *const conversation_columns[] = {
    "id",
    "proto",
    "src_addr",
    "dst_addr",
    "service",
    "conn_state",
    "src_packets",
    "dst_packets",
    "src_bytes",
    "dst_bytes",
    "src_payload_bytes",
    "dst_payload_bytes",
    "src_missed_bytes",
    "dst_missed_bytes",
    "carries",
    NULL,
};

// The payload of a conversation: what was never seen, and what there should be in all.
struct whole {
    uint64_t missed, should;
};

static struct whole whole_of(const struct seen *at)
{
    struct whole w = {.missed =
                          seen_number(at, TALK_SRC_MISSED) + seen_number(at, TALK_DST_MISSED)};
    w.should = w.missed + seen_number(at, TALK_SRC_PAYLOAD) + seen_number(at, TALK_DST_PAYLOAD);
    return w;
}

static void take_talker(struct summary_conversations *c, struct address who, uint64_t sent,
                        uint64_t received, bool new_peer, struct whole whole)
{
    uint64_t name[2] = {who.hi, who.lo};
    struct count *count = counts_of(&c->talkers, bytes_of(name, sizeof name));
    count->sums[TALKER_BYTES] += sent + received;
    count->sums[TALKER_SENT] += sent;
    count->sums[TALKER_RECEIVED] += received;
    count->sums[TALKER_PEERS] += new_peer;
    count->sums[TALKER_MISSED] += whole.missed;
    count->sums[TALKER_SHOULD] += whole.should;
}

static void take_talkers(struct summary_conversations *c, const struct seen *at, uint64_t sent,
                         uint64_t received)
{
    if (!seen_has(at, TALK_SRC) || !seen_has(at, TALK_DST)) return;
    struct address pair[2] = {
        batch_get_address(at->batch, (unsigned)at->fields[TALK_SRC], at->row),
        batch_get_address(at->batch, (unsigned)at->fields[TALK_DST], at->row)};
    bool turned = address_compare(pair[0], pair[1]) > 0;
    struct address ordered[2] = {pair[turned], pair[!turned]};
    bool is_new = pairs_add(&c->pairs, table_hash(ordered, sizeof ordered, 0));
    struct whole whole = whole_of(at);
    take_talker(c, pair[0], sent, received, is_new, whole);
    if (!address_equal(pair[0], pair[1])) take_talker(c, pair[1], received, sent, is_new, whole);
}

static void take_tcp(struct summary_conversations *c, const struct seen *at)
{
    struct whole whole = whole_of(at);
    c->missed_bytes += whole.missed;
    c->gappy += whole.missed > 0;
    c->payload_bytes += whole.should - whole.missed;
    counts_of(&c->states, seen_text(at, TALK_STATE))->sums[0]++;
}

static void take_largest(struct summary_conversations *c, const struct seen *at, uint64_t size)
{
    struct record_id id = seen_id(at, TALK_ID);
    if (size < c->largest_bytes || (size == c->largest_bytes && c->conversations > 1 &&
                                    record_id_compare(id, c->largest) >= 0))
        return;
    c->largest_bytes = size;
    c->largest = id;
}

static void take_conversation(struct summary *s, const struct seen *at)
{
    struct summary_conversations *c = &s->conversations;
    if (seen_number(at, TALK_CARRIES)) return; // its packets are those of what it carries
    uint64_t sent = seen_number(at, TALK_SRC_BYTES), received = seen_number(at, TALK_DST_BYTES);
    uint64_t packets = seen_number(at, TALK_SRC_PACKETS) + seen_number(at, TALK_DST_PACKETS);
    uint64_t proto = seen_number(at, TALK_PROTO);
    struct summary_proto *sums = &c->protos[proto < SUMMARY_PROTOS ? proto : SUMMARY_PROTOS - 1];
    sums->conversations++;
    sums->packets += packets;
    sums->bytes += sent + received;
    struct whole whole = whole_of(at);
    sums->missed += whole.missed;
    sums->should += whole.should;
    c->conversations++;
    c->packets += packets;
    c->bytes += sent + received;
    struct count *service = counts_of(&c->services, seen_text(at, TALK_SERVICE));
    service->sums[SERVICE_BYTES] += sent + received;
    service->sums[SERVICE_CONVERSATIONS]++;
    service->sums[SERVICE_MISSED] += whole.missed;
    service->sums[SERVICE_SHOULD] += whole.should;
    if (proto == PROTO_TCP) take_tcp(c, at);
    take_talkers(c, at, sent, received);
    take_largest(c, at, sent + received);
}

// ---- transactions -------------------------------------------------------------------------------

enum { ASK_QUERY, ASK_RCODE, ASK_ANSWERED, ASK_INCOMPLETE };
static const char *const dns_columns[] = {"query", "rcode", "answer_seen", "incomplete", NULL};

static void take_dns(struct summary *s, const struct seen *at)
{
    enum { NXDOMAIN = 3 }; // RFC 1035 section 4.1.1
    bool answered = seen_number(at, ASK_ANSWERED) != 0;
    uint64_t rcode = seen_number(at, ASK_RCODE);
    s->dns.transactions++;
    s->dns.answered += answered;
    s->dns.nxdomain += answered && rcode == NXDOMAIN;
    s->dns.failed += answered && rcode && rcode != NXDOMAIN;
    bool incomplete = seen_number(at, ASK_INCOMPLETE);
    s->dns.incomplete += incomplete;
    if (seen_has(at, ASK_QUERY)) count_name(&s->dns.names, seen_text(at, ASK_QUERY), incomplete);
}

enum { WEB_HOST, WEB_STATUS, WEB_REQUEST_BODY, WEB_RESPONSE_BODY, WEB_INCOMPLETE };
static const char *const http_columns[] = {
    "host", "status_code", "request_body_len", "response_body_len", "incomplete", NULL};

static void take_http(struct summary *s, const struct seen *at)
{
    uint64_t hundreds = seen_number(at, WEB_STATUS) / 100;
    s->http.transactions++;
    s->http.classes[hundreds < 6 ? hundreds : 5]++;
    s->http.incomplete += seen_number(at, WEB_INCOMPLETE) != 0;
    if (!seen_has(at, WEB_HOST)) return;
    struct count *host = count_host(&s->http.hosts, seen_text(at, WEB_HOST));
    host->sums[HOST_REQUESTS]++;
    host->sums[HOST_INCOMPLETE] += seen_number(at, WEB_INCOMPLETE) != 0;
    host->sums[HOST_BYTES] +=
        seen_number(at, WEB_REQUEST_BODY) + seen_number(at, WEB_RESPONSE_BODY);
}

enum { HAND_NAME, HAND_VERSION, HAND_ESTABLISHED, HAND_INCOMPLETE };
static const char *const tls_columns[] = {"server_name", "version", "established", "incomplete",
                                          NULL};

static void take_tls(struct summary *s, const struct seen *at)
{
    s->tls.handshakes++;
    s->tls.established += seen_number(at, HAND_ESTABLISHED) != 0;
    if (seen_has(at, HAND_VERSION))
        counts_of(&s->tls.versions, seen_text(at, HAND_VERSION))->sums[0]++;
    bool incomplete = seen_number(at, HAND_INCOMPLETE);
    s->tls.incomplete += incomplete;
    if (seen_has(at, HAND_NAME)) count_name(&s->tls.names, seen_text(at, HAND_NAME), incomplete);
    s->tls.nameless += !seen_has(at, HAND_NAME);
}

enum { CERT_PRINT, CERT_TS, CERT_UNTIL, CERT_SELF_SIGNED, CERT_POSITION };
static const char *const x509_columns[] = {"fingerprint",    "ts", "not_valid_after", "self_signed",
                                           "chain_position", NULL};

// A root in a chain is signed by itself and nothing is wrong with that: only who stands first is
// told.
static void take_x509(struct summary *s, const struct seen *at)
{
    struct count *count = counts_of(&s->tls.certificates, seen_text(at, CERT_PRINT));
    count->sums[CERTIFICATE_SEEN]++;
    if (seen_has(at, CERT_UNTIL) &&
        (nanos)seen_number(at, CERT_UNTIL) < (nanos)seen_number(at, CERT_TS))
        count->sums[CERTIFICATE_EXPIRED] = 1;
    if (seen_number(at, CERT_SELF_SIGNED) && !seen_number(at, CERT_POSITION))
        count->sums[CERTIFICATE_SELF_SIGNED] = 1;
}

enum { BODY_ID, BODY_NAME, BODY_TYPE, BODY_SIZE, BODY_COMPLETE };
static const char *const file_columns[] = {"id",   "file_name", "mime_type",
                                           "size", "complete",  NULL};

static void take_largest_file(struct summary_files *f, const struct seen *at, uint64_t size)
{
    struct record_id id = seen_id(at, BODY_ID);
    if (size < f->largest_size ||
        (size == f->largest_size && f->files > 1 && record_id_compare(id, f->largest) >= 0))
        return;
    bytes label = seen_text(at, seen_has(at, BODY_NAME) ? BODY_NAME : BODY_TYPE);
    label = bytes_first(label, SUMMARY_LABEL_MAX);
    f->largest_size = size;
    f->largest = id;
    if (label.n) memcpy(f->largest_label, label.p, label.n);
    f->largest_label[label.n] = 0;
}

static void take_file(struct summary *s, const struct seen *at)
{
    uint64_t size = seen_number(at, BODY_SIZE);
    s->files.files++;
    s->files.bytes += size;
    s->files.incomplete += !seen_number(at, BODY_COMPLETE);
    struct count *type = counts_of(&s->files.types, seen_text(at, BODY_TYPE));
    type->sums[FILE_BYTES] += size;
    type->sums[FILE_COUNT]++;
    type->sums[FILE_INCOMPLETE] += !seen_number(at, BODY_COMPLETE);
    take_largest_file(&s->files, at, size);
}

// ---- flows of exporters -------------------------------------------------------------------------

enum {
    MET_CONVERSATION,
    MET_EXPORTER,
    MET_SRC,
    MET_PACKETS,
    MET_REVERSE_PACKETS,
    MET_BYTES,
    MET_REVERSE_BYTES,
    MET_SAMPLING,
    MET_FIRST,
    MET_LAST,
};
static const char *const flow_columns[] = {
    "conversation_id",
    "exporter",
    "src_addr",
    "packets",
    "reverse_packets",
    "bytes",
    "reverse_bytes",
    "sampling_rate",
    "first_seen",
    "last_seen",
    NULL,
};

static struct count *count_address(struct counts *c, const struct seen *at, unsigned column)
{
    struct address a = batch_get_address(at->batch, (unsigned)at->fields[column], at->row);
    uint64_t name[2] = {a.hi, a.lo};
    return counts_of(c, bytes_of(name, sizeof name));
}

static void take_flow(struct summary *s, const struct seen *at)
{
    struct summary_flows *f = &s->flows;
    if (seen_has(at, MET_CONVERSATION)) return; // measured here: the conversation stands for it
    uint64_t packets = seen_number(at, MET_PACKETS) + seen_number(at, MET_REVERSE_PACKETS);
    uint64_t size = seen_number(at, MET_BYTES) + seen_number(at, MET_REVERSE_BYTES);
    nanos first = (nanos)seen_number(at, MET_FIRST), last = (nanos)seen_number(at, MET_LAST);
    f->flows++;
    f->packets += packets;
    f->bytes += size;
    f->sampled += seen_number(at, MET_SAMPLING) > 1;
    if (seen_has(at, MET_FIRST) && first < f->first_seen) f->first_seen = first;
    if (seen_has(at, MET_LAST) && last > f->last_seen) f->last_seen = last;
    if (seen_has(at, MET_EXPORTER)) count_address(&f->exporters, at, MET_EXPORTER)->sums[0]++;
    if (!seen_has(at, MET_SRC)) return;
    struct count *source = count_address(&f->sources, at, MET_SRC);
    source->sums[SOURCE_BYTES] += size;
    source->sums[SOURCE_PACKETS] += packets;
    source->sums[SOURCE_FLOWS]++;
}

enum { ODD_NAME };
static const char *const anomaly_columns[] = {"name", NULL};

static void take_anomaly(struct summary *s, const struct seen *at)
{
    counts_of(&s->anomalies, seen_text(at, ODD_NAME))->sums[0]++;
}

// ---- the sink -----------------------------------------------------------------------------------

struct collector {
    const char *kind;
    const char *const *columns;
    void (*take)(struct summary *s, const struct seen *at);
};

static const struct collector collectors[SUMMARY_KINDS] = {
    {"conversation", conversation_columns, take_conversation},
    {"dns", dns_columns, take_dns},
    {"http", http_columns, take_http},
    {"tls", tls_columns, take_tls},
    {"x509", x509_columns, take_x509},
    {"file", file_columns, take_file},
    {"anomaly", anomaly_columns, take_anomaly},
    {"capture", capture_columns, take_capture},
    {"loss", loss_columns, take_loss},
    {"ambiguity", ambiguity_columns, take_ambiguity},
    {"flow", flow_columns, take_flow},
};

// Which collector takes `kind`, its field numbers found; -1: none. The same table is there for each
// batch, so that its name is compared once.
static int summary_collector(struct summary *s, const struct record_kind *kind)
{
    for (int i = 0; i < SUMMARY_KINDS; i++)
        if (s->kinds[i] == kind) return i;
    for (int i = 0; i < SUMMARY_KINDS; i++) {
        if (strcmp(collectors[i].kind, kind->name) != 0) continue;
        for (unsigned c = 0; collectors[i].columns[c]; c++)
            s->fields[i][c] = kind_field(kind, bytes_text(collectors[i].columns[c]));
        s->kinds[i] = kind;
        return i;
    }
    return -1;
}

static void summary_take(void *context, const struct record_batch *batch)
{
    struct summary *s = context;
    lock_take(&s->lock);
    int which = summary_collector(s, batch->kind);
    struct seen at = {.batch = batch, .fields = which < 0 ? NULL : s->fields[which]};
    for (; which >= 0 && at.row < batch->rows; at.row++) collectors[which].take(s, &at);
    lock_give(&s->lock);
}

struct record_sink summary_sink(struct summary *s)
{
    return (struct record_sink){s, summary_take};
}

const char *const *summary_columns(const char *kind)
{
    for (unsigned i = 0; i < SUMMARY_KINDS; i++)
        if (strcmp(collectors[i].kind, kind) == 0) return collectors[i].columns;
    return NULL;
}

// ---- life ---------------------------------------------------------------------------------------

struct summary *summary_create(void)
{
    struct summary *s = memory_get(sizeof *s);
    lock_init(&s->lock);
    s->captures.first_seen = INT64_MAX;
    s->captures.last_seen = INT64_MIN;
    s->flows.first_seen = INT64_MAX;
    s->flows.last_seen = INT64_MIN;
    return s;
}

void summary_destroy(struct summary *s)
{
    if (!s) return;
    struct counts *all[] = {
        &s->captures.formats,
        &s->captures.paths,
        &s->conversations.states,
        &s->conversations.services,
        &s->conversations.talkers,
        &s->dns.names,
        &s->http.hosts,
        &s->tls.names,
        &s->tls.versions,
        &s->tls.certificates,
        &s->files.types,
        &s->flows.exporters,
        &s->flows.sources,
        &s->anomalies,
        &s->losses,
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) counts_deinit(all[i]);
    pairs_deinit(&s->conversations.pairs);
    lock_deinit(&s->lock);
    memory_free(s);
}
