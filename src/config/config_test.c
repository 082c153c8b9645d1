// A configuration is what its file says, says where it is wrong, and is dumped as it is read.
#include "config/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct config *parsed(const char *text)
{
    struct err err = {0};
    struct config *c = config_parse("weir.yaml", bytes_text(text), &err);
    if (!c) fail_msg("%s", err.text);
    return c;
}

static const char full[] = "networks:\n"
                           "  local: [10.0.0.0/8, \"fd00::/8\"]\n"
                           "  one: 192.0.2.1\n"
                           "  none: []\n"
                           "elements:\n"
                           "  - name: theirs\n"
                           "    enterprise: 4242\n"
                           "    number: 1\n"
                           "    type: unsigned32\n"
                           "sources:\n"
                           "  - udp://:2055\n"
                           "  - listen: sflow://127.0.0.1:6343\n"
                           "    tap: 'edge \"1\"'\n"
                           "    known-only: yes\n"
                           "    buffer: 1M\n"
                           "  - flows.json\n"
                           "store:\n"
                           "  path: flows.weir\n"
                           "  every: 10s\n"
                           "sinks:\n"
                           "  - to: ipfix://127.0.0.1\n"
                           "    filter: src_addr in $local\n"
                           "metrics:\n"
                           "  listen: 127.0.0.1:9104\n";

static void values_are_read(void **state)
{
    (void)state;
    struct config *c = parsed(full);
    const struct config_source *sources = c->sources.items;
    const struct config_network *networks = c->networks.items;
    const struct config_sink *sinks = c->sinks.items;
    assert_int_equal(c->networks.count, 3);
    assert_string_equal(networks[0].name, "local");
    assert_int_equal(networks[0].prefix_count, 2);
    assert_int_equal(networks[2].prefix_count, 0);
    assert_int_equal(c->sources.count, 3);
    assert_string_equal(sources[0].listen, "udp://:2055");
    assert_int_equal(sources[0].buffer, 64000000);
    assert_string_equal(sources[1].tap, "edge \"1\"");
    assert_true(sources[1].known_only);
    assert_int_equal(sources[1].buffer, 1000000);
    assert_int_equal(sources[1].place.line, 12);
    assert_string_equal(sources[2].read, "flows.json");
    assert_string_equal(c->store.path, "flows.weir");
    assert_true(c->store.every == 10 * NANOS_PER_SECOND);
    assert_string_equal(sinks[0].format, "ipfix");
    assert_string_equal(c->metrics.listen, "127.0.0.1:9104");
    config_destroy(c);
}

static void few_lines_are_enough(void **state)
{
    (void)state;
    struct config *c = parsed("sources:\n- udp://:2055\nstore:\n  path: x\nsinks:\n");
    assert_true(c->store.every == 3600 * NANOS_PER_SECOND);
    assert_null(c->metrics.listen);
    config_destroy(c);
    config_destroy(parsed(""));
}

static void refuses(const char *text, const char *expected)
{
    struct err err = {0};
    assert_null(config_parse("weir.yaml", bytes_text(text), &err));
    assert_int_equal(err.code, ERR_USAGE);
    if (!strstr(err.text, expected)) fail_msg("\"%s\" without \"%s\"", err.text, expected);
}

static void what_is_wrong_is_named_with_its_place(void **state)
{
    (void)state;
    refuses("sources:\n  - lisen: udp://:2055\n",
            "weir.yaml:2:5: \"lisen\" is no key of a source; did you mean \"listen\"?");
    refuses("source:\n", "weir.yaml:1:1: \"source\" is no key of the configuration; did you mean "
                         "\"sources\"?");
    refuses("store:\n  pat: x\n", "did you mean \"path\"?");
    refuses("store:\n  xyzzy: x\n", "weir run --keys lists all");
    refuses("store:\n  every: soon\n", "weir.yaml:2:10: every: \"soon\" is no duration");
    refuses("store:\n  every: [1]\n", "\"every\" has one value");
    refuses("store: x\n", "weir.yaml:1:8: the store is a map of keys");
    refuses("store: [x]\n", "the store is a map of keys, not a list");
    refuses("sources: udp://:1\n", "\"sources\" is a list");
    refuses("sources:\n  - tap: x\n", "weir.yaml:2:5: a source needs \"listen\" or \"read\"");
    refuses("sources:\n  - {listen: a, read: b}\n", "one of them");
    refuses("sources:\n  - {listen: a, buffer: 1}\n", "is not between 4096");
    refuses("sinks:\n  - format: json\n", "a sink needs \"to\"");
    refuses("sinks:\n  -\n", "a sink is a map of keys");
    refuses("elements:\n  - {name: x, number: 1, type: int}\n", "\"int\" is no type");
    refuses("elements:\n  - {name: x, number: 40000, type: string}\n", "not between 1 and 32767");
    refuses("networks:\n  local: [10.0.0.0/33]\n", "weir.yaml:2:11: \"10.0.0.0/33\" is no prefix");
    refuses("networks:\n  \"a b\": []\n", "is no name of a network");
    refuses("networks: [a]\n", "\"networks\" is a map");
    refuses("networks:\n  a: {b: c}\n", "a network is a list");
    refuses("- a\n", "a map of sections");
}

