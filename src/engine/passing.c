#include "engine/passing.h"

#include <assert.h>
#include <stdio.h>

#include "base/lock.h"
#include "base/memory.h"
#include "engine/catalogue.h"
#include "flow/flow_kind.h"
#include "record/printer.h"
#include "sink/outlet.h"
#include "sink/record_lines.h"

enum { CIPHERS_TOLD = 8 }; // as Flowmon's element has them

// Fields of what dissectors told that are exported.
enum told_field {
    DNS_TRANS_ID,
    DNS_QUERY,
    DNS_QTYPE,
    DNS_QCLASS,
    DNS_ANSWER_SEEN,
    DNS_OPCODE,
    DNS_AA,
    DNS_TC,
    DNS_RD,
    DNS_RA,
    DNS_AD,
    DNS_CD,
    DNS_RCODE,
    DNS_ANSWERS,
    HTTP_METHOD,
    HTTP_HOST,
    HTTP_URI,
    HTTP_USER_AGENT,
    HTTP_STATUS_CODE,
    TLS_CLIENT_CIPHERS,
    TOLD_FIELDS,
};

static const struct {
    const char *kind, *name;
} told_names[TOLD_FIELDS] = {
    [DNS_TRANS_ID] = {"dns", "trans_id"},
    [DNS_QUERY] = {"dns", "query"},
    [DNS_QTYPE] = {"dns", "qtype"},
    [DNS_QCLASS] = {"dns", "qclass"},
    [DNS_ANSWER_SEEN] = {"dns", "answer_seen"},
    [DNS_OPCODE] = {"dns", "opcode"},
    [DNS_AA] = {"dns", "aa"},
    [DNS_TC] = {"dns", "tc"},
    [DNS_RD] = {"dns", "rd"},
    [DNS_RA] = {"dns", "ra"},
    [DNS_AD] = {"dns", "ad"},
    [DNS_CD] = {"dns", "cd"},
    [DNS_RCODE] = {"dns", "rcode"},
    [DNS_ANSWERS] = {"dns", "answers"},
    [HTTP_METHOD] = {"http", "method"},
    [HTTP_HOST] = {"http", "host"},
    [HTTP_URI] = {"http", "uri"},
    [HTTP_USER_AGENT] = {"http", "user_agent"},
    [HTTP_STATUS_CODE] = {"http", "status_code"},
    [TLS_CLIENT_CIPHERS] = {"tls", "client_ciphers"},
};

struct passing {
    struct passing_options options;
    struct lock lock;
    struct outlet *outlet;
    // Messages; or lines.
    struct flow_export *export;
    FILE *stream;
    struct printer *printer;    // of all kinds,
    struct record_lines *lines; // or of flows in other words
    struct record_batch *told;  // what was made of other kinds
    unsigned at[TOLD_FIELDS];   // numbers of their fields
    uint64_t sent;
    bool failed;
    struct err err;
};

// ---- what dissectors know, as rows of flow ------------------------------------------------------

static void copy_word(struct record_batch *to, unsigned field, const struct record_batch *from,
                      unsigned from_field, uint32_t row)
{
    if (batch_has(from, from_field, row)) batch_word(to, field, batch_get(from, from_field, row));
}

static void copy_text(struct record_batch *to, unsigned field, const struct record_batch *from,
                      unsigned from_field, uint32_t row)
{
    if (batch_has(from, from_field, row))
        batch_text(to, field, batch_get_bytes(from, from_field, row));
}

static void copy_address(struct record_batch *to, unsigned field, const struct record_batch *from,
                         unsigned from_field, uint32_t row)
{
    struct address a = batch_get_address(from, from_field, row);
    if (batch_has(from, from_field, row)) batch_words(to, field, a.hi, a.lo);
}

static void copy_ends(struct record_batch *to, const struct record_batch *from, uint32_t row)
{
    copy_word(to, FLOW_FIRST_SEEN, from, COMMON_TS, row);
    copy_word(to, FLOW_LAST_SEEN, from, COMMON_TS, row);
    copy_word(to, FLOW_PROTO, from, COMMON_PROTO, row);
    copy_address(to, FLOW_SRC_ADDR, from, COMMON_SRC_ADDR, row);
    copy_word(to, FLOW_SRC_PORT, from, COMMON_SRC_PORT, row);
    copy_address(to, FLOW_DST_ADDR, from, COMMON_DST_ADDR, row);
    copy_word(to, FLOW_DST_PORT, from, COMMON_DST_PORT, row);
}

static bool is_true(const struct record_batch *b, unsigned field, uint32_t row)
{
    return batch_has(b, field, row) && batch_get(b, field, row);
}

