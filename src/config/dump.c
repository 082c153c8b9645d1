// The configuration as text: its effective values, its manual, and what differs between two.
#include <ctype.h>
#include <string.h>

#include "bus/kafka_place.h"
#include "config/keys.h"

static bool is_plain(bytes value)
{
    struct tree_node node = {.text = (const char *)value.p};
    if (!value.n || !isalnum(value.p[0]) || tree_is_empty(&node)) return false;
    for (size_t i = 0; i < value.n; i++)
        if (!isalnum(value.p[i]) && !memchr("_./-", value.p[i], 4)) return false;
    return true;
}

void config_dump_value(struct text *out, bytes value)
{
    if (is_plain(value)) text_put(out, value);
    else text_json(out, value);
}

static void option_show(const struct option_row *o, const void *item, struct text *out)
{
    const char *text = *(const char *const *)((const char *)item + o->offset);
    if (text) kafka_show(text, out);
}

static void key_dump(const struct config_key *key, const void *item, struct text *out)
{
    struct text value = {0};
    if (key->traits & KEY_SECRET) option_show(&key->option, item, &value);
    else option_format(&key->option, item, &value);
    text_format(out, "%s:", key->option.name);
    if (value.n) text_add(out, " ");
    if (value.n) config_dump_value(out, bytes_of(value.p, value.n));
    text_add(out, "\n");
    text_deinit(&value);
}

static const void *item_of(const struct config *c, const struct config_section *s, uint32_t i)
{
    const char *at = (const char *)c + s->offset;
    if (s->form == CONFIG_ONE) return at;
    return (const char *)((const struct config_list *)at)->items + i * s->item_size;
}

static uint32_t item_count(const struct config *c, const struct config_section *s)
{
    if (s->form == CONFIG_ONE) return 1;
    return ((const struct config_list *)((const char *)c + s->offset))->count;
}

static void section_dump(const struct config *c, const struct config_section *s, struct text *out)
{
    if (s->form == CONFIG_NETWORKS) config_networks_dump(c, out);
    for (uint32_t i = 0; i < item_count(c, s); i++)
        for (unsigned k = 0; k < s->key_count; k++) {
            text_add(out, s->form == CONFIG_LIST && k == 0 ? "  - "
                          : s->form == CONFIG_LIST         ? "    "
                                                           : "  ");
            key_dump(&s->keys[k], item_of(c, s, i), out);
        }
}

void config_dump(const struct config *c, struct text *out)
{
    for (unsigned i = 0; i < config_section_count; i++) {
        text_format(out, "%s:\n", config_sections[i].name);
        section_dump(c, &config_sections[i], out);
    }
}

void config_manual(FILE *out)
{
    for (unsigned i = 0; i < config_section_count; i++) {
        const struct config_section *s = &config_sections[i];
        fprintf(out, "%s%s: %s\n", i ? "\n" : "", s->name, s->help);
        for (unsigned k = 0; k < s->key_count; k++) {
            const struct option_row *o = &s->keys[k].option;
            char left[64];
            snprintf(left, sizeof left, "%s: %s", o->name, o->argument ? o->argument : "yes|no");
            fprintf(out, "  %-24s %s%s\n", left, o->help,
                    s->keys[k].traits & KEY_RESTART ? "" : "; may change while it runs");
        }
    }
}

// ---- differences --------------------------------------------------------------------------------

static void name_difference(struct text *out, const char *section, const char *key)
{
    text_format(out, "%s%s%s%s", out->n ? ", " : "", section, key ? "." : "", key ? key : "");
}

static bool key_differs(const struct config *old, const struct config *new,
                        const struct config_section *s, const struct config_key *key)
{
    for (uint32_t i = 0; i < item_count(old, s); i++)
        if (!option_equal(&key->option, item_of(old, s, i), item_of(new, s, i))) return true;
    return false;
}

static void section_restart(const struct config *old, const struct config *new,
                            const struct config_section *s, struct text *out)
{
    bool same_count = item_count(old, s) == item_count(new, s);
    for (unsigned k = 0; k < s->key_count; k++) {
        if (!(s->keys[k].traits & KEY_RESTART)) continue;
        if (!same_count) {
            name_difference(out, s->name, NULL);
            return;
        }
        if (key_differs(old, new, s, &s->keys[k]))
            name_difference(out, s->name, s->keys[k].option.name);
    }
}

void config_restart(const struct config *old, const struct config *new, struct text *out)
{
    for (unsigned i = 0; i < config_section_count; i++)
        section_restart(old, new, &config_sections[i], out);
}
