#include "source/paths.h"

#include <errno.h>
#include <fts.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

const char *path_called(const char *path)
{
    return strcmp(path, "-") == 0 ? "standard input" : path;
}

bool path_error(struct err *err, int error_number, const char *path)
{
    path = path_called(path);
    if (error_number == ENOENT) {
        return err_set(err, ERR_INPUT, "there is no %s: check the name and the folder", path);
    }
    if (error_number == EACCES || error_number == EPERM) {
        return err_set(err, ERR_MACHINE,
                       "no right to read %s: its owner can give it, or leave it out", path);
    }
    if (error_number == EMFILE) {
        return err_set(err, ERR_MACHINE,
                       "cannot open %s: too many captures overlap in time; read them in parts, or "
                       "raise the limit of open files (ulimit -n)",
                       path);
    }
    return err_system(err, error_number, "cannot read %s", path);
}

static char *path_copy(const char *path)
{
    size_t n = strlen(path);
    char *copy = memory_get(n + 1);
    memcpy(copy, path, n);
    return copy;
}

static bool path_list_put(struct path_list *list, const char *path, const struct stat *st,
                          bool from_folder, struct err *err)
{
    if (list->count == PATHS_MAX) {
        return err_set(err, ERR_INPUT, "more than %d files are named; read them in several calls",
                       PATHS_MAX);
    }
    if (list->count == list->room) {
        list->room = list->room ? 2 * list->room : 16;
        list->entries = memory_resize(list->entries, list->room * sizeof *list->entries);
    }
    list->entries[list->count++] =
        (struct path_entry){.path = path_copy(path),
                            .is_stream = !S_ISREG(st->st_mode),
                            .from_folder = from_folder,
                            .named = list->named - 1,
                            .device = st->st_dev,
                            .inode = st->st_ino,
                            .size = S_ISREG(st->st_mode) ? (uint64_t)st->st_size : 0};
    return true;
}

static int entry_compare(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static bool name_ends_with(const char *name, const char *end)
{
    size_t n = strlen(name), e = strlen(end);
    return n >= e && strcmp(name + n - e, end) == 0;
}

// A case has its log in it, whatever its name.
static bool is_case(const FTSENT *entry)
{
    char log[PATH_MAX];
    if (name_ends_with(entry->fts_name, ".weir")) return true;
    int n = snprintf(log, sizeof log, "%s/log/00000001.jsonl", entry->fts_accpath);
    return n < (int)sizeof log && access(log, F_OK) == 0;
}

static bool entry_is_left_out(const FTSENT *entry)
{
    if (entry->fts_level == 0) return false;
    return entry->fts_name[0] == '.' || (entry->fts_info == FTS_D && is_case(entry));
}

static bool entry_add(struct path_list *list, const FTSENT *entry, struct err *err)
{
    struct stat st;
    switch (entry->fts_info) {
    case FTS_DNR:
    case FTS_ERR:
    case FTS_NS:
        return path_error(err, entry->fts_errno, entry->fts_path);
    case FTS_F:
        return path_list_put(list, entry->fts_path, entry->fts_statp, true, err);
    case FTS_SL: // links to files count, links to folders could lead round in a circle
        if (stat(entry->fts_accpath, &st) != 0 || !S_ISREG(st.st_mode)) return true;
        return path_list_put(list, entry->fts_path, &st, true, err);
    default:
        return true;
    }
}

static bool path_list_add_folder(struct path_list *list, const char *path, struct err *err)
{
    char *roots[] = {(char *)path, NULL};
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, entry_compare);
    if (!walk) return path_error(err, errno, path);
    bool ok = true;
    for (FTSENT *entry; ok && (entry = fts_read(walk));) {
        if (entry_is_left_out(entry) || entry->fts_level > PATHS_FOLDER_DEPTH_MAX) {
            fts_set(walk, entry, FTS_SKIP);
            continue;
        }
        ok = entry_add(list, entry, err);
    }
    fts_close(walk);
    return ok;
}

bool path_list_add(struct path_list *list, const char *path, struct err *err)
{
    struct stat st;
    bool is_stdin = strcmp(path, "-") == 0;
    list->named++;
    if ((is_stdin ? fstat(0, &st) : stat(path, &st)) != 0) return path_error(err, errno, path);
    if (S_ISDIR(st.st_mode)) return path_list_add_folder(list, path, err);
    if (is_stdin) st.st_mode = S_IFIFO; // whatever it is: it is read from where it stands, and once
    return path_list_put(list, path, &st, false, err);
}

static int index_compare(const void *a, const void *b, void *context)
{
    const struct path_entry *entries = context;
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
    const struct path_entry *x = &entries[i], *y = &entries[j];
    if (x->device != y->device) return x->device < y->device ? -1 : 1;
    if (x->inode != y->inode) return x->inode < y->inode ? -1 : 1;
    return i < j ? -1 : i > j;
}

void path_list_find_doubled(struct path_list *list)
{
    uint32_t *order = memory_get(list->count * sizeof *order);
    for (uint32_t i = 0; i < list->count; i++) order[i] = list->entries[i].same_as = i;
    qsort_r(order, list->count, sizeof *order, index_compare, list->entries);
    for (uint32_t i = 1; i < list->count; i++) {
        const struct path_entry *before = &list->entries[order[i - 1]];
        struct path_entry *e = &list->entries[order[i]];
        if (e->device == before->device && e->inode == before->inode) e->same_as = before->same_as;
    }
    memory_free(order);
}

void path_list_deinit(struct path_list *list)
{
    for (uint32_t i = 0; i < list->count; i++) memory_free(list->entries[i].path);
    memory_free(list->entries);
    *list = (struct path_list){0};
}
