#include "dissect/dns_row.h"

#include <assert.h>
#include <stdio.h>

#include "dissect/dns_rdata.h"

enum {
    ANOMALIES_MAX = 4, // of one message: thousands of broken records say no more than these
    LINE_MAX = ROW_TEXT_MAX + 2 * DNS_NAME_TEXT_MAX,
};

// clang-format off
static const struct field FIELDS[] = {
    RECORD_COMMON_FIELDS,
    {"trans_id", FIELD_UINT, NULL,
        "Number that pairs the query with its answer", "dns.id", NULL, 0},
    {"transport", FIELD_TEXT, NULL, "udp or tcp", "network.transport", "proto", 0},
    {"variant", FIELD_TEXT, NULL, "dns, mdns (multicast DNS) or llmnr", NULL, NULL, 0},
    {"opcode", FIELD_UINT, NULL, "Kind of the request, as a number", NULL, NULL, 0},
    {"opcode_name", FIELD_TEXT, NULL, "Kind of the request", "dns.op_code", NULL, 0},
    {"query", FIELD_TEXT, NULL, "Name that was asked for, as sent", "dns.question.name", NULL, 0},
    {"qclass", FIELD_UINT, NULL, "Class that was asked for, as a number", NULL, NULL, 0},
    {"qclass_name", FIELD_TEXT, NULL, "Class that was asked for", "dns.question.class", NULL, 0},
    {"qtype", FIELD_UINT, NULL, "Type that was asked for, as a number", NULL, NULL, 0},
    {"qtype_name", FIELD_TEXT, NULL, "Type that was asked for", "dns.question.type", NULL, 0},
    {"questions", FIELD_TEXTS, NULL, "All questions, where there is more than one", NULL, NULL, 0},
    {"rcode", FIELD_UINT, NULL,
        "Response code as a number, with its extension by EDNS", NULL, NULL, 0},
    {"rcode_name", FIELD_TEXT, NULL, "Response code", "dns.response_code", NULL, 0},
    {"aa", FIELD_BOOL, NULL, "The answer is authoritative", NULL, "AA", 0},
    {"tc", FIELD_BOOL, NULL, "The message was truncated by its sender", NULL, "TC", 0},
    {"rd", FIELD_BOOL, NULL, "Recursion is wanted", NULL, "RD", 0},
    {"ra", FIELD_BOOL, NULL, "Recursion is offered", NULL, "RA", 0},
    {"z", FIELD_UINT, NULL,
        "The three bits that were reserved at first: Z, AD and CD", NULL, "Z", 0},
    {"ad", FIELD_BOOL, NULL, "The data was verified (DNSSEC)", NULL, NULL, 0},
    {"cd", FIELD_BOOL, NULL, "The data need not be verified (DNSSEC)", NULL, NULL, 0},
    {"rejected", FIELD_BOOL, NULL, "Refused, or answered without any record", NULL, NULL, 0},
    {"answers", FIELD_TEXTS, NULL, "Data of the answer section", "dns.answers.data", NULL, 0},
    {"ttls", FIELD_UINTS, "s", "How long each answer may be kept", "dns.answers.ttl", "TTLs", 0},
    {"answer_types", FIELD_TEXTS, NULL, "Type of each answer", "dns.answers.type", NULL, 0},
    {"answer_names", FIELD_TEXTS, NULL,
        "Owner of each answer, where one is not the name asked for", "dns.answers.name", NULL, 0},
    {"addresses", FIELD_ADDRESSES, NULL,
        "Addresses in the answer section", "dns.resolved_ip", NULL, 0},
    {"authorities", FIELD_TEXTS, NULL, "Authority section: owner, type, data", NULL, "auth", 0},
    {"additionals", FIELD_TEXTS, NULL, "Additional section: owner, type, data", NULL, "addl", 0},
    {"question_count", FIELD_UINT, NULL, "Questions by the header", NULL, NULL, 0},
    {"answer_count", FIELD_UINT, NULL, "Answers by the header", NULL, NULL, 0},
    {"authority_count", FIELD_UINT, NULL,
        "Records of the authority section by the header", NULL, NULL, 0},
    {"additional_count", FIELD_UINT, NULL,
        "Records of the additional section by the header", NULL, NULL, 0},
    {"rtt", FIELD_DURATION, "s", "From query to answer", NULL, NULL, 0},
    {"edns_version", FIELD_UINT, NULL, "Version of the extensions (EDNS)", NULL, NULL, 0},
    {"edns_udp_size", FIELD_UINT, "bytes",
        "Largest datagram that is taken, by the client where it says so", NULL, NULL, 0},
    {"dnssec_ok", FIELD_BOOL, NULL, "DNSSEC records are wanted", NULL, NULL, 0},
    {"client_subnet", FIELD_TEXT, NULL, "Network for which a resolver asks", NULL, NULL, 0},
    {"tsig_key", FIELD_TEXT, NULL, "Name of the key that signed the message", NULL, NULL, 0},
    {"query_seen", FIELD_BOOL, NULL, "The query is part of the record", NULL, NULL, 0},
    {"answer_seen", FIELD_BOOL, NULL, "The answer is part of the record", NULL, NULL, 0},
    {"retransmits", FIELD_UINT, NULL, "How often the query was sent again", NULL, NULL, 0},
};
// clang-format on
_Static_assert(sizeof FIELDS / sizeof *FIELDS == DNS_FIELD_COUNT, "one row for each dns_field");

