// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

#include "dissect/dns_test.h"

static void feed(struct harness *h, uint8_t side, const struct message *m)
{
    assert_false(m->buf.full);
    assert_int_equal(harness_datagram(h, side, buf_bytes(&m->buf)), DISSECT_GO);
}

static struct harness *udp(void)
{
    return harness_create(&dns_dissector, TRANSPORT_UDP);
}

// ---- transactions -------------------------------------------------------------------------------

static void query_and_answer_are_one_record(void **state)
{
    (void)state;
    struct harness *h = udp();
    struct message m;
    query_of(&m, 0x1234, "www.Example.org", DNS_TYPE_A);
    feed(h, 0, &m);
    assert_int_equal(harness_count(h), 0);
    harness_time(h, NANOS_PER_SECOND + 25000000);
    header(&m, 0x1234, ANSWER, 1, 3, 1, 1);
    question(&m, "www.Example.org", DNS_TYPE_A, DNS_CLASS_IN);
    record(&m, "@", TYPE_CNAME, DNS_CLASS_IN, 60, bytes_of("\001h\xc0\x10", 4));
    record(&m, "h.Example.org", DNS_TYPE_A, DNS_CLASS_IN, 3600, bytes_of("\xc0\0\2\1", 4));
    record(&m, "h.Example.org", DNS_TYPE_AAAA, DNS_CLASS_IN, 7,
           bytes_of("\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\2", 16));
    record(&m, "Example.org", TYPE_NS, DNS_CLASS_IN, 9, bytes_of("\002ns\xc0\x10", 5));
    record(&m, "ns.Example.org", DNS_TYPE_A, DNS_CLASS_IN, 9, bytes_of("\xc0\0\2\2", 4));
    feed(h, 1, &m);
    assert_string_equal(
        harness_text(h),
        "dns ts=1970-01-01T00:00:01Z src_offset=0 src_length=33 dst_offset=0 dst_length=177 "
        "trans_id=4660"
        " transport=\"udp\" variant=\"dns\" opcode=0 opcode_name=\"QUERY\" "
        "query=\"www.Example.org\" qclass=1"
        " qclass_name=\"IN\" qtype=1 qtype_name=\"A\" rcode=0 rcode_name=\"NOERROR\" aa=false "
        "tc=false rd=true"
        " ra=true z=0 ad=false cd=false rejected=false"
        " answers=[\"h.Example.org\",\"192.0.2.1\",\"2001:db8::2\"] ttls=[60,3600,7]"
        " answer_types=[\"CNAME\",\"A\",\"AAAA\"]"
        " answer_names=[\"www.Example.org\",\"h.Example.org\",\"h.Example.org\"]"
        " addresses=[192.0.2.1,2001:db8::2] authorities=[\"Example.org NS ns.Example.org\"]"
        " additionals=[\"ns.Example.org A 192.0.2.2\"] question_count=1 answer_count=3 "
        "authority_count=1"
        " additional_count=1 rtt=0.025000000 query_seen=true answer_seen=true retransmits=0\n");
    harness_end(h);
    assert_int_equal(harness_count(h), 1);
    harness_destroy(h);
}

static void what_has_no_partner_stands_alone(void **state)
{
    (void)state;
    struct harness *h = udp();
    struct message m;
    query_of(&m, 1, "a.test", DNS_TYPE_A);
    feed(h, 0, &m);
    address_answer(&m, 1, "b.test"); // the same number, another name
    feed(h, 1, &m);
    address_answer(&m, 2, "a.test");
    feed(h, 1, &m);
    address_answer(&m, 1, "a.test"); // from the side that asks
    feed(h, 0, &m);
    assert_int_equal(harness_count_of(h, "dns"), 3);
    assert_string_equal(harness_value(h, 0, "query_seen"), "false");
    assert_string_equal(harness_value(h, 0, "answer_seen"), "true");
    assert_null(harness_value(h, 0, "rtt"));
    assert_null(harness_value(h, 0, "retransmits"));
    harness_end(h);
    assert_int_equal(harness_count_of(h, "dns"), 4);
    assert_string_equal(harness_value(h, 3, "query"), "a.test");
    assert_string_equal(harness_value(h, 3, "query_seen"), "true");
    assert_string_equal(harness_value(h, 3, "answer_seen"), "false");
    assert_null(harness_value(h, 3, "rcode"));
    harness_destroy(h);
}

