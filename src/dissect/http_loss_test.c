// HTTP with bytes missing, out of order, or beginning in the midst of a connection.
#include "dissect/http_test.h"

// ---- losses -------------------------------------------------------------------------------------

static void bridges_gaps_in_bodies(void **state)
{
    (void)state;
    static const struct harness_step steps[] = {
        C("GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n"),
        S("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab"),
        GAP(1, 5),
        S("hij"),
        S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\na"),
        GAP(1, 3),
        S("ef\r\n0\r\n\r\n"),
        C("GET /3 HTTP/1.1\r\n\r\n"),
        S("HTTP/1.1 204 OK\r\n\r\n"),
    };
    EXPECT(steps, "uri=\"/1\" version=\"1.1\" request_body_len=0 response_body_len=5",
           "response_missing_bytes=5", "gap=2+5",
           "uri=\"/2\" version=\"1.1\" request_body_len=0 response_body_len=3",
           "response_missing_bytes=3", "gap=1+3",
           "uri=\"/3\" version=\"1.1\" request_body_len=0 response_body_len=0 status_code=204");
    expect_not(steps, COUNT(steps), "anomaly");
}

static void leaves_responses_alone_behind_a_lost_request(void **state)
{
    (void)state;
    static const struct harness_step steps[] = {
        C("GET /1 HTTP/1.1\r\n\r\n"),
        S("HTTP/1.1 201 OK\r\nContent-Length: 0\r\n\r\n"),
        S("HTTP/1.1 202 OK\r\nContent-Length: 0\r\n\r\n"),
        GAP(0, 30),
        C("GET /3 HTTP/1.1\r\n\r\n"),
        S("HTTP/1.1 203 OK\r\nContent-Length: 0\r\n\r\n"),
    };
    EXPECT(steps,
           "uri=\"/1\" version=\"1.1\" request_body_len=0 response_body_len=0 status_code=201",
           "response_body_len=0 status_code=202 status_msg=\"OK\" response_version=\"1.1\" "
           "response_encoded_len=0 "
           "request_seen=false response_seen=true",
           "uri=\"/3\" version=\"1.1\" request_body_len=0 response_body_len=0 status_code=203",
           "anomaly name=http_bytes_missing side=0");
}

static void leaves_requests_alone_before_a_lost_response(void **state)
{
    (void)state;
    static const struct harness_step steps[] = {
        C("GET /1 HTTP/1.1\r\n\r\n"),
        GAP(1, 300),
        S("rest of one\n"),
        C("GET /2 HTTP/1.1\r\n\r\n"),
        S("HTTP/1.1 202 OK\r\nContent-Length: 0\r\n\r\n"),
    };
    EXPECT(steps,
           "uri=\"/1\" version=\"1.1\" request_body_len=0 request_encoded_len=0 request_seen=true "
           "response_seen=false",
           "uri=\"/2\" version=\"1.1\" request_body_len=0 response_body_len=0 status_code=202");
}

static void does_not_guess_in_a_broken_pipeline(void **state)
{
    (void)state;
    static const struct harness_step steps[] = {
        C("GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\nGET /3 HTTP/1.1\r\n\r\n"),
        S("HTTP/1.1 201 OK\r\nContent-Length: 0\r\n\r\n"),
        GAP(1, 40),
        S("HTTP/1.1 203 OK\r\nContent-Length: 0\r\n\r\n"),
    };
    EXPECT(steps, "status_code=201",
           "uri=\"/2\" version=\"1.1\" request_body_len=0 request_encoded_len=0 request_seen=true "
           "response_seen=false",
           "uri=\"/3\" version=\"1.1\" request_body_len=0 request_encoded_len=0 request_seen=true "
           "response_seen=false",
           "request_seen=false response_seen=true");
}

static void pairs_over_packets_out_of_order(void **state)
{
    (void)state;
    static const struct harness_step steps[] = {
        S_AT("HTTP/1.1 204 A\r\n\r\n", 2),
        C_AT("GET /1 HTTP/1.1\r\n\r\n", 1),
        S_AT("HTTP/1.1 204 B\r\n\r\n", 3),
        C_AT("GET /2 HTTP/1.1\r\n\r\n", 3),
    };
    EXPECT(steps,
           "uri=\"/1\" version=\"1.1\" request_body_len=0 response_body_len=0 status_code=204 "
           "status_msg=\"A\"",
           "uri=\"/2\" version=\"1.1\" request_body_len=0 response_body_len=0 status_code=204 "
           "status_msg=\"B\"");
}

