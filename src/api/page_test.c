// Pages are answered over HTTP, and nothing else is.
#include "api/page.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static bool make(void *context, const char *path, struct text *out)
{
    if (strcmp(path, "/metrics") != 0) return false;
    text_add(out, context);
    return true;
}

static struct page_server *opened(void)
{
    struct err err = {0};
    struct page_options options = {"127.0.0.1:0", "answer 42\n", make, "text/plain"};
    struct page_server *s = page_server_open(&options, &err);
    if (!s) fail_msg("%s", err.text);
    return s;
}

// The whole answer to a request.
static void ask(const struct page_server *s, const char *request, char *answer, size_t size)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(page_server_port(s))};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), (int)strlen(request));
    size_t n = 0;
    ssize_t got;
    while (n < size - 1 && (got = read(fd, answer + n, size - 1 - n)) > 0) n += (size_t)got;
    answer[n] = 0;
    close(fd);
}

static void answers(const struct page_server *s, const char *request, const char *expected)
{
    char answer[4096];
    ask(s, request, answer, sizeof answer);
    if (!strstr(answer, expected)) fail_msg("\"%s\" without \"%s\"", answer, expected);
}

static void pages_are_answered(void **state)
{
    (void)state;
    struct page_server *s = opened();
    answers(s, "GET /metrics HTTP/1.0\r\n\r\n", "answer 42\n");
    answers(s, "GET /metrics HTTP/1.0\r\n\r\n", "text/plain");
    answers(s, "GET /other HTTP/1.0\r\n\r\n", " 404 ");
    answers(s, "POST /metrics HTTP/1.0\r\n\r\n", " 405 ");
    answers(s, "nonsense\r\n\r\n", "");
    page_server_close(s);
}

static void long_requests_are_refused(void **state)
{
    (void)state;
    struct page_server *s = opened();
    static char request[2 * PAGE_REQUEST_MAX];
    memset(request, 'a', sizeof request - 1);
    memcpy(request, "GET /", 5);
    char answer[4096];
    ask(s, request, answer, sizeof answer);
    assert_null(strstr(answer, " 200 "));
    answers(s, "GET /metrics HTTP/1.0\r\n\r\n", "answer 42\n");
    page_server_close(s);
}

static void places_are_checked(void **state)
{
    (void)state;
    struct err err = {0};
    assert_true(page_check("127.0.0.1:9104", NULL));
    assert_true(page_check(":9104", NULL));
    assert_true(page_check("[::1]:9104", NULL));
    assert_false(page_check("127.0.0.1", &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_false(page_check("127.0.0.1:port", NULL));
    struct page_server *s = opened();
    char place[32];
    snprintf(place, sizeof place, "127.0.0.1:%u", page_server_port(s));
    struct page_options options = {place, "", make, "text/plain"};
    assert_null(page_server_open(&options, &err));
    assert_int_equal(err.code, ERR_MACHINE);
    assert_non_null(strstr(err.text, "in use"));
    page_server_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_are_answered),
        cmocka_unit_test(long_requests_are_refused),
        cmocka_unit_test(places_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
