// Lines of every style, broken ones, and mutated ones by both parsers.
#include "collect/lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mac.h"
#include "base/random.h"
#include "flow/flow_kind.h"
#include "record/kinds.h"

enum { MUTATED = 40000, LINES_A_READER = 400, EDITS_MAX = 3, LINE_ROOM = 1024 };

// All that came of some lines, as text: rows, and what is wrong with which line.
struct shown {
    struct text text;
    struct lines_counts counts;
};

static void show_value(struct text *t, const struct record_batch *b, unsigned f, uint32_t row)
{
    char name[ADDRESS_TEXT_MAX];
    switch (b->kind->fields[f].type) {
    case FIELD_MAC:
        mac_format(name, batch_get(b, f, row));
        text_add(t, name);
        break;
    case FIELD_ADDRESS:
        address_format(name, batch_get_address(b, f, row));
        text_add(t, name);
        break;
    case FIELD_TEXTS: {
        bytes list = batch_get_bytes(b, f, row), element;
        while (list_next_text(&list, &element)) {
            text_put(t, element);
            text_add(t, ",");
        }
        break;
    }
    case FIELD_TEXT:
        text_put(t, batch_get_bytes(b, f, row));
        break;
    case FIELD_HASH:
        text_format(t, "%zu octets", batch_get_bytes(b, f, row).n);
        break;
    case FIELD_TIME:
    case FIELD_DURATION:
    case FIELD_UINT:
    case FIELD_REAL:
    case FIELD_BOOL:
    case FIELD_ID:
    case FIELD_BLOB:
    case FIELD_UINTS:
    case FIELD_ADDRESSES:
        text_number(t, batch_get(b, f, row));
        break;
    }
}

static void show_batch(void *context, const struct record_batch *b)
{
    struct shown *s = context;
    for (uint32_t row = 0; row < b->rows; row++) {
        text_add(&s->text, b->kind->name);
        for (unsigned f = 0; f < b->kind->field_count; f++) {
            if (!batch_has(b, f, row)) continue;
            text_format(&s->text, " %s=", b->kind->fields[f].name);
            show_value(&s->text, b, f, row);
        }
        text_add(&s->text, "\n");
    }
}

static void show_dead(void *context, uint64_t line, const char *why, bytes text)
{
    struct shown *s = context;
    (void)text;
    text_format(&s->text, "%llu: %s\n", (unsigned long long)line, why);
}

// A reader of its own, and what came of it.
struct subject {
    struct shown shown;
    struct record_writer *writer;
    struct lines *lines;
};

static void subject_open(struct subject *s, bool strict_only)
{
    static const struct record_kind *const kinds[] = {&flow_kind, &loss_kind};
    struct lines_options options = {.input = "lines",
                                    .point = "",
                                    .elements = true,
                                    .strict_only = strict_only,
                                    .context = &s->shown,
                                    .dead = show_dead};
    *s = (struct subject){0};
    s->writer = writer_create(kinds, 2, (struct record_sink){&s->shown, show_batch});
    s->lines = lines_create(&options, s->writer);
    text_add(&s->shown.text, "");
}

static void subject_close(struct subject *s)
{
    lines_destroy(s->lines);
    writer_destroy(s->writer);
    text_deinit(&s->shown.text);
}

static void subject_feed(struct subject *s, bytes input, size_t piece)
{
    for (; input.n; input = bytes_after(input, piece))
        lines_feed(s->lines, bytes_first(input, piece));
    lines_end(s->lines);
    writer_flush(s->writer);
    s->shown.counts = lines_counts(s->lines);
}

static void expect_way(const char *input, size_t piece, bool strict_only, const char *output)
{
    struct subject s;
    subject_open(&s, strict_only);
    subject_feed(&s, bytes_text(input), piece);
    assert_string_equal(s.shown.text.p, output);
    subject_close(&s);
}

// In one piece, in small ones, and by the strict parser alone.
static void expect(const char *input, const char *output)
{
    expect_way(input, strlen(input), false, output);
    expect_way(input, 7, false, output);
    expect_way(input, strlen(input), true, output);
}

