// Certificates taken apart: RFC 5280 section 4.1 for the structure, 4.2.1 for the extensions.
#include "dissect/x509.h"

#include <assert.h>

enum { EXTENSIONS_MAX = 128 };

// id-ce-subjectAltName and id-ce-basicConstraints (RFC 5280 sections 4.2.1.6 and 4.2.1.9),
// id-at-commonName.
static const uint8_t OID_ALTERNATIVE_NAMES[] = {0x55, 0x1d, 0x11};
static const uint8_t OID_BASIC_CONSTRAINTS[] = {0x55, 0x1d, 0x13};
static const uint8_t OID_COMMON_NAME[] = {0x55, 0x04, 0x03};

// ---- structure ----------------------------------------------------------------------------------

static void read_extension(struct x509 *c, struct reader *list)
{
    struct reader e = der_enter(list, DER_SEQUENCE);
    bytes oid = der_expect(&e, DER_OID);
    if (der_at(&e, DER_BOOLEAN)) der_next(&e); // critical
    struct reader value = der_enter(&e, DER_OCTET_STRING);
    if (e.bad) return;
    if (bytes_equal(oid, bytes_of(OID_ALTERNATIVE_NAMES, sizeof OID_ALTERNATIVE_NAMES)))
        c->alternative_names = der_expect(&value, DER_SEQUENCE);
    if (bytes_equal(oid, bytes_of(OID_BASIC_CONSTRAINTS, sizeof OID_BASIC_CONSTRAINTS)))
        c->basic_constraints = der_expect(&value, DER_SEQUENCE);
}

// issuerUniqueID [1] and subjectUniqueID [2] are passed over, extensions [3] are entered.
static void read_extensions(struct x509 *c, struct reader *tbs)
{
    while (reader_left(tbs) > 0 && !der_at(tbs, DER_CONTEXT_CONSTRUCTED + 3)) der_next(tbs);
    if (reader_left(tbs) == 0) return;
    struct reader outer = der_enter(tbs, DER_CONTEXT_CONSTRUCTED + 3);
    struct reader list = der_enter(&outer, DER_SEQUENCE);
    for (unsigned i = 0; i < EXTENSIONS_MAX && reader_left(&list) > 0; i++)
        read_extension(c, &list);
}

static void read_version(struct x509 *c, struct reader *tbs)
{
    c->version = 1;
    if (!der_at(tbs, DER_CONTEXT_CONSTRUCTED)) return;
    struct reader v = der_enter(tbs, DER_CONTEXT_CONSTRUCTED);
    struct reader number = der_enter(&v, DER_INTEGER);
    c->version = read_u8(&number) + 1u;
}

static void read_validity(struct x509 *c, struct reader *tbs)
{
    struct reader v = der_enter(tbs, DER_SEQUENCE);
    c->not_before = der_next(&v);
    c->not_after = der_next(&v);
}

static void read_key(struct x509 *c, struct reader *tbs)
{
    struct reader info = der_enter(tbs, DER_SEQUENCE);
    struct reader algorithm = der_enter(&info, DER_SEQUENCE);
    c->key_algorithm = der_expect(&algorithm, DER_OID);
    if (reader_left(&algorithm) > 0) c->key_parameters = der_next(&algorithm);
    c->key = bytes_after(der_expect(&info, DER_BIT_STRING), 1);
    if (info.bad || algorithm.bad) der_fail(tbs);
}

static bytes read_whole(struct reader *r, uint8_t tag)
{
    struct der e = der_next(r);
    if (e.tag != tag) der_fail(r);
    return e.whole;
}

bool x509_read(struct x509 *c, bytes certificate)
{
    *c = (struct x509){0};
    struct reader outer = reader_of(certificate);
    struct reader whole = der_enter(&outer, DER_SEQUENCE);
    struct reader tbs = der_enter(&whole, DER_SEQUENCE);
    struct x509 found = {0};
    read_version(&found, &tbs);
    found.serial = der_expect(&tbs, DER_INTEGER);
    struct reader algorithm = der_enter(&tbs, DER_SEQUENCE);
    found.signature_algorithm = der_expect(&algorithm, DER_OID);
    found.issuer = read_whole(&tbs, DER_SEQUENCE);
    read_validity(&found, &tbs);
    found.subject = read_whole(&tbs, DER_SEQUENCE);
    read_key(&found, &tbs);
    if (tbs.bad || whole.bad) return false;
    read_extensions(&found, &tbs);
    *c = found;
    return true;
}

