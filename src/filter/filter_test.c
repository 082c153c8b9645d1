#include "filter/filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "record/test_kind.h"

enum conversation_field {
    C_FIRST_SEEN,
    C_LAST_SEEN,
    C_PROTO,
    C_SRC_ADDR,
    C_SRC_PORT,
    C_DST_ADDR,
    C_DST_PORT,
    C_SERVICE,
    C_SRC_BYTES,
    C_DST_BYTES,
    C_SRC_MISSED,
    C_DST_MISSED,
};

static const struct field conversation_fields[] = {
    {"first_seen", FIELD_TIME, NULL, "", "event.start", "ts", 0},
    {"last_seen", FIELD_TIME, NULL, "", "event.end", NULL, 0},
    {"proto", FIELD_UINT, NULL, "", "network.iana_number", "ip_proto", 0},
    {"src_addr", FIELD_ADDRESS, NULL, "", "source.ip", "id.orig_h", 0},
    {"src_port", FIELD_UINT, NULL, "", "source.port", "id.orig_p", 0},
    {"dst_addr", FIELD_ADDRESS, NULL, "", "destination.ip", "id.resp_h", 0},
    {"dst_port", FIELD_UINT, NULL, "", "destination.port", "id.resp_p", 0},
    {"service", FIELD_TEXT, NULL, "", "network.protocol", NULL, 0},
    {"src_bytes", FIELD_UINT, "bytes", "", "source.bytes", NULL, 0},
    {"dst_bytes", FIELD_UINT, "bytes", "", "destination.bytes", NULL, 0},
    {"src_missed_bytes", FIELD_UINT, "bytes", "", NULL, "missed_bytes", 0},
    {"dst_missed_bytes", FIELD_UINT, "bytes", "", NULL, "missed_bytes", 0},
};

enum { H_METHOD = COMMON_COUNT, H_HOST, H_STATUS, H_VERSION };

static const struct field http_fields[] = {
    RECORD_COMMON_FIELDS,
    {"method", FIELD_TEXT, NULL, "", "http.request.method", NULL, 0},
    {"host", FIELD_TEXT, NULL, "", "url.domain", NULL, 0},
    {"status_code", FIELD_UINT, NULL, "", "http.response.status_code", NULL, 0},
    {"version", FIELD_TEXT, NULL, "", NULL, NULL, 0},
};

enum { D_QUERY = COMMON_COUNT, D_TRANSPORT, D_VERSION };

static const struct field dns_fields[] = {
    RECORD_COMMON_FIELDS,
    {"query", FIELD_TEXT, NULL, "", "dns.question.name", NULL, 0},
    {"transport", FIELD_TEXT, NULL, "", "network.transport", "proto", 0},
    {"version", FIELD_UINT, NULL, "", NULL, NULL, 0},
};

static const struct record_kind conversation = {"conversation", "",   conversation_fields, 12,
                                                false,          false};
static const struct record_kind http = {"http", "", http_fields, COMMON_COUNT + 4, false, false};
static const struct record_kind dns = {"dns", "", dns_fields, COMMON_COUNT + 3, false, false};
static const struct record_kind *const kinds[] = {&conversation, &http, &dns, &test_kind};
enum { KIND_COUNT = 4 };

#define NOW INT64_C(1704067200000000000) // 2024-01-01T00:00:00Z

static struct filter_options options(void)
{
    static struct prefix prefixes[2];
    static const struct filter_list lists[] = {{"local", prefixes, 2}, {"nobody", NULL, 0}};
    prefix_parse(bytes_text("10.0.0.0/8"), &prefixes[0]);
    prefix_parse(bytes_text("fd00::/8"), &prefixes[1]);
    return (struct filter_options){NOW, lists, 2, kinds, KIND_COUNT};
}

// ---- what is wrong, and where -------------------------------------------------------------------

static void error_is(const struct record_kind *const *of, uint32_t count, const char *text,
                     uint32_t column, const char *part)
{
    struct filter_options o = options();
    struct filter_error error;
    struct filter *f = filter_compile(text, of, count, &o, &error);
    if (f) fail_msg("this should be wrong: %s", text);
    if (error.column != column || !strstr(error.message, part))
        fail_msg("%s\ncolumn %u, wanted %u; %s; wanted %s", text, error.column, column,
                 error.message, part);
}