#define DATED                                                                                      \
    "{\"date_first_seen\":\"2015-07-18T18:00:00.048+01\",\"date_last_seen\":"                      \
    "\"2015-07-18T18:00:47.151+01\",\"duration\":47.103,\"src_ip_addr\":\"224.151.51.167\","       \
    "\"dst_ip_addr\":\"231.128.24.80\",\"src_port\":63023,\"dst_port\":8080,\"protocol\":\"TCP\"," \
    "\"flags\":\".A..S.\",\"tos\":184,\"packets\":2,\"bytes\":424}"
#define DATED_ROW                                                                                  \
    "flow first_seen=1437238800048000000 last_seen=1437238847151000000 proto=6 "                   \
    "src_addr=224.151.51.167 src_port=63023 dst_addr=231.128.24.80 dst_port=8080 packets=2 "       \
    "bytes=424 tcp_flags=18 tos=184\n"
#define IPFIX                                                                                      \
    "{\"@type\":\"ipfix.entry\",\"ipfix.sourceIPv4Address\":\"10.0.0.1\","                         \
    "\"ipfix.destinationIPv6Address\":\"2001:db8::1\",\"ipfix.sourceTransportPort\":1234,"         \
    "\"ipfix.protocolIdentifier\":17,\"ipfix.octetDeltaCount\":150,"                               \
    "\"ipfix.flowStartMilliseconds\":1700000000123,\"ipfix.DNSName\":\"example.org\","             \
    "\"ipfix.DNSCrrType\":1,\"ipfix.DNSRData\":\"0xc0000201\"}"
#define IPFIX_ROW                                                                                  \
    "flow first_seen=1700000000123000000 last_seen=1700000000123000000 proto=17 "                  \
    "src_addr=10.0.0.1 src_port=1234 dst_addr=2001:db8::1 bytes=150 dns_name=example.org "         \
    "dns_rdata=4 octets elements=DNSCrrType=1,\n"
#define DEAD(why, loss) "1: " why "\nloss stage=collect reason=" loss " capture=lines count=1\n"
#define TIMED(rest) "{\"ipfix.flowStartMilliseconds\":1000," rest "}"
#define TIMED_ROW "flow first_seen=1000000000 last_seen=1000000000 "

static void test_styles(void **state)
{
    (void)state;
    expect(DATED "\n\n" DATED, DATED_ROW DATED_ROW);
    expect(IPFIX "\r\n", IPFIX_ROW);
    expect("{\"iana:flowStartMilliseconds\" : 1000, \"iana:octetDeltaCount\": 5, "
           "\"iana@reverse:octetDeltaCount\":7,\"iana@reverse:flowId\":3,"
           "\"iana:tcpControlBits\":\"CE.AP.S.\",\"iana:protocolIdentifier\":\"UDP\",\"en7:id1\":"
           "true}",
           TIMED_ROW "proto=17 bytes=5 reverse_bytes=7 tcp_flags=218 "
                     "elements=reverse:flowId=3,en7:id1=true,\n");
    expect(
        "{\"_path\":\"conn\",\"ts\":1.5,\"uid\":\"C1\",\"id.orig_h\":\"fe80::1\",\"id.orig_p\":133,"
        "\"id.resp_h\":\"ff02::2\",\"id.resp_p\":134,\"proto\":\"icmp\",\"duration\":0.25,"
        "\"orig_pkts\":1,\"conn_state\":\"OTH\"}",
        "flow first_seen=1500000000 last_seen=1750000000 proto=58 src_addr=fe80::1 src_port=133 "
        "dst_addr=ff02::2 dst_port=134 packets=1 elements=uid=C1,conn_state=OTH,\n");
    expect("{\"timestamp\":\"2020-01-01T00:00:00.000000+0000\",\"event_type\":\"alert\"}\n"
           "{\"timestamp\":\"2020-01-01T00:00:00.000000+0000\",\"event_type\":\"flow\",\"src_ip\":"
           "\"10.0.0.1\",\"proto\":\"TCP\",\"flow\":{\"pkts_toserver\":2,\"bytes_toclient\":9,"
           "\"start\":\"1970-01-01T01:00:01.000000+0100\"},\"tcp\":{\"tcp_flags_ts\":\"1b\"}}",
           TIMED_ROW "proto=6 src_addr=10.0.0.1 packets=2 reverse_bytes=9 tcp_flags=27\n");
}