// The second word of a message's header (RFC 1035 section 4.1.1): of the answer where there was
// one.
static uint64_t dns_flags(const unsigned *at, const struct record_batch *b, uint32_t row)
{
    static const struct {
        unsigned field;
        uint16_t bit;
    } bits[] = {{DNS_ANSWER_SEEN, 0x8000}, {DNS_AA, 0x0400}, {DNS_TC, 0x0200}, {DNS_RD, 0x0100},
                {DNS_RA, 0x0080},          {DNS_AD, 0x0020}, {DNS_CD, 0x0010}};
    uint64_t flags = 0;
    for (size_t i = 0; i < sizeof bits / sizeof bits[0]; i++)
        if (is_true(b, at[bits[i].field], row)) flags |= bits[i].bit;
    if (batch_has(b, at[DNS_OPCODE], row)) flags |= (batch_get(b, at[DNS_OPCODE], row) & 15) << 11;
    if (batch_has(b, at[DNS_RCODE], row)) flags |= batch_get(b, at[DNS_RCODE], row) & 15;
    return flags;
}

// The first answer, when it is an address: that alone is kept as it was sent.
static void put_answer(struct record_batch *to, const struct record_batch *from, unsigned field,
                       uint32_t row)
{
    bytes list, first;
    struct address a;
    if (!batch_has(from, field, row)) return;
    list = batch_get_bytes(from, field, row);
    if (!list_next_text(&list, &first) || !address_parse(first, &a)) return;
    uint8_t wire[16];
    for (unsigned i = 0; i < 8; i++) {
        wire[i] = (uint8_t)(a.hi >> (56 - 8 * i));
        wire[8 + i] = (uint8_t)(a.lo >> (56 - 8 * i));
    }
    bytes whole = bytes_of(wire, sizeof wire);
    batch_text(to, FLOW_DNS_RDATA, address_is_v4(a) ? bytes_after(whole, 12) : whole);
}

static void tell_dns(const unsigned *at, struct record_batch *to, const struct record_batch *from,
                     uint32_t row)
{
    copy_word(to, FLOW_DNS_ID, from, at[DNS_TRANS_ID], row);
    batch_word(to, FLOW_DNS_FLAGS, dns_flags(at, from, row));
    copy_text(to, FLOW_DNS_NAME, from, at[DNS_QUERY], row);
    copy_word(to, FLOW_DNS_QTYPE, from, at[DNS_QTYPE], row);
    copy_word(to, FLOW_DNS_CLASS, from, at[DNS_QCLASS], row);
    put_answer(to, from, at[DNS_ANSWERS], row);
}

static void tell_http(const unsigned *at, struct record_batch *to, const struct record_batch *from,
                      uint32_t row)
{
    copy_text(to, FLOW_HTTP_METHOD, from, at[HTTP_METHOD], row);
    copy_text(to, FLOW_HTTP_HOST, from, at[HTTP_HOST], row);
    copy_text(to, FLOW_HTTP_TARGET, from, at[HTTP_URI], row);
    copy_text(to, FLOW_HTTP_USER_AGENT, from, at[HTTP_USER_AGENT], row);
    copy_word(to, FLOW_HTTP_STATUS, from, at[HTTP_STATUS_CODE], row);
}

static void tell_tls(const unsigned *at, struct record_batch *to, const struct record_batch *from,
                     uint32_t row)
{
    uint8_t wire[2 * CIPHERS_TOLD];
    size_t n = 0;
    uint64_t cipher;
    if (!batch_has(from, at[TLS_CLIENT_CIPHERS], row)) return;
    bytes list = batch_get_bytes(from, at[TLS_CLIENT_CIPHERS], row);
    while (n < sizeof wire && list_next_uint(&list, &cipher)) {
        wire[n++] = (uint8_t)(cipher >> 8);
        wire[n++] = (uint8_t)cipher;
    }
    if (n) batch_text(to, FLOW_TLS_CIPHERS, bytes_of(wire, n));
}

static const struct teller {
    const char *kind;
    void (*tell)(const unsigned *at, struct record_batch *to, const struct record_batch *from,
                 uint32_t row);
} tellers[] = {{"dns", tell_dns}, {"http", tell_http}, {"tls", tell_tls}};

static void find_fields(unsigned at[TOLD_FIELDS])
{
    for (unsigned i = 0; i < TOLD_FIELDS; i++) {
        const struct record_kind *kind = catalogue_kind(bytes_text(told_names[i].kind));
        int field = kind ? kind_field(kind, bytes_text(told_names[i].name)) : -1;
        assert(field >= 0);
        at[i] = (unsigned)field;
    }
}

// ---- sending ------------------------------------------------------------------------------------

static bool send_message(void *context, bytes message, uint32_t records, struct err *err)
{
    struct passing *p = context;
    if (p->options.pace) p->options.pace(p->options.context, p->sent);
    p->sent += records;
    return outlet_send(p->outlet, message, err);
}

