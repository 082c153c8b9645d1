#include "dissect/dns_name.h"

#include <assert.h>

#include "base/text.h"

// The two highest bits of a label's length (RFC 1035 section 4.1.4).
enum { LABEL_KIND = 0xc0, LABEL_POINTER = 0xc0 };

static void put_char(struct dns_name *name, uint8_t c)
{
    assert(name->n < sizeof name->text);
    name->text[name->n++] = (char)c;
}

static void put_decimal_escape(struct dns_name *name, uint8_t c)
{
    put_char(name, '\\');
    put_char(name, (uint8_t)('0' + c / 100));
    put_char(name, (uint8_t)('0' + c / 10 % 10));
    put_char(name, (uint8_t)('0' + c % 10));
}

// Whether all bytes stand for themselves. Done for each byte of every name: without a branch.
static bool is_plain(bytes label)
{
    unsigned odd = 0;
    for (size_t i = 0; i < label.n; i++) {
        unsigned c = label.p[i];
        odd |= (unsigned)(c - 0x20 > 0x7e - 0x20) | (c == '.') | (c == '\\');
    }
    return !odd;
}

static bool is_beyond_ascii(bytes label)
{
    for (size_t i = 0; i < label.n; i++) {
        if (label.p[i] >= 0x80) return true;
    }
    return false;
}

static void put_escaped(struct dns_name *name, bytes label)
{
    // Names of multicast DNS are UTF-8 (RFC 6762 section 16), and are for people to read.
    bool escape_high = is_beyond_ascii(label) && !text_is_clean(label);
    for (size_t i = 0; i < label.n; i++) {
        uint8_t c = label.p[i];
        if (c < 0x20 || c == 0x7f || (c >= 0x80 && escape_high)) {
            put_decimal_escape(name, c);
            continue;
        }
        if (c == '.' || c == '\\') put_char(name, '\\');
        put_char(name, c);
    }
}

static void put_label(struct dns_name *name, bytes label)
{
    if (name->n) put_char(name, '.');
    if (!is_plain(label)) {
        put_escaped(name, label);
        return;
    }
    assert(label.n <= sizeof name->text - name->n);
    memcpy(name->text + name->n, label.p, label.n);
    name->n += label.n;
}

struct jumps {
    unsigned count;
    uint16_t targets[DNS_JUMPS_MAX];
};

static enum dns_fault jump_to(struct jumps *jumps, bytes message, uint16_t target)
{
    if (target >= message.n) return DNS_POINTER_BEYOND;
    if (jumps->count == DNS_JUMPS_MAX) return DNS_POINTER_LOOP;
    for (unsigned i = 0; i < jumps->count; i++) {
        if (jumps->targets[i] == target) return DNS_POINTER_LOOP;
    }
    jumps->targets[jumps->count++] = target;
    return DNS_FINE;
}

// Labels up to the end of the name; `r` is left behind the name in its place.
static enum dns_fault labels_read(bytes message, struct reader *r, struct dns_name *name)
{
    struct jumps jumps = {.count = 0};
    struct reader elsewhere, *at = r;
    size_t wire = 1;
    for (;;) {
        uint8_t length = read_u8(at);
        if (at->bad) return DNS_SHORT;
        if (length == 0) return wire > DNS_NAME_WIRE_MAX ? DNS_NAME_LONG : DNS_FINE;
        if ((length & LABEL_KIND) == LABEL_POINTER) {
            uint16_t target = (uint16_t)((length & ~LABEL_KIND) << 8 | read_u8(at));
            enum dns_fault fault = at->bad ? DNS_SHORT : jump_to(&jumps, message, target);
            if (fault != DNS_FINE) return fault;
            elsewhere = reader_of(bytes_after(message, target));
            at = &elsewhere;
            continue;
        }
        if (length > DNS_LABEL_MAX) {
            at->bad = true;
            return DNS_LABEL_INVALID;
        }
        bytes label = read_bytes(at, length);
        if (at->bad) return DNS_SHORT;
        wire += 1u + length;
        if (wire <= DNS_NAME_WIRE_MAX) put_label(name, label);
        else if (at != r) return DNS_NAME_LONG;
    }
}

enum dns_fault dns_name_read(bytes message, struct reader *r, struct dns_name *name)
{
    name->n = 0;
    enum dns_fault fault = labels_read(message, r, name);
    if (name->n == 0 && fault == DNS_FINE) put_char(name, '.');
    return fault;
}

void dns_name_skip(struct reader *r)
{
    for (;;) {
        uint8_t length = read_u8(r);
        if (r->bad || length == 0) return;
        if ((length & LABEL_KIND) == LABEL_POINTER) {
            read_u8(r);
            return;
        }
        if (length > DNS_LABEL_MAX) {
            r->bad = true;
            return;
        }
        read_bytes(r, length);
    }
}
