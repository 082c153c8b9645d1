// Values of lines into columns of `flow`. Both parsers, and tables, end here.
#include <inttypes.h>
#include <jansson.h>

#include "base/mac.h"
#include "collect/line_inside.h"
#include "filter/filter.h"
#include "flow/flow_kind.h"

enum { TEXT_MAX = 256, PROTOCOL_NAME_MAX = 16, ICMP = 1, MILLION = 1000000 };

static APART bool put_fault(struct lines *l, const struct line_key *key, const char *what)
{
    bytes name = line_key_name(key);
    return line_fault(l, LINE_LOSS_bad_value, "%.*s %s", (int)name.n, (const char *)name.p, what);
}

static bool has(const struct lines *l, unsigned field)
{
    return batch_has(l->batch, field, l->batch->rows);
}

// ---- what has no field --------------------------------------------------------------------------

static APART bool put_element(struct lines *l, const struct line_key *key,
                              const struct line_value *v)
{
    if (!l->options.elements) return true;
    struct text *t = &l->value;
    text_clear(t);
    text_put(t, bytes_after(line_key_name(key), key->shown));
    text_add(t, "=");
    if (v->shape == VALUE_NUMBER) text_number(t, v->number);
    else if (v->shape == VALUE_DECIMAL)
        text_format(t, "%" PRIu64 ".%06" PRIu64, v->number / MILLION, v->number % MILLION);
    else text_put(t, bytes_first(v->text, TEXT_MAX));
    flow_list_put(&l->list, bytes_of(t->p, t->n));
    return true;
}

// ---- numbers ------------------------------------------------------------------------------------

static bool digits_parse(bytes text, uint64_t *n)
{
    *n = 0;
    for (size_t i = 0; i < text.n; i++) {
        unsigned digit = text.p[i] - '0';
        if (digit > 9 || __builtin_mul_overflow(*n, 10, n) || __builtin_add_overflow(*n, digit, n))
            return false;
    }
    return text.n > 0;
}

// Another name may have told it: zero is no news, and a total none beside a difference.
static APART bool put_again(struct lines *l, const struct line_key *key, uint64_t n)
{
    struct record_batch *b = l->batch;
    if (!n || (key->how == STEP_COUNT && batch_get(b, key->field, b->rows))) return true;
    batch_word(b, key->field, n);
    l->is_told = true;
    return true;
}

static inline bool put_word(struct lines *l, const struct line_key *key, uint64_t n)
{
    if (n > key->number_max) return put_fault(l, key, "is too large");
    if (has(l, key->field)) return put_again(l, key, n);
    batch_word(l->batch, key->field, n);
    l->is_told = true;
    return true;
}

// A whole number, or one in text.
static bool whole_of(const struct line_value *v, uint64_t *n)
{
    *n = v->number;
    if (v->shape == VALUE_NUMBER) return true;
    if (v->shape == VALUE_DECIMAL) {
        *n = v->number / MILLION;
        return v->number % MILLION == 0;
    }
    return v->shape == VALUE_TEXT && digits_parse(v->text, n);
}

static bool put_number(struct lines *l, const struct line_key *key, const struct line_value *v)
{
    uint64_t n;
    if (!whole_of(v, &n)) return put_fault(l, key, "is no whole number");
    return put_word(l, key, n);
}

static bool put_hex(struct lines *l, const struct line_key *key, const struct line_value *v)
{
    uint64_t n = 0;
    if (v->shape != VALUE_TEXT || !v->text.n || v->text.n > 2 * sizeof n)
        return put_fault(l, key, "is no hexadecimal number");
    for (size_t i = 0; i < v->text.n; i++) {
        int digit = text_hex_value(v->text.p[i]);
        if (digit < 0) return put_fault(l, key, "is no hexadecimal number");
        n = n << 4 | (unsigned)digit;
    }
    return put_word(l, key, n);
}

// A text of 1 to 8 bytes as a number, the first one lowest.
static inline uint64_t word_of(bytes text)
{
    uint32_t first, last;
    if (text.n < sizeof first)
        return text.p[0] | (uint64_t)text.p[text.n / 2] << 8 * (text.n / 2) |
               (uint64_t)text.p[text.n - 1] << 8 * (text.n - 1);
    memcpy(&first, text.p, sizeof first);
    memcpy(&last, text.p + text.n - sizeof last, sizeof last);
    return first | (uint64_t)last << 8 * (text.n - sizeof last);
}

// Nonzero in the highest bit of each byte that is zero.
static inline uint64_t zero_bytes(uint64_t word)
{
    const uint64_t low = UINT64_C(0x7f7f7f7f7f7f7f7f);
    return ~(((word & low) + low) | word | low);
}