static void a_missing_file_is_named(void **state)
{
    (void)state;
    struct err err = {0};
    assert_null(config_read("/nowhere/weir.yaml", &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_non_null(strstr(err.text, "/nowhere/weir.yaml"));
}

static void a_dump_says_the_same(void **state)
{
    (void)state;
    struct config *c = parsed(full);
    struct text one = {0}, two = {0};
    config_dump(c, &one);
    struct config *again = parsed(one.p);
    config_dump(again, &two);
    assert_string_equal(one.p, two.p);
    assert_non_null(strstr(one.p, "buffer: 64M"));
    assert_non_null(strstr(one.p, "one: [\"192.0.2.1/32\"]"));
    config_destroy(c);
    config_destroy(again);
    text_deinit(&one);
    text_deinit(&two);
}

static void a_dump_has_no_secrets(void **state)
{
    (void)state;
    struct config *c = parsed("sources:\n"
                              "  - read: kafka://a:1/t?group=g&sasl.password=pa55\n"
                              "    kafka: sasl.password=pa55\n"
                              "sinks:\n"
                              "  - to: kafka://a:1/t?sasl.username=pa55\n"
                              "    kafka: /etc/weir/kafka\n");
    struct text out = {0};
    config_dump(c, &out);
    assert_null(strstr(out.p, "pa55"));
    assert_non_null(strstr(out.p, "read: \"kafka://a:1/t?group=g&sasl.password=***\"\n"));
    assert_non_null(strstr(out.p, "kafka: \"sasl.password=***\"\n"));
    assert_non_null(strstr(out.p, "kafka: \"/etc/weir/kafka\"\n"));
    config_destroy(c);
    text_deinit(&out);
}

static void differs(const char *with, const char *expected)
{
    struct config *old = parsed(full), *new = parsed(with);
    struct text out = {0};
    config_restart(old, new, &out);
    assert_string_equal(out.p ? out.p : "", expected);
    text_deinit(&out);
    config_destroy(old);
    config_destroy(new);
}

static void what_needs_a_restart_is_named(void **state)
{
    (void)state;
    differs(full, "");
    struct config *one = parsed("sources: [a]\n"), *two = parsed("sources: [a]\nsinks: [b, c]\n");
    struct text out = {0};
    config_restart(one, two, &out);
    assert_int_equal(out.n, 0);
    text_deinit(&out);
    config_destroy(one);
    config_destroy(two);
    differs("sources:\n  - udp://:2055\n", "elements, sources, store.path, metrics.listen");
    char text[sizeof full];
    memcpy(text, full, sizeof full);
    memcpy(strstr(text, "every: 10s"), "every: 20s", 10);
    memcpy(strstr(text, "in $local"), "in $other", 9);
    differs(text, "");
    memcpy(strstr(text, "6343"), "6344", 4);
    differs(text, "sources.listen");
}

static void items_without_a_file_have_defaults(void **state)
{
    (void)state;
    struct config *c = config_create();
    assert_int_equal(config_add_source(c)->buffer, 64000000);
    struct err err = {0};
    assert_false(config_fail(c, (struct config_place){0}, &err, "wrong %d", 1));
    assert_string_equal(err.text, "wrong 1");
    config_destroy(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_read),
        cmocka_unit_test(few_lines_are_enough),
        cmocka_unit_test(what_is_wrong_is_named_with_its_place),
        cmocka_unit_test(a_missing_file_is_named),
        cmocka_unit_test(a_dump_says_the_same),
        cmocka_unit_test(a_dump_has_no_secrets),
        cmocka_unit_test(what_needs_a_restart_is_named),
        cmocka_unit_test(items_without_a_file_have_defaults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