static void send_rows(struct passing *p, const struct record_batch *flows)
{
    for (uint32_t row = 0; row < flows->rows && !p->failed; row++) {
        nanos last = (nanos)batch_get(flows, FLOW_LAST_SEEN, row);
        if (p->lines) record_lines_put(p->lines, flows, row);
        else p->failed = !flow_export_take(p->export, flows, row, last, &p->err);
    }
}

static void send_told(struct passing *p, const struct teller *teller,
                      const struct record_batch *from)
{
    struct record_batch *to = p->told;
    for (uint32_t row = 0; row < from->rows; row++) {
        if (!batch_begin(to, 4 * ROW_TEXT_MAX)) {
            send_rows(p, to);
            batch_clear(to);
            (void)!batch_begin(to, 4 * ROW_TEXT_MAX);
        }
        copy_ends(to, from, row);
        teller->tell(p->at, to, from, row);
        batch_end(to);
    }
    send_rows(p, to);
    batch_clear(to);
}

static bool flush(struct passing *p, struct err *err)
{
    if (p->export) return flow_export_flush(p->export, err);
    return record_lines_end(p->lines, err) || err_in(err, "%s", p->options.to);
}

static void take_messages(void *context, const struct record_batch *batch)
{
    struct passing *p = context;
    lock_take(&p->lock);
    if (batch->kind == &flow_kind) send_rows(p, batch);
    for (size_t i = 0; p->told && i < sizeof tellers / sizeof tellers[0]; i++)
        if (strcmp(batch->kind->name, tellers[i].kind) == 0) send_told(p, &tellers[i], batch);
    if (p->options.is_live && !p->failed) p->failed = !flush(p, &p->err);
    lock_give(&p->lock);
}

struct record_sink passing_sink(struct passing *p)
{
    return p->printer ? printer_sink(p->printer) : (struct record_sink){p, take_messages};
}

// ---- opening and closing ------------------------------------------------------------------------

static bool open_lines(struct passing *p, struct err *err)
{
    if (outlet_is_datagrams(p->options.to))
        return err_set(err, ERR_USAGE, "%s goes to a file or a connection: tcp://HOST:PORT",
                       p->options.format);
    p->outlet = outlet_open(p->options.to, err);
    if (!p->outlet) return false;
    p->stream = outlet_stream(p->outlet);
    if (strcmp(p->options.format, "json") == 0) {
        p->printer = printer_create(p->stream);
        return true;
    }
    if (strcmp(p->options.format, "json-ipfix") == 0) p->told = batch_create(&flow_kind);
    find_fields(p->at);
    p->lines = record_lines_create(p->options.format, p->stream, &flow_kind, err);
    return p->lines;
}

static bool open_messages(struct passing *p, struct err *err)
{
    const struct passing_options *o = &p->options;
    bool is_stream = !outlet_is_datagrams(o->to);
    struct flow_export_options options = {.format = o->format,
                                          .domain = o->domain,
                                          .is_stream = is_stream,
                                          .context = p,
                                          .send = send_message};
    p->export = flow_export_create(&options, &flow_kind, err);
    if (!p->export) return false;
    if (is_stream && strcmp(o->format, "ipfix") != 0)
        return err_set(err, ERR_USAGE, "%s goes over UDP only: udp://HOST:PORT", o->format);
    // Others have no elements of enterprises.
    if (strcmp(o->format, "ipfix") == 0) p->told = batch_create(&flow_kind);
    find_fields(p->at);
    p->outlet = outlet_open(o->to, err);
    return p->outlet;
}

struct passing *passing_open(const struct passing_options *options, struct err *err)
{
    struct passing *p = memory_get(sizeof *p);
    p->options = *options;
    lock_init(&p->lock);
    bool is_lines = record_lines_is(options->format);
    if (is_lines ? open_lines(p, err) : open_messages(p, err)) return p;
    passing_close(p);
    return NULL;
}

bool passing_end(struct passing *p, struct err *err)
{
    if (p->failed) {
        *err = p->err;
        return false;
    }
    if (p->printer && !printer_end(p->printer, err)) return err_in(err, "%s", p->options.to);
    if (!p->printer && !flush(p, err)) return false;
    if (p->stream) fclose(p->stream);
    p->stream = NULL;
    struct outlet *outlet = p->outlet;
    p->outlet = NULL;
    return outlet_close(outlet, err);
}

struct flow_export_counts passing_counts(const struct passing *p)
{
    return p->export ? flow_export_counts(p->export) : (struct flow_export_counts){0};
}

void passing_close(struct passing *p)
{
    struct err ignored = {0};
    if (!p) return;
    printer_destroy(p->printer);
    record_lines_destroy(p->lines);
    if (p->stream) fclose(p->stream);
    (void)!outlet_close(p->outlet, &ignored);
    flow_export_destroy(p->export);
    batch_destroy(p->told);
    lock_deinit(&p->lock);
    memory_free(p);
}