// What the scanner leaves to the strict parser, and what nobody understands.
static void test_refused(void **state)
{
    (void)state;
    expect(TIMED("\"ipfix.DNSName\":\"ex\\u0041mple\\u00e9\\u0000\\\"x\""),
           TIMED_ROW "dns_name=exAmpleé\\x00\"x\n");
    expect(TIMED("\"ipfix.octetDeltaCount\":1e3,\"a\":-5,\"b\":[1,{\"c\":2}],\"d\":null"),
           TIMED_ROW "bytes=1000 elements=a=-5,b=[1,{\"c\":2}],\n");
    expect(TIMED("\"ipfix.octetDeltaCount\":1,\"ipfix.octetDeltaCount\":2"),
           DEAD("duplicate object key", "not_json"));
    expect(TIMED("\"ipfix.octetDeltaCount\":99999999999999999999"),
           DEAD("too big integer near '99999999999999999999'", "not_json"));
    expect(TIMED("\"ipfix.octetDeltaCount\":1.5"),
           DEAD("ipfix.octetDeltaCount is no whole number", "bad_value"));
    expect(TIMED("\"ipfix.octetDeltaCount\":-1"),
           DEAD("ipfix.octetDeltaCount is no whole number", "bad_value"));
    expect(TIMED("\"ipfix.sourceTransportPort\":65536"),
           DEAD("ipfix.sourceTransportPort is too large", "bad_value"));
    expect(TIMED("\"ipfix.sourceIPv4Address\":\"10.0.0.256\""),
           DEAD("ipfix.sourceIPv4Address is no address", "bad_value"));
    expect(TIMED("\"ipfix.sourceIPv4Address\":\"010.0.0.1\""),
           DEAD("ipfix.sourceIPv4Address is no address", "bad_value"));
    expect("{\"ipfix.flowStartMilliseconds\":9223372036855}",
           DEAD("ipfix.flowStartMilliseconds is no time", "bad_value"));
    expect("{\"ipfix.octetDeltaCount\":1}", DEAD("it tells no time", "no_flow"));
    expect(TIMED("\"x\":1"), DEAD("no name in it tells of a flow", "no_flow"));
    expect("hello", DEAD("it is of no format that is known", "no_flow"));
}

static uint32_t chance(uint64_t *seed, uint32_t n)
{
    *seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)(*seed >> 33) % n;
}

// Mostly four numbers, of which some are too large, too long or have a zero in front.
static void put_some_address(uint64_t *seed, struct text *t)
{
    static const char *const broken[] = {"", ".", "a", " ", ".1", "-"};
    text_clear(t);
    for (unsigned i = 0; i < 4; i++) {
        if (i) text_add(t, ".");
        if (chance(seed, 40) == 0) text_add(t, "0");
        text_number(t, chance(seed, chance(seed, 8) ? 256 : 1100) >> chance(seed, 8));
    }
    if (chance(seed, 10) == 0) text_add(t, broken[chance(seed, 6)]);
}

// What is read many bytes at a time is what is read one by one.
static void test_at_once(void **state)
{
    (void)state;
    uint64_t seed = 1;
    struct text address = {0}, line = {0}, wanted = {0};
    for (unsigned i = 0; i < 20000; i++) {
        struct subject s;
        struct address a;
        char shown[ADDRESS_TEXT_MAX];
        uint64_t number = ((uint64_t)chance(&seed, UINT32_MAX) << 32 | chance(&seed, UINT32_MAX)) >>
                          chance(&seed, 64);
        put_some_address(&seed, &address);
        text_clear(&line);
        text_format(&line, "{\"date_first_seen\":\"2015-07-18T18:00:00+00\",\"src_ip_addr\":");
        text_format(&line, "\"%s\",\"bytes\":%llu}", address.p, (unsigned long long)number);
        bool valid = address_parse(bytes_text(address.p), &a);
        subject_open(&s, false);
        subject_feed(&s, bytes_of(line.p, line.n), SIZE_MAX);
        text_clear(&wanted);
        if (valid) {
            address_format(shown, a);
            text_format(&wanted, " src_addr=%s bytes=%llu\n", shown, (unsigned long long)number);
        } else text_add(&wanted, "src_ip_addr is no address\n");
        if (!strstr(s.shown.text.p, wanted.p))
            fail_msg("%s: %s, not %s", line.p, s.shown.text.p, wanted.p);
        subject_close(&s);
    }
    text_deinit(&address);
    text_deinit(&line);
    text_deinit(&wanted);
}

