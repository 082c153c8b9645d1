// Any bytes as an expression: it is compiled or refused with a place in it. What is compiled says
// the same of each row every time, and can be written as SQL.
#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "filter/filter.h"
#include "filter/random_cases.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct filter *compiled(const char *text)
{
    static struct prefix prefix = {{0, ADDRESS_V4_PREFIX}, {0, ADDRESS_V4_PREFIX | 255}};
    static const struct filter_list list = {"local", &prefix, 1};
    struct filter_options options = {random_now, &list, 1, &random_kind, 1};
    struct filter_error error;
    struct filter *f = filter_compile(text, &random_kind, 1, &options, &error);
    assert(f || (error.column > 0 && error.column <= strlen(text) + 1 && *error.message));
    return f;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct random_rows *rows;
    if (!rows) rows = random_rows_create(1);
    char *text = memory_get(size + 1);
    if (size) memcpy(text, data, size);
    struct filter *one = compiled(text), *other = compiled(text);
    assert((one == NULL) == (other == NULL));
    for (uint32_t row = 0; one && row < RANDOM_ROWS; row++) {
        bool wanted = filter_match(one, random_rows_batch(rows), row);
        assert(wanted == filter_match(other, random_rows_batch(rows), row));
    }
    struct text sql = {0};
    if (one) filter_sql(one, random_kind, &sql);
    text_deinit(&sql);
    filter_destroy(one);
    filter_destroy(other);
    memory_free(text);
    return 0;
}
