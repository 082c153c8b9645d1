// Names of the DNS: labels, compression pointers and their text (RFC 1035 sections 3.1, 4.1.4
// and 5.1).
//
// Plain functions over borrowed bytes. A name is bounded by 255 bytes on the wire (RFC 1035
// section 2.3.4), and the chain of its pointers by DNS_JUMPS_MAX; pointers may lead anywhere in the
// message, forward too, but nowhere twice.
#pragma once

#include "base/bytes.h"

enum {
    DNS_NAME_WIRE_MAX = 255,
    DNS_LABEL_MAX = 63,
    DNS_JUMPS_MAX = 128,
    DNS_NAME_TEXT_MAX = 4 * DNS_NAME_WIRE_MAX + 4,
};

// What can be wrong with a part of a message.
enum dns_fault {
    DNS_FINE,
    DNS_SHORT,          // ends before its time
    DNS_POINTER_LOOP,   // a compression pointer leads to where one led before
    DNS_POINTER_BEYOND, // or behind the message
    DNS_LABEL_INVALID, // a label longer than 63 bytes, or of the kinds that were given up (RFC 6891
                       // section 5)
    DNS_NAME_LONG,     // more than 255 bytes
    DNS_RDATA_INVALID, // data that does not fit its type
};

// As sent, case and all; without the last dot, save for the root. A dot or backslash within a label
// has a backslash before it; control characters, and all but ASCII in a label that is not UTF-8,
// are \DDD.
struct dns_name {
    size_t n;
    char text[DNS_NAME_TEXT_MAX];
};

// Reads the name where `r` stands; pointers in it lead into `message`. Whatever is wrong, `name` is
// what could be read. `r` stands behind the name in its place, and is bad only where that place
// cannot be known.
enum dns_fault dns_name_read(bytes message, struct reader *r, struct dns_name *name);

// The same without following pointers or keeping text.
void dns_name_skip(struct reader *r);

static inline bytes dns_name_bytes(const struct dns_name *name)
{
    return bytes_of(name->text, name->n);
}