// Mostly a time as those before it have it; some have another form, and some are none.
static void put_some_time(uint64_t *seed, struct text *t)
{
    static const char *const zones[] = {"Z", "+01:00", "-11:30", "", "+1", "+01:0"};
    static const char digits[] = "123456789";
    text_clear(t);
    text_format(t, "20%02u-%02u-%02uT%02u:%02u:%02u", 15 + chance(seed, 2), 1 + chance(seed, 2),
                1 + chance(seed, 40) / 30, chance(seed, 2), chance(seed, 4), chance(seed, 62));
    unsigned fraction = chance(seed, 4) ? 4 : chance(seed, 11);
    if (fraction) text_format(t, ".%.*s", (int)fraction - 1, digits + chance(seed, 2));
    text_add(t, zones[chance(seed, 4) ? 0 : chance(seed, 6)]);
    if (chance(seed, 20) == 0) t->p[chance(seed, (uint32_t)t->n)] = ".:x-0"[chance(seed, 5)];
}

// A time is what it is in a line alone, whichever came before it.
static void test_times(void **state)
{
    (void)state;
    uint64_t seed = 1;
    struct text time = {0}, line = {0};
    struct subject s;
    subject_open(&s, false);
    for (unsigned i = 0; i < 20000; i++) {
        struct subject alone;
        put_some_time(&seed, &time);
        text_clear(&line);
        text_format(&line, "{\"date_first_seen\":\"%s\",\"bytes\":1}\n", time.p);
        subject_open(&alone, false);
        text_clear(&s.shown.text);
        subject_feed(&alone, bytes_of(line.p, line.n), SIZE_MAX);
        subject_feed(&s, bytes_of(line.p, line.n), SIZE_MAX);
        const char *got = strstr(s.shown.text.p, "first_seen=");
        const char *wanted = strstr(alone.shown.text.p, "first_seen=");
        if (got && wanted ? strcmp(got, wanted) != 0 : got != wanted)
            fail_msg("%s%s, not %s", line.p, s.shown.text.p, alone.shown.text.p);
        subject_close(&alone);
    }
    subject_close(&s);
    text_deinit(&time);
    text_deinit(&line);
}

// Names that come and go, and in another order.
static void test_order(void **state)
{
    (void)state;
    // clang-format off
    static const char lines[] =
        TIMED("\"other\":1,\"ipfix.octetDeltaCount\":2,\"ipfix.packetDeltaCount\":3") "\n"
        TIMED("\"ipfix.packetDeltaCount\":4,\"ipfix.octetDeltaCount\":5") "\n"
        "{\"ipfix.packetDeltaCount\":6 , \"ipfix.flowStartMilliseconds\" : 1000}\n"
        TIMED("\"ipfix.packetDeltaCount\":7,\"ipfix.packetDeltaCount\":8") "\n";
    // clang-format on
    expect(lines,
           "4: duplicate object key\n" TIMED_ROW "packets=3 bytes=2 elements=other=1,\n" TIMED_ROW
           "packets=4 bytes=5\n" TIMED_ROW "packets=6\n"
           "loss ts=1000000000 last_seen=1000000000 stage=collect reason=not_json capture=lines "
           "count=1\n");
}

// Each flag by itself, all of them, and what is none.
static void test_flags(void **state)
{
    (void)state;
    static const char letters[] = "CEUAPRSF";
    struct text line = {0};
    for (unsigned flags = 0; flags < 512; flags++)
        for (size_t length = 6; length <= 8; length += 2) {
            struct subject s;
            char word[] = "........", wanted[64];
            for (unsigned i = 0; i < 8; i++)
                if (flags >> i & 1) word[7 - i] = letters[7 - i];
            if (flags >> 8) word[8 - length + flags % length] = 'x';
            text_clear(&line);
            text_format(&line, TIMED("\"ipfix.tcpControlBits\":\"%s\"") "\n", word + 8 - length);
            snprintf(wanted, sizeof wanted, flags >> 8 ? "is no whole number" : "tcp_flags=%u\n",
                     length == 6 ? flags & 63 : flags);
            subject_open(&s, false);
            subject_feed(&s, bytes_of(line.p, line.n), SIZE_MAX);
            if (!strstr(s.shown.text.p, wanted)) fail_msg("%s%s", line.p, s.shown.text.p);
            subject_close(&s);
        }
    text_deinit(&line);
}

