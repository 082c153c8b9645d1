// The record kind `dns`, and messages written into its rows.
//
// A row is a transaction: what the query says is written by the first call, what the answer says by
// the second; either may be missing. Small fields come before lists, so that a row that is full
// lacks list elements only.
#pragma once

#include "dissect/dissect.h"
#include "dissect/dns_message.h"

enum dns_field {
    DNS_TRANS_ID = COMMON_COUNT,
    DNS_TRANSPORT,
    DNS_VARIANT,
    DNS_OPCODE,
    DNS_OPCODE_NAME,
    DNS_QUERY,
    DNS_QCLASS,
    DNS_QCLASS_NAME,
    DNS_QTYPE,
    DNS_QTYPE_NAME,
    DNS_QUESTIONS,
    DNS_RCODE,
    DNS_RCODE_NAME,
    DNS_AA,
    DNS_TC,
    DNS_RD,
    DNS_RA,
    DNS_Z,
    DNS_AD,
    DNS_CD,
    DNS_REJECTED,
    DNS_ANSWERS,
    DNS_TTLS,
    DNS_ANSWER_TYPES,
    DNS_ANSWER_NAMES,
    DNS_ADDRESSES,
    DNS_AUTHORITIES,
    DNS_ADDITIONALS,
    DNS_QUESTION_COUNT,
    DNS_ANSWER_COUNT,
    DNS_AUTHORITY_COUNT,
    DNS_ADDITIONAL_COUNT,
    DNS_RTT,
    DNS_EDNS_VERSION,
    DNS_EDNS_UDP_SIZE,
    DNS_DNSSEC_OK,
    DNS_CLIENT_SUBNET,
    DNS_TSIG_KEY,
    DNS_QUERY_SEEN,
    DNS_ANSWER_SEEN,
    DNS_RETRANSMITS,
    DNS_FIELD_COUNT,
};

extern const struct record_kind dns_kind;

enum dns_variant { DNS_VARIANT_DNS, DNS_VARIANT_MDNS, DNS_VARIANT_LLMNR };

// One message while it is looked at. Borrows its bytes.
struct dns_message {
    struct dissect *d;
    bytes data;
    uint64_t position, length; // where it stands in its direction, with the prefix of a stream
    uint64_t begin;            // where `data` stands
    nanos time;
    uint8_t side;
    bool cut; // what is missing at its end was cut by the capture
    enum dns_variant variant;
    unsigned anomalies;
    struct dns_header header;
    struct dns_survey survey;
    bool has_question;
    bool question_is_fine;
    struct dns_question question; // the first
    struct reader records;        // stands behind the questions; bad when they are broken
};

// Reads header and questions of data that has a whole header; tells anomalies.
void dns_message_open(struct dns_message *m);

// What stands in a row already. Extensions are those of the query, or of the answer where the query
// has none.
enum dns_row_part { DNS_ROW_QUERY = 1, DNS_ROW_EDNS = 2 };

// Writes the message into a row that has `parts`: all of it into a fresh one, and what an answer
// adds into that of its query.
void dns_message_row(struct dns_message *m, struct row *row, unsigned parts);

// Tells an anomaly at byte `at` of the message.
void dns_message_anomaly(struct dns_message *m, const char *name, size_t at, const char *detail);