static void queries_sent_again_are_counted(void **state)
{
    (void)state;
    struct harness *h = udp();
    struct message m;
    query_of(&m, 7, "a.test", DNS_TYPE_A);
    for (int i = 0; i < 3; i++) feed(h, 0, &m);
    address_answer(&m, 7, "A.test"); // names are compared without case
    feed(h, 1, &m);
    assert_int_equal(harness_count(h), 1);
    assert_string_equal(harness_value(h, 0, "retransmits"), "2");
    assert_string_equal(harness_value(h, 0, "query"), "a.test");

    // After a minute it is another one.
    query_of(&m, 7, "a.test", DNS_TYPE_A);
    feed(h, 0, &m);
    harness_time(h, 70 * NANOS_PER_SECOND);
    feed(h, 0, &m);
    assert_int_equal(harness_count(h), 2);
    assert_string_equal(harness_value(h, 1, "answer_seen"), "false");
    harness_end(h);
    assert_int_equal(harness_count(h), 3);
    harness_destroy(h);
}

static void the_oldest_query_makes_room(void **state)
{
    (void)state;
    struct harness *h = udp();
    struct message m;
    for (unsigned i = 0; i < DISSECT_HELD_MAX + 3; i++) {
        query_of(&m, i, "a.test", DNS_TYPE_A);
        feed(h, 0, &m);
    }
    assert_int_equal(harness_count(h), 3);
    assert_string_equal(harness_value(h, 2, "trans_id"), "2");
    address_answer(&m, 40, "a.test");
    feed(h, 1, &m);
    assert_string_equal(harness_value(h, 3, "trans_id"), "40");
    assert_string_equal(harness_value(h, 3, "query_seen"), "true");
    harness_end(h);
    assert_int_equal(harness_count(h), DISSECT_HELD_MAX + 3);
    harness_destroy(h);
}

static void an_answer_may_leave_out_the_question(void **state)
{
    (void)state;
    struct harness *h = udp();
    struct message m;
    query_of(&m, 9, "a.test", DNS_TYPE_A);
    feed(h, 0, &m);
    header(&m, 9, 0x8005, 0, 0, 0, 0);
    feed(h, 1, &m);
    assert_int_equal(harness_count(h), 1);
    assert_string_equal(harness_value(h, 0, "rcode_name"), "REFUSED");
    assert_string_equal(harness_value(h, 0, "rejected"), "true");
    assert_string_equal(harness_value(h, 0, "query"), "a.test");
    harness_end(h);
    harness_destroy(h);
}

static void an_answer_first_tells_who_asked(void **state)
{
    (void)state;
    struct harness *h = udp();
    struct message m;
    address_answer(&m, 9, "a.test");
    feed(h, 0, &m);
    assert_string_equal(harness_line(h, 0), "client side=1");
    assert_string_equal(harness_value(h, 1, "dst_length"), "40");
    query_of(&m, 10, "b.test", DNS_TYPE_A);
    feed(h, 1, &m);
    address_answer(&m, 10, "b.test");
    feed(h, 0, &m);
    assert_string_equal(harness_value(h, 2, "src_length"), "24");
    assert_string_equal(harness_value(h, 2, "rtt"), "0.000000000");
    harness_end(h);
    assert_int_equal(harness_count(h), 3);
    harness_destroy(h);
}

// ---- variants and extensions --------------------------------------------------------------------

static void multicast_messages_stand_alone(void **state)
{
    (void)state;
    struct harness *h = udp();
    harness_ports(h, 5353, 5353);
    struct message m;
    header(&m, 0, 0, 2, 0, 0, 0);
    question(&m, "_ipp._tcp.local", 12, 0x8001); // an answer to me alone
    question(&m, "_http._tcp.local", 12, DNS_CLASS_IN);
    feed(h, 0, &m);
    header(&m, 0, 0x8400, 0, 2, 0, 1);
    record(&m, "_ipp._tcp.local", 12, 0x8001, 4500, bytes_of("\007Drucker\xc0\x0c", 10));
    record(&m, "Drucker._ipp._tcp.local", TYPE_TXT, 0x8001, 4500, bytes_of("\003a=b\002c=", 7));
    record(&m, "d.local", DNS_TYPE_A, 0x8001, 120, bytes_of("\xc0\0\2\1", 4));
    feed(h, 0, &m);
    assert_int_equal(harness_count(h), 2);
    assert_string_equal(harness_value(h, 0, "variant"), "mdns");
    assert_string_equal(harness_value(h, 0, "query"), "_ipp._tcp.local");
    assert_string_equal(harness_value(h, 0, "qclass_name"), "IN");
    assert_string_equal(harness_value(h, 0, "questions"),
                        "[\"_ipp._tcp.local IN PTR\",\"_http._tcp.local IN PTR\"]");
    assert_null(harness_value(h, 1, "query"));
    assert_string_equal(harness_value(h, 1, "answers"),
                        "[\"Drucker._ipp._tcp.local\",\"\\\"a=b\\\" \\\"c=\\\"\"]");
    assert_string_equal(harness_value(h, 1, "answer_names"),
                        "[\"_ipp._tcp.local\",\"Drucker._ipp._tcp.local\"]");
    assert_string_equal(harness_value(h, 1, "additionals"), "[\"d.local A 192.0.2.1\"]");
    assert_string_equal(harness_value(h, 1, "rejected"), "false");
    harness_end(h);
    harness_destroy(h);
}

