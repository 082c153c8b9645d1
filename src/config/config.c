#include "config/config.h"

#include <stdarg.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/nearest.h"
#include "config/keys.h"

bool config_fail(const struct config *c, struct config_place at, struct err *err,
                 const char *format, ...)
{
    char sentence[ERR_TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    if (!at.line) return err_set(err, ERR_USAGE, "%s", sentence);
    return err_set(err, ERR_USAGE, "%s:%u:%u: %s", c->tree.name, at.line, at.column, sentence);
}

// ---- names --------------------------------------------------------------------------------------

// The best of what was offered so far; a word of which more than a third is wrong was not meant.
struct guess {
    bytes word;
    const char *best;
    unsigned distance;
};

static void guess_offer(struct guess *g, const char *name)
{
    unsigned distance = word_distance(g->word, bytes_text(name));
    if (distance > 1 + g->word.n / 3 || (g->best && distance >= g->distance)) return;
    g->best = name;
    g->distance = distance;
}

static bool unknown_key(const struct config *c, const struct tree_node *key, const char *noun,
                        const char *best, struct err *err)
{
    if (!best)
        return tree_fail(&c->tree, key, err, "\"%s\" is no key of %s; weir run --keys lists all",
                         key->text, noun);
    return tree_fail(&c->tree, key, err, "\"%s\" is no key of %s; did you mean \"%s\"?", key->text,
                     noun, best);
}

static const struct config_key *key_find(const struct config *c,
                                         const struct config_section *section,
                                         const struct tree_node *node, struct err *err)
{
    struct guess guess = {.word = bytes_text(node->text)};
    for (unsigned i = 0; i < section->key_count; i++) {
        const struct config_key *key = &section->keys[i];
        if (strcmp(key->option.name, node->text) == 0) return key;
        guess_offer(&guess, key->option.name);
    }
    unknown_key(c, node, section->noun, guess.best, err);
    return NULL;
}

static const struct config_section *section_find(const struct config *c,
                                                 const struct tree_node *node, struct err *err)
{
    const struct config_section *section = config_section_named(node->text);
    if (section) return section;
    struct guess guess = {.word = bytes_text(node->text)};
    for (unsigned i = 0; i < config_section_count; i++)
        guess_offer(&guess, config_sections[i].name);
    unknown_key(c, node, "the configuration", guess.best, err);
    return NULL;
}

// ---- items --------------------------------------------------------------------------------------

static bool value_bind(const struct config *c, const struct config_key *key,
                       const struct tree_node *value, void *item, struct err *err)
{
    if (value->form != TREE_VALUE)
        return tree_fail(&c->tree, value, err, "\"%s\" has one value, not a list or a map",
                         key->option.name);
    struct err wrong = {0};
    if (tree_is_empty(value) || option_set(&key->option, value->text, item, &wrong)) return true;
    return tree_fail(&c->tree, value, err, "%s: %s", key->option.name, wrong.text);
}

static bool needed_check(const struct config *c, const struct config_section *section,
                         const struct tree_node *at, uint64_t given, struct err *err)
{
    for (unsigned i = 0; i < section->key_count; i++)
        if ((section->keys[i].traits & KEY_NEEDED) && !(given >> i & 1))
            return tree_fail(&c->tree, at, err, "%s needs \"%s\": %s", section->noun,
                             section->keys[i].option.name, section->keys[i].option.help);
    return true;
}

static bool map_bind(const struct config *c, const struct config_section *section,
                     const struct tree_node *map, void *item, uint64_t *given, struct err *err)
{
    for (uint32_t at = map->child; at; at = tree_at(&c->tree, tree_at(&c->tree, at)->next)->next) {
        const struct tree_node *name = tree_at(&c->tree, at);
        const struct tree_node *value = tree_at(&c->tree, name->next);
        const struct config_key *key = key_find(c, section, name, err);
        if (!key || !value_bind(c, key, value, item, err)) return false;
        if (!tree_is_empty(value)) *given |= UINT64_C(1) << (key - section->keys);
    }
    return true;
}

static bool alone_bind(const struct config *c, const struct config_section *section,
                       const struct tree_node *word, void *item, uint64_t *given, struct err *err)
{
    if (!section->alone || tree_is_empty(word))
        return tree_fail(&c->tree, word, err, "%s is a map of keys: KEY: VALUE", section->noun);
    const char *name = section->alone(word->text);
    for (unsigned i = 0; i < section->key_count; i++) {
        const struct config_key *key = &section->keys[i];
        if (strcmp(key->option.name, name) != 0) continue;
        *given |= UINT64_C(1) << i;
        return value_bind(c, key, word, item, err);
    }
    return false;
}

static bool item_bind(const struct config *c, const struct config_section *section,
                      const struct tree_node *node, void *item, struct err *err)
{
    uint64_t given = 0;
    *(struct config_place *)item = (struct config_place){node->line, node->column};
    if (node->form == TREE_LIST)
        return tree_fail(&c->tree, node, err, "%s is a map of keys, not a list", section->noun);
    bool ok = node->form == TREE_MAP ? map_bind(c, section, node, item, &given, err)
                                     : alone_bind(c, section, node, item, &given, err);
    return ok && needed_check(c, section, node, given, err) &&
           (!section->check || section->check(c, item, err));
}

static void *list_add(struct config_list *list, const struct config_section *section)
{
    list->items = memory_resize(list->items, (list->count + 1) * section->item_size);
    void *item = (char *)list->items + list->count++ * section->item_size;
    memset(item, 0, section->item_size);
    config_defaults(section, item);
    return item;
}

static bool list_bind(struct config *c, const struct config_section *section,
                      const struct tree_node *node, struct err *err)
{
    struct config_list *list = (void *)((char *)c + section->offset);
    if (node->form != TREE_LIST)
        return tree_fail(&c->tree, node, err, "\"%s\" is a list: begin each item with \"- \"",
                         section->name);
    for (uint32_t at = node->child; at; at = tree_at(&c->tree, at)->next)
        if (!item_bind(c, section, tree_at(&c->tree, at), list_add(list, section), err))
            return false;
    return true;
}

// ---- the file -----------------------------------------------------------------------------------

static bool section_bind(struct config *c, const struct config_section *section,
                         const struct tree_node *node, struct err *err)
{
    if (tree_is_empty(node)) return true;
    switch (section->form) {
    case CONFIG_NETWORKS:
        return config_networks_bind(c, node, err);
    case CONFIG_LIST:
        return list_bind(c, section, node, err);
    case CONFIG_ONE:
        break;
    }
    return item_bind(c, section, node, (char *)c + section->offset, err);
}

static bool tree_bind(struct config *c, struct err *err)
{
    const struct tree_node *root = tree_at(&c->tree, c->tree.root);
    if (!c->tree.root || tree_is_empty(root)) return true;
    if (root->form != TREE_MAP)
        return tree_fail(&c->tree, root, err, "a configuration is a map of sections: sources: ...");
    for (uint32_t at = root->child; at; at = tree_at(&c->tree, tree_at(&c->tree, at)->next)->next) {
        const struct tree_node *name = tree_at(&c->tree, at);
        const struct config_section *section = section_find(c, name, err);
        if (!section || !section_bind(c, section, tree_at(&c->tree, name->next), err)) return false;
    }
    return true;
}

struct config *config_create(void)
{
    struct config *c = memory_get(sizeof *c);
    for (unsigned i = 0; i < config_section_count; i++)
        if (config_sections[i].form == CONFIG_ONE)
            config_defaults(&config_sections[i], (char *)c + config_sections[i].offset);
    return c;
}

struct config_source *config_add_source(struct config *c)
{
    return list_add(&c->sources, config_section_named("sources"));
}

struct config *config_parse(const char *name, bytes content, struct err *err)
{
    struct config *c = config_create();
    if (tree_read(&c->tree, name, content, err) && tree_bind(c, err)) return c;
    config_destroy(c);
    return NULL;
}

struct config *config_read(const char *path, struct err *err)
{
    bytes content = file_read(path, TREE_BYTES_MAX + 1, err);
    if (!content.p) {
        if (err) err->code = ERR_USAGE;
        return NULL;
    }
    struct config *c = config_parse(path, content, err);
    memory_free((void *)content.p);
    return c;
}

void config_destroy(struct config *c)
{
    if (!c) return;
    config_networks_deinit(c);
    for (unsigned i = 0; i < config_section_count; i++)
        if (config_sections[i].form == CONFIG_LIST)
            memory_free(((struct config_list *)((char *)c + config_sections[i].offset))->items);
    tree_deinit(&c->tree);
    memory_free(c);
}