static const struct {
    const char *text;
    uint32_t column;
    const char *part;
} mistakes[] = {
    {"", 1, "empty"},
    {"   ", 1, "empty"},
    {"uint ==", 8, "expected a value, but it ends here"},
    {"uint == 1 and", 14, "but it ends here"},
    {"uint == 1 text == a", 11, "'and', 'or' or the end"},
    {"== 1", 1, "expected a field"},
    {"and uint == 1", 1, "expected a field"},
    {"(uint == 1", 1, "no ')'"},
    {"uint == 1)", 10, "no '('"},
    {"()", 2, "expected a field"},
    {"uint == 1 & bool", 11, "&&"},
    {"uint == 1 | bool", 11, "||"},
    {"text == \"abc", 9, "no end"},
    {"text == 'abc", 9, "no end"},
    {"text == \"abc\\\"", 9, "no end"},
    {"text in {}", 9, "empty"},
    {"text in {a", 11, "but it ends here"},
    {"text in {a,,b}", 12, "a value"},
    {"text ~ {a}", 8, "one value"},
    {"text == and", 9, "a value"},
    {"uint not 5", 10, "'in'"},
    {"exists(", 8, "name of a field"},
    {"exists(uint", 12, "')'"},
    {"uint 5", 6, "an operator"},
    {"uint == 1x", 9, "which is not a number"},
    {"uint == -1", 9, "which is not a number"},
    {"uint == 1.2345k", 9, "which is not a number"},
    {"uint == 18446744073709551616", 9, "which is not a number"},
    {"uint == 99999999999999999999T", 9, "which is not a number"},
    {"uint in {5, 9-7}", 13, "ends before it begins"},
    {"uint in {5, 7-x}", 13, "which is not a number"},
    {"uint contains 5", 6, "no text"},
    {"uint ~ 5", 6, "no text"},
    {"address == 80", 12, "which is not an address"},
    {"address in 10.0.0.0/33", 12, "which is not an address"},
    {"address in 10.0.0.1-fd00::1", 12, "begins in IPv4"},
    {"address > 10.0.0.1", 9, "is an address"},
    {"address in $lokal", 12, "no list \"lokal\""},
    {"uint in $local", 9, "a list is for addresses"},
    {"text in {a, $local}", 13, "a list is for addresses"},
    {"text > a", 6, "has no order"},
    {"bool == maybe", 9, "which is not true or false"},
    {"bool > false", 6, "use == or !="},
    {"time > yesterday", 8, "which is not a time"},
    {"duration > 5x", 12, "which is not a duration"},
    {"hash == abc", 9, "which is not a hash"},
    {"hash == zz", 9, "which is not a hash"},
    {"hash < ab", 6, "a hash or an id"},
    {"id2 == 5", 8, "which is not an id"},
    {"ip.proto == tpc", 13, "which is not a protocol"},
    {"text ~ \"a(b\"", 12, "missing closing parenthesis"},
    {"text ~ 'ab[c'", 13, "missing terminating ]"},
    {"text == a and text ~ \"*\"", 23, "quantifier"},
    {"Z\303\274rich == 1", 1, "no kind of record has a field"},
    {"text == \"Z\303\274rich\" and uint == x", 30, "which is not a number"},
    {"hots == a", 1, "did you mean host (http)"},
    {"tcp.prot == 1", 1, "did you mean tcp.port"},
    {"xyzzyplugh == 1", 1, "see weir fields"},
    {"src_offset == 1", 1, "no kind of record has"}, // hidden
    {"blob == 00", 1, "did you mean"},               // for the program itself
    {"missed_bytes > 0", 1, "src_missed_bytes or dst_missed_bytes of conversation"},
    {"kind == dsn", 9, "none of the kinds"},
    {"host 10.0.0.0/99", 6, "which is not an address"},
    {"version > 5 and version > x", 25, "has no order"}, // of the first kind that has it
};

static void errors_point(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++)
        error_is(kinds, KIND_COUNT, mistakes[i].text, mistakes[i].column, mistakes[i].part);
    const struct record_kind *one = &http;
    error_is(&one, 1, "query == a", 1, "http has no field \"query\"; dns has it");
    error_is(&one, 1, "quary == a", 1, "did you mean query (dns)");
    error_is(&one, 1, "kind == dns", 9, "none of the kinds");
    error_is(&one, 1, "version > 5", 9, "has no order");
}

