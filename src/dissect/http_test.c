#include "dissect/http_test.h"

// ---- recognition --------------------------------------------------------------------------------

static enum recognition recognised(const char *text)
{
    return harness_recognise(&http_dissector, TRANSPORT_TCP, bytes_text(text));
}

static void recognises_by_content(void **state)
{
    (void)state;
    assert_int_equal(recognised("GET / HTTP/1.1\r\n"), RECOGNISE_YES);
    assert_int_equal(recognised("\r\nGET / HTTP/1.0\n"), RECOGNISE_YES);
    assert_int_equal(recognised("M-SEARCH * HTTP/1.1\r\n"), RECOGNISE_YES);
    assert_int_equal(recognised("FROBNICATE /x HTTP/1.1\r\n"), RECOGNISE_YES);
    assert_int_equal(recognised("HTTP/1.1 200 OK\r\n"), RECOGNISE_YES);
    assert_int_equal(recognised("HTTP/1.0 404"), RECOGNISE_YES);
    assert_int_equal(recognised("GET /\r\n"), RECOGNISE_PORT);
    assert_int_equal(recognised(""), RECOGNISE_MORE);
    assert_int_equal(recognised("G"), RECOGNISE_MORE);
    assert_int_equal(recognised("GET /index"), RECOGNISE_MORE);
    assert_int_equal(recognised("HTTP/1"), RECOGNISE_MORE);
}

