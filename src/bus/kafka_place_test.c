#include "bus/kafka_place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <librdkafka/rdkafka.h>

static struct err err;

static bool parse(struct kafka_place *p, const char *url, const char *more)
{
    err = (struct err){0};
    return kafka_place_parse(p, url, more, &err);
}

static void assert_property(const struct kafka_place *p, const char *name, const char *value)
{
    char found[512];
    size_t size = sizeof found;
    assert_int_equal(rd_kafka_conf_get(p->conf, name, found, &size), RD_KAFKA_CONF_OK);
    assert_string_equal(found, value);
}

static void a_place_has_brokers_topic_and_options(void **state)
{
    struct kafka_place p;
    (void)state;
    assert_true(parse(&p,
                      "kafka://a:1,[::1]:2/ipfix.entry?group=g%2f1&from=end&until=end&"
                      "format=json&sasl.password=a%26b%25&fetch.wait.max.ms=7",
                      NULL));
    assert_string_equal(p.name, "kafka://a:1,[::1]:2/ipfix.entry");
    assert_string_equal(p.topic, "ipfix.entry");
    assert_string_equal(p.group, "g/1");
    assert_string_equal(p.format, "json");
    assert_int_equal(p.from, KAFKA_FROM_END);
    assert_true(p.until_end);
    assert_property(&p, "bootstrap.servers", "a:1,[::1]:2");
    assert_property(&p, "sasl.password", "a&b%");
    assert_property(&p, "fetch.wait.max.ms", "7");
    kafka_place_deinit(&p);
}

static void options_may_stand_in_a_file(void **state)
{
    char path[] = "/tmp/weir-kafka-XXXXXX";
    struct kafka_place p;
    (void)state;
    int fd = mkstemp(path);
    assert_true(dprintf(fd, "# who we are\n\n  sasl.username=u\r\nsasl.password=100%%=x\n") > 0);
    assert_true(parse(&p, "kafka://a:1/t", path));
    assert_property(&p, "sasl.username", "u");
    assert_property(&p, "sasl.password", "100%=x");
    kafka_place_deinit(&p);
    assert_true(ftruncate(fd, 0) == 0 && pwrite(fd, "what\n", 5, 0) == 5);
    assert_false(parse(&p, "kafka://a:1/t", path));
    assert_non_null(strstr(err.text, "line 1: options are NAME=VALUE"));
    close(fd);
    unlink(path);
}

static void what_is_wrong_is_told_without_secrets(void **state)
{
    static const struct {
        const char *url, *told;
    } rows[] = {
        {"kafka://", "kafka://HOST:PORT/TOPIC"},
        {"kafka:///t", "kafka://HOST:PORT/TOPIC"},
        {"kafka://a:1", "kafka://HOST:PORT/TOPIC"},
        {"kafka://a:1/", "kafka://HOST:PORT/TOPIC"},
        {"kafka://a:1/a/b", "kafka://HOST:PORT/TOPIC"},
        {"kafka://me:pa55@a:1/t", "kafka://HOST:PORT/TOPIC"},
        {"kafka://a:1/t?group", "NAME=VALUE"},
        {"kafka://a:1/t?group=%4", "hexadecimal"},
        {"kafka://a:1/t?group=%00", "hexadecimal"},
        {"kafka://a:1/t?from=middle", "from=beginning"},
        {"kafka://a:1/t?until=noon", "until=end"},
        {"kafka://a:1/t?enable.auto.commit=true", "not to be changed"},
        {"kafka://a:1/t?group.id=x", "group="},
        {"kafka://a:1/t?nonsense=1", "\"nonsense\" is no option"},
        {"kafka://a:1/t?security.protocol=pa55", "security.protocol"},
        {"kafka://a:1/t?ssl.key.pem=pa55", "ssl.key.pem"},
    };
    struct kafka_place p;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (parse(&p, rows[i].url, NULL)) {
            assert_non_null(strstr(rows[i].url, ".pem")); // looked at when it is used
            kafka_place_deinit(&p);
            continue;
        }
        assert_int_equal(err.code, ERR_USAGE);
        if (!strstr(err.text, rows[i].told)) fail_msg("%s: %s", rows[i].url, err.text);
        if (!strstr(rows[i].url, "protocol")) assert_null(strstr(err.text, "pa55"));
    }
    assert_false(kafka_is_place("udp://a:1"));
    assert_true(kafka_is_place("kafka://a:1/t"));
}

static void assert_shown(const char *word, const char *expected)
{
    struct text shown = {0};
    kafka_show(word, &shown);
    assert_string_equal(shown.p, expected);
    text_deinit(&shown);
}

static void secrets_are_not_shown(void **state)
{
    (void)state;
    assert_shown("kafka://a:1/t", "kafka://a:1/t");
    assert_shown("kafka://a:1/t?group=g&sasl.password=a%26b&ssl.key.pem=x&from=end",
                 "kafka://a:1/t?group=g&sasl.password=***&ssl.key.pem=***&from=end");
    assert_shown("kafka://a:1/t?sasl.password=", "kafka://a:1/t?sasl.password=***");
    assert_shown("kafka://a:1/t?sasl.password&", "kafka://a:1/t?sasl.password&");
    assert_shown("sasl.password=a&b=c", "sasl.password=***");
    assert_shown("/etc/weir/kafka.options", "/etc/weir/kafka.options");
    assert_shown("udp://:2055", "udp://:2055");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_place_has_brokers_topic_and_options),
        cmocka_unit_test(options_may_stand_in_a_file),
        cmocka_unit_test(what_is_wrong_is_told_without_secrets),
        cmocka_unit_test(secrets_are_not_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
