// YAML as a tree: places, limits, and what is refused.
#include "config/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

static void nodes_know_their_place(void **state)
{
    (void)state;
    struct tree t;
    struct err err = {0};
    assert_true(tree_read(&t, "f", bytes_text("a: 1\nb:\n  - x\n  - 'y'\n"), &err));
    const struct tree_node *root = tree_at(&t, t.root), *a = tree_at(&t, root->child);
    assert_int_equal(root->form, TREE_MAP);
    assert_string_equal(a->text, "a");
    const struct tree_node *one = tree_at(&t, a->next), *b = tree_at(&t, one->next);
    assert_int_equal(one->column, 4);
    assert_int_equal(b->line, 2);
    const struct tree_node *list = tree_at(&t, b->next);
    assert_int_equal(list->form, TREE_LIST);
    const struct tree_node *x = tree_at(&t, list->child), *y = tree_at(&t, x->next);
    assert_int_equal(x->line, 3);
    assert_int_equal(x->column, 5);
    assert_false(x->quoted);
    assert_true(y->quoted);
    assert_int_equal(y->next, 0);
    tree_deinit(&t);
}

static void empty_documents_are_fine(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "# nothing\n", "---\n"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct tree t;
        assert_true(tree_read(&t, "f", bytes_text(texts[i]), NULL));
        assert_true(!t.root || tree_is_empty(tree_at(&t, t.root)));
        tree_deinit(&t);
    }
}

static void refuses_bytes(bytes content, const char *mentioned)
{
    struct tree t;
    struct err err = {0};
    assert_false(tree_read(&t, "f", content, &err));
    assert_int_equal(err.code, ERR_USAGE);
    if (!strstr(err.text, mentioned)) fail_msg("\"%s\" without \"%s\"", err.text, mentioned);
    tree_deinit(&t);
}

static void refuses(const char *content, const char *mentioned)
{
    refuses_bytes(bytes_text(content), mentioned);
}

static void what_a_person_could_misread_is_refused(void **state)
{
    (void)state;
    refuses("a: 1\nb: 2\na: 3\n", "f:3:1: \"a\" stands in line 1");
    refuses("a: &x 1\nb: *x\n", "f:1:4: anchors");
    refuses("a: *x\n", "f:1:4: aliases");
    refuses("a: !!int 1\n", "f:1:4: anchors and tags");
    refuses("a: 1\n---\nb: 2\n", "second document");
    refuses("a: \"\\0\"\n", "f:1:4: a value with a NUL");
    refuses("[a]: 1\n", "a key is one word");
    refuses("a: [1\n", "f:2:1:");
    refuses("a: 1\n b: 2\n", "f:2:");
    refuses_bytes(bytes_of("a: \xff\n", 5), "f:1:");
}

static void limits_hold(void **state)
{
    (void)state;
    refuses("[[[[[[[[[1]]]]]]]]]", "nested more than 8 deep");
    refuses("{a: {a: {a: {a: {a: {a: {a: {a: {a: 1}}}}}}}}}", "nested more than 8 deep");
    struct text t = {0};
    for (int i = 0; i < TREE_NODES_MAX; i++) text_add(&t, "- 1\n");
    refuses_bytes(bytes_of(t.p, t.n), "more than 65536 values");
    text_clear(&t);
    for (int i = 0; i <= TREE_KEYS_MAX; i++) text_format(&t, "k%d: 1\n", i);
    refuses_bytes(bytes_of(t.p, t.n), "more than 1024 keys");
    text_clear(&t);
    while (t.n <= TREE_BYTES_MAX) text_add(&t, "# a comment that is long, and one more of them\n");
    refuses_bytes(bytes_of(t.p, t.n), "larger than 1048576 bytes");
    text_deinit(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_know_their_place),
        cmocka_unit_test(empty_documents_are_fine),
        cmocka_unit_test(what_a_person_could_misread_is_refused),
        cmocka_unit_test(limits_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