static void leaves_unasked_responses_alone(void **state)
{
    (void)state;
    static const struct harness_step steps[] = {
        C("GET /1 HTTP/1.1\r\n\r\n"),
        S("HTTP/1.1 204 A\r\n\r\nHTTP/1.1 204 B\r\n\r\n"),
        C_AT("GET /2 HTTP/1.1\r\n\r\n", 3),
        S("HTTP/1.1 204 C\r\n\r\n"),
    };
    EXPECT(steps,
           "uri=\"/1\" version=\"1.1\" request_body_len=0 response_body_len=0 status_code=204 "
           "status_msg=\"A\"",
           "status_msg=\"B\" response_version=\"1.1\" response_encoded_len=0 request_seen=false",
           "uri=\"/2\" version=\"1.1\" request_body_len=0 response_body_len=0 status_code=204 "
           "status_msg=\"C\"",
           "anomaly name=http_response_unasked");
}

static void begins_in_the_midst(void **state)
{
    (void)state;
    static const struct harness_step steps[] = {
        S("HTTP/1.1 200 Early\r\nContent-Length: 2\r\n\r\nab"),
        C_AT("GET /1 HTTP/1.1\r\n\r\n", 2),
        S("HTTP/1.1 200 Late\r\nContent-Length: 2\r\n\r\nab"),
    };
    EXPECT(
        steps,
        "status_msg=\"Early\" response_version=\"1.1\" response_encoded_len=2 request_seen=false",
        "uri=\"/1\" version=\"1.1\" request_body_len=0 response_body_len=2 status_code=200 "
        "status_msg=\"Late\"");
    static const struct harness_step turned[] = {
        C("end of a body\r\n"),
        S("GET /1 HTTP/1.1\r\n\r\n"),
        C("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na"),
    };
    EXPECT(turned, "anomaly name=http_start_in_midst side=0", "client side=1", "uri=\"/1\"",
           "status_code=200", "src_offset=0 src_length=19 dst_offset=15 dst_length=39");
}

static void survives_gaps_everywhere(void **state)
{
    (void)state;
    static const char request[] = "POST /1 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc";
    static const char response[] =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    for (uint8_t side = 0; side < 2; side++) {
        bytes first = side ? bytes_text(response) : bytes_text(request);
        for (size_t at = 0; at < first.n; at++) {
            for (size_t length = 1; length <= first.n - at; length++) {
                struct harness_step steps[] = {
                    C("GET /0 HTTP/1.1\r\n\r\n"),
                    {HARNESS_DATA, side, bytes_first(first, at), 0, 0},
                    GAP(side, length),
                    {HARNESS_DATA, side, bytes_after(first, at + length), 0, 0},
                    C("GET /last HTTP/1.1\r\n\r\n"),
                    S("HTTP/1.1 299 Last\r\nContent-Length: 0\r\n\r\n"),
                };
                char *text = play(steps, COUNT(steps));
                assert_true(has(text, "uri=\"/last\""));
                assert_true(has(text, "status_code=299"));
                memory_free(text);
            }
        }
    }
}

static void lets_unanswered_requests_go(void **state)
{
    (void)state;
    struct harness_step steps[60];
    for (size_t i = 0; i < 50; i++) steps[i] = (struct harness_step)C("GET /x HTTP/1.1\r\n\r\n");
    for (size_t i = 50; i < 60; i++) steps[i] = (struct harness_step)S("HTTP/1.1 204 OK\r\n\r\n");
    char *text = play(steps, COUNT(steps));
    assert_int_equal(count(text, "anomaly name=http_requests_unanswered"), 1);
    assert_int_equal(count(text, "request_seen=true"), 50);
    assert_int_equal(count(text, "request_seen=false response_seen=true"),
                     10); // they answer those that went first
    memory_free(text);
}

static void takes_no_earlier_bytes_for_an_answer(void **state)
{
    (void)state;
    static const struct harness_step steps[] = {
        C_AT("GET /1 HTTP/1.1\r\n\r\n", 2),
        S_AT("\x05\x01of another protocol", 1),
        S_AT("HTTP/1.1 204 OK\r\n\r\n", 3),
    };
    EXPECT(steps, "anomaly name=http_response_malformed side=1 position=0",
           "uri=\"/1\" version=\"1.1\" request_body_len=0 response_body_len=0 status_code=204");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bridges_gaps_in_bodies),
        cmocka_unit_test(leaves_responses_alone_behind_a_lost_request),
        cmocka_unit_test(leaves_requests_alone_before_a_lost_response),
        cmocka_unit_test(does_not_guess_in_a_broken_pipeline),
        cmocka_unit_test(pairs_over_packets_out_of_order),
        cmocka_unit_test(leaves_unasked_responses_alone),
        cmocka_unit_test(begins_in_the_midst),
        cmocka_unit_test(survives_gaps_everywhere),
        cmocka_unit_test(lets_unanswered_requests_go),
        cmocka_unit_test(takes_no_earlier_bytes_for_an_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