static void leaves_others_alone(void **state)
{
    (void)state;
    assert_int_equal(recognised("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), RECOGNISE_NO);
    assert_int_equal(recognised("OPTIONS sip:a@b SIP/2.0\r\n"), RECOGNISE_NO);
    assert_int_equal(recognised("DESCRIBE rtsp://a/b RTSP/1.0\r\n"), RECOGNISE_NO);
    assert_int_equal(recognised("RTSP/1.0 200 OK\r\n"), RECOGNISE_NO);
    assert_int_equal(recognised("ICY 200 OK\r\n"), RECOGNISE_NO);
    assert_int_equal(recognised("SSH-2.0-OpenSSH_9.2\r\n"), RECOGNISE_NO);
    assert_int_equal(recognised("220 mail ESMTP\r\n"), RECOGNISE_NO);
    assert_int_equal(recognised("EHLO there\r\n"), RECOGNISE_NO);
    assert_int_equal(recognised("\x16\x03\x01"), RECOGNISE_NO);
    assert_int_equal(
        harness_recognise(&http_dissector, TRANSPORT_UDP, bytes_text("GET / HTTP/1.1\r\n")),
        RECOGNISE_NO);
}

// ---- transactions -------------------------------------------------------------------------------

static const struct harness_step SIMPLE[] = {
    C("GET http://www.example.org:8080/a/b.html?q=1 HTTP/1.1\r\nHost: "
      "example.org:8080\r\nUser-Agent: Agent/1 (x)\r\n"
      "Referer: http://r/\r\nOrigin: http://o\r\nX-Forwarded-For: 192.0.2.1, 192.0.2.2\r\nVIA:1.1 "
      "p\r\n"
      "Authorization: Basic Ym9iOnNlY3JldA==\r\nAccept: Text/HTML\r\n\r\n"),
    S("HTTP/1.0 200 All Right\r\nServer: Broken/0.1\r\ncontent-TYPE: Text/Html; "
      "Charset=X\r\nContent-Length: 5\r\n\r\nhello"),
};

static void reads_a_transaction(void **state)
{
    (void)state;
    EXPECT(SIMPLE,
           "trans_depth=1 method=\"GET\" host=\"example.org:8080\" "
           "uri=\"http://www.example.org:8080/a/b.html?q=1\"",
           "referrer=\"http://r/\" version=\"1.1\" user_agent=\"Agent/1 (x)\" origin=\"http://o\"",
           "request_body_len=0 response_body_len=5 status_code=200 status_msg=\"All Right\" "
           "response_version=\"1.0\"",
           "username=\"bob\"",
           "proxied=[\"X-FORWARDED-FOR -> 192.0.2.1, 192.0.2.2\",\"VIA -> 1.1 p\"]",
           "\"VIA: 1.1 p\"", "\"Accept: Text/HTML\"",
           "response_content_type=\"Text/Html; Charset=X\"",
           "\"content-TYPE: Text/Html; Charset=X\"", "server=\"Broken/0.1\"",
           "request_seen=true response_seen=true request_complete=true response_complete=true",
           "file source=http side=1", "name=\"b.html\" type=\"Text/Html; Charset=X\" length=5",
           "bytes=5", "src_offset=0");
}

static void pairs_pipelined_requests(void **state)
{
    (void)state;
    static const struct harness_step steps[] = {
        C("GET /1 HTTP/1.1\r\n\r\nHEAD /2 HTTP/1.1\r\n\r\nPATCH /3 HTTP/1.1\r\nContent-Length: "
          "2\r\n\r\nabGET /4 HTTP/1.1\r\n\r\n"),
        S("HTTP/1.1 200 A\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 200 B\r\nContent-Length: "
          "999\r\n\r\n"
          "HTTP/1.1 204 C\r\nContent-Length: 4\r\n\r\nHTTP/1.1 304 D\r\nContent-Length: 7\r\n\r\n"),
    };
    EXPECT(steps, "trans_depth=1 method=\"GET\" uri=\"/1\"",
           "trans_depth=2 method=\"HEAD\" uri=\"/2\"",
           "trans_depth=3 method=\"PATCH\" uri=\"/3\" version=\"1.1\" request_body_len=2 "
           "response_body_len=0 status_code=204",
           "trans_depth=4 method=\"GET\" uri=\"/4\" version=\"1.1\" request_body_len=0 "
           "response_body_len=0 status_code=304");
    expect_not(steps, COUNT(steps), "anomaly");
}

static void reads_chunks(void **state)
{
    (void)state;
    static const struct harness_step steps[] = {
        C("GET /x.gz HTTP/1.1\r\n\r\n"),
        S("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\nContent-Encoding: br\r\n"
          "Content-Disposition: attachment; filename=\"n\\\"a.txt\"\r\n\r\n"
          "5;ext=\"1\"\r\nhello\r\n0006  \r\n world\n0\r\nTrailer: x\r\n\r\nHTTP/1.1 200 "
          "next\r\n\r\nbody"),
        CLOSE(1),
    };
    EXPECT(steps, "response_body_len=11 status_code=200", "codings=[brotli,gzip]",
           "name=\"n\\\"a.txt\"", "status_msg=\"next\"", "request_seen=false", "bytes=4",
           "response_body_len=4");
    expect_not(steps, COUNT(steps), "complete=false");
}

static void reads_until_close(void **state)
{
    (void)state;
    static const struct harness_step steps[] = {
        C("GET / HTTP/1.0\r\n\r\n"),
        S("HTTP/1.0 200\r\nContent-Type: a/b\r\n\r\nsome "),
        S("body"),
        CLOSE(1),
    };
    EXPECT(steps, "response_body_len=9 status_code=200 response_version=\"1.0\"",
           "response_complete=true", "complete=true");
}

static void joins_continue(void **state)
{
    (void)state;
    static const struct harness_step steps[] = {
        C("PUT /d/file.bin HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"),
        S("HTTP/1.1 100 Continue\r\n\r\n"),
        C("data"),
        S("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"),
    };
    EXPECT(steps, "request_body_len=4 response_body_len=0 status_code=201 status_msg=\"Created\"",
           "info_code=100 info_msg=\"Continue\"", "name=\"file.bin\"", "request_complete=true");
    char *text = play(steps, COUNT(steps));
    assert_int_equal(count(text, "trans_depth"), 1);
    memory_free(text);
}

static void goes_on_when_the_body_is_spared(void **state)
{
    (void)state;
    static const struct harness_step steps[] = {
        C("PUT /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"),
        S("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"),
        C("GET /b HTTP/1.1\r\n\r\n"),
        S("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    };
    char *text = play(steps, COUNT(steps));
    assert_true(has(text, "uri=\"/b\""));
    assert_true(has(text, "request_complete=false"));
    memory_free(text);
}

// ---- hand-over ----------------------------------------------------------------------------------

static void hands_over_at_connect(void **state)
{
    (void)state;
    static const struct harness_step steps[] = {
        C("CONNECT host.example:443 HTTP/1.1\r\n\r\n"),
        S("HTTP/1.1 407 Auth\r\nContent-Length: 2\r\n\r\nno"),
        C("CONNECT host.example:443 HTTP/1.1\r\n\r\n"),
        C("\x16\x03\x01"),
        S("HTTP/1.1 200 Connection established\r\nContent-Length: 9\r\n\r\n"),
        S("\x16\x03"),
    };
    EXPECT(steps, "method=\"CONNECT\" host=\"host.example:443\" uri=\"host.example:443\"",
           "status_code=407", "upgrade=\"CONNECT\"", "switch name=?");
    expect_not(steps, COUNT(steps), "anomaly");
}

static void hands_over_at_upgrade(void **state)
{
    (void)state;
    static const struct harness_step steps[] = {
        C("GET /chat HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"),
        S("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"),
        S("\x81\x02hi"),
    };
    EXPECT(steps, "status_code=101", "upgrade=\"websocket\"", "switch name=?");
}

static void stays_when_the_upgrade_is_refused(void **state)
{
    (void)state;
    static const struct harness_step steps[] = {
        C("GET /1 HTTP/1.1\r\nUpgrade: h2c\r\n\r\n"),
        S("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        C("GET /2 HTTP/1.1\r\nUpgrade: h2c\r\n\r\n"),
        C("GET /3 HTTP/1.1\r\n\r\n"),
        S("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 203 OK\r\nContent-Length: "
          "0\r\n\r\n"),
    };
    EXPECT(steps, "trans_depth=2 method=\"GET\" uri=\"/2\"",
           "trans_depth=3 method=\"GET\" uri=\"/3\"", "status_code=203");
    expect_not(steps, COUNT(steps), "switch");
}

// ---- mistakes -----------------------------------------------------------------------------------

static void reads_broken_headers(void **state)
{
    (void)state;
    static const struct harness_step steps[] = {
        C("\r\n\r\nGET /a b HTTP/1.1\nHost : Spaced\r\nno colon here\r\nX-Folded: one\r\n\t "
          "two\r\nX-Nul: a\0b\r\nAccept:*\r\n\n"),
        S("\r\nHTTP/1.1 200\r\nTransfer-Encoding:\r\n chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
    };
    EXPECT(steps, "uri=\"/a b\"", "host=\"Spaced\"", "\"no colon here\"", "\"X-Folded: one two\"",
           "\"X-Nul: a\\\\x00b\"", "\"Accept: *\"", "anomaly name=http_header_without_colon side=0",
           "anomaly name=http_header_folded side=0", "anomaly name=http_header_name_malformed",
           "anomaly name=http_header_with_nul", "anomaly name=http_target_malformed",
           "anomaly name=http_header_folded side=1", "response_body_len=3");
}

static void decides_about_lengths(void **state)
{
    (void)state;
    static const struct harness_step steps[] = {
        C("POST /1 HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc"
          "POST /2 HTTP/1.1\r\nContent-Length: 3, 4\r\n\r\nabc"
          "POST /3 HTTP/1.1\r\nContent-Length: -1\r\n\r\n"
          "POST /4 HTTP/1.1\r\nContent-Length: 18446744073709551617\r\n\r\n"
          "POST /5 HTTP/1.1\r\nContent-Length: 9\r\nTransfer-Encoding: "
          "chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"
          "GET /6 HTTP/1.1\r\n\r\n"),
    };
    EXPECT(steps, "anomaly name=http_content_length_repeated",
           "anomaly name=http_content_length_conflict", "detail=\"-1\"",
           "detail=\"18446744073709551617\"", "anomaly name=http_length_and_transfer_encoding",
           "uri=\"/6\"", "trans_depth=6", "uri=\"/5\" version=\"1.1\" request_body_len=1");
}

static void reads_bodies_that_only_claim_chunks(void **state)
{
    (void)state;
    static const struct harness_step steps[] = {
        C("GET / HTTP/1.1\r\n\r\n"),
        S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n<html>\nno chunks"),
    };
    EXPECT(steps, "anomaly name=http_chunk_bad side=1", "response_body_len=16");
}

static void gives_up_on_bad_chunks(void **state)
{
    (void)state;
    static const struct harness_step steps[] = {
        C("GET /1 HTTP/1.1\r\n\r\n"),
        S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\nfffffffffffffffff\r\nabc"
          "HTTP/1.1 201 OK\r\nContent-Length: 0\r\n\r\n"),
    };
    EXPECT(steps, "anomaly name=http_chunk_bad side=1", "response_body_len=2",
           "response_complete=false", "status_code=201");
}

static void goes_on_after_garbage(void **state)
{
    (void)state;
    static const struct harness_step steps[] = {
        C("GET /1 HTTP/1.1\r\n\r\n"),
        S("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na"),
        C("garbage \x01\x02 of a clientPOST /2 HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"),
        S("and of a server HTTP/1.9zHTTP/1.1 200 Two\r\nContent-Length: 1\r\n\r\nb"),
    };
    EXPECT(steps, "anomaly name=http_request_malformed side=0",
           "anomaly name=http_response_malformed side=1", "method=\"POST\" uri=\"/2\"",
           "status_msg=\"Two\"");
}

static void gives_up_endless_heads(void **state)
{
    (void)state;
    static char text[70000 + 64];
    memset(text, 'a', sizeof text);
    memcpy(text, "GET / HTTP/1.1\r\nX: ", 19);
    memcpy(text + 70000, "\r\n\r\nGET /2 HTTP/1.1\r\n\r\n", 24);
    struct harness_step steps[] = {{HARNESS_DATA, 0, {(const uint8_t *)text, 70024}, 0, 0}};
    char *whole = harness_play(&http_dissector, TRANSPORT_TCP, steps, 1, 0, 0);
    char *cut = harness_play(&http_dissector, TRANSPORT_TCP, steps, 1, 1460, 0);
    assert_true(has(whole, "anomaly name=http_head_too_long"));
    assert_true(has(whole, "uri=\"/2\""));
    assert_string_equal(whole, cut);
    memory_free(whole);
    memory_free(cut);
}

// ---- values -------------------------------------------------------------------------------------

static void reads_coded_values(void **state)
{
    (void)state;
    static const struct harness_step steps[] = {
        C("GET /1 HTTP/1.1\r\nAuthorization: Digest realm=\"a, b\", username=\"al\", "
          "uri=\"/\"\r\n\r\n"),
        S("HTTP/1.1 206 Partial\r\nContent-Range: bytes 5-6/9\r\nContent-Encoding: gzip\r\n"
          "Content-Disposition: x; filename=\"no\"; filename*=UTF-8''%c3%a4%20b.txt\r\n"
          "Content-Length: 2\r\n\r\nab"),
        C("GET /d/e.f?g=/h HTTP/1.1\r\nAuthorization: Basic !\r\n\r\n"),
        S("ICY 200 OK\r\nContent-Encoding: what, x-gzip\r\nContent-Length: 1\r\n\r\na"),
    };
    EXPECT(steps, "username=\"al\"", "content_range=\"bytes 5-6/9\"", "name=\"\u00e4 b.txt\"",
           "codings=[] bytes=2", "name=\"e.f\"", "codings=[gzip] bytes=1",
           "anomaly name=http_coding_unknown side=1", "response_version=\"ICY\"");
}

static void frames_by_the_last_of_many_headers(void **state)
{
    (void)state;
    static char text[8192] = "POST /many HTTP/1.1\r\n";
    for (unsigned i = 0; i < 300; i++) strcat(text, "X-Header: value\r\n");
    strcat(text, "Content-Length: 3\r\n\r\nabcGET /next HTTP/1.1\r\n\r\n");
    struct harness_step steps[] = {{HARNESS_DATA, 0, bytes_text(text), 0, 0}};
    char *lines = play(steps, 1);
    assert_true(has(lines, "anomaly name=http_headers_too_many side=0"));
    assert_true(has(lines, "uri=\"/many\" version=\"1.1\" request_body_len=3"));
    assert_true(has(lines, "uri=\"/next\""));
    memory_free(lines);
}

static void goes_on_behind_requests_without_end(void **state)
{
    (void)state;
    static const struct harness_step steps[] = {
        C("POST /1 HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\nbodyPUT /2 HTTP/1.1\r\n\r\n"),
    };
    EXPECT(steps, "anomaly name=http_body_end_unknown side=0", "request_complete=false",
           "uri=\"/2\"");
}

static void keeps_cut_heads(void **state)
{
    (void)state;
    static const struct harness_step steps[] = {C("GET /1 HTTP/1.1\r\nHost: a\r\nUser-Ag")};
    EXPECT(steps, "host=\"a\" uri=\"/1\"", "anomaly name=http_head_incomplete",
           "request_complete=false", "request_headers=[\"Host: a\",\"User-Ag\"]");
}

// ---- HTTP/0.9 -----------------------------------------------------------------------------------

static void reads_simple_requests(void **state)
{
    (void)state;
    static const struct harness_step steps[] = {C("GET /old\r\n"), S("<html>"), S("old</html>"),
                                                CLOSE(1)};
    EXPECT(steps, "uri=\"/old\" version=\"0.9\"", "response_body_len=16",
           "response_version=\"0.9\"", "response_complete=true");
    expect_not(steps, COUNT(steps), "anomaly");
}

static void reads_bare_responses(void **state)
{
    (void)state;
    static const struct harness_step steps[] = {
        C("GET /1 HTTP/1.1\r\n\r\n"),
        S("just a body"),
        C("GET /2 HTTP/1.1\r\n\r\n"),
        S("HTTP/1.1 204 OK\r\n\r\n"),
    };
    EXPECT(steps, "anomaly name=http_response_without_head side=1 position=0",
           "response_body_len=11", "uri=\"/2\"", "status_code=204");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recognises_by_content),
        cmocka_unit_test(leaves_others_alone),
        cmocka_unit_test(reads_a_transaction),
        cmocka_unit_test(pairs_pipelined_requests),
        cmocka_unit_test(reads_chunks),
        cmocka_unit_test(reads_until_close),
        cmocka_unit_test(joins_continue),
        cmocka_unit_test(goes_on_when_the_body_is_spared),
        cmocka_unit_test(hands_over_at_connect),
        cmocka_unit_test(hands_over_at_upgrade),
        cmocka_unit_test(stays_when_the_upgrade_is_refused),
        cmocka_unit_test(reads_broken_headers),
        cmocka_unit_test(decides_about_lengths),
        cmocka_unit_test(reads_bodies_that_only_claim_chunks),
        cmocka_unit_test(gives_up_on_bad_chunks),
        cmocka_unit_test(goes_on_after_garbage),
        cmocka_unit_test(gives_up_endless_heads),
        cmocka_unit_test(reads_coded_values),
        cmocka_unit_test(frames_by_the_last_of_many_headers),
        cmocka_unit_test(goes_on_behind_requests_without_end),
        cmocka_unit_test(keeps_cut_heads),
        cmocka_unit_test(reads_simple_requests),
        cmocka_unit_test(reads_bare_responses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