// The unit of a number is that of its element, unless only milliseconds make sense.
static void test_units(void **state)
{
    (void)state;
    expect("{\"ipfix.flowStartSeconds\":1700000000,\"ipfix.flowEndMicroseconds\":"
           "1700000001000002,\"ipfix.octetDeltaCount\":1}",
           "flow first_seen=1700000000000000000 last_seen=1700000001000002000 bytes=1\n");
    expect("{\"iana:flowStartSeconds\":1700000000123,\"iana:flowEndNanoseconds\":"
           "1700000001123,\"iana:octetDeltaCount\":1}",
           "flow first_seen=1700000000123000000 last_seen=1700000001123000000 bytes=1\n");
    expect("{\"iana:flowStartNanoseconds\":1700000001000000002,\"iana:octetDeltaCount\":1}",
           "flow first_seen=1700000001000000002 last_seen=1700000001000000002 bytes=1\n");
}

#define ZEEK_HEAD                                                                                  \
    "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n"   \
    "#fields\tts\tuid\tid.orig_h\tid.orig_p\tproto\tservice\tduration\torig_pkts\n"                \
    "#types\ttime\tstring\taddr\tport\tenum\tstring\tinterval\tcount\n"

static void test_zeek_tables(void **state)
{
    (void)state;
    expect(ZEEK_HEAD "1.5\tC\\x09a\tfe80::1\t128\ticmp\t-\t0.25\t3\n#close\t2020\n",
           "flow first_seen=1500000000 last_seen=1750000000 proto=58 src_addr=fe80::1 src_port=128 "
           "packets=3 elements=uid=C\ta,\n");
    expect(ZEEK_HEAD "1\tC\t10.0.0.1\t1\ttcp\t(empty)\t-\t-\n1\tC\t10.0.0.1\t1\ttcp\n",
           "9: it has less than the 8 columns of its header\n"
           "flow first_seen=1000000000 last_seen=1000000000 proto=6 src_addr=10.0.0.1 src_port=1 "
           "elements=uid=C,\nloss ts=1000000000 last_seen=1000000000 stage=collect "
           "reason=bad_columns capture=lines count=1\n");
    expect("#separator ,\n#path,dns\n#fields,ts,uid\n1,2\n", "");
}

static void test_csv(void **state)
{
    (void)state;
    expect("\xef\xbb\xbf\"first_seen\";src_addr;application;x;elements\r\n"
           "2020-01-01T00:00:00Z;10.0.0.1;\"a\"\"b;c\"; 7 ;\"[\"\"y=1\"\",\"\"z=a,b\"\"]\"\r\n",
           "flow first_seen=1577836800000000000 last_seen=1577836800000000000 src_addr=10.0.0.1 "
           "application=a\"b;c elements=x=7,y=1,z=a,b,\n");
    // nfdump: zero stands where there is nothing; sums follow.
    expect("ts,te,td,sa,da,sp,dp,pr,flg,ipkt,opkt,nh,cl\n"
           "2020-01-01 00:00:00,2020-01-01 00:00:01,1.0,10.0.0.1,10.0.0.2,0,769,ICMP,"
           "........,1,0,0.0.0.0,   0.000\nSummary\nflows,bytes\n1,2\n",
           "flow first_seen=1577836800000000000 last_seen=1577836801000000000 proto=1 "
           "src_addr=10.0.0.1 src_port=3 dst_addr=10.0.0.2 dst_port=1 packets=1 tcp_flags=0\n");
    // Argus: both directions together.
    expect("StartTime,Dur,Proto,SrcAddr,Sport,DstAddr,Dport,TotPkts,SrcPkts\n"
           "2020/01/01 00:00:00.5,0.000000001,tcp,10.0.0.1,1,10.0.0.2,80,7,3\n"
           "2020/01/01 00:00:00.5,0,icmp,10.0.0.1,0x0103,10.0.0.2,0x7208,1,1\n"
           "2020-01-01+00:00:00.5,0,arp,10.0.0.1,,10.0.0.2,,1,1\n",
           "flow first_seen=1577836800500000000 last_seen=1577836800500000001 proto=6 "
           "src_addr=10.0.0.1 src_port=1 dst_addr=10.0.0.2 dst_port=80 packets=3 reverse_packets=4 "
           "elements=TotPkts=7,\n"
           "flow first_seen=1577836800500000000 last_seen=1577836800500000000 proto=1 "
           "src_addr=10.0.0.1 src_port=3 dst_addr=10.0.0.2 dst_port=1 packets=1 reverse_packets=0 "
           "elements=Dport=0x7208,TotPkts=1,\n");
    expect("flowStartSeconds\tsourceIPv4Address\toctetDeltaCount\n1\t10.0.0.1\t1x\n"
           "1\t10.0.0.1\t5\t\n1\t\"10.0.0.1\n1\t10.0.0.1\t5\n",
           "2: octetDeltaCount is no whole number\n"
           "3: it has more than the 3 columns of its header\n4: a quote has no end\n"
           "flow first_seen=1000000000 last_seen=1000000000 src_addr=10.0.0.1 bytes=5\n"
           "loss stage=collect reason=bad_value capture=lines count=1\n"
           "loss stage=collect reason=bad_columns capture=lines count=2\n");
    expect("ts,sa,sa\n1,10.0.0.1,10.0.0.1\n",
           "2: its header was not understood\n"
           "loss stage=collect reason=bad_columns capture=lines count=1\n");
    expect("a,b\n1,2\n", "1: it is of no format that is known\n"
                         "2: it is of no format that is known\n"
                         "loss stage=collect reason=no_flow capture=lines count=2\n");
}