// ---- time ---------------------------------------------------------------------------------------

// Days since 1970-01-01 of a day of the Gregorian calendar.
static int64_t days_of(int64_t year, unsigned month, unsigned day)
{
    assert(month >= 1 && month <= 12);
    static const uint16_t before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    int64_t past = year - 1; // whole years before it
    int64_t days = past * 365 + past / 4 - past / 100 + past / 400 - 719162;
    return days + before[month - 1] + (leap && month > 2 ? 1 : 0) + day - 1;
}

static unsigned read_digits(struct reader *r, unsigned count)
{
    unsigned v = 0;
    for (unsigned i = 0; i < count; i++) {
        uint8_t c = read_u8(r);
        if (c < '0' || c > '9') der_fail(r);
        v = v * 10 + (unsigned)(c - '0') % 10;
    }
    return v;
}

static bool at_digit(const struct reader *r)
{
    struct reader look = *r;
    uint8_t c = read_u8(&look);
    return c >= '0' && c <= '9';
}

// "Z", nothing, or a difference to UTC as older certificates have it; seconds.
static int64_t read_zone(struct reader *r)
{
    if (reader_left(r) > 0 && !at_digit(r)) {
        uint8_t sign = read_u8(r);
        if (sign != '+' && sign != '-') return 0;
        int64_t hours = read_digits(r, 2), minutes = read_digits(r, 2);
        return (sign == '+' ? 1 : -1) * (hours * 3600 + minutes * 60);
    }
    return 0;
}

static int64_t read_year(struct reader *r, uint8_t tag)
{
    if (tag == DER_GENERALIZED_TIME) return read_digits(r, 4);
    unsigned year = read_digits(r, 2); // RFC 5280 section 4.1.2.5.1
    return year < 50 ? 2000 + year : 1900 + year;
}

bool x509_time(const struct der *time, nanos *t)
{
    if (time->tag != DER_UTC_TIME && time->tag != DER_GENERALIZED_TIME) return false;
    struct reader r = reader_of(time->body);
    int64_t year = read_year(&r, time->tag);
    unsigned month = read_digits(&r, 2), day = read_digits(&r, 2);
    unsigned hour = read_digits(&r, 2), minute = read_digits(&r, 2);
    unsigned second = at_digit(&r) ? read_digits(&r, 2) : 0;
    int64_t zone = read_zone(&r);
    if (r.bad || month < 1 || month > 12 || day < 1 || day > 31 || hour > 24 || minute > 59 ||
        second > 60)
        return false;
    int64_t seconds = days_of(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - zone;
    int64_t most = INT64_MAX / NANOS_PER_SECOND;
    if (seconds > most) seconds = most;
    if (seconds < -most) seconds = -most;
    *t = seconds * NANOS_PER_SECOND;
    return true;
}

// ---- names --------------------------------------------------------------------------------------

// RFC 6125 section 6.4.3: a wildcard stands for the whole leftmost label, and for one label only.
static bool host_matches(bytes pattern, bytes host)
{
    if (pattern.n && pattern.p[pattern.n - 1] == '.') pattern.n--;
    if (host.n && host.p[host.n - 1] == '.') host.n--;
    if (!bytes_start_with(pattern, "*.")) return bytes_equal_nocase(pattern, host);
    size_t label = bytes_find(host, '.');
    return label > 0 && bytes_equal_nocase(bytes_after(pattern, 1), bytes_after(host, label));
}

bool x509_matches_host(const struct x509 *c, bytes host)
{
    bool has_dns = false;
    struct reader names = reader_of(c->alternative_names);
    for (unsigned i = 0; i < X509_NAMES_MAX && reader_left(&names) > 0; i++) {
        struct der name = der_next(&names);
        if (name.tag != X509_ALTERNATIVE_DNS) continue;
        has_dns = true;
        if (host_matches(name.body, host)) return true;
    }
    if (has_dns) return false;
    bytes common =
        x509_name_attribute(c->subject, bytes_of(OID_COMMON_NAME, sizeof OID_COMMON_NAME));
    return common.n > 0 && host_matches(common, host);
}
