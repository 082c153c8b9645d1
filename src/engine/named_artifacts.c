#include "engine/named_artifacts.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "extract/file_kind.h"
#include "store/artifact.h"
#include "store/case.h"

struct loading {
    struct named_artifacts *to;
    const struct record_id *ids;
    size_t id_count;
};

static bool is_wanted(const struct loading *l, struct record_id conversation)
{
    return !l->ids || bsearch(&conversation, l->ids, l->id_count, sizeof conversation,
                              record_id_order) != NULL;
}

static void add(struct named_artifacts *n, bytes sha256, struct record_id file)
{
    if (n->count == n->room) {
        n->room = n->room ? 2 * n->room : 64;
        n->all = memory_resize(n->all, n->room * sizeof *n->all);
    }
    memcpy(n->all[n->count].sha256, sha256.p, SHA256_SIZE);
    n->all[n->count++].file = file;
}

static bool take_files(void *context, const struct record_batch *b)
{
    struct loading *l = context;
    for (uint32_t row = 0; row < b->rows; row++) {
        if (!batch_has(b, FILE_ARTIFACT, row)) continue;
        bytes sha256 = batch_get_bytes(b, FILE_ARTIFACT, row);
        if (sha256.n == SHA256_SIZE && is_wanted(l, batch_get_id(b, COMMON_CONVERSATION_ID, row)))
            add(l->to, sha256, batch_get_id(b, COMMON_ID, row));
    }
    return true;
}

static int compare_named(const void *x, const void *y)
{
    const struct named_artifact *a = x, *b = y;
    int hashes = memcmp(a->sha256, b->sha256, SHA256_SIZE);
    return hashes ? hashes : record_id_compare(a->file, b->file);
}

bool named_artifacts_load(struct named_artifacts *n, struct case_reader *reader,
                          const struct record_id *ids, size_t id_count, struct err *err)
{
    struct loading loading = {n, ids, id_count};
    uint64_t fields = UINT64_C(1) << COMMON_ID | UINT64_C(1) << COMMON_CONVERSATION_ID |
                      UINT64_C(1) << FILE_ARTIFACT;
    struct case_scan scan = {&file_kind, fields, NULL, take_files, &loading};
    if (!case_path(reader)) return true;
    if (!case_scan(reader, &scan, err)) return false;
    if (n->count) qsort(n->all, n->count, sizeof *n->all, compare_named);
    return true;
}

void named_artifacts_deinit(struct named_artifacts *n)
{
    memory_free(n->all);
    *n = (struct named_artifacts){0};
}

size_t named_artifacts_same(const struct named_artifacts *n, size_t at)
{
    size_t i = at;
    while (i < n->count && memcmp(n->all[i].sha256, n->all[at].sha256, SHA256_SIZE) == 0) i++;
    return i - at;
}

const char *named_artifact_path(const struct case_reader *reader,
                                const struct named_artifact *named, char path[NAMED_PATH_MAX])
{
    char below[ARTIFACT_PATH_MAX];
    if (!case_path(reader)) return NULL;
    artifact_path(below, named->sha256);
    snprintf(path, NAMED_PATH_MAX, "%s/%s", case_path(reader), below);
    return path;
}