static void test_own(void **state)
{
    (void)state;
    expect("{\"kind\":\"loss\",\"first_seen\":1,\"last_seen\":2}\n"
           "{\"first_seen\":\"1970-01-01T00:00:01Z\",\"last_seen\":\"1970-01-01T00:00:01Z\","
           "\"src_port\":1,\"exporter\":\"10.0.0.9\",\"elements\":[\"a=1\",\"b=2\"],"
           "\"community_id\":\"1:x\"}",
           TIMED_ROW "src_port=1 exporter=10.0.0.9 elements=a=1,b=2,\n");
}

static void test_broken(void **state)
{
    (void)state;
    static const char *const broken[] = {
        "{\"ipfix.octetDeltaCount\":1",
        "{\"ipfix.octetDeltaCount\":1}}",
        "{\"ipfix.octetDeltaCount\":01}",
        "{\"ipfix.octetDeltaCount\":1,}",
        "{\"ipfix.octetDeltaCount\"1}",
        "{\"ipfix.DNSName\":\"\xff\"}",
        "{\"ipfix.DNSName\":\"\xc0\x80\"}",
        "{\"ipfix.DNSName\":\"a\tb\"}",
        "{\"ipfix.DNSName\":\"\\ud800\"}",
        "{\"ipfix.DNSName\":\"a",
        "{\"ipfix.DNSName",
    };
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        struct subject s;
        subject_open(&s, false);
        subject_feed(&s, bytes_text(broken[i]), 1);
        assert_int_equal(s.shown.counts.dead, 1);
        assert_int_equal(s.shown.counts.flows, 0);
        assert_non_null(strstr(s.shown.text.p, "reason=not_json"));
        subject_close(&s);
    }
}

static void test_long(void **state)
{
    (void)state;
    struct text input = {0};
    struct subject s;
    text_add(&input, IPFIX "\n");
    for (int i = 0; i < LINE_BYTES_MAX; i++) text_add(&input, "x");
    text_add(&input, "y\n" IPFIX);
    subject_open(&s, false);
    subject_feed(&s, bytes_of(input.p, input.n), 1000);
    assert_int_equal(s.shown.counts.flows, 2);
    assert_int_equal(s.shown.counts.dead, 1);
    assert_non_null(strstr(s.shown.text.p, "2: it is longer than 65536 bytes"));
    subject_close(&s);
    text_deinit(&input);
}

// ---- both ways agree ----------------------------------------------------------------------------

