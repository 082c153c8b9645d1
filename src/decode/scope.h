// The symmetric identifiers around a conversation, as one number of its key.
//
// VLAN identifiers stand 12 bits each, the outermost highest. VID 0 is a priority tag (IEEE 802.1Q
// 9.6) and names no network: it is left out, so that tagged and untagged frames of one conversation
// meet. As no VID in the number is 0, different stacks of up to SCOPE_VLANS_MAX tags give different
// numbers. What does not fit that form is mixed into a number with the highest bit set.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { SCOPE_VLANS_MAX = 5, SCOPE_VLAN_BITS = 12 };
#define SCOPE_MIXED (UINT64_C(1) << 63)

// A fixed permutation (the finaliser of MurmurHash3): the scope is part of the format, so it may
// not depend on the process.
static inline uint64_t scope_mix(uint64_t scope, uint64_t more)
{
    uint64_t v = scope * UINT64_C(0x9e3779b97f4a7c15) + more + 1;
    v = (v ^ v >> 33) * UINT64_C(0xff51afd7ed558ccd);
    v = (v ^ v >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return (v ^ v >> 33) | SCOPE_MIXED;
}

static inline uint64_t scope_add_vlan(uint64_t scope, uint16_t vlan)
{
    vlan &= 0x0fff;
    if (!vlan) return scope;
    bool fits = scope >> (SCOPE_VLANS_MAX - 1) * SCOPE_VLAN_BITS == 0;
    return fits ? scope << SCOPE_VLAN_BITS | vlan : scope_mix(scope, vlan);
}

// Innermost VLAN identifier, 0 when there is none or it cannot be told.
static inline uint16_t scope_vlan(uint64_t scope)
{
    return scope & SCOPE_MIXED ? 0 : (uint16_t)(scope & 0x0fff);
}
