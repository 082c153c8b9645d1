#include "store/artifact_names.h"

#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "store/case_inside.h"

enum { NAMES_FIRST = 256, NAMES_SORT_FROM = 65536, NAMES_FILE_MAX = INT_MAX };

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, SHA256_SIZE);
}

void artifact_names_sort(struct artifact_names *names)
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

// The same content comes again and again: room is made by taking each once before more is taken.
static void make_room(struct artifact_names *names)
{
    if (names->size >= NAMES_SORT_FROM) artifact_names_sort(names);
    if (names->count <= names->size / 2 && names->size) return;
    names->size = names->size ? 2 * names->size : NAMES_FIRST;
    names->hashes = memory_resize(names->hashes, names->size * sizeof *names->hashes);
}

static void add(struct artifact_names *names, const uint8_t hash[SHA256_SIZE])
{
    if (names->count == names->size) make_room(names);
    memcpy(names->hashes[names->count++], hash, SHA256_SIZE);
}

static int artifact_field(const struct record_kind *kind)
{
    int field = kind_field(kind, bytes_text("artifact"));
    return field >= 0 && kind->fields[field].type == FIELD_HASH ? field : -1;
}

void artifact_names_collect(struct artifact_names *names, const struct record_batch *batch)
{
    int field = artifact_field(batch->kind);
    for (uint32_t row = 0; field >= 0 && row < batch->rows; row++) {
        if (!batch_has(batch, (unsigned)field, row)) continue;
        bytes hash = batch_get_bytes(batch, (unsigned)field, row);
        if (hash.n == SHA256_SIZE) add(names, hash.p);
    }
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

// ---- lists --------------------------------------------------------------------------------------

bool artifact_names_write(const struct artifact_names *names, const char *folder,
                          struct catalogue_reading *entry, struct err *err)
{
    struct catalogue_names *to = &entry->names;
    char path[PATH_MAX];
    uint8_t digest[SHA256_SIZE];
    *to = (struct catalogue_names){.known = true};
    if (!names->count) return true;
    bytes content = bytes_of(names->hashes, names->count * sizeof *names->hashes);
    snprintf(to->path, sizeof to->path, "artifacts/%08" PRIu64 ".names", entry->seq);
    snprintf(path, sizeof path, "%s/%s", folder, to->path);
    sha256_of(content, digest);
    hex_format(to->sha256, bytes_of(digest, sizeof digest));
    to->bytes = content.n;
    return file_write_durable(path, content, err);
}

static bool read_list(struct artifact_names *names, const char *folder,
                      const struct catalogue_names *from, struct err *err)
{
    char path[PATH_MAX], hex[HEX_SHA256_SIZE];
    uint8_t digest[SHA256_SIZE];
    if (!*from->path) return true;
    snprintf(path, sizeof path, "%s/%s", folder, from->path);
    bytes content = file_read(path, NAMES_FILE_MAX, err);
    if (!content.p) return false;
    sha256_of(content, digest);
    hex_format(hex, bytes_of(digest, sizeof digest));
    bool fine = strcmp(hex, from->sha256) == 0;
    for (size_t at = 0; fine && at + SHA256_SIZE <= content.n; at += SHA256_SIZE)
        add(names, content.p + at);
    memory_free((void *)content.p);
    return fine || err_set(err, ERR_INPUT, "%s was changed", path);
}

static const struct catalogue_reading *next_asked(const struct case_reader *reader,
                                                  const struct catalogue_reading *r)
{
    while ((r = catalogue_next(&reader->catalogue, r)))
        if (!reader->only || reader->only == r->seq) return r;
    return NULL;
}

bool artifact_names_are_listed(const struct case_reader *reader)
{
    for (const struct catalogue_reading *r = NULL; (r = next_asked(reader, r));)
        if (!r->names.known || r->swapped_by || r->expired_by) return false;
    return true;
}

static bool read_lists(struct artifact_names *names, const struct case_reader *reader,
                       struct err *err)
{
    for (const struct catalogue_reading *r = NULL; (r = next_asked(reader, r));)
        if (!read_list(names, reader->folder, &r->names, err)) return false;
    return true;
}

// ---- records ------------------------------------------------------------------------------------

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

static bool collect(void *context, const struct record_batch *batch)
{
    artifact_names_collect(context, batch);
    return true;
}

static bool read_records(struct artifact_names *names, struct case_reader *reader, struct err *err)
{
    if (!knows_all(reader, err)) return false;
    for (unsigned i = 0; i < reader->kind_count; i++) {
        const struct record_kind *kind = reader->kinds[i];
        int field = artifact_field(kind);
        if (field < 0 || case_rows(reader, kind) == 0) continue;
        const struct case_scan scan = {kind, UINT64_C(1) << field, NULL, collect, names};
        if (!case_scan(reader, &scan, err)) return false;
    }
    return true;
}

bool artifact_names_read(struct artifact_names *names, struct case_reader *reader, struct err *err)
{
    *names = (struct artifact_names){0};
    for (size_t i = 0; !reader->only && i < reader->tail.names.count; i++)
        add(names, reader->tail.names.hashes[i]);
    bool fine = artifact_names_are_listed(reader) ? read_lists(names, reader, err)
                                                  : read_records(names, reader, err);
    if (fine) artifact_names_sort(names);
    else artifact_names_deinit(names);
    return fine;
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

static bool is_list(const struct case_reader *reader, const char *name)
{
    const struct catalogue_reading *r = NULL;
    while ((r = catalogue_next(&reader->catalogue, r)))
        if (*r->names.path && strcmp(strrchr(r->names.path, '/') + 1, name) == 0) return true;
    return false;
}

static void sweep_list(const struct case_reader *reader, DIR *d, const char *name)
{
    size_t n = strlen(name);
    if (n > 6 && strcmp(name + n - 6, ".names") == 0 && !is_list(reader, name))
        unlinkat(dirfd(d), name, 0);
}

bool artifact_sweep(struct case_reader *reader, struct err *err)
{
    struct artifact_names names;
    char path[PATH_MAX];
    if (!artifact_names_read(&names, reader, err)) return false;
    snprintf(path, sizeof path, "%s/artifacts", case_path(reader));
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));)
        if (strlen(e->d_name) == 2 && e->d_name[0] != '.')
            sweep_folder(case_path(reader), e->d_name, &names);
        else sweep_list(reader, d, e->d_name);
    if (d) closedir(d);
    artifact_names_deinit(&names);
    return true;
}