static void llmnr(void **state)
{
    (void)state;
    struct harness *h = udp();
    harness_ports(h, 50000, 5355);
    struct message m;
    header(&m, 5, 0, 1, 0, 0, 0);
    question(&m, "wpad", DNS_TYPE_A, DNS_CLASS_IN);
    feed(h, 0, &m);
    harness_end(h);
    assert_string_equal(harness_value(h, 0, "variant"), "llmnr");
    assert_string_equal(harness_value(h, 0, "query"), "wpad");
    harness_destroy(h);
}

static void extensions(void **state)
{
    (void)state;
    static const char SUBNET[] = "\0\x0a\0\x08"
                                 "cookie!!"
                                 "\0\x08\0\x07\0\x01\x18\0\xc6\x33\x64";
    struct harness *h = udp();
    struct message m;
    header(&m, 3, QUERY | DNS_FLAG_AD | DNS_FLAG_CD, 1, 0, 0, 2);
    question(&m, "a.test", DNS_TYPE_A, DNS_CLASS_IN);
    record(&m, "", DNS_TYPE_OPT, 4096, 0x00008000, bytes_of(SUBNET, sizeof SUBNET - 1));
    record(&m, "key.test", DNS_TYPE_TSIG, DNS_CLASS_ANY, 0, bytes_text("signature"));
    feed(h, 0, &m);
    header(&m, 3, ANSWER, 1, 0, 0, 1);
    question(&m, "a.test", DNS_TYPE_A, DNS_CLASS_IN);
    record(&m, "", DNS_TYPE_OPT, 1232, 0x01000000, bytes_of(NULL, 0));
    feed(h, 1, &m);
    assert_string_equal(harness_value(h, 0, "edns_version"), "0");
    assert_string_equal(harness_value(h, 0, "edns_udp_size"), "4096");
    assert_string_equal(harness_value(h, 0, "dnssec_ok"), "true");
    assert_string_equal(harness_value(h, 0, "client_subnet"), "198.51.100.0/24");
    assert_string_equal(harness_value(h, 0, "tsig_key"), "key.test");
    assert_string_equal(harness_value(h, 0, "rcode"), "16");
    assert_string_equal(harness_value(h, 0, "rcode_name"), "BADVERS");
    assert_null(harness_value(h, 0, "additionals"));
    harness_end(h);
    harness_destroy(h);
}

static void updates(void **state)
{
    (void)state;
    struct harness *h = udp();
    struct message m;
    header(&m, 3, DNS_OPCODE_UPDATE << 11, 1, 0, 2, 0);
    question(&m, "a.test", DNS_TYPE_SOA, DNS_CLASS_IN);
    record(&m, "h.a.test", DNS_TYPE_A, DNS_CLASS_ANY, 0, bytes_of(NULL, 0));
    record(&m, "h.a.test", DNS_TYPE_A, DNS_CLASS_IN, 60, bytes_of("\xc0\0\2\1", 4));
    feed(h, 0, &m);
    harness_end(h);
    assert_string_equal(harness_value(h, 0, "opcode_name"), "UPDATE");
    assert_string_equal(harness_value(h, 0, "authorities"),
                        "[\"h.a.test ANY A\",\"h.a.test A 192.0.2.1\"]");
    harness_destroy(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(query_and_answer_are_one_record),
        cmocka_unit_test(what_has_no_partner_stands_alone),
        cmocka_unit_test(queries_sent_again_are_counted),
        cmocka_unit_test(the_oldest_query_makes_room),
        cmocka_unit_test(an_answer_may_leave_out_the_question),
        cmocka_unit_test(an_answer_first_tells_who_asked),
        cmocka_unit_test(multicast_messages_stand_alone),
        cmocka_unit_test(llmnr),
        cmocka_unit_test(extensions),
        cmocka_unit_test(updates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
