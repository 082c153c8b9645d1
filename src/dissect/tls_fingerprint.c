#include "dissect/tls_fingerprint.h"

#include "base/hash.h"
#include "dissect/tls_names.h"

// ---- JA3 ----------------------------------------------------------------------------------------

static void add_text(struct md5 *h, const char *text)
{
    md5_add(h, bytes_text(text));
}

static void add_number(struct md5 *h, uint16_t v)
{
    char digits[5];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    md5_add(h, bytes_of(digits + at, sizeof digits - at));
}

static void add_list_item(struct md5 *h, bool *first, uint16_t v)
{
    if (!*first) add_text(h, "-");
    *first = false;
    add_number(h, v);
}

static void add_list(struct md5 *h, bytes list)
{
    uint16_t v;
    for (bool first = true; tls_list_next(&list, &v);)
        if (!tls_is_grease(v)) add_list_item(h, &first, v);
}

static void add_extensions(struct md5 *h, bytes extensions)
{
    struct reader r = reader_of(extensions);
    struct tls_extension e;
    for (bool first = true; tls_extension_next(&r, &e);)
        if (!tls_is_grease(e.type)) add_list_item(h, &first, e.type);
}

static void add_octets(struct md5 *h, bytes octets)
{
    struct reader r = reader_of(octets);
    for (bool first = true; reader_left(&r) > 0;) add_list_item(h, &first, read_u8(&r));
}

static void end_text(struct md5 *h, char text[JA3_TEXT_SIZE])
{
    uint8_t digest[MD5_SIZE];
    md5_end(h, digest);
    hex_format(text, bytes_of(digest, sizeof digest));
}

void tls_ja3(char text[JA3_TEXT_SIZE], const struct tls_hello *client)
{
    struct md5 h;
    md5_init(&h);
    add_number(&h, client->version);
    add_text(&h, ",");
    add_list(&h, client->ciphers);
    add_text(&h, ",");
    add_extensions(&h, client->extensions);
    add_text(&h, ",");
    add_list(&h, client->groups);
    add_text(&h, ",");
    add_octets(&h, client->point_formats);
    end_text(&h, text);
}

void tls_ja3s(char text[JA3_TEXT_SIZE], const struct tls_hello *server)
{
    struct md5 h;
    md5_init(&h);
    add_number(&h, server->version);
    add_text(&h, ",");
    add_number(&h, server->cipher);
    add_text(&h, ",");
    add_extensions(&h, server->extensions);
    end_text(&h, text);
}

// ---- JA4 ----------------------------------------------------------------------------------------

struct numbers {
    uint16_t v[JA4_NUMBERS_MAX];
    size_t count;
    bool too_many;
};

static void numbers_add(struct numbers *n, uint16_t v)
{
    if (tls_is_grease(v)) return;
    if (n->count == JA4_NUMBERS_MAX) n->too_many = true;
    else n->v[n->count++] = v;
}

static void numbers_add_list(struct numbers *n, bytes list)
{
    uint16_t v;
    while (tls_list_next(&list, &v)) numbers_add(n, v);
}

// Shell's sort with Ciura's gaps: no memory, and not quadratic when a hostile client makes long
// lists.
static void numbers_sort(struct numbers *n)
{
    static const size_t GAPS[] = {701, 301, 132, 57, 23, 10, 4, 1};
    for (size_t g = 0; g < sizeof GAPS / sizeof *GAPS; g++) {
        size_t gap = GAPS[g];
        for (size_t i = gap; i < n->count; i++) {
            uint16_t v = n->v[i];
            size_t at = i;
            for (; at >= gap && n->v[at - gap] > v; at -= gap) n->v[at] = n->v[at - gap];
            n->v[at] = v;
        }
    }
}

