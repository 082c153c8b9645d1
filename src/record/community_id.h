// Community ID, version 1: a name for a conversation that other programs compute alike
// (https://github.com/corelight/community-id-spec).
//
// "1:" and the base64 form of SHA-1 over: seed, address, address, protocol, 0, and, for TCP, UDP,
// SCTP, ICMP and ICMPv6, the two ports. Addresses are 4 bytes for IPv4 and 16 for IPv6, all
// big-endian. The order is that of the key, which is the specification's (decode/key.h), with
// ICMP's type and code as ports. VLANs have no part in it.
#pragma once

#include "record/kind.h"
#include "record/packet.h"

enum { COMMUNITY_ID_SIZE = 32 };

void community_id_of(const struct conversation_key *key, uint16_t seed,
                     char out[COMMUNITY_ID_SIZE]);

// The same from the tuple of a record, which says who began.
struct community_tuple {
    struct address src, dst;
    uint16_t src_port, dst_port;
    uint8_t proto;
};
void community_id_of_tuple(const struct community_tuple *tuple, char out[COMMUNITY_ID_SIZE]);

// Where a kind has that tuple: numbers of src_addr, src_port, dst_addr, dst_port and proto. False
// when it lacks one of them; otherwise its rows are shown with a community_id, computed when asked
// for.
enum { COMMUNITY_FIELDS = 5 };
bool community_id_fields(const struct record_kind *kind, unsigned fields[COMMUNITY_FIELDS]);

// The type of ICMP or ICMPv6 that answers `type`, or that it answers. Such types have each other in
// the place of ports; false for others: those are one-way, with type and code there, and their
// tuple is not ordered.
bool icmp_counterpart(uint32_t proto, uint8_t type, uint8_t *other);