const struct record_kind dns_kind = {
    .name = "dns",
    .help = "Queries and answers of DNS, multicast DNS and LLMNR",
    .fields = FIELDS,
    .field_count = DNS_FIELD_COUNT,
};

// ---- anomalies ----------------------------------------------------------------------------------

void dns_message_anomaly(struct dns_message *m, const char *name, size_t at, const char *detail)
{
    if (m->anomalies++ >= ANOMALIES_MAX) return;
    dissect_anomaly(m->d, name, m->side, m->begin + at, m->time, bytes_text(detail));
}

static const char *fault_anomaly(enum dns_fault fault)
{
    switch (fault) {
    case DNS_SHORT:
        return "dns_truncated";
    case DNS_POINTER_LOOP:
        return "dns_pointer_loop";
    case DNS_POINTER_BEYOND:
        return "dns_pointer_beyond";
    case DNS_LABEL_INVALID:
        return "dns_label_invalid";
    case DNS_NAME_LONG:
        return "dns_name_long";
    case DNS_RDATA_INVALID:
        return "dns_rdata_invalid";
    case DNS_FINE:
        break;
    }
    return NULL;
}

// Where in a message its walk is.
struct place {
    enum dns_section section;
    unsigned index;
    size_t at;
};

static void tell(struct dns_message *m, const char *name, const struct place *place)
{
    static const char *const SECTIONS[] = {"question", "answer", "authority record",
                                           "additional record"};
    char detail[64];
    snprintf(detail, sizeof detail, "%s %u of %u", SECTIONS[place->section], place->index + 1,
             m->header.counts[place->section]);
    dns_message_anomaly(m, name, place->at, detail);
}

static void tell_fault(struct dns_message *m, enum dns_fault fault, const struct place *place)
{
    if (fault == DNS_FINE || (fault == DNS_SHORT && m->cut)) return;
    tell(m, fault_anomaly(fault), place);
}

// Whether part `index` of a section is there at all; tells and marks `r` where the header counts
// more than there is.
static bool part_begins(struct dns_message *m, struct reader *r, struct place *place)
{
    place->at = m->data.n - reader_left(r);
    if (r->bad) return false;
    if (reader_left(r) > 0) return true;
    r->bad = true;
    if (!m->cut) tell(m, "dns_count_exceeds_data", place);
    return false;
}

// ---- header and questions -----------------------------------------------------------------------

void dns_message_open(struct dns_message *m)
{
    struct reader r = reader_of(m->data);
    m->header = dns_header_read(&r);
    assert(!r.bad);
    struct place place = {.section = DNS_QUESTION};
    struct dns_question more;
    for (; place.index < m->header.counts[DNS_QUESTION]; place.index++) {
        if (!part_begins(m, &r, &place)) break;
        struct dns_question *question = place.index ? &more : &m->question;
        enum dns_fault fault = dns_question_read(m->data, &r, question);
        tell_fault(m, fault, &place);
        if (place.index) continue;
        m->question_is_fine = fault == DNS_FINE;
        m->has_question = !r.bad || question->name.n;
    }
    m->records = r;
    m->survey = dns_survey(m->data);
}

