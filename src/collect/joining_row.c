#include "collect/joining_row.h"

#include <string.h>

#include "flow/flow_kind.h"

enum { LENGTH_SIZE = 4 };

// ---- who began ----------------------------------------------------------------------------------

static uint64_t number(const struct parcel *p, unsigned field)
{
    return parcel_has(p, field) ? parcel_get(p, field) : 0;
}

static bool opens(const struct parcel *p)
{
    enum { SYN = 0x02, ACK = 0x10 };
    return (number(p, FLOW_TCP_FLAGS) & (SYN | ACK)) == SYN;
}

// Types of requests are below those of their answers, but for echo (8, 0) and router solicitation
// (10, 9) of ICMP (RFC 792, RFC 1256).
static bool requests_are_higher(uint64_t proto, uint64_t one, uint64_t other)
{
    enum { ICMP = 1, ICMPV6 = 58, SOLICITATION = 10 };
    if (proto == ICMPV6) return false;
    return proto != ICMP || (one <= SOLICITATION && other <= SOLICITATION);
}

bool joining_begins(const struct parcel *one, const struct parcel *other)
{
    uint64_t a = parcel_get(one, FLOW_FIRST_SEEN), b = parcel_get(other, FLOW_FIRST_SEEN);
    if (a != b) return a < b;
    if (opens(one) != opens(other)) return opens(one);
    a = number(one, FLOW_SRC_PORT), b = number(other, FLOW_SRC_PORT);
    if (a != b) return (a > b) == requests_are_higher(parcel_get(one, FLOW_PROTO), a, b);
    return address_compare(parcel_address(one, FLOW_SRC_ADDR),
                           parcel_address(other, FLOW_SRC_ADDR)) < 0;
}

// ---- what the second one told -------------------------------------------------------------------

// What becomes of a value of the second row.
enum how {
    SAME,    // nothing: the first one has it, too
    REVERSE, // it stands in the field `to`
    FILLS,   // it stands in the field `to`, when the first one tells none; else as below
    TOLD,    // it is an element, when it is not what the first one has in the field `to`
};

static const struct {
    uint8_t how, to;
} ways[FLOW_FIELDS] = {
    [FLOW_PACKETS] = {REVERSE, FLOW_REVERSE_PACKETS},
    [FLOW_BYTES] = {REVERSE, FLOW_REVERSE_BYTES},
    [FLOW_TCP_FLAGS] = {REVERSE, FLOW_REVERSE_TCP_FLAGS},
    // Of an address, whichever way packets go.
    [FLOW_SRC_AS] = {FILLS, FLOW_DST_AS},
    [FLOW_DST_AS] = {FILLS, FLOW_SRC_AS},
    [FLOW_SRC_MASK] = {FILLS, FLOW_DST_MASK},
    [FLOW_DST_MASK] = {FILLS, FLOW_SRC_MASK},
    // Of the conversation.
    [FLOW_APPLICATION] = {FILLS, FLOW_APPLICATION},
    [FLOW_HTTP_METHOD] = {FILLS, FLOW_HTTP_METHOD},
    [FLOW_HTTP_HOST] = {FILLS, FLOW_HTTP_HOST},
    [FLOW_HTTP_TARGET] = {FILLS, FLOW_HTTP_TARGET},
    [FLOW_HTTP_USER_AGENT] = {FILLS, FLOW_HTTP_USER_AGENT},
    [FLOW_HTTP_STATUS] = {FILLS, FLOW_HTTP_STATUS},
    [FLOW_DNS_ID] = {FILLS, FLOW_DNS_ID},
    [FLOW_DNS_FLAGS] = {FILLS, FLOW_DNS_FLAGS},
    [FLOW_DNS_NAME] = {FILLS, FLOW_DNS_NAME},
    [FLOW_DNS_QTYPE] = {FILLS, FLOW_DNS_QTYPE},
    [FLOW_DNS_CLASS] = {FILLS, FLOW_DNS_CLASS},
    [FLOW_DNS_RDATA] = {FILLS, FLOW_DNS_RDATA},
    [FLOW_TLS_CIPHERS] = {FILLS, FLOW_TLS_CIPHERS},
    // Of the way: not worth telling where one is the other, turned round.
    [FLOW_TOS] = {TOLD, FLOW_TOS},
    [FLOW_END_REASON] = {TOLD, FLOW_END_REASON},
    [FLOW_INPUT] = {TOLD, FLOW_OUTPUT},
    [FLOW_OUTPUT] = {TOLD, FLOW_INPUT},
    [FLOW_NEXT_HOP] = {TOLD, FLOW_NEXT_HOP},
    [FLOW_BGP_NEXT_HOP] = {TOLD, FLOW_BGP_NEXT_HOP},
    [FLOW_SRC_MAC] = {TOLD, FLOW_DST_MAC},
    [FLOW_DST_MAC] = {TOLD, FLOW_SRC_MAC},
    [FLOW_DST_VLAN] = {TOLD, FLOW_DST_VLAN},
    [FLOW_DIRECTION] = {TOLD, FLOW_DIRECTION},
    [FLOW_NAT_SRC_ADDR] = {TOLD, FLOW_NAT_DST_ADDR},
    [FLOW_NAT_SRC_PORT] = {TOLD, FLOW_NAT_DST_PORT},
    [FLOW_NAT_DST_ADDR] = {TOLD, FLOW_NAT_SRC_ADDR},
    [FLOW_NAT_DST_PORT] = {TOLD, FLOW_NAT_SRC_PORT},
    [FLOW_NAT_EVENT] = {TOLD, FLOW_NAT_EVENT},
};

