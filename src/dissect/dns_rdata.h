// Data of resource records as text, by the form of each type, and the names of types, classes and
// codes.
//
// Plain functions over borrowed bytes. Whoever adds a type adds a row to the table in dns_rdata.c.
#pragma once

#include "base/address.h"
#include "base/buf.h"
#include "dissect/dns_name.h"

enum { DNS_NUMBER_NAME_MAX = 16 };

enum dns_type {
    DNS_TYPE_A = 1,
    DNS_TYPE_SOA = 6,
    DNS_TYPE_AAAA = 28,
    DNS_TYPE_OPT = 41,
    DNS_TYPE_TSIG = 250,
};

enum dns_class {
    DNS_CLASS_IN = 1,
    DNS_CLASS_CH = 3,
    DNS_CLASS_HS = 4,
    DNS_CLASS_NONE = 254,
    DNS_CLASS_ANY = 255
};

// Names from the registry of IANA; those that have none are TYPE123 and CLASS123 (RFC 3597 section
// 5), OPCODE7, RCODE99.
struct dns_number_name {
    char text[DNS_NUMBER_NAME_MAX];
};
struct dns_number_name dns_type_name(uint16_t type);
struct dns_number_name dns_class_name(uint16_t class_);
struct dns_number_name dns_opcode_name(uint8_t opcode);
struct dns_number_name dns_rcode_name(uint16_t rcode);

// Appends the data of a record of `type`; pointers in it lead into `message`. Data that is not as
// its type has it, and data of types that are not known, is `\# LENGTH HEX` (RFC 3597 section 5),
// with DNS_RDATA_INVALID in the first case. Faults of names are told too; then the text is what
// could be read. `out` is full when the text has no room.
enum dns_fault dns_rdata_text(bytes message, uint16_t type, bytes data, struct buf *out);

// What a client subnet option says (RFC 7871 section 6): "192.0.2.0/24"; false when it is broken.
bool dns_client_subnet_text(bytes option, struct buf *out);