static uint16_t class_of(const struct dns_message *m, uint16_t class_)
{
    return m->variant == DNS_VARIANT_MDNS ? class_ & 0x7fff : class_;
}

static void put_number_name(struct row *row, unsigned field, struct dns_number_name name)
{
    row_text(row, field, bytes_text(name.text));
}

static void put_header(struct dns_message *m, struct row *row)
{
    static const char *const VARIANTS[] = {"dns", "mdns", "llmnr"};
    const struct dns_header *h = &m->header;
    row_uint(row, DNS_TRANS_ID, h->id);
    row_text(row, DNS_TRANSPORT,
             bytes_text(dissect_transport(m->d) == TRANSPORT_TCP ? "tcp" : "udp"));
    row_text(row, DNS_VARIANT, bytes_text(VARIANTS[m->variant]));
    row_uint(row, DNS_OPCODE, dns_opcode(h));
    put_number_name(row, DNS_OPCODE_NAME, dns_opcode_name(dns_opcode(h)));
}

static void put_flags(struct dns_message *m, struct row *row)
{
    const struct dns_header *h = &m->header;
    row_uint(row, DNS_AA, h->flags & DNS_FLAG_AA);
    row_uint(row, DNS_TC, h->flags & DNS_FLAG_TC);
    row_uint(row, DNS_RD, h->flags & DNS_FLAG_RD);
    row_uint(row, DNS_RA, h->flags & DNS_FLAG_RA);
    row_uint(row, DNS_Z, h->flags >> 4 & 7);
    row_uint(row, DNS_AD, h->flags & DNS_FLAG_AD);
    row_uint(row, DNS_CD, h->flags & DNS_FLAG_CD);
    row_uint(row, DNS_QUESTION_COUNT, h->counts[DNS_QUESTION]);
    row_uint(row, DNS_ANSWER_COUNT, h->counts[DNS_ANSWER]);
    row_uint(row, DNS_AUTHORITY_COUNT, h->counts[DNS_AUTHORITY]);
    row_uint(row, DNS_ADDITIONAL_COUNT, h->counts[DNS_ADDITIONAL]);
}

static void put_rcode(struct dns_message *m, struct row *row)
{
    enum { RCODE_REFUSED = 5 };
    const uint16_t *counts = m->header.counts;
    uint16_t rcode = (uint16_t)(m->survey.rcode_high << 4 | (m->header.flags & 15));
    bool is_empty = counts[DNS_ANSWER] + counts[DNS_AUTHORITY] + counts[DNS_ADDITIONAL] == 0;
    row_uint(row, DNS_RCODE, rcode);
    put_number_name(row, DNS_RCODE_NAME, dns_rcode_name(rcode));
    row_uint(row, DNS_REJECTED, is_empty || rcode == RCODE_REFUSED);
}

static void put_all_questions(struct dns_message *m, struct row *row)
{
    uint8_t memory[LINE_MAX];
    struct reader r = reader_of(m->data);
    dns_header_read(&r);
    for (unsigned i = 0; i < m->header.counts[DNS_QUESTION] && i < ROW_LIST_MAX; i++) {
        struct dns_question question;
        dns_question_read(m->data, &r, &question);
        if (r.bad) return;
        struct buf line = buf_on(memory, sizeof memory);
        buf_put(&line, dns_name_bytes(&question.name));
        buf_u8(&line, ' ');
        buf_text(&line, dns_class_name(class_of(m, question.class_)).text);
        buf_u8(&line, ' ');
        buf_text(&line, dns_type_name(question.type).text);
        row_text(row, DNS_QUESTIONS, buf_bytes(&line));
    }
}

