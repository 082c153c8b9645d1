#include "service/expression.h"

#include "base/memory.h"
#include "engine/catalogue.h"

struct filter *expression_compile(const struct config *c, const char *text,
                                  const struct record_kind *kind, nanos now,
                                  struct filter_error *error)
{
    uint32_t count = c ? c->networks.count : 0;
    const struct config_network *networks = c ? c->networks.items : NULL;
    struct filter_list *lists = memory_get((count + 1) * sizeof *lists);
    for (uint32_t i = 0; i < count; i++)
        lists[i] =
            (struct filter_list){networks[i].name, networks[i].prefixes, networks[i].prefix_count};
    struct filter_options options = {.now = now, .lists = lists, .list_count = count};
    options.known_kinds = catalogue(&options.known_kind_count);
    struct filter *f = filter_compile(text, &kind, 1, &options, error);
    memory_free(lists);
    return f;
}
