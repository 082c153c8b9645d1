// The service without a process around it: what a file has goes to sinks, metrics tell it, another
// configuration is taken or refused.
#include "service/service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"

static char folder[] = "/tmp/weir-service-XXXXXX";

static nanos clock_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (nanos)t.tv_sec * NANOS_PER_SECOND + t.tv_nsec;
}

static char remarks[4096];

static void remark(void *context, const char *sentence)
{
    (void)context;
    strncat(remarks, sentence, sizeof remarks - strlen(remarks) - 1);
}

static struct config *parsed(const char *text)
{
    struct err err = {0};
    struct config *c = config_parse("weir.yaml", bytes_text(text), &err);
    if (!c) fail_msg("%s", err.text);
    return c;
}

static struct service *opened(const struct config *c)
{
    struct err err = {0};
    struct service_options o = {.name = "test", .clock = clock_now, .remark = remark};
    struct service *s = service_open(c, &o, clock_now(), &err);
    if (!s) fail_msg("%s", err.text);
    return s;
}

static void turn(struct service *s)
{
    struct err err = {0};
    const struct timespec wait = {0, 10 * NANOS_PER_MILLI};
    if (!service_turn(s, clock_now(), &err)) fail_msg("%s", err.text);
    nanosleep(&wait, NULL);
}

static bool in_metrics(struct service *s, const char *line)
{
    struct text page = {0};
    service_metrics(s, &page);
    bool found = strstr(page.p, line);
    text_deinit(&page);
    return found;
}

static const char lines[] =
    "{\"ipfix.flowStartMilliseconds\":\"1970-01-01T00:00:01.000\","
    "\"ipfix.sourceIPv4Address\":\"10.0.0.1\",\"ipfix.destinationIPv4Address\":\"10.0.0.2\","
    "\"ipfix.protocolIdentifier\":\"6\",\"ipfix.packetDeltaCount\":\"1\","
    "\"ipfix.octetDeltaCount\":\"40\"}\n"
    "{\"ipfix.broken\n";

static void write_lines(void)
{
    if (chdir(folder) != 0) fail();
    FILE *file = fopen("flows.json", "w");
    fputs(lines, file);
    fclose(file);
}

static void a_file_goes_through(void **state)
{
    (void)state;
    struct config *c = parsed("networks: {ten: 10.0.0.0/8, other: 11.0.0.0/8}\n"
                              "sources: [{read: flows.json, dead: dead}]\n"
                              "sinks:\n"
                              "  - {to: ten.json, format: json, filter: src_addr in $ten}\n"
                              "  - {to: other.json, format: json, filter: src_addr in $other}\n");
    struct service *s = opened(c);
    while (!service_is_done(s)) turn(s);
    assert_true(service_is_ready(s));
    assert_true(in_metrics(s, "weir_source_lines_total{source=\"flows.json\"} 2\n"));
    assert_true(in_metrics(s, "weir_source_lines_dead_total{source=\"flows.json\"} 1\n"));
    assert_true(in_metrics(s, "weir_records_total{kind=\"flow\"} 1\n"));
    assert_true(in_metrics(s, "# TYPE weir_build_info gauge\n"));
    struct gather_counts counts;
    struct collector_counts n;
    assert_true(service_close(s, clock_now(), &counts, &n, NULL));
    assert_int_equal(counts.lines.flows, 1);
    bytes ten = file_read("ten.json", 4096, NULL), other = file_read("other.json", 4096, NULL);
    assert_non_null(memmem(ten.p, ten.n, "10.0.0.1", 8));
    assert_int_equal(other.n, 0);
    memory_free((void *)ten.p);
    memory_free((void *)other.p);
    config_destroy(c);
}

static void another_configuration_is_taken_or_refused(void **state)
{
    (void)state;
    struct err err = {0};
    struct config *c = parsed("sources: ['udp://127.0.0.1:0']\n");
    struct config *better = parsed("sources: ['udp://127.0.0.1:1']\n"
                                   "sinks: [{to: new.json, format: json}]\n");
    struct config *wrong = parsed("sources: ['udp://127.0.0.1:0']\n"
                                  "sinks: [{to: wrong.json, format: xml}]\n");
    struct service *s = opened(c);
    while (!service_is_ready(s)) turn(s);
    assert_false(service_is_done(s));
    assert_false(service_reload(s, wrong, clock_now(), &err));
    assert_non_null(strstr(err.text, "weir.yaml:2:9: "));
    assert_true(access("wrong.json", F_OK) != 0);
    assert_true(service_reload(s, better, clock_now(), &err));
    assert_non_null(strstr(remarks, "sources.listen changed and takes effect when weir starts"));
    assert_int_equal(access("new.json", F_OK), 0);
    assert_true(in_metrics(s, "weir_reloads_total 2\n"));
    assert_true(in_metrics(s, "weir_reload_errors_total 1\n"));
    assert_true(service_close(s, clock_now(), NULL, NULL, &err));
    config_destroy(c);
    config_destroy(better);
    config_destroy(wrong);
}

static void what_cannot_be_had_ends_it(void **state)
{
    (void)state;
    struct err err = {0};
    struct service_options o = {.name = "test", .clock = clock_now, .remark = remark};
    struct config *c = parsed("sources: [missing.json]\n");
    struct service *s = service_open(c, &o, clock_now(), &err);
    assert_non_null(s);
    while (service_turn(s, clock_now(), &err)) continue;
    assert_non_null(strstr(err.text, "missing.json"));
    assert_false(service_close(s, clock_now(), NULL, NULL, &err));
    config_destroy(c);
    c = parsed("sources: ['udp://127.0.0.1:0']\nsinks: [{to: /nowhere/x, format: json}]\n");
    assert_null(service_open(c, &o, clock_now(), &err));
    assert_non_null(strstr(err.text, "/nowhere/x"));
    config_destroy(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_goes_through),
        cmocka_unit_test(another_configuration_is_taken_or_refused),
        cmocka_unit_test(what_cannot_be_had_ends_it),
    };
    if (!mkdtemp(folder)) return 1;
    write_lines();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (chdir("/") == 0) folder_remove(folder, NULL);
    return failed;
}
