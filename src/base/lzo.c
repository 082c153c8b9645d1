#include "base/lzo.h"

// The stream is made of instructions (as the documentation of the Linux kernel has them, "LZO
// stream format as understood by Linux' LZO decompressor"): each copies what came out before, and
// then up to three bytes of the stream; or it copies a run of bytes of the stream. What the lowest
// ones mean depends on how many bytes the one before it copied.
enum {
    RUN_FIRST = 17, // the first byte, where it is more: a run
    SHORT_MIN = 64, // distance in 11 bits
    NEAR_MIN = 32,  // in 14
    FAR_MIN = 16,   // in 15, beyond the near ones
    FAR_BASE = 16384,
    AFTER_RUN = 4, // bytes copied by a run, as the next instruction counts them
    AFTER_RUN_BASE = 2048,
};

struct unpacking {
    struct reader r;
    uint8_t *out;
    size_t n, size;
    unsigned copied; // of the stream by the last instruction: 0 to 3, or AFTER_RUN
    bool bad;
};

static void take_run(struct unpacking *u, size_t n)
{
    bytes run = read_bytes(&u->r, n);
    if (u->r.bad || n > u->size - u->n) {
        u->bad = true;
        return;
    }
    if (n) memcpy(u->out + u->n, run.p, n);
    u->n += n;
}

// What overlaps is repeated.
static void take_match(struct unpacking *u, size_t distance, size_t n)
{
    if (u->r.bad || distance > u->n || n > u->size - u->n) {
        u->bad = true;
        return;
    }
    for (size_t i = 0; i < n; i++, u->n++) u->out[u->n] = u->out[u->n - distance];
}

// Zero in the instruction: its greatest value, 255 for each zero that follows, and a last byte.
static size_t long_length(struct unpacking *u, unsigned length, unsigned max)
{
    if (length) return length;
    size_t n = max;
    for (uint8_t byte; !(byte = read_u8(&u->r)) && !u->r.bad;) n += UINT8_MAX;
    return n + (u->r.bad ? 0 : u->r.at[-1]);
}

static void trailing(struct unpacking *u, unsigned n)
{
    u->copied = n;
    take_run(u, n);
}

static void low_instruction(struct unpacking *u, uint8_t t)
{
    if (!u->copied) {
        take_run(u, 3 + long_length(u, t, 15));
        u->copied = AFTER_RUN;
        return;
    }
    bool is_behind_run = u->copied == AFTER_RUN;
    size_t distance = ((size_t)read_u8(&u->r) << 2) + (t >> 2) + 1;
    take_match(u, distance + (is_behind_run ? AFTER_RUN_BASE : 0), is_behind_run ? 3 : 2);
    trailing(u, t & 3);
}

// False behind the last one.
static bool instruction(struct unpacking *u)
{
    uint8_t t = read_u8(&u->r);
    if (t >= SHORT_MIN) {
        size_t n = t >= 2 * SHORT_MIN ? 5 + (t >> 5 & 3) : 3 + (t >> 5 & 1);
        take_match(u, ((size_t)read_u8(&u->r) << 3) + (t >> 2 & 7) + 1, n);
        trailing(u, t & 3);
        return true;
    }
    if (t < FAR_MIN) {
        low_instruction(u, t);
        return true;
    }
    bool is_near = t >= NEAR_MIN;
    size_t n = 2 + (is_near ? long_length(u, t & 31, 31) : long_length(u, t & 7, 7));
    uint16_t place = read_le16(&u->r);
    size_t distance = place >> 2;
    if (!is_near && !(t & 8) && !distance) return false;
    distance += is_near ? 1 : FAR_BASE + ((size_t)(t & 8) << 11);
    take_match(u, distance, n);
    trailing(u, place & 3);
    return true;
}

bool lzo_unpack(bytes packed, uint8_t *out, size_t size, size_t *written)
{
    struct unpacking u = {.r = reader_of(packed), .out = out, .size = size};
    if (packed.n && packed.p[0] > RUN_FIRST) {
        size_t n = (size_t)read_u8(&u.r) - RUN_FIRST;
        take_run(&u, n);
        u.copied = n < AFTER_RUN ? (unsigned)n : AFTER_RUN;
    }
    while (!u.bad && !u.r.bad && instruction(&u)) {
    }
    *written = u.n;
    return !u.bad && !u.r.bad && !reader_left(&u.r);
}
