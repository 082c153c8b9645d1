#include "dissect/dns_rdata.h"

#include <assert.h>

#include "dissect/dns_text.h"

// clang-format off
// The form of a type's data, a letter for each part:
//   n    name                           1 2 4  number of so many bytes
//   a A  address of IPv4, IPv6          6 8    identifier (EUI) of so many bytes
//   s k  string, quoted or not          t      strings to the end
//   q    all the rest, quoted           x b    all the rest, hexadecimal or base64
//   h 5  with a length before it, hexadecimal or base32
//   y m  number of a type, bitmap of types     T      time
//   v    service parameters             l      location
struct type_form {
    uint16_t type;
    const char *name;
    const char *form; // NULL: \# of RFC 3597
};

// In the order of numbers: searched by halves.
static const struct type_form TYPE_FORMS[] = {
    {1, "A", "a"},             // RFC 1035 section 3.4.1
    {2, "NS", "n"},            // section 3.3
    {3, "MD", "n"},
    {4, "MF", "n"},
    {5, "CNAME", "n"},
    {6, "SOA", "nn44444"},     // section 3.3.13
    {7, "MB", "n"},
    {8, "MG", "n"},
    {9, "MR", "n"},
    {10, "NULL", NULL},
    {11, "WKS", NULL},
    {12, "PTR", "n"},
    {13, "HINFO", "ss"},
    {14, "MINFO", "nn"},
    {15, "MX", "2n"},
    {16, "TXT", "t"},
    {17, "RP", "nn"},          // RFC 1183
    {18, "AFSDB", "2n"},
    {19, "X25", "s"},
    {20, "ISDN", "t"},
    {21, "RT", "2n"},
    {24, "SIG", "y114TT2nb"},  // RFC 2535 section 4.1
    {25, "KEY", "211b"},
    {26, "PX", "2nn"},         // RFC 2163
    {28, "AAAA", "A"},         // RFC 3596
    {29, "LOC", "l"},          // RFC 1876
    {30, "NXT", NULL},
    {33, "SRV", "222n"},       // RFC 2782
    {35, "NAPTR", "22sssn"},   // RFC 3403 section 4.1
    {36, "KX", "2n"},          // RFC 2230
    {37, "CERT", "221b"},      // RFC 4398
    {39, "DNAME", "n"},        // RFC 6672
    {41, "OPT", NULL},         // RFC 6891
    {42, "APL", NULL},
    {43, "DS", "211x"},        // RFC 4034 section 5.1
    {44, "SSHFP", "11x"},      // RFC 4255
    {45, "IPSECKEY", NULL},
    {46, "RRSIG", "y114TT2nb"}, // RFC 4034 section 3.1
    {47, "NSEC", "nm"},        // section 4.1
    {48, "DNSKEY", "211b"},    // section 2.1
    {49, "DHCID", "b"},        // RFC 4701
    {50, "NSEC3", "112h5m"},   // RFC 5155 section 3.2
    {51, "NSEC3PARAM", "112h"}, // section 4.2
    {52, "TLSA", "111x"},      // RFC 6698 section 2.1
    {53, "SMIMEA", "111x"},    // RFC 8162
    {55, "HIP", NULL},
    {59, "CDS", "211x"},       // RFC 7344
    {60, "CDNSKEY", "211b"},
    {61, "OPENPGPKEY", "b"},   // RFC 7929
    {62, "CSYNC", "42m"},      // RFC 7477
    {63, "ZONEMD", "411x"},    // RFC 8976
    {64, "SVCB", "2nv"},       // RFC 9460
    {65, "HTTPS", "2nv"},
    {99, "SPF", "t"},          // RFC 7208
    {104, "NID", NULL},
    {105, "L32", NULL},
    {106, "L64", NULL},
    {107, "LP", "2n"},         // RFC 6742
    {108, "EUI48", "6"},       // RFC 7043
    {109, "EUI64", "8"},
    {249, "TKEY", NULL},
    {250, "TSIG", NULL},
    {251, "IXFR", NULL},
    {252, "AXFR", NULL},
    {253, "MAILB", NULL},
    {254, "MAILA", NULL},
    {255, "ANY", NULL},
    {256, "URI", "22q"},       // RFC 7553
    {257, "CAA", "1kq"},       // RFC 8659 section 4.1
    {258, "AVC", "t"},
    {259, "DOA", NULL},
    {260, "AMTRELAY", NULL},
    {32768, "TA", "211x"},
    {32769, "DLV", "211x"},    // RFC 4431
};

