// Networks of the configuration: each a name and its prefixes.
#include <ctype.h>
#include <string.h>

#include "base/memory.h"
#include "config/keys.h"

static struct config_network *networks_of(const struct config *c)
{
    return c->networks.items;
}

// As expressions can write it behind a dollar.
static bool name_check(const struct config *c, const struct tree_node *name, struct err *err)
{
    const char *p = name->text;
    if (isalpha((unsigned char)*p))
        while (isalnum((unsigned char)*p) || *p == '_') p++;
    return (*name->text && !*p) ||
           tree_fail(&c->tree, name, err,
                     "\"%s\" is no name of a network: letters, digits and _, a letter first",
                     name->text);
}

static bool prefix_bind(const struct config *c, const struct tree_node *node,
                        struct config_network *n, struct err *err)
{
    struct prefix prefix;
    if (node->form != TREE_VALUE || !prefix_parse(bytes_text(node->text), &prefix))
        return tree_fail(&c->tree, node, err, "\"%s\" is no prefix; write 10.0.0.0/8 or fd00::/8",
                         node->form == TREE_VALUE ? node->text : "...");
    n->prefixes = memory_resize(n->prefixes, (n->prefix_count + 1) * sizeof *n->prefixes);
    n->prefixes[n->prefix_count++] = prefix;
    return true;
}

// One prefix, or a list of them.
static bool prefixes_bind(const struct config *c, const struct tree_node *node,
                          struct config_network *n, struct err *err)
{
    if (node->form == TREE_MAP)
        return tree_fail(&c->tree, node, err, "a network is a list of prefixes: [10.0.0.0/8, ...]");
    if (tree_is_empty(node)) return true;
    if (node->form == TREE_VALUE) return prefix_bind(c, node, n, err);
    for (uint32_t at = node->child; at; at = tree_at(&c->tree, at)->next)
        if (!prefix_bind(c, tree_at(&c->tree, at), n, err)) return false;
    return true;
}

bool config_networks_bind(struct config *c, const struct tree_node *map, struct err *err)
{
    if (map->form != TREE_MAP)
        return tree_fail(&c->tree, map, err, "\"networks\" is a map: NAME: [PREFIX, ...]");
    for (uint32_t at = map->child; at; at = tree_at(&c->tree, tree_at(&c->tree, at)->next)->next) {
        const struct tree_node *name = tree_at(&c->tree, at);
        if (!name_check(c, name, err)) return false;
        struct config_list *list = &c->networks;
        list->items = memory_resize(list->items, (list->count + 1) * sizeof *networks_of(c));
        struct config_network *n = &networks_of(c)[list->count++];
        *n = (struct config_network){.place = {name->line, name->column}, .name = name->text};
        if (!prefixes_bind(c, tree_at(&c->tree, name->next), n, err)) return false;
    }
    return true;
}

void config_networks_deinit(struct config *c)
{
    for (uint32_t i = 0; i < c->networks.count; i++) memory_free(networks_of(c)[i].prefixes);
    memory_free(c->networks.items);
}

void config_networks_dump(const struct config *c, struct text *out)
{
    for (uint32_t i = 0; i < c->networks.count; i++) {
        const struct config_network *n = &networks_of(c)[i];
        text_format(out, "  %s: [", n->name);
        for (uint32_t p = 0; p < n->prefix_count; p++) {
            char prefix[PREFIX_TEXT_MAX];
            prefix_format(prefix, &n->prefixes[p]);
            text_format(out, "%s\"%s\"", p ? ", " : "", prefix);
        }
        text_add(out, "]\n");
    }
}