static void limits_hold(void **state)
{
    (void)state;
    struct text deep = {0}, many = {0}, longest = {0};
    for (int i = 0; i < FILTER_DEPTH_MAX; i++) text_add(&deep, "(");
    text_add(&deep, "(bool");
    error_is(kinds, KIND_COUNT, deep.p, FILTER_DEPTH_MAX + 1, "nested");
    for (int i = 0; i < FILTER_TESTS_MAX; i++) text_add(&many, "bool or ");
    text_add(&many, "bool");
    error_is(kinds, KIND_COUNT, many.p, (uint32_t)many.n - 3, "more than");
    for (int i = 0; i <= FILTER_TEXT_MAX; i++) text_add(&longest, " ");
    error_is(kinds, KIND_COUNT, longest.p, FILTER_TEXT_MAX + 1, "longer");
    text_deinit(&deep);
    text_deinit(&many);
    text_deinit(&longest);
}

static void error_shows(void **state)
{
    (void)state;
    struct filter_options o = options();
    struct filter_error error;
    const char *text = "host == a\tand\nhots == b";
    char *shown = NULL;
    size_t n = 0;
    assert_null(filter_compile(text, kinds, KIND_COUNT, &o, &error));
    FILE *out = open_memstream(&shown, &n);
    filter_error_print(out, text, &error);
    fclose(out);
    assert_string_equal(
        shown, "  host == a and hots == b\n"
               "                ^\n"
               "no kind of record has a field \"hots\"; did you mean host (http)? (column 15)\n");
    free(shown);
}

// ---- what holds ---------------------------------------------------------------------------------

struct sample {
    struct record_batch *batch;
    struct row row;
    uint8_t memory[ROW_SIZE_MAX];
};

static void sample_begin(struct sample *s, const struct record_kind *kind)
{
    s->batch = batch_create(kind);
    row_init(&s->row, kind, s->memory, sizeof s->memory);
}

static void sample_end(struct sample *s)
{
    assert_true(batch_append(s->batch, &s->row));
}

static struct address addr(const char *text)
{
    struct address a;
    assert_true(address_parse(bytes_text(text), &a));
    return a;
}

static void fill_conversation(struct sample *s, uint64_t proto, const char *dst)
{
    sample_begin(s, &conversation);
    row_time(&s->row, C_FIRST_SEEN, NOW - 3600 * NANOS_PER_SECOND);
    row_time(&s->row, C_LAST_SEEN, NOW - 3588 * NANOS_PER_SECOND);
    row_uint(&s->row, C_PROTO, proto);
    row_address(&s->row, C_SRC_ADDR, addr("10.1.2.3"));
    row_uint(&s->row, C_SRC_PORT, 49152);
    row_address(&s->row, C_DST_ADDR, addr(dst));
    row_uint(&s->row, C_DST_PORT, 443);
    row_text(&s->row, C_SERVICE, bytes_text("tls"));
    row_uint(&s->row, C_SRC_BYTES, 1500);
    row_uint(&s->row, C_DST_BYTES, 2000000);
    sample_end(s);
}

static void fill_http(struct sample *s)
{
    sample_begin(s, &http);
    row_time(&s->row, COMMON_TS, NOW);
    row_address(&s->row, COMMON_SRC_ADDR, addr("fd00::1"));
    row_uint(&s->row, COMMON_SRC_PORT, 49152);
    row_address(&s->row, COMMON_DST_ADDR, addr("2001:db8::80"));
    row_uint(&s->row, COMMON_DST_PORT, 80);
    row_uint(&s->row, COMMON_PROTO, 6);
    row_text(&s->row, H_METHOD, bytes_text("GET"));
    row_text(&s->row, H_HOST, bytes_text("www.example.org"));
    row_uint(&s->row, H_STATUS, 404);
    row_text(&s->row, H_VERSION, bytes_text("1.1"));
    sample_end(s);
}

static void fill_dns(struct sample *s)
{
    sample_begin(s, &dns);
    row_address(&s->row, COMMON_SRC_ADDR, addr("192.168.1.7"));
    row_address(&s->row, COMMON_DST_ADDR, addr("8.8.8.8"));
    row_uint(&s->row, COMMON_SRC_PORT, 5353);
    row_uint(&s->row, COMMON_DST_PORT, 53);
    row_uint(&s->row, COMMON_PROTO, 17);
    row_text(&s->row, D_QUERY, bytes_of("Example\0Org", 11));
    row_text(&s->row, D_TRANSPORT, bytes_text("udp"));
    row_uint(&s->row, D_VERSION, 3);
    sample_end(s);
}

enum { TCP_V4, UDP_V6, WEB, NAME, SAMPLES };

