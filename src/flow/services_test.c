#include "flow/services.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>
// clang-format off
#include <cmocka.h>
// clang-format on

#include "base/file.h"

enum { TCP = 6, UDP = 17, SCTP = 132 };

static const char path[] = "services_test.csv";

static bool load(const char *content, struct err *err)
{
    assert_true(file_write_durable(path, bytes_text(content), err));
    bool fine = services_load(path, err);
    unlink(path);
    return fine;
}

static void well_known_ports_have_names(void **state)
{
    (void)state;
    assert_string_equal(service_by_port(80, TCP), "http");
    assert_string_equal(service_by_port(53, UDP), "domain");
    assert_string_equal(service_by_port(22, TCP), "ssh");
    assert_string_equal(service_by_port(1, TCP), "tcpmux");
    assert_null(service_by_port(22, UDP));
    assert_null(service_by_port(0, TCP));
    assert_null(service_by_port(65535, TCP));
    assert_null(service_by_port(80, 256 + TCP));
}

static void ianas_list_takes_their_place(void **state)
{
    (void)state;
    struct err err = {0};
    assert_true(load("Service Name,Port Number,Transport Protocol,Description\r\n"
                     "http,80,tcp,World Wide Web HTTP,[Someone]\r\n"
                     "www,80,tcp,an alias\r\n"
                     ",81,tcp,Unassigned\r\n"
                     "byname,,tcp,found by name only\r\n"
                     "x11,6000-6003,tcp,\"X Window System, with\nlines and \"\"quotes\"\"\"\r\n"
                     "\"quoted\",7,udp,\r\n"
                     "bad,6-5,tcp,\r\n"
                     "bad,65536,tcp,\r\n"
                     "bad,12x,tcp,\r\n"
                     "last,9,SCTP",
                     &err));
    assert_string_equal(service_by_port(80, TCP), "http");
    assert_null(service_by_port(80, UDP));
    assert_null(service_by_port(81, TCP));
    assert_string_equal(service_by_port(6000, TCP), "x11");
    assert_string_equal(service_by_port(6003, TCP), "x11");
    assert_null(service_by_port(6004, TCP));
    assert_string_equal(service_by_port(7, UDP), "quoted");
    assert_string_equal(service_by_port(9, SCTP), "last");
    assert_null(service_by_port(6, TCP));
    assert_null(service_by_port(12, TCP));
    assert_null(service_by_port(22, TCP)); // built in, not in the list
    services_unload();
    assert_string_equal(service_by_port(22, TCP), "ssh");
}

static void what_is_no_list_is_refused(void **state)
{
    (void)state;
    struct err err = {0};
    assert_false(load("http 80/tcp\n", &err));
    assert_int_equal(err.code, ERR_INPUT);
    assert_non_null(strstr(err.text, path));
    assert_false(load("Service Name,Port Number,Transport Protocol\n,1,tcp\n", &err));
    assert_false(load("", &err));
    assert_false(services_load("does-not-exist.csv", &err));
    assert_string_equal(service_by_port(22, TCP), "ssh");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(well_known_ports_have_names),
        cmocka_unit_test(ianas_list_takes_their_place),
        cmocka_unit_test(what_is_no_list_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