static inline bool flags_parse(bytes text, uint64_t *flags)
{
    // As many of "CEUAPRSF" as the text has, without the first ones, and as many dots.
    uint64_t unused = 64 - 8 * text.n, word = word_of(text);
    uint64_t all = UINT64_C(0x8080808080808080) >> unused;
    uint64_t letters = UINT64_C(0x4653525041554543) >> unused;
    uint64_t dots = UINT64_C(0x2e2e2e2e2e2e2e2e) >> unused;
    uint64_t are_set = zero_bytes(word ^ letters) & all, are_not = zero_bytes(word ^ dots);
    // One bit of each byte, that of the first one highest.
    *flags = (are_set >> 7) * UINT64_C(0x8040201008040201) >> 56 >> unused / 8;
    return ((are_set | are_not) & all) == all;
}

// "UAPRSF", dots where a flag is not set; with "CE" in front of it (RFC 3168).
static bool put_flags(struct lines *l, const struct line_key *key, const struct line_value *v)
{
    enum { USUAL = 6, ALL = 8 };
    uint64_t flags;
    bool are_letters = v->shape == VALUE_TEXT && (v->text.n == USUAL || v->text.n == ALL) &&
                       flags_parse(v->text, &flags);
    return are_letters ? put_word(l, key, flags) : put_number(l, key, v);
}

// Names of protocols in either case.
static APART bool protocol_of(bytes text, uint8_t *number)
{
    uint8_t name[PROTOCOL_NAME_MAX];
    if (text.n > sizeof name) return false;
    for (size_t i = 0; i < text.n; i++)
        name[i] = (uint8_t)(text.p[i] | (text.p[i] >= 'A' && text.p[i] <= 'Z' ? 0x20 : 0));
    return protocol_named(bytes_of(name, text.n), number);
}

// Where a name of a protocol is remembered; NULL when it is too long for that.
static inline struct line_word *protocol_place(struct lines *l, bytes text, uint64_t *word)
{
    if (text.n - 1 >= sizeof *word) return NULL;
    *word = word_of(text);
    return &l->protocols[*word * UINT64_C(0x9e3779b97f4a7c15) >> 32 & (LINE_WORDS - 1)];
}

