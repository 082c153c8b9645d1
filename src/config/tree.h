// A YAML document as a tree of nodes that know their line and column.
//
// Values stay text: what they mean is decided by whoever asks. One document, without aliases,
// anchors and tags (a person reads what stands there), without a key that comes twice, and within
// the limits below. One thread.
#pragma once

#include "base/bytes.h"
#include "base/err.h"

enum {
    TREE_BYTES_MAX = 1024 * 1024,
    TREE_NODES_MAX = 65536,
    TREE_DEPTH_MAX = 8,
    TREE_KEYS_MAX = 1024, // of one map
};

enum tree_form { TREE_VALUE, TREE_LIST, TREE_MAP };

struct tree_node {
    enum tree_form form;
    uint32_t line, column; // from 1
    const char *text;      // of a value; without a NUL
    bool quoted;
    // Numbers of nodes, 0 for none. The children of a map are a key and its value in turn.
    uint32_t child, next;
};

struct tree {
    const char *name; // of the file, for messages
    struct tree_node *nodes;
    uint32_t count, size; // node 0 is none
    uint32_t root;        // 0: the document is empty
};

// Reads `content`, which `name` calls, into a zeroed tree; keeps `name`. ERR_USAGE, with file, line
// and column, when it is no such document. tree_deinit in either case.
bool tree_read(struct tree *t, const char *name, bytes content, struct err *err);
void tree_deinit(struct tree *t);

static inline const struct tree_node *tree_at(const struct tree *t, uint32_t number)
{
    return &t->nodes[number];
}

// Nothing stands behind the key.
bool tree_is_empty(const struct tree_node *n);
// "FILE:LINE:COLUMN: " and a sentence; always false.
bool tree_fail(const struct tree *t, const struct tree_node *n, struct err *err, const char *format,
               ...) __attribute__((format(printf, 4, 5)));
