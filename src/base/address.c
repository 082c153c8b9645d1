#include "base/address.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

enum { GROUPS = 8, GROUP_MASK = 0xffff };

// In decimal, with a dot behind; without branches, as nothing tells how many digits come.
static char *put_octet(char *at, uint32_t v)
{
    unsigned left_out = (v < 10) + (v < 100);
    uint32_t digits =
        ('0' + v / 100) | ('0' + v / 10 % 10) << 8 | ('0' + v % 10) << 16 | (uint32_t)'.' << 24;
    digits >>= 8 * left_out;
    memcpy(at, &digits, sizeof digits);
    return at + sizeof digits - left_out;
}

static char *put_group(char *at, unsigned v)
{
    static const char digits[] = "0123456789abcdef";
    for (int shift = 12; shift >= 0; shift -= 4)
        if (v >> shift || !shift) *at++ = digits[v >> shift & 15];
    return at;
}

static unsigned group_of(struct address a, int i)
{
    uint64_t word = i < 4 ? a.hi : a.lo;
    return (unsigned)(word >> (48 - 16 * (i % 4))) & GROUP_MASK;
}

// The longest run of two or more zero groups, the first of equals (RFC 5952 section 4.2); its
// length, 0 when there is none.
static int zero_run(struct address a, int *start)
{
    int longest = 1, run = 0;
    for (int i = 0; i < GROUPS; i++) {
        run = group_of(a, i) ? 0 : run + 1;
        if (run <= longest) continue;
        longest = run;
        *start = i - run + 1;
    }
    return longest > 1 ? longest : 0;
}

static char *put_v4(char *at, uint32_t v4)
{
    for (int shift = 24; shift >= 0; shift -= 8) at = put_octet(at, v4 >> shift & 0xff);
    return at - 1;
}

static char *put_v6(char *at, struct address a)
{
    int start = GROUPS, run = zero_run(a, &start);
    for (int i = 0; i < GROUPS; i++) {
        if (run && i == start) {
            *at++ = ':';
            if (start == 0) *at++ = ':';
            i += run - 1;
            continue;
        }
        at = put_group(at, group_of(a, i));
        if (i < GROUPS - 1) *at++ = ':';
    }
    return at;
}

int address_format(char text[ADDRESS_TEXT_MAX], struct address a)
{
    char *end = address_is_v4(a) ? put_v4(text, (uint32_t)a.lo) : put_v6(text, a);
    *end = 0;
    assert(end - text < ADDRESS_TEXT_MAX);
    return (int)(end - text);
}

// 0 to `max` in decimal, without leading zeros: they would be octal to some readers.
static unsigned read_decimal(struct reader *r, unsigned max)
{
    unsigned v = 0, digits = 0;
    while (reader_left(r) && r->at[0] >= '0' && r->at[0] <= '9' && v <= max) {
        if (digits++ && v == 0) r->bad = true;
        v = v * 10 + read_u8(r) - '0';
    }
    if (!digits || v > max) r->bad = true;
    return v;
}

static uint32_t read_v4(struct reader *r)
{
    uint32_t v4 = 0;
    for (int i = 0; i < 4; i++) {
        if (i && read_u8(r) != '.') r->bad = true;
        v4 = v4 << 8 | read_decimal(r, 255);
    }
    return v4;
}

static bool parse_v4(bytes text, uint32_t *v4)
{
    struct reader r = reader_of(text);
    *v4 = read_v4(&r);
    return !r.bad && !reader_left(&r);
}

// One to four hexadecimal digits.
static uint16_t read_group(struct reader *r)
{
    unsigned v = 0, digits = 0;
    for (; digits < 4 && reader_left(r) && text_hex_value(r->at[0]) >= 0; digits++)
        v = v << 4 | (unsigned)text_hex_value(read_u8(r));
    if (!digits) r->bad = true;
    return (uint16_t)v;
}

struct groups {
    uint16_t group[GROUPS];
    int count, gap; // gap: how many groups stand before "::", -1 without one
};

// Whether what follows is dotted: at most three digits and a dot.
static bool rest_is_v4(const struct reader *r)
{
    struct reader ahead = *r;
    for (int i = 0; i < 3 && reader_left(&ahead) && ahead.at[0] >= '0' && ahead.at[0] <= '9'; i++)
        read_u8(&ahead);
    return read_u8(&ahead) == '.';
}

