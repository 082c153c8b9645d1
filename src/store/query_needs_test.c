#include "store/query_needs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/text.h"

static const struct field fields[] = {
    {.name = "src_addr", .type = FIELD_ADDRESS},
    {.name = "dst_addr", .type = FIELD_ADDRESS},
    {.name = "dst_port", .type = FIELD_UINT},
    {.name = "other", .type = FIELD_ADDRESS, .flags = FIELD_HIDDEN},
};
static const struct record_kind kind = {
    .name = "flow", .fields = fields, .field_count = sizeof fields / sizeof *fields};

// "-" is: any row may be asked.
static void check(const char *sql, const char *wanted)
{
    struct needs needs = query_needs(sql, &kind);
    struct text t = {0};
    text_add(&t, needs.known ? "" : "-");
    for (unsigned i = 0; needs.known && i < needs.count; i++) {
        char text[ADDRESS_TEXT_MAX];
        address_format(text, needs.of[i].address);
        text_format(&t, "%s%s %s", i ? ", " : "", fields[needs.of[i].field].name, text);
    }
    if (strcmp(t.p, wanted) != 0) fail_msg("%s\nneeds  %s\nwanted %s", sql, t.p, wanted);
    text_deinit(&t);
}

static void finds_comparisons(void **state)
{
    (void)state;
    check("SELECT * FROM flow WHERE src_addr = '10.0.0.1'", "src_addr 10.0.0.1");
    check("select * from FLOW as f where SRC_ADDR='10.0.0.1';", "src_addr 10.0.0.1");
    check("FROM flow WHERE '2001:db8::1' = dst_addr LIMIT 5", "dst_addr 2001:db8::1");
    check("SELECT a FROM flow WHERE src_addr == '10.0.0.1'", "src_addr 10.0.0.1");
    check("SELECT a FROM flow WHERE src_addr = '10.0.0.1' OR dst_addr = '10.0.0.1' ORDER BY a",
          "src_addr 10.0.0.1, dst_addr 10.0.0.1");
    check("SELECT a FROM flow WHERE dst_addr IN ('10.0.0.1', '10.0.0.2') GROUP BY a OR b",
          "dst_addr 10.0.0.1, dst_addr 10.0.0.2");
    check("SELECT a FROM flow WHERE dst_port = 53 AND (src_addr = '10.0.0.1' OR "
          "(dst_addr = '10.0.0.2' AND NOT f(a, (b))))",
          "src_addr 10.0.0.1, dst_addr 10.0.0.2");
    check("SELECT a FROM flow WHERE (src_addr IN ('10.0.0.1', '10.0.0.2')) AND "
          "dst_addr = '10.0.0.3'",
          "dst_addr 10.0.0.3");
    check("SELECT (SELECT max(a) FROM flow WHERE src_addr = '10.0.0.1') + 1", "src_addr 10.0.0.1");
}

// Each of these may ask for rows without the address.
static void is_careful(void **state)
{
    static const char *const statements[] = {
        "SELECT * FROM flow",
        "SELECT * FROM flow WHERE src_addr = '10.0.0.1' OR dst_port = 53",
        "SELECT * FROM flow WHERE NOT src_addr = '10.0.0.1'",
        "SELECT * FROM flow WHERE NOT (src_addr = '10.0.0.1')",
        "SELECT * FROM flow WHERE (src_addr = '10.0.0.1') = false",
        "SELECT * FROM flow WHERE (src_addr = '10.0.0.1') IS NULL",
        "SELECT * FROM flow WHERE src_addr = '10.0.0.1' IS NULL",
        "SELECT * FROM flow WHERE src_addr <> '10.0.0.1'",
        "SELECT * FROM flow WHERE src_addr != '10.0.0.1'",
        "SELECT * FROM flow WHERE src_addr >= '10.0.0.1'",
        "SELECT * FROM flow WHERE src_addr NOT IN ('10.0.0.1')",
        "SELECT * FROM flow WHERE src_addr IN ('10.0.0.1', dst_addr)",
        "SELECT * FROM flow WHERE src_addr IN ('10.0.0.1',)",
        "SELECT * FROM flow WHERE src_addr = '10.0.0.1' || ''",
        "SELECT * FROM flow WHERE src_addr = '10.0.0.01'",
        "SELECT * FROM flow WHERE src_addr = '::ffff:10.0.0.1'",
        "SELECT * FROM flow WHERE src_addr = '10.0.0.1",
        "SELECT * FROM flow WHERE other = '10.0.0.1'",
        "SELECT * FROM flow WHERE \"src_addr\" = '10.0.0.1'",
        "SELECT * FROM flow WHERE src_addr = E'10.0.0.1'",
        "SELECT * FROM flow WHERE dst_port BETWEEN 1 AND src_addr = '10.0.0.1'",
        "SELECT * FROM flow WHERE CASE WHEN a AND src_addr = '10.0.0.1' THEN false ELSE true END",
        "SELECT * FROM flow WHERE f(src_addr = '10.0.0.1')",
        "SELECT * FROM flow WHERE f(a AND src_addr = '10.0.0.1')",
        "SELECT * FROM flow WHERE (src_addr = '10.0.0.1'",
        "SELECT * FROM flow WHERE src_addr = '10.0.0.1' AND",
        "SELECT * FROM flow WHERE",
        "SELECT * FROM flow t(src_addr) WHERE src_addr = '10.0.0.1'",
        "SELECT * FROM flow, flow WHERE src_addr = '10.0.0.1'",
        "SELECT * FROM flow JOIN dns USING (id) WHERE src_addr = '10.0.0.1'",
        "SELECT * FROM raw.flow WHERE src_addr = '10.0.0.1'",
        "SELECT * FROM dns WHERE src_addr = '10.0.0.1'",
        "SELECT *, (SELECT count(*) FROM flow) FROM flow WHERE src_addr = '10.0.0.1'",
        "SELECT count(*) FILTER (WHERE src_addr = '10.0.0.1') FROM flow",
        "SELECT count(*) FILTER (WHERE dst_port = 1) FROM flow WHERE src_addr = '10.0.0.1'",
        "SELECT * FROM flow WHERE src_addr = '10.0.0.1' UNION TABLE flow",
        "SELECT * FROM flow -- WHERE\nWHERE src_addr = '10.0.0.1'",
        "SELECT * FROM flow WHERE src_addr = '10.0.0.1' -> a",
        "SELECT 'FROM flow WHERE src_addr = ''10.0.0.1'''",
        "",
    };
    (void)state;
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) check(statements[i], "-");
}

static void has_bounds(void **state)
{
    struct text sql = {0};
    (void)state;
    text_add(&sql, "SELECT * FROM flow WHERE src_addr IN ('10.0.0.1'");
    for (unsigned i = 1; i <= NEEDS_MAX; i++) text_format(&sql, ", '10.0.1.%u'", i);
    text_add(&sql, ")");
    check(sql.p, "-");
    text_clear(&sql);
    text_add(&sql, "SELECT * FROM flow WHERE ");
    for (unsigned i = 0; i < 2000; i++) text_add(&sql, "(");
    text_add(&sql, "src_addr = '10.0.0.1'");
    check(sql.p, "-");
    text_deinit(&sql);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_comparisons),
        cmocka_unit_test(is_careful),
        cmocka_unit_test(has_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
