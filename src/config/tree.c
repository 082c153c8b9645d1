#include "config/tree.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "base/memory.h"

// A node that is open: its last child, and how many it has.
struct level {
    uint32_t node, last, children;
};

// One reading under way; levels outermost first.
struct building {
    struct tree *tree;
    struct err *err;
    struct level levels[TREE_DEPTH_MAX];
    unsigned depth, documents;
};

bool tree_fail(const struct tree *t, const struct tree_node *n, struct err *err, const char *format,
               ...)
{
    char sentence[ERR_TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    return err_set(err, ERR_USAGE, "%s:%u:%u: %s", t->name, n->line, n->column, sentence);
}

bool tree_is_empty(const struct tree_node *n)
{
    return n->form == TREE_VALUE && !n->quoted &&
           (!*n->text || strcmp(n->text, "~") == 0 || strcmp(n->text, "null") == 0);
}

static struct tree_node node_of(const yaml_event_t *event, enum tree_form form)
{
    return (struct tree_node){.form = form,
                              .line = (uint32_t)event->start_mark.line + 1,
                              .column = (uint32_t)event->start_mark.column + 1,
                              .text = NULL};
}

// ---- nodes --------------------------------------------------------------------------------------

// Keys of the innermost open map that are the same as the last one.
static bool key_check(struct building *b, const struct tree_node *key)
{
    const struct tree *t = b->tree;
    const struct level *level = &b->levels[b->depth - 1];
    if (key->form != TREE_VALUE)
        return tree_fail(t, key, b->err, "a key is one word, not a list or a map");
    if (level->children > 2 * TREE_KEYS_MAX)
        return tree_fail(t, key, b->err, "more than %d keys", TREE_KEYS_MAX);
    uint32_t other = tree_at(t, level->node)->child;
    for (; tree_at(t, other) != key; other = tree_at(t, tree_at(t, other)->next)->next)
        if (strcmp(tree_at(t, other)->text, key->text) == 0)
            return tree_fail(t, key, b->err, "\"%s\" stands in line %u already", key->text,
                             tree_at(t, other)->line);
    return true;
}

static bool node_add(struct building *b, const struct tree_node *node)
{
    struct tree *t = b->tree;
    if (t->count == TREE_NODES_MAX) {
        memory_free((char *)node->text);
        return tree_fail(t, node, b->err, "more than %d values", TREE_NODES_MAX);
    }
    if (t->count == t->size) {
        t->size *= 2;
        t->nodes = memory_resize(t->nodes, t->size * sizeof *t->nodes);
    }
    uint32_t number = t->count++;
    t->nodes[number] = *node;
    if (!b->depth) {
        t->root = number;
        return true;
    }
    struct level *level = &b->levels[b->depth - 1];
    struct tree_node *parent = &t->nodes[level->node];
    if (level->last) t->nodes[level->last].next = number;
    else parent->child = number;
    level->last = number;
    bool is_key = parent->form == TREE_MAP && level->children++ % 2 == 0;
    return !is_key || key_check(b, &t->nodes[number]);
}

static bool take_value(struct building *b, const yaml_event_t *event)
{
    struct tree_node node = node_of(event, TREE_VALUE);
    const char *text = (const char *)event->data.scalar.value;
    size_t length = event->data.scalar.length;
    if (event->data.scalar.anchor || event->data.scalar.tag)
        return tree_fail(b->tree, &node, b->err, "anchors and tags are not taken");
    if (memchr(text, 0, length)) return tree_fail(b->tree, &node, b->err, "a value with a NUL");
    char *copy = memory_get(length + 1);
    memcpy(copy, text, length);
    node.text = copy;
    node.quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    return node_add(b, &node);
}

static bool take_begin(struct building *b, const yaml_event_t *event, enum tree_form form)
{
    struct tree_node node = node_of(event, form);
    if (b->depth == TREE_DEPTH_MAX)
        return tree_fail(b->tree, &node, b->err, "nested more than %d deep", TREE_DEPTH_MAX);
    if (form == TREE_MAP ? event->data.mapping_start.anchor || event->data.mapping_start.tag
                         : event->data.sequence_start.anchor || event->data.sequence_start.tag)
        return tree_fail(b->tree, &node, b->err, "anchors and tags are not taken");
    if (!node_add(b, &node)) return false;
    b->levels[b->depth++] = (struct level){.node = b->tree->count - 1};
    return true;
}

// ---- events -------------------------------------------------------------------------------------

static bool take_event(struct building *b, const yaml_event_t *event)
{
    struct tree_node at = node_of(event, TREE_VALUE);
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return take_value(b, event);
    case YAML_SEQUENCE_START_EVENT:
        return take_begin(b, event, TREE_LIST);
    case YAML_MAPPING_START_EVENT:
        return take_begin(b, event, TREE_MAP);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        b->depth--;
        return true;
    case YAML_ALIAS_EVENT:
        return tree_fail(b->tree, &at, b->err, "aliases are not taken: write it out");
    case YAML_DOCUMENT_START_EVENT:
        return !b->documents++ || tree_fail(b->tree, &at, b->err, "a second document");
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        break;
    }
    return true;
}

static bool parser_fail(const struct tree *t, const yaml_parser_t *parser, struct err *err)
{
    const yaml_mark_t *mark = &parser->problem_mark;
    struct tree_node at = {.line = (uint32_t)mark->line + 1, .column = (uint32_t)mark->column + 1};
    return tree_fail(t, &at, err, "%s%s%s", parser->context ? parser->context : "",
                     parser->context ? ", " : "",
                     parser->problem ? parser->problem : "this is not YAML");
}

static bool read_events(struct building *b, yaml_parser_t *parser)
{
    bool ok = true;
    yaml_event_type_t type = YAML_NO_EVENT;
    while (ok && type != YAML_STREAM_END_EVENT) {
        yaml_event_t event;
        if (!yaml_parser_parse(parser, &event)) return parser_fail(b->tree, parser, b->err);
        type = event.type;
        ok = take_event(b, &event);
        yaml_event_delete(&event);
    }
    return ok;
}

bool tree_read(struct tree *t, const char *name, bytes content, struct err *err)
{
    *t = (struct tree){.name = name, .count = 1, .size = 64};
    t->nodes = memory_get(t->size * sizeof *t->nodes);
    if (content.n > TREE_BYTES_MAX)
        return err_set(err, ERR_USAGE, "%s is larger than %d bytes", name, TREE_BYTES_MAX);
    struct building b = {.tree = t, .err = err};
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        return err_set(err, ERR_MACHINE, "%s: no memory for reading it", name);
    yaml_parser_set_input_string(&parser, content.p, content.n);
    bool ok = read_events(&b, &parser);
    yaml_parser_delete(&parser);
    return ok;
}

void tree_deinit(struct tree *t)
{
    for (uint32_t i = 0; i < t->count; i++) memory_free((char *)t->nodes[i].text);
    memory_free(t->nodes);
    *t = (struct tree){0};
}
