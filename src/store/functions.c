#include "store/functions.h"

#include "base/address.h"
#include "base/hash.h"
#include "base/mac.h"
#include "record/community_id.h"
#include "record/id.h"
#include "store/vector.h"

enum { ARGUMENTS_MAX = 7 };

// The arguments of a call; a row with a NULL among them gives NULL.
struct arguments {
    void *data[ARGUMENTS_MAX];
    const uint64_t *validity[ARGUMENTS_MAX];
    unsigned count;
    uint64_t rows;
    uint64_t *result_validity;
};

static struct arguments arguments_of(struct duck_chunk *input, unsigned count,
                                     struct duck_vector *output)
{
    struct arguments a = {.count = count, .rows = duck.data_chunk_get_size(input)};
    for (unsigned i = 0; i < count; i++) {
        struct duck_vector *v = duck.data_chunk_get_vector(input, i);
        a.data[i] = duck.vector_get_data(v);
        a.validity[i] = duck.vector_get_validity(v);
    }
    duck.vector_ensure_validity_writable(output);
    a.result_validity = duck.vector_get_validity(output);
    return a;
}

static void set_null(const struct arguments *a, uint64_t row)
{
    a->result_validity[row / 64] &= ~(UINT64_C(1) << (row % 64));
}

static bool has_null(const struct arguments *a, uint64_t row)
{
    for (unsigned i = 0; i < a->count; i++) {
        if (!vector_is_null(a->validity[i], row)) continue;
        set_null(a, row);
        return true;
    }
    return false;
}

static bytes text_argument(const struct arguments *a, unsigned i, uint64_t row)
{
    const struct duck_string *s = (const struct duck_string *)a->data[i] + row;
    return bytes_of(duck_string_data(s), s->length);
}

// Text of ours, whose encoding nobody must check.
static void put_ascii(struct duck_vector *output, uint64_t row, const char *text, uint64_t n)
{
    if (duck.unsafe_vector_assign_string_element_len)
        duck.unsafe_vector_assign_string_element_len(output, row, text, n);
    else duck.vector_assign_string_element_len(output, row, text, n);
}

static void ip_text(struct duck_info *info, struct duck_chunk *input, struct duck_vector *output)
{
    (void)info;
    struct arguments a = arguments_of(input, 2, output);
    const uint64_t *hi = a.data[0], *lo = a.data[1];
    char text[ADDRESS_TEXT_MAX];
    for (uint64_t row = 0; row < a.rows; row++) {
        if (has_null(&a, row)) continue;
        int n = address_format(text, (struct address){hi[row], lo[row]});
        put_ascii(output, row, text, (uint64_t)n);
    }
}

static void mac_text(struct duck_info *info, struct duck_chunk *input, struct duck_vector *output)
{
    (void)info;
    struct arguments a = arguments_of(input, 1, output);
    const uint64_t *mac = a.data[0];
    char text[MAC_TEXT_SIZE];
    for (uint64_t row = 0; row < a.rows; row++) {
        if (has_null(&a, row)) continue;
        mac_format(text, mac[row]);
        put_ascii(output, row, text, MAC_TEXT_SIZE - 1);
    }
}

static void id_text(struct duck_info *info, struct duck_chunk *input, struct duck_vector *output)
{
    (void)info;
    struct arguments a = arguments_of(input, 2, output);
    const uint64_t *us = a.data[0], *hash = a.data[1];
    char text[RECORD_ID_TEXT_SIZE];
    for (uint64_t row = 0; row < a.rows; row++) {
        if (has_null(&a, row)) continue;
        record_id_format(text, (struct record_id){us[row], hash[row]});
        put_ascii(output, row, text, RECORD_ID_TEXT_SIZE - 1);
    }
}

// What is no address has no number: NULL.
static void ip_word(struct duck_chunk *input, struct duck_vector *output, bool high)
{
    struct arguments a = arguments_of(input, 1, output);
    uint64_t *out = duck.vector_get_data(output);
    for (uint64_t row = 0; row < a.rows; row++) {
        struct address address;
        if (has_null(&a, row)) continue;
        if (address_parse(text_argument(&a, 0, row), &address))
            out[row] = high ? address.hi : address.lo;
        else set_null(&a, row);
    }
}

