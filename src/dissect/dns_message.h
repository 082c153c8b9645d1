// Messages of the DNS: header, questions and records (RFC 1035 section 4.1), and how much a message
// looks like one.
//
// Plain functions over borrowed bytes. Sections are walked with a reader that the caller owns; when
// it is bad, nothing more can be made of the message.
#pragma once

#include "dissect/dns_name.h"

enum { DNS_HEADER_SIZE = 12, DNS_QUESTION_SIZE_MIN = 5, DNS_RECORD_SIZE_MIN = 11 };

enum dns_section { DNS_QUESTION, DNS_ANSWER, DNS_AUTHORITY, DNS_ADDITIONAL, DNS_SECTION_COUNT };

// Bits of the header's second word (RFC 1035 section 4.1.1, RFC 4035 section 3.1.6).
enum dns_flag {
    DNS_FLAG_QR = 0x8000,
    DNS_FLAG_AA = 0x0400,
    DNS_FLAG_TC = 0x0200,
    DNS_FLAG_RD = 0x0100,
    DNS_FLAG_RA = 0x0080,
    DNS_FLAG_Z = 0x0040,
    DNS_FLAG_AD = 0x0020,
    DNS_FLAG_CD = 0x0010,
};

enum dns_opcode {
    DNS_OPCODE_QUERY = 0,
    DNS_OPCODE_NOTIFY = 4,
    DNS_OPCODE_UPDATE = 5,
    DNS_OPCODE_DSO = 6
};

struct dns_header {
    uint16_t id, flags;
    uint16_t counts[DNS_SECTION_COUNT];
};

struct dns_question {
    struct dns_name name;
    uint16_t type, class_;
};

struct dns_record {
    struct dns_name owner;
    uint16_t type, class_;
    uint32_t ttl_s;
    bytes data;
};

static inline uint8_t dns_opcode(const struct dns_header *h)
{
    return h->flags >> 11 & 15;
}

static inline bool dns_is_answer(const struct dns_header *h)
{
    return h->flags & DNS_FLAG_QR;
}

struct dns_header dns_header_read(struct reader *r);
enum dns_fault dns_question_read(bytes message, struct reader *r, struct dns_question *question);
enum dns_fault dns_record_read(bytes message, struct reader *r, struct dns_record *record);
// What follows the owner; the reader stands behind that.
void dns_record_read_rest(struct reader *r, struct dns_record *record);

// What a walk over all records tells without reading names or data.
struct dns_survey {
    bool whole;         // all that is counted is there
    bool classes_known; // and of classes that are in use
    size_t trailing;    // bytes behind it
    bool has_edns;      // RFC 6891 section 6.1.2
    uint16_t udp_size;
    uint8_t rcode_high, edns_version;
    bool dnssec_ok;
    bytes options;
    bytes tsig_owner; // from where the name of its key stands to the end of the message; RFC 8945
                      // section 4.2
};
struct dns_survey dns_survey(bytes message);

// How much a whole message, or the beginning of one, looks like the DNS.
enum dns_look {
    DNS_LOOK_NO,
    DNS_LOOK_WEAK, // its header could be one
    DNS_LOOK_GOOD, // and a question is there as it should be
    DNS_LOOK_SURE, // and all of it is as it says, to the last byte
};
enum dns_look dns_look(bytes message);
