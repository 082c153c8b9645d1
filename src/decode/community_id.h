// Community ID, version 1: a name for a conversation that other programs compute alike
// (https://github.com/corelight/community-id-spec).
//
// "1:" and the base64 form of SHA-1 over: seed, address, address, protocol, 0, and, for TCP, UDP,
// SCTP, ICMP and ICMPv6, the two ports. Addresses are 4 bytes for IPv4 and 16 for IPv6, all
// big-endian. The order is that of the key, which is the specification's (decode/key.h), with
// ICMP's type and code as ports (decode/icmp_ports.h). VLANs have no part in it.
#pragma once

#include "record/packet.h"

enum { COMMUNITY_ID_SIZE = 32 };

void community_id_of(const struct conversation_key *key, uint16_t seed,
                     char out[COMMUNITY_ID_SIZE]);