// clang-format on

static const struct type_form *type_form_of(uint16_t type)
{
    size_t low = 0, high = sizeof TYPE_FORMS / sizeof *TYPE_FORMS;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (TYPE_FORMS[middle].type == type) return &TYPE_FORMS[middle];
        if (TYPE_FORMS[middle].type < type) low = middle + 1;
        else high = middle;
    }
    return NULL;
}

// ---- numbers that have names --------------------------------------------------------------------

// Made for every record: no formatted printing.
static struct dns_number_name number_name(const char *name, const char *otherwise, unsigned number)
{
    struct dns_number_name result;
    struct buf text = buf_on(result.text, sizeof result.text - 1);
    buf_text(&text, name ? name : otherwise);
    if (!name) dns_put_number(&text, number);
    assert(!text.full);
    result.text[text.n] = '\0';
    return result;
}

struct dns_number_name dns_type_name(uint16_t type)
{
    const struct type_form *form = type_form_of(type);
    return number_name(form ? form->name : NULL, "TYPE", type);
}

struct dns_number_name dns_class_name(uint16_t class_)
{
    const char *name = NULL;
    if (class_ == DNS_CLASS_IN) name = "IN";
    else if (class_ == DNS_CLASS_CH) name = "CH";
    else if (class_ == DNS_CLASS_HS) name = "HS";
    else if (class_ == DNS_CLASS_NONE) name = "NONE";
    else if (class_ == DNS_CLASS_ANY) name = "ANY";
    return number_name(name, "CLASS", class_);
}

struct dns_number_name dns_opcode_name(uint8_t opcode)
{
    static const char *const NAMES[] = {"QUERY",  "IQUERY", "STATUS", NULL,
                                        "NOTIFY", "UPDATE", "DSO"};
    return number_name(opcode < sizeof NAMES / sizeof *NAMES ? NAMES[opcode] : NULL, "OPCODE",
                       opcode);
}

struct dns_number_name dns_rcode_name(uint16_t rcode)
{
    // clang-format off
    static const char *const NAMES[] = {
        "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET",
        "NXRRSET", "NOTAUTH", "NOTZONE", "DSOTYPENI", NULL, NULL, NULL, NULL,
        "BADVERS", "BADKEY", "BADTIME", "BADMODE", "BADNAME", "BADALG", "BADTRUNC", "BADCOOKIE",
    };
    // clang-format on
    return number_name(rcode < sizeof NAMES / sizeof *NAMES ? NAMES[rcode] : NULL, "RCODE", rcode);
}

// ---- data by its form ---------------------------------------------------------------------------

struct parts {
    bytes message;
    struct reader r;
    struct buf *out;
    enum dns_fault fault; // the first of a name
};

static void put_name(struct parts *p)
{
    struct dns_name name;
    enum dns_fault fault = dns_name_read(p->message, &p->r, &name);
    if (p->fault == DNS_FINE) p->fault = fault;
    buf_put(p->out, dns_name_bytes(&name));
}

static void put_address(struct parts *p, bool is_v4)
{
    struct address a = {0};
    char text[ADDRESS_TEXT_MAX];
    if (is_v4) {
        a = address_v4(read_be32(&p->r));
    } else {
        a.hi = read_be64(&p->r);
        a.lo = read_be64(&p->r);
    }
    buf_put(p->out, bytes_of(text, (size_t)address_format(text, a)));
}

// A string with its length before it (RFC 1035 section 3.3).
static bytes read_string(struct reader *r)
{
    return read_bytes(r, read_u8(r));
}

// One string stands as it is; of several, each in quotes, so that one sees where they end.
static void put_strings(struct parts *p)
{
    bytes first = read_string(&p->r);
    if (p->r.bad || reader_left(&p->r) == 0) {
        buf_put(p->out, first);
        return;
    }
    dns_put_quoted(p->out, first);
    while (reader_left(&p->r) && !p->r.bad && !p->out->full) {
        buf_u8(p->out, ' ');
        dns_put_quoted(p->out, read_string(&p->r));
    }
    if (p->out->full) read_bytes(&p->r, reader_left(&p->r));
}

static void put_type(struct parts *p)
{
    struct dns_number_name name = dns_type_name(read_be16(&p->r));
    buf_text(p->out, name.text);
}

