// A record by its id, of whatever kind it is.
#include "cmd/cmd.h"
#include "engine/catalogue.h"

bool named_parse(const char *word, struct record_id *id, struct err *err)
{
    if (record_id_parse(bytes_text(word), id)) return true;
    return err_set(err, ERR_USAGE,
                   "\"%s\" is no id; ids have 32 hexadecimal digits, as weir query prints them",
                   word);
}

struct named {
    case_take *take;
    void *context;
    bool found;
};

static bool named_take(void *context, const struct record_batch *b)
{
    struct named *n = context;
    n->found = true;
    n->take(n->context, b);
    return false;
}

bool named_find(struct case_reader *reader, struct record_id id, case_take *take, void *context,
                struct err *err)
{
    uint32_t count;
    const struct record_kind *const *kinds = catalogue(&count);
    char where[CASE_ID_CONDITION_MAX];
    case_id_condition(where, "id", id);
    struct named n = {take, context, false};
    for (uint32_t i = 0; i < count && !n.found; i++) {
        if (kinds[i]->hidden || kind_field(kinds[i], bytes_text("id")) < 0) continue;
        struct case_scan scan = {kinds[i], CASE_ALL_FIELDS, where, named_take, &n};
        if (!case_scan(reader, &scan, err)) return false;
    }
    return n.found || err_set(err, ERR_DIFFERENCE, "nothing in the case has this id");
}
