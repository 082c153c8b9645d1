// Any bytes as a configuration: taken, or refused with a place in it. What is taken is dumped as a
// configuration that says the same.
#include <assert.h>
#include <string.h>

#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err = {0};
    struct config *c = config_parse("f", bytes_of(data, size), &err);
    assert(c || (err.code == ERR_USAGE && strncmp(err.text, "f", 1) == 0));
    if (!c) return 0;
    struct text one = {0}, two = {0};
    config_dump(c, &one);
    struct config *again = config_parse("again", bytes_of(one.p, one.n), &err);
    assert(again);
    config_dump(again, &two);
    assert(bytes_equal(bytes_of(one.p, one.n), bytes_of(two.p, two.n)));
    text_clear(&two);
    config_restart(c, again, &two);
    assert(!two.n);
    text_deinit(&one);
    text_deinit(&two);
    config_destroy(again);
    config_destroy(c);
    return 0;
}
