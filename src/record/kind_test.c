#include "record/kind.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "record/kinds.h"

static void test_field_by_name(void **state)
{
    (void)state;
    assert_int_equal(kind_field(&anomaly_kind, bytes_text("id")), COMMON_ID);
    assert_int_equal(kind_field(&anomaly_kind, bytes_text("dst_length")), COMMON_DST_LENGTH);
    assert_int_equal(kind_field(&anomaly_kind, bytes_text("nam")), -1);
    assert_int_equal(kind_field(&anomaly_kind, bytes_text("")), -1);
}

static void check_name(const struct record_kind *kind, unsigned field, const char *name)
{
    assert_string_equal(kind->fields[field].name, name);
    assert_int_equal(kind_field(kind, bytes_text(name)), field);
}

static void test_numbers_and_names_agree(void **state)
{
    (void)state;
    check_name(&anomaly_kind, ANOMALY_NAME, "name");
    check_name(&anomaly_kind, ANOMALY_SERVICE, "service");
    check_name(&anomaly_kind, ANOMALY_SIDE, "side");
    check_name(&anomaly_kind, ANOMALY_DETAIL, "detail");
    assert_int_equal(anomaly_kind.field_count, ANOMALY_DETAIL + 1);
    check_name(&loss_kind, LOSS_TS, "ts");
    check_name(&loss_kind, LOSS_LAST_SEEN, "last_seen");
    check_name(&loss_kind, LOSS_POINT, "point");
    check_name(&loss_kind, LOSS_STAGE, "stage");
    check_name(&loss_kind, LOSS_REASON, "reason");
    check_name(&loss_kind, LOSS_PACKETS, "packets");
    check_name(&loss_kind, LOSS_BYTES, "bytes");
    check_name(&loss_kind, LOSS_CONVERSATION_ID, "conversation_id");
    check_name(&loss_kind, LOSS_CAPTURE, "capture");
    check_name(&loss_kind, LOSS_COUNT, "count");
    check_name(&loss_kind, LOSS_SIDE, "side");
    check_name(&loss_kind, LOSS_OFFSET, "offset");
    check_name(&loss_kind, LOSS_INTERFACE, "interface");
    assert_int_equal(loss_kind.field_count, LOSS_INTERFACE + 1);
    check_name(&ambiguity_kind, AMBIGUITY_LAYER, "layer");
    check_name(&ambiguity_kind, AMBIGUITY_TAKEN, "taken");
    check_name(&ambiguity_kind, AMBIGUITY_OTHER, "other");
    check_name(&ambiguity_kind, AMBIGUITY_OTHER_MARKS, "other_marks");
    check_name(&ambiguity_kind, AMBIGUITY_DATAGRAM, "datagram");
    assert_int_equal(ambiguity_kind.field_count, AMBIGUITY_DATAGRAM + 1);
}

static void test_fields_are_whole(void **state)
{
    (void)state;
    const struct record_kind *const kinds[] = {&anomaly_kind, &ambiguity_kind, &loss_kind};
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        for (uint32_t i = 0; i < kinds[k]->field_count; i++) {
            const struct field *field = &kinds[k]->fields[i];
            assert_true(field->name[0] && field->help[0]);
            assert_string_not_equal(field_type_name(field->type), "unknown");
            assert_int_equal(kind_field(kinds[k], bytes_text(field->name)), i);
        }
    }
}

static void test_types(void **state)
{
    (void)state;
    assert_string_equal(field_type_name(FIELD_TIME), "time");
    assert_string_equal(field_type_name(FIELD_ADDRESSES), "addresses");
    assert_int_equal(field_words(FIELD_ADDRESS), 2);
    assert_int_equal(field_words(FIELD_ID), 2);
    assert_int_equal(field_words(FIELD_ADDRESSES), 1);
    assert_true(field_is_list(FIELD_UINTS) && !field_is_list(FIELD_UINT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_field_by_name),
        cmocka_unit_test(test_numbers_and_names_agree),
        cmocka_unit_test(test_fields_are_whole),
        cmocka_unit_test(test_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
