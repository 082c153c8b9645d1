#include "dissect/dns_message.h"

#include "dissect/dns_rdata.h"

// More questions than anybody sends in one message; multicast DNS has some (RFC 6762 section 5.3).
enum { QUESTIONS_LIKELY_MAX = 64, RCODE_LIKELY_MAX = 11 };

struct dns_header dns_header_read(struct reader *r)
{
    struct dns_header h = {.id = read_be16(r)};
    h.flags = read_be16(r);
    for (size_t i = 0; i < DNS_SECTION_COUNT; i++) h.counts[i] = read_be16(r);
    return h;
}

enum dns_fault dns_question_read(bytes message, struct reader *r, struct dns_question *question)
{
    enum dns_fault fault = dns_name_read(message, r, &question->name);
    question->type = read_be16(r);
    question->class_ = read_be16(r);
    return r->bad && fault == DNS_FINE ? DNS_SHORT : fault;
}

void dns_record_read_rest(struct reader *r, struct dns_record *record)
{
    record->type = read_be16(r);
    record->class_ = read_be16(r);
    record->ttl_s = read_be32(r);
    record->data = read_bytes(r, read_be16(r));
}

enum dns_fault dns_record_read(bytes message, struct reader *r, struct dns_record *record)
{
    enum dns_fault fault = dns_name_read(message, r, &record->owner);
    dns_record_read_rest(r, record);
    return r->bad && fault == DNS_FINE ? DNS_SHORT : fault;
}

// ---- survey -------------------------------------------------------------------------------------

// The highest bit is the cache-flush and unicast-answer bit of multicast DNS (RFC 6762 sections 5.4
// and 10.2).
static bool class_is_known(uint16_t class_)
{
    switch (class_ & 0x7fff) {
    case DNS_CLASS_IN:
    case DNS_CLASS_CH:
    case DNS_CLASS_HS:
    case DNS_CLASS_NONE:
    case DNS_CLASS_ANY:
        return true;
    default:
        return false;
    }
}

static void survey_edns(struct dns_survey *s, uint16_t udp_size, uint32_t flags, bytes options)
{
    s->has_edns = true;
    s->udp_size = udp_size;
    s->rcode_high = (uint8_t)(flags >> 24);
    s->edns_version = (uint8_t)(flags >> 16);
    s->dnssec_ok = flags & 0x8000;
    s->options = options;
}

static void survey_record(struct dns_survey *s, struct reader *r)
{
    bytes owner = reader_rest(r);
    dns_name_skip(r);
    uint16_t type = read_be16(r), class_ = read_be16(r);
    uint32_t ttl = read_be32(r);
    bytes data = read_bytes(r, read_be16(r));
    if (r->bad) return;
    if (type == DNS_TYPE_OPT) {
        if (!s->has_edns) survey_edns(s, class_, ttl, data);
        return;
    }
    if (type == DNS_TYPE_TSIG) s->tsig_owner = owner;
    if (!class_is_known(class_)) s->classes_known = false;
}

struct dns_survey dns_survey(bytes message)
{
    struct dns_survey s = {.classes_known = true};
    struct reader r = reader_of(message);
    struct dns_header h = dns_header_read(&r);
    for (unsigned i = 0; i < h.counts[DNS_QUESTION] && !r.bad; i++) {
        dns_name_skip(&r);
        read_be16(&r);
        if (!class_is_known(read_be16(&r))) s.classes_known = false;
    }
    for (size_t section = DNS_ANSWER; section < DNS_SECTION_COUNT; section++) {
        for (unsigned i = 0; i < h.counts[section] && !r.bad; i++) survey_record(&s, &r);
    }
    s.whole = !r.bad;
    s.trailing = reader_left(&r);
    return s;
}

// ---- look ---------------------------------------------------------------------------------------

// What nobody sends who speaks the protocol: operations that are not assigned, a reserved bit, a
// query with a result.
static bool header_is_odd(const struct dns_header *h)
{
    uint8_t opcode = dns_opcode(h), rcode = h->flags & 15;
    if (opcode == 3 || opcode > DNS_OPCODE_DSO || h->flags & DNS_FLAG_Z) return true;
    return dns_is_answer(h) ? rcode > RCODE_LIKELY_MAX : rcode != 0;
}

// NetBIOS names are half-bytes as letters A to P, 32 of them in one label (RFC 1001 section 14.1).
// The name service on port 137 has the form of DNS and types that mean something else there; it is
// not DNS.
static bool is_netbios(bytes name)
{
    enum { NETBIOS_NAME_SIZE = 32, NETBIOS_NB = 0x20, NETBIOS_NBSTAT = 0x21 };
    struct reader r = reader_of(name);
    if (read_u8(&r) != NETBIOS_NAME_SIZE) return false;
    bytes label = read_bytes(&r, NETBIOS_NAME_SIZE);
    for (size_t i = 0; i < label.n; i++) {
        if (label.p[i] < 'A' || label.p[i] > 'P') return false;
    }
    dns_name_skip(&r);
    uint16_t type = read_be16(&r);
    return !r.bad && (type == NETBIOS_NB || type == NETBIOS_NBSTAT);
}

// All that the header counts is there and makes sense, and nothing follows.
static bool is_exact(bytes message)
{
    struct dns_survey s = dns_survey(message);
    return s.whole && s.classes_known && s.trailing == 0;
}

// Answers of multicast DNS have no question; nor have errors of some servers, inverse queries (RFC
// 1035 section 6.4) and stateful operations (RFC 8490).
static enum dns_look look_without_question(bytes message, const struct dns_header *h)
{
    if (h->counts[DNS_ANSWER] == 0) {
        if (dns_opcode(h) == DNS_OPCODE_DSO) return DNS_LOOK_WEAK;
        return dns_is_answer(h) && message.n == DNS_HEADER_SIZE ? DNS_LOOK_WEAK : DNS_LOOK_NO;
    }
    if (dns_is_answer(h)) return is_exact(message) ? DNS_LOOK_SURE : DNS_LOOK_WEAK;
    return is_exact(message) ? DNS_LOOK_WEAK : DNS_LOOK_NO;
}

enum dns_look dns_look(bytes message)
{
    struct reader r = reader_of(message);
    struct dns_header h = dns_header_read(&r);
    if (r.bad || h.counts[DNS_QUESTION] > QUESTIONS_LIKELY_MAX || is_netbios(reader_rest(&r)))
        return DNS_LOOK_NO;
    bool is_odd = header_is_odd(&h);
    if (h.counts[DNS_QUESTION] == 0)
        return is_odd ? DNS_LOOK_NO : look_without_question(message, &h);
    struct dns_question question;
    bool is_fine = dns_question_read(message, &r, &question) == DNS_FINE && question.type != 0 &&
                   class_is_known(question.class_);
    if (is_odd) return is_fine ? DNS_LOOK_WEAK : DNS_LOOK_NO;
    if (!is_fine) return DNS_LOOK_WEAK;
    return is_exact(message) ? DNS_LOOK_SURE : DNS_LOOK_GOOD;
}