// `wanted` names the samples that match: t, u, w, n.
static void check(const struct sample *samples, const char *text, const char *wanted)
{
    static const char letters[SAMPLES + 1] = "tuwn";
    struct filter_options o = options();
    struct filter_error error;
    struct filter *f = filter_compile(text, kinds, KIND_COUNT, &o, &error);
    if (!f) fail_msg("%s: column %u: %s", text, error.column, error.message);
    for (int i = 0; i < SAMPLES; i++)
        if (filter_match(f, samples[i].batch, 0) != (strchr(wanted, letters[i]) != NULL))
            fail_msg("%c should%s match: %s", letters[i], strchr(wanted, letters[i]) ? "" : " not",
                     text);
    filter_destroy(f);
}

static const struct {
    const char *text, *wanted;
} expressions[] = {
    // numbers and precedence
    {"dst_port == 443", "tu"},
    {"dst_port in {53, 80}", "wn"},
    {"dst_port in {50-60 443}", "tun"},
    {"dst_port in 50..100", "wn"},
    {"dst_port not in {443}", "wn"},
    {"dst_port == [80,443]", "tuw"},
    {"dst_port != {80,443}", "n"},
    {"dst_port == 53 or dst_port == 80 and host == x", "n"},
    {"(dst_port == 53 or dst_port == 80) and host == \"www.example.org\"", "w"},
    {"not dst_port == 53 and dst_port != 80", "tu"},
    {"!(dst_port == 53 || dst_port == 80)", "tu"},
    {"not not dst_port == 53", "n"},
    {"dst_port ge 80 and dst_port lt 0x1bb", "w"},
    {"dst_bytes > 1M", "tu"},
    {"dst_bytes == 2M", "tu"},
    {"src_bytes == 1.5k", "tu"},
    {"dst_bytes >= 2.000001M", ""},
    // what is missing
    {"src_missed_bytes == 0", ""},
    {"src_missed_bytes != 0", ""},
    {"not src_missed_bytes == 0", "tuwn"},
    {"exists(host)", "w"},
    {"not exists(host)", "tun"},
    {"host", "w"},
    {"host != \"x\"", "w"},
    // kinds
    {"kind == dns", "n"},
    {"kind != dns", "tuw"},
    {"kind in {dns, http}", "wn"},
    {"kind ~ 'n$'", "tu"},
    {"kind", "tuwn"},
    {"dns", "n"},
    {"dns or http", "wn"},
    {"not dns", "tuw"},
    {"dns.src_port > 0", "n"},
    {"http.host contains example", "w"},
    {"version == 1.1", "w"},
    {"version == 3", "n"},
    {"version >= 3", "n"},
    // addresses
    {"src_addr in 10.0.0.0/8", "tu"},
    {"src_addr == 10.0.0.0/8", "tu"},
    {"src_addr == 10.1.2.3", "tu"},
    {"src_addr == \"10.1.2.3\"", "tu"},
    {"src_addr in 10.1.2.0-10.1.2.3", "tu"},
    {"src_addr != 10.0.0.0/8", "wn"},
    {"src_addr in $local", "tuw"},
    {"src_addr in {$local, 192.168.0.0/16}", "tuwn"},
    {"not src_addr in $local", "n"},
    {"src_addr in $nobody", ""},
    {"src_addr in ::/0", "w"},
    {"src_addr in 0.0.0.0/0", "tun"},
    {"src_addr in ::ffff:0:0/96", "tun"},
    {"src_addr in ::ffff:10.0.0.0/104", "tu"},
    {"src_addr in ::-fd00::2", "w"},
    {"src_addr != ::/0", "tun"},
    {"dst_addr in 2001:db8::/32", "uw"},
    // text
    {"host contains \"example\"", "w"},
    {"host contains Example", ""},
    {"host ==~ WWW.EXAMPLE.ORG", "w"},
    {"host starts_with www and host ends_with '.org'", "w"},
    {"host ends_with 'wwww.example.org'", ""},
    {"host ~ \"exa.*\\.org\"", "w"},
    {"host ~ \"^exa\"", ""},
    {"host matches '(?i)WWW'", "w"},
    {"host !~ exam", "tun"},
    {"host in {a, www.example.org, b}", "w"},
    {"host contains \"\"", "w"},
    {"query == \"Example\\x00Org\"", "n"},
    {"query contains '\\x00'", "n"},
    // times
    {"first_seen >= now-1h", "tu"},
    {"first_seen > now-1h", ""},
    {"first_seen == 2023-12-31T23:00:00Z", "tu"},
    {"first_seen == \"2023-12-31 23:00:00Z\"", "tu"},
    {"first_seen == 2024-01-01T00:00:00+01:00", "tu"},
    {"first_seen in 2023-12-31..2024-01-01", "tu"},
    {"first_seen < 2024", ""},
    {"duration == 12s", "tu"},
    {"duration in {1s-11999ms}", ""},
    {"duration >= 0.2m or ts == now", "tuw"},
    {"exists(duration)", "tu"},
    // what is computed
    {"bytes == 2001500", "tu"},
    {"packets > 0", NULL}, // no kind here has them
    // other names
    {"ip.addr == 10.1.2.3 && tcp", "t"},
    {"udp", "un"},
    {"icmp", ""},
    {"tcp.port == 443", "t"},
    {"udp.port == 443", "u"},
    {"tcp.port == 80", "w"},
    {"tcp.dstport == 53", ""},
    {"udp.dstport == 53", "n"},
    {"ip.proto == 17", "un"},
    {"proto == tcp", "tw"},
    {"proto in {TCP, 17}", "tuwn"},
    {"proto == udp", "un"},
    {"community_id == \"1:ebVWSAPHE6E2k5O8JeTbWZLBaJg=\"", "t"},
    {"network.community_id starts_with \"1:\"", "tuwn"},
    {"exists(communityId)", "tuwn"},
    {"http.request.method == \"GET\"", "w"},
    {"http.response.code == 404", "w"},
    {"dns.qry.name contains Org", "n"},
    {"dns.question.name contains Org", "n"},
    {"source.ip == 10.1.2.3", "tu"},
    {"id.orig_h == 10.1.2.3 and id.resp_p == 443", "tu"},
    {"port.dst == 80 and ip == fd00::1", "w"},
    {"protocols == tls", "tu"},
    {"src ip 10.0.0.0/8 and dst port 443", "tu"},
    {"src port > 10000 and not dst net 2001:db8::/32", "t"},
    {"host 10.1.2.3", "tu"},
    {"net 192.168.0.0/16 or port 80", "wn"},
    {"proto tcp", "tw"},
    {"ip in [8.8.8.8 fd00::1]", "wn"},
};