static void numbers_hash(struct sha256 *h, const struct numbers *n)
{
    for (size_t i = 0; i < n->count; i++) {
        uint8_t pair[2] = {(uint8_t)(n->v[i] >> 8), (uint8_t)n->v[i]};
        char text[5];
        hex_format(text, bytes_of(pair, 2));
        if (i) sha256_add(h, bytes_text(","));
        sha256_add(h, bytes_of(text, 4));
    }
}

static void digest_prefix(struct sha256 *h, char text[13])
{
    uint8_t digest[SHA256_SIZE];
    sha256_end(h, digest);
    hex_format(text, bytes_of(digest, 6));
}

static const char *version_code(const struct tls_hello *client)
{
    uint16_t version = 0, v;
    for (bytes list = client->supported_versions; tls_list_next(&list, &v);)
        if (!tls_is_grease(v) && v > version) version = v;
    switch (version ? version : client->version) {
    case TLS_1_3:
        return "13";
    case TLS_1_2:
        return "12";
    case TLS_1_1:
        return "11";
    case TLS_1_0:
        return "10";
    case TLS_SSL_3:
        return "s3";
    case TLS_SSL_2:
        return "s2";
    default:
        return "00";
    }
}

static bool is_alphanumeric(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

// First and last character of the first protocol; of its hexadecimal digits when one of them is
// neither letter nor digit.
static void alpn_code(char code[2], bytes alpn)
{
    bytes name;
    memcpy(code, "00", 2);
    if (!tls_alpn_next(&alpn, &name)) return;
    uint8_t ends[2] = {name.p[0], name.p[name.n - 1]};
    if (is_alphanumeric(ends[0]) && is_alphanumeric(ends[1])) {
        memcpy(code, ends, 2);
        return;
    }
    char hex[5];
    hex_format(hex, bytes_of(ends, 2));
    code[0] = hex[0];
    code[1] = hex[3];
}

static void put_count(char text[2], size_t count)
{
    if (count > 99) count = 99;
    text[0] = (char)('0' + count / 10);
    text[1] = (char)('0' + count % 10);
}

static bool ja4_ciphers(char count[2], char digest[13], const struct tls_hello *client)
{
    struct numbers n = {.count = 0};
    numbers_add_list(&n, client->ciphers);
    put_count(count, n.count);
    numbers_sort(&n);
    struct sha256 h;
    sha256_init(&h);
    numbers_hash(&h, &n);
    digest_prefix(&h, digest);
    if (n.count == 0) memcpy(digest, "000000000000", 13);
    return !n.too_many;
}

// The names of server and protocol count, but do not enter the hash: they change with what is
// visited.
static bool ja4_extensions(char count[2], char digest[13], const struct tls_hello *client)
{
    struct numbers n = {.count = 0};
    struct reader r = reader_of(client->extensions);
    size_t left_out = 0;
    for (struct tls_extension e; tls_extension_next(&r, &e);) {
        if (e.type == TLS_EXTENSION_SERVER_NAME || e.type == TLS_EXTENSION_ALPN) left_out++;
        else numbers_add(&n, e.type);
    }
    put_count(count, n.count + left_out);
    numbers_sort(&n);
    bool none = n.count == 0, too_many = n.too_many;
    struct sha256 h;
    sha256_init(&h);
    numbers_hash(&h, &n);
    n.count = 0;
    numbers_add_list(&n, client->signature_algorithms);
    if (n.count > 0) sha256_add(&h, bytes_text("_"));
    numbers_hash(&h, &n);
    digest_prefix(&h, digest);
    if (none) memcpy(digest, "000000000000", 13);
    return !too_many && !n.too_many;
}

bool tls_ja4(char text[JA4_TEXT_SIZE], const struct tls_hello *client)
{
    memcpy(text, "tvvdccee00_", 11);
    memcpy(text + 1, version_code(client), 2);
    text[3] = client->has_server_name ? 'd' : 'i';
    alpn_code(text + 8, client->alpn);
    bool fits = ja4_ciphers(text + 4, text + 11, client);
    text[23] = '_';
    return ja4_extensions(text + 6, text + 24, client) && fits;
}