// What Argus tells of that is not IP.
static bool is_no_ip(bytes name)
{
    static const char *const names[] = {"arp", "rarp", "lldp", "llc", "ipx", "isis", "stp", "man"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (bytes_equal(name, bytes_text(names[i]))) return true;
    return false;
}

static APART bool put_new_protocol(struct lines *l, const struct line_key *key,
                                   const struct line_value *v)
{
    uint8_t number;
    uint64_t word;
    if (l->table.delimiter && is_no_ip(v->text)) {
        l->is_other = true;
        return true;
    }
    if (!protocol_of(v->text, &number)) return put_number(l, key, v);
    struct line_word *place = protocol_place(l, v->text, &word);
    if (place) *place = (struct line_word){word, (uint8_t)v->text.n, number};
    l->is_icmp |= number == ICMP;
    return put_word(l, key, number);
}

static bool put_protocol(struct lines *l, const struct line_key *key, const struct line_value *v)
{
    uint64_t word;
    if (v->shape != VALUE_TEXT) return put_number(l, key, v);
    const struct line_word *known = protocol_place(l, v->text, &word);
    if (!known || known->text != word || known->length != v->text.n)
        return put_new_protocol(l, key, v);
    l->is_icmp |= known->number == ICMP;
    return put_word(l, key, known->number);
}

// ---- times --------------------------------------------------------------------------------------

static bool decimal_time(const struct line_value *v, nanos unit, nanos *t)
{
    int64_t n = (int64_t)v->number;
    if (v->number > INT64_MAX) return false;
    if (v->shape == VALUE_REAL && unit == NANOS_PER_SECOND) {
        *t = n;
        return true;
    }
    if (v->shape == VALUE_DECIMAL) return !__builtin_mul_overflow(n, unit / MILLION, t);
    return v->shape == VALUE_NUMBER && !__builtin_mul_overflow(n, unit, t);
}

// Between 1980 and 2106: seconds, milli-, micro- and nanoseconds of such times are apart.
static bool is_likely(nanos t)
{
    return t > 315532800 * NANOS_PER_SECOND && t <= (nanos)UINT32_MAX * NANOS_PER_SECOND;
}

// In the unit of its element's type; but some write milliseconds whatever the type (IPFIXcol2).
static bool number_time(const struct line_key *key, const struct line_value *v, nanos *t)
{
    nanos milli;
    bool ok = decimal_time(v, key->unit, t);
    if (ok && is_likely(*t)) return true;
    if (decimal_time(v, NANOS_PER_MILLI, &milli) && is_likely(milli)) *t = milli, ok = true;
    return ok;
}

static APART bool put_number_time(struct lines *l, const struct line_key *key,
                                  const struct line_value *v)
{
    nanos t;
    if (!number_time(key, v, &t)) return put_fault(l, key, "is no time");
    if (t > 0) batch_word(l->batch, key->field, (uint64_t)t);
    return true;
}

static bool put_time(struct lines *l, const struct line_key *key, const struct line_value *v)
{
    if (v->shape != VALUE_TEXT) return put_number_time(l, key, v);
    nanos t = line_time(l, v->text);
    if (t > 0) batch_word(l->batch, key->field, (uint64_t)t);
    return t != LINE_NO_TIME || put_fault(l, key, "is no time");
}

static bool put_duration(struct lines *l, const struct line_key *key, const struct line_value *v)
{
    bool ok = v->shape == VALUE_TEXT ? duration_parse(v->text, &l->duration)
                                     : decimal_time(v, NANOS_PER_SECOND, &l->duration);
    return ok || put_fault(l, key, "is no duration in seconds");
}

// ---- addresses and text -------------------------------------------------------------------------

static APART bool put_any_address(struct lines *l, const struct line_key *key,
                                  const struct line_value *v)
{
    struct address a;
    if (v->shape != VALUE_TEXT || !address_parse(v->text, &a))
        return put_fault(l, key, "is no address");
    if (address_is_none(a) && has(l, key->field)) return true;
    batch_words(l->batch, key->field, a.hi, a.lo);
    l->is_told = true;
    return true;
}

static bool put_address(struct lines *l, const struct line_key *key, const struct line_value *v)
{
    int64_t v4 = v->shape == VALUE_TEXT ? line_v4(v->text) : -1;
    if (v4 <= 0) return put_any_address(l, key, v);
    struct address a = address_v4((uint32_t)v4);
    batch_words(l->batch, key->field, a.hi, a.lo);
    l->is_told = true;
    return true;
}

// What is no such address is kept as it was told.
static APART bool put_mac(struct lines *l, const struct line_key *key, const struct line_value *v)
{
    uint64_t mac;
    if (v->shape == VALUE_TEXT && mac_parse(v->text, &mac)) batch_word(l->batch, key->field, mac);
    else put_element(l, key, v);
    l->is_told = true;
    return true;
}

static APART bool put_text(struct lines *l, const struct line_key *key, const struct line_value *v)
{
    // One text a field bounds what a row takes of the batch.
    if (v->shape != VALUE_TEXT || has(l, key->field)) put_element(l, key, v);
    else flow_put_text(l->batch, key->field, v->text);
    l->is_told = true;
    return true;
}

// Octets are digits behind 0x.
static APART bool put_octets(struct lines *l, const struct line_key *key,
                             const struct line_value *v)
{
    uint8_t octets[TEXT_MAX];
    size_t n = 0;
    bool is_hex = v->shape == VALUE_TEXT && bytes_start_with(v->text, "0x") && v->text.n % 2 == 0;
    bytes digits = bytes_after(v->text, 2);
    for (; is_hex && 2 * n < digits.n && n < TEXT_MAX; n++) {
        int high = text_hex_value(digits.p[2 * n]), low = text_hex_value(digits.p[2 * n + 1]);
        is_hex = high >= 0 && low >= 0;
        if (is_hex) octets[n] = (uint8_t)(high << 4 | low);
    }
    if (!is_hex || has(l, key->field)) put_element(l, key, v);
    else if (n) batch_text(l->batch, key->field, bytes_of(octets, n));
    l->is_told = true;
    return true;
}

static bool put_reason(struct lines *l, const struct line_key *key, const struct line_value *v)
{
    if (v->shape != VALUE_NUMBER || has(l, FLOW_END_REASON)) return put_text(l, key, v);
    flow_put_reason(l->batch, v->number);
    return true;
}

static bool put_icmp(struct lines *l, const struct line_key *key, const struct line_value *v)
{
    if (v->shape != VALUE_NUMBER || v->number > UINT16_MAX)
        return put_fault(l, key, "is no type and code");
    flow_put_icmp(l->batch, v->number);
    return true;
}

static bool put_rate(struct lines *l, const struct line_key *key, const struct line_value *v)
{
    uint64_t n;
    if (!whole_of(v, &n) || n > key->number_max) return put_fault(l, key, "is no rate");
    if (!has(l, FLOW_SAMPLING_RATE)) flow_put_sampling(l->batch, n, "record");
    return true;
}

// ---- by what the name is for --------------------------------------------------------------------

// ---- what only tables have ----------------------------------------------------------------------

// Both numbers up to 255; `text` with a dot between them.
static bool type_and_code(bytes text, uint64_t *type_code)
{
    uint64_t type, code;
    size_t dot = bytes_find(text, '.');
    if (!digits_parse(bytes_first(text, dot), &type) ||
        !digits_parse(bytes_after(text, dot + 1), &code) || type > UINT8_MAX || code > UINT8_MAX)
        return false;
    *type_code = type << 8 | code;
    return true;
}

// Argus has the code in front of the type, and in place of the other port a number of the message.
static APART bool put_port(struct lines *l, const struct line_key *key, const struct line_value *v)
{
    uint64_t n = 0;
    bool is_hex = v->shape == VALUE_TEXT && bytes_start_with(v->text, "0x") && v->text.n == 6;
    if (!is_hex && v->shape == VALUE_TEXT && type_and_code(v->text, &n)) {
        flow_put_icmp(l->batch, n);
        return true;
    }
    if (!is_hex) return put_number(l, key, v);
    for (size_t i = 2; i < v->text.n; i++) {
        int digit = text_hex_value(v->text.p[i]);
        if (digit < 0) return put_fault(l, key, "is no port");
        n = n << 4 | (unsigned)digit;
    }
    if (key->field == FLOW_SRC_PORT) flow_put_icmp(l->batch, (n & UINT8_MAX) << 8 | n >> 8);
    else put_element(l, key, v);
    return true;
}

static APART bool put_both(struct lines *l, const struct line_key *key, const struct line_value *v)
{
    uint64_t n;
    if (!whole_of(v, &n)) return put_fault(l, key, "is no whole number");
    if (key->field == FLOW_PACKETS) l->packets_both = n;
    else l->bytes_both = n;
    put_element(l, key, v);
    return true;
}

// A list of texts, as `flow` has it in JSON and CSV.
static APART bool put_elements(struct lines *l, const struct line_key *key,
                               const struct line_value *v)
{
    json_t *list = json_loadb((const char *)v->text.p, v->text.n, JSON_ALLOW_NUL, NULL);
    bool ok = json_is_array(list);
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        ok = ok && json_is_string(item);
        if (ok && l->options.elements)
            flow_list_put(&l->list, bytes_of(json_string_value(item), json_string_length(item)));
    }
    json_decref(list);
    return ok || put_fault(l, key, "is no list of texts");
}

