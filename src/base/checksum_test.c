#include "base/checksum.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

// RFC 1071 section 3.
static void sum_of_the_rfc(void **state)
{
    (void)state;
    static const uint8_t b[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
    assert_int_equal(internet_sum(0, bytes_of(b, sizeof b)), 0xddf2);
}

// Whatever its length, the sum is that of its 16-bit words, the last filled up with zero.
static void sum_of_any_length(void **state)
{
    (void)state;
    uint8_t b[67];
    for (unsigned i = 0; i < sizeof b; i++) b[i] = (uint8_t)(i * 151 + 7);
    for (unsigned n = 0; n <= sizeof b; n++) {
        uint64_t sum = 0x12345;
        for (unsigned i = 0; i < n; i++) sum += i % 2 ? b[i] : (uint64_t)b[i] << 8;
        while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
        assert_int_equal(internet_sum(0x12345, bytes_of(b, n)), sum);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sum_of_the_rfc),
        cmocka_unit_test(sum_of_any_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
