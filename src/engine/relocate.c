#include "engine/relocate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "store/case.h"
#include "store/entry.h"

enum { ROOM_FIRST = 16 };

// ---- what the case points to --------------------------------------------------------------------

struct locating {
    const struct catalogue *catalogue;
    struct location_list *list;
};

static struct located *find_hash(const struct location_list *list, const char *sha256)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->captures[i].sha256, sha256) == 0) return &list->captures[i];
    return NULL;
}

static char *path_of(const struct catalogue_capture *named, bytes recorded)
{
    return catalogue_is_moved(named) ? text_copy(named->found_at) : text_unescaped(recorded);
}

static bool file_has_size(const char *path, uint64_t size)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode) && (uint64_t)info.st_size == size;
}

static void add_capture(struct location_list *list, const struct located *capture)
{
    if (list->count == list->room) {
        list->room = list->room ? 2 * list->room : ROOM_FIRST;
        list->captures = memory_resize(list->captures, list->room * sizeof *list->captures);
    }
    list->captures[list->count++] = *capture;
}

static void take_capture(struct locating *l, const struct record_batch *b, uint32_t row)
{
    struct located capture = {.bytes = batch_get(b, CAPTURE_FILE_BYTES, row)};
    uint64_t number = batch_get(b, CAPTURE_NUMBER, row);
    const struct catalogue_reading *r =
        catalogue_reading_of(l->catalogue, batch_get(b, CAPTURE_READING, row));
    if (!r || number >= r->capture_count) return;
    const struct catalogue_capture *named = &r->captures[number];
    const struct catalogue_extent *extent = catalogue_extent_of(r, number);
    bool kept = extent && catalogue_is_kept(extent);
    struct located *before = find_hash(l->list, named->sha256);
    if (before && kept) before->state = CAPTURE_KEPT;
    if (before) return;
    snprintf(capture.sha256, sizeof capture.sha256, "%s", named->sha256);
    capture.path = path_of(named, batch_get_bytes(b, CAPTURE_PATH, row));
    capture.state = file_has_size(capture.path, capture.bytes) ? CAPTURE_THERE : CAPTURE_MISSING;
    if (kept) capture.state = CAPTURE_KEPT;
    add_capture(l->list, &capture);
}

static bool take_captures(void *context, const struct record_batch *b)
{
    for (uint32_t row = 0; row < b->rows; row++) take_capture(context, b, row);
    return true;
}

bool locate(struct case_reader *reader, struct location_list *list, struct err *err)
{
    struct locating l = {case_catalogue(reader), list};
    const struct case_scan scan = {&capture_kind, CASE_ALL_FIELDS, NULL, take_captures, &l};
    *list = (struct location_list){0};
    if (case_scan(reader, &scan, err)) return true;
    location_list_deinit(list);
    return false;
}

void location_list_deinit(struct location_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        memory_free(list->captures[i].path);
        free(list->captures[i].now);
    }
    memory_free(list->captures);
    *list = (struct location_list){0};
}

// ---- which files they are -----------------------------------------------------------------------

static bool is_named(const char *path, const char *const *paths, uint32_t path_count)
{
    for (uint32_t i = 0; i < path_count; i++)
        if (strcmp(paths[i], path) == 0) return true;
    return false;
}

static bool has_size(const struct location_list *list, uint64_t size)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->captures[i].bytes == size) return true;
    return false;
}

static bool refuse(const char *path, const char *why, struct err *err)
{
    return err_set(err, ERR_INPUT, "%s is none of the captures that this case was read from: %s",
                   path, why);
}

static void take_found(struct located *capture, const char *path, bool named)
{
    bool wanted = capture->state == CAPTURE_MISSING || (named && capture->state == CAPTURE_THERE);
    char *now = wanted ? realpath(path, NULL) : NULL;
    if (now && strcmp(now, capture->path) != 0) {
        capture->state = CAPTURE_FOUND;
        capture->now = now;
    } else {
        free(now);
    }
}

static bool look_at(struct location_list *list, const struct capture_info *file, bool named,
                    struct err *err)
{
    uint8_t digest[SHA256_SIZE];
    char hex[HEX_SHA256_SIZE], why[HEX_SHA256_SIZE + 32];
    uint64_t size = 0;
    if (!has_size(list, file->file_bytes))
        return !named || refuse(file->path, "none of them has its size", err);
    if (!file_sha256(file->path, digest, &size, err)) return false;
    hex_format(hex, bytes_of(digest, sizeof digest));
    struct located *capture = find_hash(list, hex);
    if (capture) take_found(capture, file->path, named);
    snprintf(why, sizeof why, "its SHA-256 is %s", hex);
    return capture || !named || refuse(file->path, why, err);
}

bool locate_among(struct location_list *list, const char *const *paths, uint32_t path_count,
                  struct err *err)
{
    const struct source_options options = {.paths = paths, .path_count = path_count};
    struct source *files = source_open(&options, err);
    bool fine = files != NULL;
    for (uint32_t i = 0; fine && i < source_capture_count(files); i++) {
        const struct capture_info *file = source_capture(files, i);
        if (file->is_stream) fine = refuse(file->path, "it is no file", err);
        else fine = look_at(list, file, is_named(file->path, paths, path_count), err);
    }
    source_close(files);
    return fine;
}

bool relocate(const char *case_path, const struct location_list *list, const struct author *author,
              struct err *err)
{
    struct catalogue_move *moves = memory_get((list->count + 1) * sizeof *moves);
    struct text members = {0};
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++)
        if (list->captures[i].state == CAPTURE_FOUND)
            moves[count++] =
                (struct catalogue_move){list->captures[i].sha256, list->captures[i].now};
    catalogue_write_relocate(&members, moves, count);
    bool fine =
        !count || case_append(case_path, "relocate", bytes_of(members.p, members.n), author, err);
    text_deinit(&members);
    memory_free(moves);
    return fine;
}