static void ip_hi(struct duck_info *info, struct duck_chunk *input, struct duck_vector *output)
{
    (void)info;
    ip_word(input, output, true);
}

static void ip_lo(struct duck_info *info, struct duck_chunk *input, struct duck_vector *output)
{
    (void)info;
    ip_word(input, output, false);
}

static void in_prefix(struct duck_info *info, struct duck_chunk *input, struct duck_vector *output)
{
    struct arguments a = arguments_of(input, 2, output);
    bool *out = duck.vector_get_data(output);
    bytes last = {0};
    struct prefix prefix = {0};
    for (uint64_t row = 0; row < a.rows; row++) {
        struct address address;
        out[row] = false;
        if (has_null(&a, row)) continue;
        bytes text = text_argument(&a, 1, row);
        if ((!last.p || !bytes_equal(last, text)) && !prefix_parse(text, &prefix)) {
            duck.scalar_function_set_error(
                info, "in_prefix: the second argument is no prefix such as '10.0.0.0/8'");
            return;
        }
        last = text;
        out[row] =
            address_parse(text_argument(&a, 0, row), &address) && prefix_has(&prefix, address);
    }
}

static void community_id(struct duck_info *info, struct duck_chunk *input,
                         struct duck_vector *output)
{
    (void)info;
    struct arguments a = arguments_of(input, 7, output);
    const uint64_t *const *v = (const uint64_t *const *)a.data;
    char text[COMMUNITY_ID_SIZE];
    for (uint64_t row = 0; row < a.rows; row++) {
        if (has_null(&a, row)) continue;
        struct community_tuple tuple = {{v[0][row], v[1][row]},
                                        {v[3][row], v[4][row]},
                                        (uint16_t)v[2][row],
                                        (uint16_t)v[5][row],
                                        (uint8_t)v[6][row]};
        community_id_of_tuple(&tuple, text);
        put_ascii(output, row, text, strlen(text));
    }
}

// ---- the ends of a conversation (store/observed.c) ----------------------------------------------

// The lower end first; ICMP tells type and code in place of ports, each exporter in its own way.
struct ends {
    uint64_t a_hi, a_lo, b_hi, b_lo;
    uint16_t a_port, b_port, proto;
    uint16_t swapped; // the lower end is dst
};
_Static_assert(sizeof(struct ends) == 40, "no padding: it is hashed as bytes");

static struct ends ends_of(const struct arguments *a, uint64_t row)
{
    enum { ICMP = 1, ICMPV6 = 58 };
    const uint64_t *const *v = (const uint64_t *const *)a->data;
    uint16_t proto = (uint16_t)v[6][row];
    bool has_ports = proto != ICMP && proto != ICMPV6;
    struct ends e = {v[0][row],
                     v[1][row],
                     v[3][row],
                     v[4][row],
                     has_ports ? (uint16_t)v[2][row] : 0,
                     has_ports ? (uint16_t)v[5][row] : 0,
                     proto,
                     0};
    bool is_later = e.a_lo > e.b_lo || (e.a_lo == e.b_lo && e.a_port > e.b_port);
    if (e.a_hi > e.b_hi || (e.a_hi == e.b_hi && is_later))
        return (struct ends){e.b_hi, e.b_lo, e.a_hi, e.a_lo, e.b_port, e.a_port, proto, 1};
    return e;
}

static void ends_swapped(struct duck_info *info, struct duck_chunk *input,
                         struct duck_vector *output)
{
    (void)info;
    struct arguments a = arguments_of(input, 7, output);
    bool *out = duck.vector_get_data(output);
    for (uint64_t row = 0; row < a.rows; row++) {
        out[row] = false;
        if (!has_null(&a, row)) out[row] = ends_of(&a, row).swapped;
    }
}

// A number of each row's ends.
static void ends_number(struct duck_chunk *input, struct duck_vector *output,
                        uint64_t (*number)(const struct ends *e))
{
    struct arguments a = arguments_of(input, 7, output);
    uint64_t *out = duck.vector_get_data(output);
    for (uint64_t row = 0; row < a.rows; row++) {
        if (has_null(&a, row)) continue;
        struct ends e = ends_of(&a, row);
        e.swapped = 0;
        out[row] = number(&e);
    }
}

