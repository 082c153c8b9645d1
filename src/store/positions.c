#include "store/positions.h"

#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "store/entry.h"

void positions_deinit(struct positions *p)
{
    for (size_t i = 0; i < p->count; i++) memory_free((char *)p->list[i].input);
    memory_free(p->list);
    *p = (struct positions){0};
}

// Entries name the same inputs in the same order: the search begins behind the last one.
static struct reading_position *find(const struct positions *p, const char *input)
{
    for (size_t i = 0; i < p->count; i++) {
        struct reading_position *position = &p->list[(p->at + i) % p->count];
        if (strcmp(position->input, input) == 0) return position;
    }
    return NULL;
}

const struct reading_position *positions_of(const struct positions *p, const char *input)
{
    return find(p, input);
}

void positions_put(struct positions *p, const char *input, uint64_t next)
{
    struct reading_position *position = find(p, input);
    if (!position) {
        p->list = memory_resize(p->list, (p->count + 1) * sizeof *p->list);
        position = &p->list[p->count++];
        position->input = text_copy(input);
    }
    position->next = next;
    p->at = (size_t)(position - p->list) + 1;
}

void positions_write(struct text *t, const struct reading_position *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        text_add(t, i ? ",{" : ",\"positions\":[{");
        entry_text(t, "input", list[i].input);
        text_format(t, ",\"next\":%" PRIu64 "}", list[i].next);
    }
    if (count) text_add(t, "]");
}

void positions_take(struct positions *p, const json_t *object)
{
    const json_t *list = json_object_get(object, "positions");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        const char *escaped = json_string_value(json_object_get(item, "input"));
        char *input = text_unescaped(bytes_text(escaped ? escaped : ""));
        positions_put(p, input, (uint64_t)json_integer_value(json_object_get(item, "next")));
        memory_free(input);
    }
}