static void put_question(struct dns_message *m, struct row *row)
{
    if (!m->has_question) return;
    uint16_t class_ = class_of(m, m->question.class_);
    row_text(row, DNS_QUERY, dns_name_bytes(&m->question.name));
    row_uint(row, DNS_QCLASS, class_);
    put_number_name(row, DNS_QCLASS_NAME, dns_class_name(class_));
    row_uint(row, DNS_QTYPE, m->question.type);
    put_number_name(row, DNS_QTYPE_NAME, dns_type_name(m->question.type));
    if (m->header.counts[DNS_QUESTION] > 1) put_all_questions(m, row);
}

// ---- EDNS and TSIG ------------------------------------------------------------------------------

static void put_client_subnet(struct dns_message *m, struct row *row)
{
    enum { OPTION_CLIENT_SUBNET = 8 };
    uint8_t memory[ADDRESS_TEXT_MAX + 8];
    struct reader r = reader_of(m->survey.options);
    while (reader_left(&r) && !r.bad) {
        uint16_t code = read_be16(&r);
        bytes value = read_bytes(&r, read_be16(&r));
        if (r.bad || code != OPTION_CLIENT_SUBNET) continue;
        struct buf text = buf_on(memory, sizeof memory);
        if (dns_client_subnet_text(value, &text))
            row_text(row, DNS_CLIENT_SUBNET, buf_bytes(&text));
    }
    if (r.bad)
        dns_message_anomaly(m, "dns_edns_invalid", m->data.n,
                            "an option reaches beyond its record");
}

static void put_edns(struct dns_message *m, struct row *row)
{
    if (!m->survey.has_edns) return;
    row_uint(row, DNS_EDNS_VERSION, m->survey.edns_version);
    row_uint(row, DNS_EDNS_UDP_SIZE, m->survey.udp_size);
    row_uint(row, DNS_DNSSEC_OK, m->survey.dnssec_ok);
    put_client_subnet(m, row);
}

static void put_tsig(struct dns_message *m, struct row *row)
{
    if (m->survey.tsig_owner.n == 0) return;
    struct dns_name key;
    struct reader r = reader_of(m->survey.tsig_owner);
    dns_name_read(m->data, &r, &key);
    row_text(row, DNS_TSIG_KEY, dns_name_bytes(&key));
}

// ---- records ------------------------------------------------------------------------------------

static void put_answer(struct dns_message *m, struct row *row, const struct dns_record *record,
                       const struct place *place)
{
    uint8_t memory[LINE_MAX];
    struct buf text = buf_on(memory, sizeof memory);
    enum dns_fault fault = dns_rdata_text(m->data, record->type, record->data, &text);
    tell_fault(m, fault, place);
    if (text.full) row->truncated = true;
    row_uint(row, DNS_TTLS, record->ttl_s);
    put_number_name(row, DNS_ANSWER_TYPES, dns_type_name(record->type));
    row_text(row, DNS_ANSWERS, buf_bytes(&text));
    bool is_v4 = record->type == DNS_TYPE_A, is_v6 = record->type == DNS_TYPE_AAAA;
    if (fault != DNS_FINE || record->data.n == 0 || !(is_v4 || is_v6)) return;
    struct reader r = reader_of(record->data);
    struct address a = {0};
    if (is_v4) {
        a = address_v4(read_be32(&r));
    } else {
        a.hi = read_be64(&r);
        a.lo = read_be64(&r);
    }
    row_address(row, DNS_ADDRESSES, a);
}

// Owners are told for all answers or for none, so that lists stay side by side.
static void put_answer_names(struct dns_message *m, struct row *row, struct reader r)
{
    for (unsigned i = 0; i < m->header.counts[DNS_ANSWER] && i < ROW_LIST_MAX; i++) {
        struct dns_record record;
        dns_record_read(m->data, &r, &record);
        if (r.bad) return;
        row_text(row, DNS_ANSWER_NAMES, dns_name_bytes(&record.owner));
    }
}

// Most answers belong to the name that was asked for, and say so by a pointer to it.
static bool owner_is_pointer_to_question(const struct dns_message *m, const struct reader *r)
{
    static const uint8_t POINTER[] = {0xc0, DNS_HEADER_SIZE};
    bytes first = bytes_first(reader_rest(r), sizeof POINTER);
    return m->question_is_fine && bytes_equal(first, bytes_of(POINTER, sizeof POINTER));
}

