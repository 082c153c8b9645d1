#include "store/artifact_names.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

enum { NAMES_FIRST = 256 };

struct collecting {
    struct artifact_names *names;
    unsigned field;
};

static bool collect(void *context, const struct record_batch *batch)
{
    const struct collecting *c = context;
    struct artifact_names *names = c->names;
    for (uint32_t row = 0; row < batch->rows; row++) {
        if (!batch_has(batch, c->field, row)) continue;
        bytes hash = batch_get_bytes(batch, c->field, row);
        if (hash.n != SHA256_SIZE) continue;
        if (names->count == names->size) {
            names->size = names->size ? 2 * names->size : NAMES_FIRST;
            names->hashes = memory_resize(names->hashes, names->size * sizeof *names->hashes);
        }
        memcpy(names->hashes[names->count++], hash.p, SHA256_SIZE);
    }
    return true;
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, SHA256_SIZE);
}

static void sort(struct artifact_names *names)
{
    size_t kept = 0;
    if (!names->count) return;
    qsort(names->hashes, names->count, sizeof *names->hashes, compare);
    for (size_t i = 1; i < names->count; i++) {
        if (compare(names->hashes[i], names->hashes[kept]) == 0) continue;
        kept++;
        memmove(names->hashes[kept], names->hashes[i], SHA256_SIZE);
    }
    names->count = kept + 1;
}

// A record of a kind that this program does not know may name some, too.
static bool knows_all(struct case_reader *reader, struct err *err)
{
    const struct catalogue *c = case_catalogue(reader);
    for (const struct catalogue_reading *r = NULL; (r = catalogue_next(c, r));)
        for (size_t i = 0; i < r->segment_count; i++) {
            const struct record_kind *kind = case_kind(reader, r->segments[i].kind);
            if (kind && r->segments[i].fields <= kind->field_count) continue;
            return err_set(
                err, ERR_INPUT,
                "the case has records (%s) that this weir does not know: use the version "
                "that wrote them (%s)",
                r->segments[i].kind, r->version);
        }
    return true;
}

bool artifact_names_read(struct artifact_names *names, struct case_reader *reader, struct err *err)
{
    unsigned kind_count;
    const struct record_kind *const *kinds = case_kinds(reader, &kind_count);
    *names = (struct artifact_names){0};
    if (!knows_all(reader, err)) return false;
    for (unsigned i = 0; i < kind_count; i++) {
        int field = kind_field(kinds[i], bytes_text("artifact"));
        if (field < 0 || kinds[i]->fields[field].type != FIELD_HASH) continue;
        if (case_rows(reader, kinds[i]) == 0) continue;
        struct collecting collecting = {names, (unsigned)field};
        const struct case_scan scan = {kinds[i], UINT64_C(1) << field, NULL, collect, &collecting};
        if (case_scan(reader, &scan, err)) continue;
        artifact_names_deinit(names);
        return false;
    }
    sort(names);
    return true;
}

bool artifact_names_have(const struct artifact_names *names, const uint8_t hash[SHA256_SIZE])
{
    return names->count &&
           bsearch(hash, names->hashes, names->count, sizeof *names->hashes, compare);
}

void artifact_names_deinit(struct artifact_names *names)
{
    memory_free(names->hashes);
    *names = (struct artifact_names){0};
}

// ---- sweeping -----------------------------------------------------------------------------------

static void sweep_folder(const char *folder, const char *name, const struct artifact_names *names)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/artifacts/%s", folder, name);
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));) {
        uint8_t hash[SHA256_SIZE];
        if (strlen(e->d_name) != 2 * SHA256_SIZE ||
            !hex_parse(bytes_text(e->d_name), hash, sizeof hash) ||
            artifact_names_have(names, hash))
            continue;
        unlinkat(dirfd(d), e->d_name, 0);
    }
    if (d) closedir(d);
}

bool artifact_sweep(struct case_reader *reader, struct err *err)
{
    struct artifact_names names;
    char path[PATH_MAX];
    if (!artifact_names_read(&names, reader, err)) return false;
    snprintf(path, sizeof path, "%s/artifacts", case_path(reader));
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));)
        if (e->d_name[0] != '.') sweep_folder(case_path(reader), e->d_name, &names);
    if (d) closedir(d);
    artifact_names_deinit(&names);
    return true;
}