static void matches(void **state)
{
    (void)state;
    static struct sample samples[SAMPLES];
    fill_conversation(&samples[TCP_V4], 6, "192.0.2.9");
    fill_conversation(&samples[UDP_V6], 17, "2001:db8::9");
    fill_http(&samples[WEB]);
    fill_dns(&samples[NAME]);
    for (size_t i = 0; i < sizeof expressions / sizeof expressions[0]; i++) {
        if (expressions[i].wanted) check(samples, expressions[i].text, expressions[i].wanted);
        else error_is(kinds, KIND_COUNT, expressions[i].text, 1, "");
    }
    for (int i = 0; i < SAMPLES; i++) batch_destroy(samples[i].batch);
}

static void lists_hold_by_any_element(void **state)
{
    (void)state;
    struct sample s;
    sample_begin(&s, &test_kind);
    row_uint(&s.row, TEST_UINTS, 5);
    row_uint(&s.row, TEST_UINTS, 7);
    row_text(&s.row, TEST_TEXTS, bytes_text("a"));
    row_text(&s.row, TEST_TEXTS, bytes_text("bc"));
    row_address(&s.row, TEST_ADDRESSES, addr("10.0.0.1"));
    row_address(&s.row, TEST_ADDRESSES, addr("fd00::1"));
    sample_end(&s);
    static const struct {
        const char *text;
        bool wanted;
    } cases[] = {
        {"uints == 7", true},
        {"uints != 7", true},
        {"not uints == 7", false},
        {"uints in {6}", false},
        {"uints > 7", false},
        {"texts contains c", true},
        {"texts ~ '^b'", true},
        {"texts == b", false},
        {"texts ==~ BC", true},
        {"addresses in ::/0", true},
        {"addresses == 10.0.0.2", false},
        {"more_texts != a", false},
        {"not more_texts == a", true},
        {"exists(texts)", true},
        {"more_texts", false},
    };
    const struct record_kind *kind = &test_kind;
    struct filter_options o = options();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct filter_error error;
        struct filter *f = filter_compile(cases[i].text, &kind, 1, &o, &error);
        if (!f) fail_msg("%s: %s", cases[i].text, error.message);
        if (filter_match(f, s.batch, 0) != cases[i].wanted) fail_msg("%s", cases[i].text);
        filter_destroy(f);
    }
    batch_destroy(s.batch);
}