static enum dns_fault answer_read(struct dns_message *m, struct dns_record *record,
                                  bool *has_other_owner)
{
    struct reader *r = &m->records;
    if (owner_is_pointer_to_question(m, r)) {
        read_be16(r);
        dns_record_read_rest(r, record);
        return r->bad ? DNS_SHORT : DNS_FINE;
    }
    enum dns_fault fault = dns_record_read(m->data, r, record);
    bytes owner = dns_name_bytes(&record->owner);
    bool is_question =
        m->has_question && bytes_equal_nocase(owner, dns_name_bytes(&m->question.name));
    if (!is_question) *has_other_owner = true;
    return fault;
}

static void put_answers(struct dns_message *m, struct row *row)
{
    struct reader begin = m->records;
    struct place place = {.section = DNS_ANSWER};
    bool has_other_owner = false;
    for (; place.index < m->header.counts[DNS_ANSWER]; place.index++) {
        if (!part_begins(m, &m->records, &place)) break;
        struct dns_record record;
        tell_fault(m, answer_read(m, &record, &has_other_owner), &place);
        if (m->records.bad) break;
        if (place.index < ROW_LIST_MAX) put_answer(m, row, &record, &place);
        else row->truncated = true;
    }
    if (has_other_owner) put_answer_names(m, row, begin);
}

static void put_record(struct dns_message *m, struct row *row, const struct dns_record *record,
                       const struct place *place)
{
    uint8_t memory[LINE_MAX];
    struct buf line = buf_on(memory, sizeof memory);
    uint16_t class_ = class_of(m, record->class_);
    buf_put(&line, dns_name_bytes(&record->owner));
    buf_u8(&line, ' ');
    if (class_ != DNS_CLASS_IN) {
        buf_text(&line, dns_class_name(class_).text);
        buf_u8(&line, ' ');
    }
    buf_text(&line, dns_type_name(record->type).text);
    if (record->data.n) buf_u8(&line, ' ');
    tell_fault(m, dns_rdata_text(m->data, record->type, record->data, &line), place);
    if (line.full) row->truncated = true;
    row_text(row, place->section == DNS_AUTHORITY ? DNS_AUTHORITIES : DNS_ADDITIONALS,
             buf_bytes(&line));
}

static void put_section(struct dns_message *m, struct row *row, enum dns_section section)
{
    struct reader *r = &m->records;
    struct place place = {.section = section};
    for (; place.index < m->header.counts[section]; place.index++) {
        if (!part_begins(m, r, &place)) return;
        struct dns_record record;
        tell_fault(m, dns_record_read(m->data, r, &record), &place);
        if (r->bad) return;
        if (record.type == DNS_TYPE_OPT || record.type == DNS_TYPE_TSIG) continue; // told by fields
        if (place.index < ROW_LIST_MAX) put_record(m, row, &record, &place);
        else row->truncated = true;
    }
}

void dns_message_row(struct dns_message *m, struct row *row, unsigned parts)
{
    bool is_answer = dns_is_answer(&m->header);
    assert(is_answer || parts == 0);
    row_range(row, m->side, m->position, m->length);
    row_uint(row, is_answer ? DNS_ANSWER_SEEN : DNS_QUERY_SEEN, true);
    put_flags(m, row);
    if (!(parts & DNS_ROW_QUERY)) {
        row_uint(row, is_answer ? DNS_QUERY_SEEN : DNS_ANSWER_SEEN, false);
        put_header(m, row);
        put_question(m, row);
    }
    if (is_answer) put_rcode(m, row);
    if (!(parts & DNS_ROW_EDNS)) put_edns(m, row);
    put_tsig(m, row);
    put_answers(m, row);
    put_section(m, row, DNS_AUTHORITY);
    put_section(m, row, DNS_ADDITIONAL);
    if (!m->records.bad && reader_left(&m->records)) {
        dns_message_anomaly(m, "dns_trailing_bytes", m->data.n - reader_left(&m->records),
                            "bytes follow the last record");
    }
}