static bool put_type(struct lines *l, const struct line_key *key, const struct line_value *v)
{
    (void)key;
    const char *const *types = l->format->types;
    bool is_flow = false;
    for (size_t i = 0; i < sizeof l->format->types / sizeof types[0] && types[i]; i++)
        is_flow |= v->shape == VALUE_TEXT && bytes_equal(v->text, bytes_text(types[i]));
    l->is_other |= !is_flow;
    return true;
}

static bool put_nothing(struct lines *l, const struct line_key *key, const struct line_value *v)
{
    (void)l, (void)key, (void)v;
    return true;
}

// ---- by what the name is for --------------------------------------------------------------------

static line_putter *putter_of_step(enum step_how how)
{
    switch (how) {
    case STEP_NUMBER:
    case STEP_COUNT:
    case STEP_SIZE:
        return put_number;
    case STEP_TIME:
        return put_time;
    case STEP_ADDRESS:
        return put_address;
    case STEP_MAC:
        return put_mac;
    case STEP_TEXT:
        return put_text;
    case STEP_HASH:
        return put_octets;
    case STEP_ICMP:
        return put_icmp;
    case STEP_REASON:
        return put_reason;
    case STEP_RATE:
        return put_rate;
    case STEP_UPTIME: // nobody tells when the system began to count
    case STEP_DELTA:
    case STEP_BEGAN:
    case STEP_PACKET: // there are no sampled ones in lines
    case STEP_SAMPLER:
    case STEP_ELEMENT:
        return put_element;
    case STEP_SKIP:
        break;
    }
    return put_nothing;
}

line_putter *line_putter_of(const struct line_key *key)
{
    switch ((enum line_use)key->use) {
    case LINE_STEP:
        return putter_of_step((enum step_how)key->how);
    case LINE_FLAGS:
        return put_flags;
    case LINE_HEX:
        return put_hex;
    case LINE_PROTOCOL:
        return put_protocol;
    case LINE_DURATION:
        return put_duration;
    case LINE_PORT:
        return put_port;
    case LINE_KEPT:
        return put_element;
    case LINE_BOTH:
        return put_both;
    case LINE_ELEMENTS:
        return put_elements;
    case LINE_TYPE:
        return put_type;
    case LINE_IGNORED:
        break;
    }
    return put_nothing;
}