// ---- elements -----------------------------------------------------------------------------------

static const char reverse[] = "reverse:"; // as elements of RFC 5103 are told that have no field

// An element of a list is its length and its text: room for the first, which is known last.
static size_t element_begin(struct text *list)
{
    uint32_t length = 0;
    size_t at = list->n;
    text_put(list, bytes_of(&length, LENGTH_SIZE));
    text_add(list, reverse);
    return at;
}

static void element_end(struct text *list, size_t at)
{
    uint32_t length = (uint32_t)(list->n - at - LENGTH_SIZE);
    memcpy(list->p + at, &length, LENGTH_SIZE);
}

static void tell(struct text *list, const struct parcel *p, unsigned field)
{
    const struct field *f = &p->kind->fields[field];
    char address[ADDRESS_TEXT_MAX];
    size_t at = element_begin(list);
    text_format(list, "%s=", f->zeek ? f->zeek : f->name);
    if (f->type == FIELD_UINT) {
        text_number(list, parcel_get(p, field));
    } else if (f->type == FIELD_ADDRESS) {
        address_format(address, parcel_address(p, field));
        text_add(list, address);
    } else if (f->type == FIELD_HASH) {
        bytes v = parcel_bytes(p, field);
        text_add(list, "0x");
        for (size_t i = 0; i < v.n; i++) text_format(list, "%02x", v.p[i]);
    } else {
        text_put(list, parcel_bytes(p, field));
    }
    element_end(list, at);
}

static bytes elements_of(const struct parcel *p)
{
    return parcel_has(p, FLOW_ELEMENTS) ? parcel_bytes(p, FLOW_ELEMENTS) : (bytes){0};
}

// Of one template both have the same elements in the same order: what is equal is told once.
static void tell_elements(struct text *list, const struct parcel *first,
                          const struct parcel *second)
{
    bytes left = elements_of(second), others = elements_of(first), element, other;
    while (list_next_text(&left, &element)) {
        if (list_next_text(&others, &other) && bytes_equal(element, other)) continue;
        size_t at = element_begin(list);
        text_put(list, element);
        element_end(list, at);
    }
}

// ---- the row of both ----------------------------------------------------------------------------

static void put_second(struct record_batch *b, unsigned field, const struct parcel *first,
                       const struct parcel *second, struct text *list)
{
    unsigned how = ways[field].how, to = ways[field].to;
    if (how == SAME) return;
    bool is_there = parcel_has(first, to);
    if (how == REVERSE || (how == FILLS && !is_there)) parcel_put(b, to, second, field);
    else if (list && !(is_there && parcel_equal(second, field, first, to)))
        tell(list, second, field);
}

size_t joining_heap(const struct parcel *one, const struct parcel *other)
{
    // Each element of the other one may grow by a word, and values become text.
    enum { GROWS = 4, TOLD_MAX = 96 };
    return parcel_heap(one) + GROWS * parcel_heap(other) + FLOW_FIELDS * TOLD_MAX;
}

void joining_put(struct record_batch *b, const struct parcel *first, const struct parcel *second,
                 struct text *list)
{
    uint64_t last = parcel_get(first, FLOW_LAST_SEEN), other = parcel_get(second, FLOW_LAST_SEEN);
    if (list) {
        text_clear(list);
        text_put(list, elements_of(first));
    }
    for (uint64_t left = first->present; left; left &= left - 1) {
        unsigned f = (unsigned)__builtin_ctzll(left);
        if (f != FLOW_ELEMENTS) parcel_put(b, f, first, f);
    }
    batch_word(b, FLOW_LAST_SEEN, last > other ? last : other);
    for (uint64_t left = second->present; left; left &= left - 1)
        put_second(b, (unsigned)__builtin_ctzll(left), first, second, list);
    if (list) tell_elements(list, first, second);
    bytes elements = list ? bytes_of(list->p, list->n) : elements_of(first);
    if (elements.n) batch_text(b, FLOW_ELEMENTS, elements);
}
