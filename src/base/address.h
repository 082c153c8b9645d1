// An IP address as two numbers. IPv4 is kept as ::ffff:a.b.c.d, so that both families compare and
// prefix alike.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

struct address {
    uint64_t hi, lo;
};

#define ADDRESS_V4_PREFIX UINT64_C(0x0000ffff00000000)
enum { ADDRESS_TEXT_MAX = 48 };

static inline struct address address_v4(uint32_t v4)
{
    return (struct address){0, ADDRESS_V4_PREFIX | v4};
}

static inline bool address_is_v4(struct address a)
{
    return a.hi == 0 && (a.lo >> 32) == 0xffff;
}

// The address that stands for none, of either family.
static inline bool address_is_none(struct address a)
{
    return !a.hi && (!a.lo || a.lo == ADDRESS_V4_PREFIX);
}

static inline int address_compare(struct address a, struct address b)
{
    if (a.hi != b.hi) return a.hi < b.hi ? -1 : 1;
    if (a.lo != b.lo) return a.lo < b.lo ? -1 : 1;
    return 0;
}

static inline bool address_equal(struct address a, struct address b)
{
    return a.hi == b.hi && a.lo == b.lo;
}

// Canonical text (RFC 5952 for IPv6); returns the length written.
int address_format(char text[ADDRESS_TEXT_MAX], struct address a);
bool address_parse(bytes text, struct address *a);

// A prefix as the first and last address in it. "10.0.0.0/8", "fd00::/8", or one address.
struct prefix {
    struct address first, last;
};
bool prefix_parse(bytes text, struct prefix *p);
// As prefix_parse reads it, with its length; returns the length written.
enum { PREFIX_TEXT_MAX = ADDRESS_TEXT_MAX + 4 };
int prefix_format(char text[PREFIX_TEXT_MAX], const struct prefix *p);

static inline bool prefix_has(const struct prefix *p, struct address a)
{
    return address_compare(p->first, a) <= 0 && address_compare(a, p->last) <= 0;
}

// "192.0.2.1:2055", "[2001:db8::1]:2055", "name" or ":2055" into host, without brackets, and port:
// NULL when none is named. False when the host does not fit.
bool place_split(const char *place, char *host, size_t host_size, const char **port);