static uint64_t hash_of(const struct ends *e)
{
    return table_hash(e, sizeof *e, 0);
}

// With ends_name it tells ends apart.
static void ends_hash(struct duck_info *info, struct duck_chunk *input, struct duck_vector *output)
{
    (void)info;
    ends_number(input, output, hash_of);
}

static uint64_t name_add(uint64_t name, uint64_t v, unsigned size)
{
    for (unsigned i = size; i > 0; i--) {
        name ^= v >> 8 * (i - 1) & 0xff;
        name *= UINT64_C(0x100000001b3);
    }
    return name;
}

// The same everywhere: FNV-1a over addresses, ports and protocol, most significant byte first.
static uint64_t name_of(const struct ends *e)
{
    uint64_t name = UINT64_C(0xcbf29ce484222325);
    name = name_add(name_add(name_add(name, e->a_hi, 8), e->a_lo, 8), e->a_port, 2);
    name = name_add(name_add(name_add(name, e->b_hi, 8), e->b_lo, 8), e->b_port, 2);
    return name_add(name, e->proto, 2);
}

static void ends_name(struct duck_info *info, struct duck_chunk *input, struct duck_vector *output)
{
    (void)info;
    ends_number(input, output, name_of);
}

#define ENDS_PARAMETERS                                                                            \
    {                                                                                              \
        DUCK_UBIGINT, DUCK_UBIGINT, DUCK_UBIGINT, DUCK_UBIGINT, DUCK_UBIGINT, DUCK_UBIGINT,        \
            DUCK_UBIGINT                                                                           \
    }

static const struct function {
    const char *name;
    enum duck_type parameters[ARGUMENTS_MAX];
    unsigned parameter_count;
    enum duck_type result;
    duck_scalar_call *call;
} functions[] = {
    {"ip_text", {DUCK_UBIGINT, DUCK_UBIGINT}, 2, DUCK_VARCHAR, ip_text},
    {"mac_text", {DUCK_UBIGINT}, 1, DUCK_VARCHAR, mac_text},
    {"id_text", {DUCK_UBIGINT, DUCK_UBIGINT}, 2, DUCK_VARCHAR, id_text},
    {"ip_hi", {DUCK_VARCHAR}, 1, DUCK_UBIGINT, ip_hi},
    {"ip_lo", {DUCK_VARCHAR}, 1, DUCK_UBIGINT, ip_lo},
    {"community_id", ENDS_PARAMETERS, 7, DUCK_VARCHAR, community_id},
    {"ends_swapped", ENDS_PARAMETERS, 7, DUCK_BOOLEAN, ends_swapped},
    {"ends_hash", ENDS_PARAMETERS, 7, DUCK_UBIGINT, ends_hash},
    {"ends_name", ENDS_PARAMETERS, 7, DUCK_UBIGINT, ends_name},
    {"in_prefix", {DUCK_VARCHAR, DUCK_VARCHAR}, 2, DUCK_BOOLEAN, in_prefix},
};

static bool register_one(struct database *d, const struct function *function)
{
    struct duck_scalar_function *f = duck.create_scalar_function();
    duck.scalar_function_set_name(f, function->name);
    for (unsigned i = 0; i < function->parameter_count; i++) {
        struct duck_logical *type = duck.create_logical_type(function->parameters[i]);
        duck.scalar_function_add_parameter(f, type);
        duck.destroy_logical_type(&type);
    }
    struct duck_logical *type = duck.create_logical_type(function->result);
    duck.scalar_function_set_return_type(f, type);
    duck.destroy_logical_type(&type);
    duck.scalar_function_set_function(f, function->call);
    int failed = duck.register_scalar_function(d->connection, f);
    duck.destroy_scalar_function(&f);
    return !failed;
}

bool functions_register(struct database *d, struct err *err)
{
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (!register_one(d, &functions[i]))
            return err_set(err, ERR_MACHINE, "DuckDB does not take the function %s",
                           functions[i].name);
    return true;
}
