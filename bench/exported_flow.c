// What a flow is like: addresses and lengths with a heavy tail, as in most networks, few services,
// ports of clients that do not repeat. All in whole numbers, so it is the same on every machine.
#include "exported.h"

#include <stddef.h>

enum {
    INSIDE_BITS = 16, // of how many hosts there are inside, and outside
    OUTSIDE_BITS = 20,
    CLIENT_PORT = 32768,
    CLIENT_PORTS = 28000,
    HEADERS = 40,
    PAYLOAD_MAX = 1420,
    PACKETS_BITS = 18,
    DURATION_BITS = 16, // milliseconds
    OWN_AS = 64512,
    INSIDE_INTERFACES = 16,
    OUTSIDE_INTERFACES = 4,
    TCP = 6,
    UDP = 17,
    SYN = 0x02,
    WHOLE = 0x1b // FIN, SYN, PSH, ACK
};

// Sebastiano Vigna's splitmix64: any number to another that looks like chance.
static uint64_t scramble(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

// Chance, a piece at a time.
struct chance {
    uint64_t word, left;
};

static uint32_t chance_below(struct chance *c, uint32_t n)
{
    if (c->left < 32) {
        c->word = scramble(c->word);
        c->left = 64;
    }
    c->left -= 32;
    return (uint32_t)(((c->word >> c->left & UINT32_MAX) * n) >> 32);
}

// 1 to 2^bits - 1, each power of two as often as the one before: the small ones come again and
// again.
static uint32_t chance_tail(struct chance *c, uint32_t bits)
{
    uint32_t power = UINT32_C(1) << chance_below(c, bits);
    return power + chance_below(c, power);
}

// 1 to 2^bits, each power of two half as often as the one before.
static uint32_t chance_halving(struct chance *c, uint32_t bits)
{
    uint32_t coins = chance_below(c, UINT32_C(1) << bits), power = 1;
    for (; coins & 1; coins >>= 1) power *= 2;
    return power + chance_below(c, power);
}

static uint32_t inside_address(uint32_t host)
{
    return UINT32_C(10) << 24 | (scramble(host) & 0xffffff);
}

// Unicast that is routed: nothing below 11.0.0.0, of 127.0.0.0/8, or from 224.0.0.0 on.
static uint32_t outside_address(uint32_t host)
{
    uint64_t word = scramble(host + (UINT64_C(1) << 32));
    uint32_t net = 11 + (uint32_t)(word >> 32) % (223 - 11);
    return (net >= 127 ? net + 1 : net) << 24 | ((uint32_t)word & 0xffffff);
}

static void choose_service(struct exported_flow *f, struct chance *c)
{
    static const struct {
        uint16_t port;
        uint8_t proto, share; // of 100
    } services[] = {{443, TCP, 38}, {53, UDP, 18},  {443, UDP, 13}, {80, TCP, 11},
                    {123, UDP, 3},  {22, TCP, 3},   {25, TCP, 2},   {993, TCP, 2},
                    {445, TCP, 2},  {3389, TCP, 2}, {8080, TCP, 2}, {5060, UDP, 1}};
    uint32_t share = chance_below(c, 100);
    for (size_t i = 0; i < sizeof services / sizeof *services; i++) {
        f->proto = services[i].proto;
        f->dst_port = services[i].port;
        if (share < services[i].share) return;
        share -= services[i].share;
    }
    f->proto = chance_below(c, 2) ? TCP : UDP;
    f->dst_port = (uint16_t)(1024 + chance_below(c, 60000));
}

static void turn(struct exported_flow *f)
{
    struct exported_flow was = *f;
    f->src = was.dst, f->dst = was.src;
    f->src_port = was.dst_port, f->dst_port = was.src_port;
    f->input = was.output, f->output = was.input;
    f->src_as = was.dst_as, f->dst_as = was.src_as;
}

struct exported_flow exported_flow(uint64_t seed, uint64_t number, int64_t exported_ms)
{
    struct chance c = {scramble(seed) ^ number, 0};
    uint32_t inside = inside_address(chance_tail(&c, INSIDE_BITS));
    uint32_t outside = outside_address(chance_tail(&c, OUTSIDE_BITS));
    struct exported_flow f = {
        .src = inside,
        .dst = outside,
        .src_port = (uint16_t)(CLIENT_PORT + chance_below(&c, CLIENT_PORTS)),
        .input = 1 + inside % INSIDE_INTERFACES,
        .output = 100 + outside % OUTSIDE_INTERFACES,
        .src_as = OWN_AS,
        .dst_as = 1 + (outside >> 16) % 60000,
        .packets = chance_halving(&c, PACKETS_BITS),
    };
    choose_service(&f, &c);
    f.bytes = f.packets * (HEADERS + chance_below(&c, PAYLOAD_MAX + 1));
    f.tos = chance_below(&c, 8) ? 0 : 0x20;
    if (f.proto == TCP) f.tcp_flags = chance_below(&c, 8) ? WHOLE : SYN;
    f.last_ms = exported_ms - (int64_t)chance_below(&c, 1000);
    f.first_ms = f.last_ms;
    if (f.packets > 1) f.first_ms -= chance_tail(&c, DURATION_BITS);
    if (chance_below(&c, 2)) turn(&f);
    return f;
}

struct exported_flow exported_answer(const struct exported_flow *flow)
{
    struct exported_flow f = *flow;
    turn(&f);
    if (f.first_ms < f.last_ms) f.first_ms++;
    return f;
}