static void read_groups(struct reader *r, struct groups *g)
{
    if (reader_left(r) && r->at[0] == ':') {
        read_u8(r);
        if (read_u8(r) != ':') r->bad = true;
        g->gap = 0;
    }
    while (!r->bad && reader_left(r)) {
        if (g->count <= GROUPS - 2 && rest_is_v4(r)) {
            uint32_t v4 = read_v4(r);
            g->group[g->count++] = (uint16_t)(v4 >> 16);
            g->group[g->count++] = (uint16_t)v4;
            return;
        }
        if (g->count == GROUPS) r->bad = true;
        else g->group[g->count++] = read_group(r);
        if (r->bad || !reader_left(r)) return;
        if (read_u8(r) != ':') r->bad = true;
        if (reader_left(r) && r->at[0] == ':') {
            read_u8(r);
            if (g->gap >= 0) r->bad = true;
            g->gap = g->count;
        } else if (!reader_left(r)) {
            r->bad = true; // a single colon at the end
        }
    }
}

// RFC 4291 section 2.2.
static bool parse_v6(bytes text, struct address *a)
{
    struct reader r = reader_of(text);
    struct groups g = {.gap = -1};
    read_groups(&r, &g);
    if (r.bad || reader_left(&r)) return false;
    // "::" stands for one group at least.
    if (g.gap < 0 ? g.count != GROUPS : g.count >= GROUPS) return false;
    int zeros = GROUPS - g.count;
    uint64_t words[2] = {0, 0};
    for (int i = 0; i < g.count; i++) {
        int at = g.gap >= 0 && i >= g.gap ? i + zeros : i;
        words[at / 4] |= (uint64_t)g.group[i] << (48 - 16 * (at % 4));
    }
    *a = (struct address){words[0], words[1]};
    return true;
}

bool address_parse(bytes text, struct address *a)
{
    uint32_t v4;
    if (bytes_find(text, ':') < text.n) return parse_v6(text, a);
    if (!parse_v4(text, &v4)) return false;
    *a = address_v4(v4);
    return true;
}

// The lowest n of 64 bits.
static uint64_t low_bits(unsigned n)
{
    return n >= 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1;
}

bool prefix_parse(bytes text, struct prefix *p)
{
    size_t slash = bytes_find(text, '/');
    bytes name = bytes_first(text, slash);
    struct address a;
    if (!address_parse(name, &a)) return false;
    bool is_v6 = bytes_find(name, ':') < name.n;
    unsigned length_max = is_v6 ? 128 : 32, length = length_max;
    if (slash < text.n) {
        struct reader r = reader_of(bytes_after(text, slash + 1));
        length = read_decimal(&r, length_max);
        if (r.bad || reader_left(&r)) return false;
    }
    unsigned host = length_max - length;
    uint64_t hi = low_bits(host > 64 ? host - 64 : 0), lo = low_bits(host);
    p->first = (struct address){a.hi & ~hi, a.lo & ~lo};
    p->last = (struct address){a.hi | hi, a.lo | lo};
    return true;
}

int prefix_format(char text[PREFIX_TEXT_MAX], const struct prefix *p)
{
    int length = 128 - __builtin_popcountll(p->first.hi ^ p->last.hi) -
                 __builtin_popcountll(p->first.lo ^ p->last.lo);
    if (address_is_v4(p->first) && address_is_v4(p->last)) length -= 96;
    int n = address_format(text, p->first);
    return n + snprintf(text + n, PREFIX_TEXT_MAX - (size_t)n, "/%d", length);
}

bool place_split(const char *place, char *host, size_t host_size, const char **port)
{
    const char *colon = strrchr(place, ':'), *bracket = strchr(place, ']');
    if (colon && bracket && colon < bracket) colon = NULL;
    size_t n = colon ? (size_t)(colon - place) : strlen(place);
    *port = colon && colon[1] ? colon + 1 : NULL;
    bool is_bracketed = n >= 2 && place[0] == '[' && place[n - 1] == ']';
    if (is_bracketed) n -= 2;
    if (n >= host_size) return false;
    memcpy(host, place + is_bracketed, n);
    host[n] = 0;
    return true;
}