static const char *const originals[] = {
    DATED,
    IPFIX,
    "{\"iana:flowEndMilliseconds\": 1700000000123, \"iana:octetDeltaCount\": 18446744073709551615,"
    "\"iana:sourceIPv6Address\":\"2001:db8::1\",\"iana:tcpControlBits\":\"CEUAPRSF\",\"a\":1.25,"
    "\"b\":null,\"c\":true}",
    "{\"ts\":1300475167.096535,\"id.orig_h\":\"10.0.0.1\",\"id.orig_p\":5353,\"proto\":\"udp\","
    "\"conn_state\":\"S0\",\"duration\":0.000123,\"orig_pkts\":2,\"orig_ip_bytes\":199}",
    "{\"timestamp\":\"2020-01-01T00:00:00\",\"event_type\":\"flow\",\"src_ip\":\"10.0.0.1\","
    "\"flow\":{\"pkts_toserver\":2,\"start\":\"2020-01-01T00:00:00.5Z\"}}",
};
enum { ORIGINALS = sizeof originals / sizeof originals[0] };

static size_t mutate(uint64_t *seed, char *line, size_t n)
{
    static const char alphabet[] = "{}[]\":,.\\u0019-+eE tfn_AZ\x01\x7f\xc3\xa9\xff";
    for (size_t edits = random_below(seed, EDITS_MAX + 1); edits && n > 1; edits--) {
        size_t at = random_below(seed, n), from = random_below(seed, n);
        size_t length = random_below(seed, 24), room = n - (at > from ? at : from);
        if (length > room) length = room;
        switch (random_below(seed, 5)) {
        case 0:
            line[at] = alphabet[random_below(seed, sizeof alphabet - 1)];
            break;
        case 1: // a piece of it once more, in place of another
            memmove(line + at, line + from, length);
            break;
        case 2: // and without it
            memmove(line + at, line + at + length, n - at - length);
            n -= length;
            break;
        case 3: // and in between
            if (n + length > LINE_ROOM) break;
            memmove(line + at + length, line + at, n - at);
            n += length;
            break;
        default:
            line[at] = (char)('0' + random_below(seed, 10));
        }
    }
    return n;
}

static void one_mutated(struct subject *fast, struct subject *strict, bytes line)
{
    struct subject *both[] = {fast, strict};
    uint64_t dead[2];
    for (size_t i = 0; i < 2; i++) {
        text_clear(&both[i]->shown.text);
        dead[i] = both[i]->shown.counts.dead;
        subject_feed(both[i], line, line.n);
        dead[i] = both[i]->shown.counts.dead - dead[i];
    }
    // The strict parser has no numbers past 63 bits, the scanner has: it may know more.
    if (strstr(strict->shown.text.p, "too big integer")) return;
    const struct shown *a = &fast->shown, *b = &strict->shown;
    // Of two things that are wrong in a line each may have met another one first.
    if (dead[0] != dead[1] || (!dead[0] && strcmp(a->text.p, b->text.p) != 0))
        fail_msg("%.*s\n%s%s", (int)line.n, (const char *)line.p, a->text.p, b->text.p);
}

static void test_agree(void **state)
{
    (void)state;
    uint64_t seed = 20260101;
    const char *asked = getenv("WEIR_MUTATED");
    long count = asked ? atol(asked) : MUTATED;
    uint64_t left_to_strict = 0, total = 0;
    for (long i = 0; i < count / LINES_A_READER; i++) {
        struct subject fast, strict;
        subject_open(&fast, false);
        subject_open(&strict, true);
        const char *original = originals[i % ORIGINALS];
        for (int k = 0; k < LINES_A_READER; k++) {
            char line[LINE_ROOM + 1];
            size_t n = strlen(original);
            memcpy(line, original, n);
            if (k) n = mutate(&seed, line, n);
            line[n++] = '\n';
            one_mutated(&fast, &strict, bytes_of(line, n));
        }
        left_to_strict += fast.shown.counts.strict;
        total += fast.shown.counts.lines;
        subject_close(&fast);
        subject_close(&strict);
    }
    assert_true(left_to_strict < total * 3 / 4); // else nothing was compared
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_styles), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_units),  cmocka_unit_test(test_zeek_tables),
        cmocka_unit_test(test_csv),    cmocka_unit_test(test_own),
        cmocka_unit_test(test_broken), cmocka_unit_test(test_long),
        cmocka_unit_test(test_agree),  cmocka_unit_test(test_at_once),
        cmocka_unit_test(test_times),  cmocka_unit_test(test_order),
        cmocka_unit_test(test_flags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
