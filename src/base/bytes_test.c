#include "base/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"

static const uint8_t eight[] = {1, 2, 3, 4, 5, 6, 7, 8};

static void test_numbers(void **state)
{
    (void)state;
    struct reader r = reader_of(bytes_of(eight, 8));
    assert_int_equal(read_be64(&r), 0x0102030405060708);
    assert_true(!r.bad && reader_left(&r) == 0);
    r = reader_of(bytes_of(eight, 8));
    assert_int_equal(read_u8(&r), 1);
    assert_int_equal(read_be16(&r), 0x0203);
    assert_int_equal(read_be24(&r), 0x040506);
    assert_int_equal(read_le16(&r), 0x0807);
    assert_false(r.bad);
    r = reader_of(bytes_of(eight, 8));
    assert_int_equal(read_le32(&r), 0x04030201);
    assert_int_equal(read_be32(&r), 0x05060708);
    r = reader_of(bytes_of(eight, 8));
    assert_int_equal(read_le64(&r), 0x0807060504030201);
}

// A read that is one byte too long gives zero, and so does every one after it.
static void test_bad_stays(void **state)
{
    (void)state;
    for (size_t n = 0; n < 8; n++) {
        struct reader r = reader_of(bytes_of(eight, n));
        assert_int_equal(read_be64(&r), 0);
        assert_true(r.bad);
        assert_int_equal(reader_left(&r), 0);
        assert_int_equal(read_u8(&r), 0);
        assert_int_equal(read_bytes(&r, 1).n, 0);
        assert_int_equal(read_bytes(&r, 0).n, 0);
        assert_true(r.bad);
    }
    struct reader r = reader_of(bytes_of(eight, 8));
    assert_int_equal(read_bytes(&r, SIZE_MAX).n, 0);
    assert_true(r.bad);
}

static void test_sub_reader_cannot_leave(void **state)
{
    (void)state;
    struct reader r = reader_of(bytes_of(eight, 8));
    struct reader sub = read_sub(&r, 3);
    assert_int_equal(read_be16(&sub), 0x0102);
    assert_int_equal(read_be16(&sub), 0);
    assert_true(sub.bad && !r.bad);
    assert_int_equal(read_u8(&r), 4);
    sub = read_sub(&r, 5);
    assert_true(sub.bad && r.bad);
    assert_int_equal(reader_left(&sub), 0);
    sub = read_sub(&r, 0); // a bad reader has bad parts only
    assert_true(sub.bad);
}

static void test_empty(void **state)
{
    (void)state;
    struct reader r = reader_of((bytes){NULL, 0});
    assert_int_equal(reader_left(&r), 0);
    assert_int_equal(read_bytes(&r, 0).n, 0);
    assert_false(r.bad);
    assert_int_equal(read_u8(&r), 0);
    assert_true(r.bad);
}

static void test_views(void **state)
{
    (void)state;
    bytes b = bytes_text("Weir/1");
    assert_true(bytes_equal(bytes_after(b, 5), bytes_text("1")));
    assert_int_equal(bytes_after(b, 7).n, 0);
    assert_int_equal(bytes_after((bytes){NULL, 0}, 7).n, 0);
    assert_true(bytes_equal(bytes_first(b, 4), bytes_text("Weir")));
    assert_int_equal(bytes_first(b, 100).n, 6);
    assert_int_equal(bytes_find(b, '/'), 4);
    assert_int_equal(bytes_find(b, 'x'), 6);
    assert_int_equal(bytes_find((bytes){NULL, 0}, 'x'), 0);
    assert_true(bytes_equal_nocase(b, bytes_text("wEIR/1")));
    assert_false(bytes_equal_nocase(bytes_text("["), bytes_text("{")));
    assert_true(bytes_start_with(b, "Weir") && !bytes_start_with(b, "Weir/1 "));
    assert_true(bytes_equal((bytes){NULL, 0}, bytes_text("")));
}

static void test_writer_stays_full(void **state)
{
    (void)state;
    uint8_t memory[4];
    struct buf b = buf_on(memory, sizeof memory);
    buf_text(&b, "abc");
    buf_text(&b, "de");
    assert_true(b.full && b.n == 3);
    buf_u8(&b, 'x');
    assert_int_equal(b.n, 3);
}

static void test_varint(void **state)
{
    (void)state;
    static const uint64_t values[] = {0, 1, 127, 128, 16383, 16384, UINT32_MAX, UINT64_MAX};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        uint8_t memory[10];
        struct buf b = buf_on(memory, sizeof memory);
        buf_varint(&b, values[i]);
        assert_false(b.full);
        struct reader r = reader_of(buf_bytes(&b));
        assert_true(read_varint(&r) == values[i] && !r.bad && reader_left(&r) == 0);
        r = reader_of(bytes_first(buf_bytes(&b), b.n - 1));
        read_varint(&r);
        assert_true(r.bad);
    }
    uint8_t endless[16];
    memset(endless, 0x80, sizeof endless);
    struct reader r = reader_of(bytes_of(endless, sizeof endless));
    assert_int_equal(read_varint(&r), 0);
    assert_true(r.bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_bad_stays),
        cmocka_unit_test(test_sub_reader_cannot_leave),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_views),
        cmocka_unit_test(test_writer_stays_full),
        cmocka_unit_test(test_varint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