// A pattern that would search for hours says no, and that is counted.
static void patterns_end(void **state)
{
    (void)state;
    struct sample s;
    const struct record_kind *kind = &test_kind;
    struct filter_options o = options();
    struct filter_error error;
    sample_begin(&s, kind);
    row_text(&s.row, TEST_TEXT,
             bytes_text("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"));
    sample_end(&s);
    struct filter *f = filter_compile("text ~ '^(a|aa)+$'", &kind, 1, &o, &error);
    assert_non_null(f);
    assert_false(filter_match(f, s.batch, 0));
    assert_int_equal(filter_given_up(f), 1);
    filter_destroy(f);
    batch_destroy(s.batch);
}

static void other_kinds_do_not_match(void **state)
{
    (void)state;
    struct sample s;
    const struct record_kind *kind = &http;
    struct filter_options o = options();
    struct filter_error error;
    fill_dns(&s);
    struct filter *f = filter_compile("not host == a", &kind, 1, &o, &error);
    assert_non_null(f);
    assert_false(filter_match(f, s.batch, 0));
    assert_true(filter_fields(f, &http) == UINT64_C(1) << H_HOST);
    assert_true(filter_fields(f, &dns) == 0);
    filter_destroy(f);
    batch_destroy(s.batch);
}

static void sql_is(void **state)
{
    (void)state;
    static const struct {
        const char *text, *sql; // NULL: all rows must be looked at
    } cases[] = {
        {"dst_port == 443", "((\"dst_port\" = 443::UBIGINT))"},
        {"not dst_port == 443", "(((\"dst_port\" = 443::UBIGINT)) IS NOT TRUE)"},
        {"host == \"it's\"", "((\"host\" IN ('it''s')))"},
        {"host ~ x", NULL},
        {"host ~ x or dst_port == 1", NULL},
        {"host ~ x and dst_port == 1", "((\"dst_port\" = 1::UBIGINT))"},
        {"not (host ~ x and dst_port == 1)", NULL},
        {"not (host ~ x or dst_port == 1)", "(((\"dst_port\" = 1::UBIGINT)) IS NOT TRUE)"},
        {"tcp.port == 1", "((\"proto\" = 6::UBIGINT AND \"src_port\" = 1::UBIGINT) OR "
                          "(\"proto\" = 6::UBIGINT AND \"dst_port\" = 1::UBIGINT))"},
        {"port in {1, 9}", "(((\"src_port\" = 1::UBIGINT OR \"src_port\" = 9::UBIGINT)) OR "
                           "((\"dst_port\" = 1::UBIGINT OR \"dst_port\" = 9::UBIGINT)))"},
        {"port == 1", "((\"src_port\" = 1::UBIGINT) OR (\"dst_port\" = 1::UBIGINT))"},
        {"kind == dns or dst_port == 1", "((\"dst_port\" = 1::UBIGINT))"},
        {"kind == dns and dst_port == 1", "FALSE"},
        {"kind == http", NULL},
        {"ts > 2024-01-01", "((\"ts\" >= make_timestamp_ns(1704067200000000001)))"},
        {"src_addr in 10.0.0.0/8", "(((\"src_addr_hi\" = 0::UBIGINT AND \"src_addr_lo\" BETWEEN "
                                   "281470849515520::UBIGINT AND 281470866292735::UBIGINT)))"},
        {"src_addr in fd00::/8", "(((\"src_addr_hi\" BETWEEN 18230571291595767808::UBIGINT AND "
                                 "18302628885633695743::UBIGINT)))"},
    };
    const struct record_kind *const of[] = {&http, &dns};
    struct filter_options o = options();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct filter_error error;
        struct text sql = {0};
        struct filter *f = filter_compile(cases[i].text, of, 2, &o, &error);
        if (!f) fail_msg("%s: %s", cases[i].text, error.message);
        bool some = filter_sql(f, &http, &sql);
        assert_int_equal(some, cases[i].sql != NULL);
        if (some) assert_string_equal(sql.p, cases[i].sql);
        text_deinit(&sql);
        filter_destroy(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_point), cmocka_unit_test(limits_hold),
        cmocka_unit_test(error_shows),  cmocka_unit_test(matches),
        cmocka_unit_test(patterns_end), cmocka_unit_test(lists_hold_by_any_element),
        cmocka_unit_test(sql_is),       cmocka_unit_test(other_kinds_do_not_match),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