// Windows of types, each with the number of its bytes (RFC 4034 section 4.1.2).
static void put_bitmap(struct parts *p)
{
    const char *separator = "";
    while (reader_left(&p->r) && !p->r.bad) {
        unsigned window = read_u8(&p->r);
        bytes bits = read_string(&p->r);
        if (bits.n > 32) p->r.bad = true;
        for (unsigned i = 0; i < 8 * bits.n && !p->r.bad && !p->out->full; i++) {
            if (!(bits.p[i / 8] & 0x80u >> i % 8)) continue;
            struct dns_number_name name = dns_type_name((uint16_t)(window << 8 | i));
            buf_text(p->out, separator);
            buf_text(p->out, name.text);
            separator = " ";
        }
    }
}

static void put_rest(struct parts *p, char part)
{
    bytes rest = read_bytes(&p->r, reader_left(&p->r));
    if (part == 'x') dns_put_hexadecimal(p->out, rest);
    else if (part == 'b') dns_put_base64(p->out, rest);
    else dns_put_quoted(p->out, rest);
}

static void put_with_length(struct parts *p, char part)
{
    bytes b = read_string(&p->r);
    if (part == '5') dns_put_base32(p->out, b);
    else if (part == 'k') buf_put(p->out, b);
    else if (part == 's') dns_put_quoted(p->out, b);
    else if (b.n == 0) buf_u8(p->out, '-'); // an empty salt
    else dns_put_hexadecimal(p->out, b);
}

static void put_part(struct parts *p, char part)
{
    switch (part) {
    case 'n':
        put_name(p);
        break;
    case '1':
        dns_put_number(p->out, read_u8(&p->r));
        break;
    case '2':
        dns_put_number(p->out, read_be16(&p->r));
        break;
    case '4':
        dns_put_number(p->out, read_be32(&p->r));
        break;
    case 'a':
        put_address(p, true);
        break;
    case 'A':
        put_address(p, false);
        break;
    case 't':
        put_strings(p);
        break;
    case 'y':
        put_type(p);
        break;
    case 'T':
        dns_put_time(p->out, read_be32(&p->r));
        break;
    case 'm':
        put_bitmap(p);
        break;
    case 'v':
        dns_put_parameters(p->out, &p->r);
        break;
    case 'l':
        dns_put_location(p->out, &p->r);
        break;
    case '6':
        dns_put_dashed(p->out, read_bytes(&p->r, 6));
        break;
    case '8':
        dns_put_dashed(p->out, read_bytes(&p->r, 8));
        break;
    case 'x':
    case 'b':
    case 'q':
        put_rest(p, part);
        break;
    case 's':
    case 'k':
    case 'h':
    case '5':
        put_with_length(p, part);
        break;
    default:
        assert(false);
    }
}

static void put_unknown(struct buf *out, bytes data)
{
    buf_text(out, "\\# ");
    dns_put_number(out, data.n);
    if (data.n) buf_u8(out, ' ');
    dns_put_hexadecimal(out, data);
}

enum dns_fault dns_rdata_text(bytes message, uint16_t type, bytes data, struct buf *out)
{
    const struct type_form *form = type_form_of(type);
    // Deletions of an update have no data (RFC 2136 section 2.5).
    if (data.n == 0) return DNS_FINE;
    if (!form || !form->form) {
        put_unknown(out, data);
        return DNS_FINE;
    }
    size_t begin = out->n;
    struct parts p = {.message = message, .r = reader_of(data), .out = out};
    for (const char *part = form->form; *part; part++) {
        if (part != form->form) buf_u8(out, ' ');
        put_part(&p, *part);
    }
    if (out->full) return p.fault;
    if (out->n > begin && out->p[out->n - 1] == ' ') out->n--; // the last part was empty
    if (p.fault != DNS_FINE) return p.fault;
    if (!p.r.bad && reader_left(&p.r) == 0) return DNS_FINE;
    out->n = begin;
    put_unknown(out, data);
    return DNS_RDATA_INVALID;
}

bool dns_client_subnet_text(bytes option, struct buf *out)
{
    struct reader r = reader_of(option);
    uint16_t family = read_be16(&r);
    uint8_t prefix = read_u8(&r);
    read_u8(&r); // how much of it the answer is for
    size_t size = family == 1 ? 4 : 16;
    if (r.bad || (family != 1 && family != 2) || prefix > 8 * size || reader_left(&r) > size)
        return false;
    uint8_t all[16] = {0};
    bytes given = reader_rest(&r);
    if (given.n) memcpy(all, given.p, given.n);
    struct parts p = {.r = reader_of(bytes_of(all, size)), .out = out};
    put_address(&p, family == 1);
    buf_u8(out, '/');
    dns_put_number(out, prefix);
    return true;
}
