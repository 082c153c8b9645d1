#include "store/artifact.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"

enum { FULL_PATH_MAX = 4096, BUFFER_FIRST = 4096, SYNC_ONE_BY_ONE_MAX = 16 };

// An open body: what is buffered, and whether it has a file already.
struct artifact_slot {
    uint8_t *buffer;
    uint32_t size, used;
    bool spilled, broken;
};

bool artifacts_init(struct artifacts *a, const char *folder, struct err *err)
{
    *a = (struct artifacts){0};
    if (!pool_init(&a->slots, sizeof(struct artifact_slot), ARTIFACTS_OPEN_MAX, err)) return false;
    if (!blocks_init(&a->blocks, ARTIFACT_MEMORY_MAX, err)) {
        pool_deinit(&a->slots);
        return false;
    }
    lock_init(&a->lock);
    if (!folder) return true;
    a->folder = text_copy(folder);
    artifacts_abort(a);
    return true;
}

void artifacts_deinit(struct artifacts *a)
{
    if (!a->slots.items) return;
    artifacts_abort(a);
    pool_deinit(&a->slots);
    blocks_deinit(&a->blocks);
    lock_deinit(&a->lock);
    memory_free(a->folder);
    *a = (struct artifacts){0};
}

void artifact_path(char path[ARTIFACT_PATH_MAX], const uint8_t sha256[32])
{
    char hex[HEX_SHA256_SIZE];
    hex_format(hex, bytes_of(sha256, SHA256_SIZE));
    snprintf(path, ARTIFACT_PATH_MAX, "artifacts/%.2s/%s", hex, hex);
}

static void path_in_new(const struct artifacts *a, char path[FULL_PATH_MAX], const char *name)
{
    snprintf(path, FULL_PATH_MAX, "%s/artifacts/.new/%s", a->folder, name);
}

static void slot_path(const struct artifacts *a, char path[FULL_PATH_MAX], uint32_t slot)
{
    char name[16];
    snprintf(name, sizeof name, "open-%u", slot);
    path_in_new(a, path, name);
}

static void note_error(struct artifacts *a, int error)
{
    lock_take(&a->lock);
    if (!a->error) a->error = error;
    lock_give(&a->lock);
}

static int write_file(const char *path, int flags, bytes content)
{
    int file = open(path, flags | O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (file < 0) return errno;
    errno = 0;
    int error = file_write_all(file, content, NULL) ? 0 : errno ? errno : EIO;
    close(file);
    return error;
}

static uint32_t begin(void *context)
{
    struct artifacts *a = context;
    if (!a->folder) return 0;
    lock_take(&a->lock);
    uint32_t slot = pool_take(&a->slots);
    lock_give(&a->lock);
    return slot;
}

static uint8_t *buffer_take(struct artifacts *a, size_t size)
{
    lock_take(&a->lock);
    uint8_t *buffer = blocks_take(&a->blocks, size);
    lock_give(&a->lock);
    return buffer;
}

static void buffer_give(struct artifacts *a, struct artifact_slot *s)
{
    if (!s->buffer) return;
    lock_take(&a->lock);
    blocks_give(&a->blocks, s->buffer, s->size);
    lock_give(&a->lock);
    s->buffer = NULL;
    s->size = 0;
}

// Makes room for `n` more bytes if there may be that much.
static bool buffer_grow(struct artifacts *a, struct artifact_slot *s, size_t n)
{
    size_t need = s->used + n, size = s->size ? s->size : BUFFER_FIRST;
    if (need <= s->size) return true;
    if (need > ARTIFACT_BUFFER_MAX) return false;
    while (size < need) size *= 2;
    uint8_t *larger = buffer_take(a, size);
    if (!larger) return false;
    if (s->used) memcpy(larger, s->buffer, s->used);
    buffer_give(a, s);
    s->buffer = larger;
    s->size = (uint32_t)size;
    return true;
}

static void spill(struct artifacts *a, uint32_t slot, struct artifact_slot *s, bytes content)
{
    char path[FULL_PATH_MAX];
    slot_path(a, path, slot);
    int flags = s->spilled ? O_APPEND : O_TRUNC, error = 0;
    if (s->used) {
        error = write_file(path, flags, bytes_of(s->buffer, s->used));
        flags = O_APPEND;
    }
    if (!error && content.n) error = write_file(path, flags, content);
    s->spilled = true;
    s->used = 0;
    if (!error) return;
    s->broken = true;
    note_error(a, error);
}

static void add(void *context, uint32_t slot, bytes content)
{
    struct artifacts *a = context;
    if (slot == 0 || content.n == 0) return;
    struct artifact_slot *s = pool_at(&a->slots, slot);
    if (s->broken) return;
    if (!buffer_grow(a, s, content.n)) {
        spill(a, slot, s, content);
        return;
    }
    memcpy(s->buffer + s->used, content.p, content.n);
    s->used += (uint32_t)content.n;
}

static void keep_small(struct artifacts *a, const struct artifact_slot *s, const char *path)
{
    int error = write_file(path, O_EXCL, bytes_of(s->buffer, s->used));
    // Another lane has the same content: it writes it.
    if (error == EEXIST) return;
    if (error) {
        note_error(a, error);
        return;
    }
    lock_take(&a->lock);
    a->kept++;
    a->kept_bytes += s->used;
    lock_give(&a->lock);
}

static void keep_spilled(struct artifacts *a, uint32_t slot, struct artifact_slot *s,
                         const char *path)
{
    char from[FULL_PATH_MAX];
    spill(a, slot, s, (bytes){0});
    if (s->broken) return;
    slot_path(a, from, slot);
    bool first = access(path, F_OK) != 0;
    if (rename(from, path) != 0) {
        note_error(a, errno);
        return;
    }
    lock_take(&a->lock);
    a->kept += first;
    lock_give(&a->lock);
}

static void keep_slot(struct artifacts *a, uint32_t slot, struct artifact_slot *s,
                      const uint8_t sha256[32])
{
    char below[ARTIFACT_PATH_MAX], path[FULL_PATH_MAX];
    artifact_path(below, sha256);
    snprintf(path, sizeof path, "%s/%s", a->folder, below);
    if (access(path, F_OK) == 0) return;
    path_in_new(a, path, strrchr(below, '/') + 1);
    if (s->spilled) keep_spilled(a, slot, s, path);
    else keep_small(a, s, path);
}

static void end(void *context, uint32_t slot, const uint8_t sha256[32], bool keep)
{
    struct artifacts *a = context;
    if (slot == 0) return;
    struct artifact_slot *s = pool_at(&a->slots, slot);
    if (keep && !s->broken) keep_slot(a, slot, s, sha256);
    if (s->spilled) {
        char path[FULL_PATH_MAX];
        slot_path(a, path, slot);
        unlink(path);
    }
    buffer_give(a, s);
    lock_take(&a->lock);
    pool_give(&a->slots, slot);
    lock_give(&a->lock);
}

struct artifact_sink artifacts_sink(struct artifacts *a)
{
    return (struct artifact_sink){a, begin, add, end};
}

// ---- commit -------------------------------------------------------------------------------------

// Calls `each` for every file in artifacts/.new; false when one call was.
static bool each_new(const struct artifacts *a,
                     bool (*each)(const struct artifacts *, const char *, struct err *),
                     struct err *err)
{
    char path[FULL_PATH_MAX];
    bool fine = true;
    path_in_new(a, path, "");
    DIR *d = opendir(path);
    for (struct dirent *e; fine && d && (e = readdir(d));)
        if (e->d_name[0] != '.') fine = each(a, e->d_name, err);
    if (d) closedir(d);
    return fine;
}

static bool sync_one(const struct artifacts *a, const char *name, struct err *err)
{
    char path[FULL_PATH_MAX];
    path_in_new(a, path, name);
    return file_sync(path, err);
}

static bool move_one(const struct artifacts *a, const char *name, struct err *err)
{
    char from[FULL_PATH_MAX], to[FULL_PATH_MAX];
    if (strlen(name) != HEX_SHA256_SIZE - 1) return true;
    path_in_new(a, from, name);
    snprintf(to, sizeof to, "%s/artifacts/%.2s", a->folder, name);
    if (!folder_make(to, err)) return false;
    snprintf(to, sizeof to, "%s/artifacts/%.2s/%s", a->folder, name, name);
    return rename(from, to) == 0 || err_system(err, errno, "cannot rename %s", from);
}

// The whole file system at once is far cheaper than thousands of files one after the other.
static bool sync_all(const struct artifacts *a, struct err *err)
{
    int folder = open(a->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return err_system(err, errno, "cannot open %s", a->folder);
    int error = syncfs(folder) == 0 ? 0 : errno;
    close(folder);
    return error ? err_system(err, error, "cannot make the artifacts in %s durable", a->folder)
                 : true;
}

static bool sync_folders(const struct artifacts *a, struct err *err)
{
    char path[FULL_PATH_MAX];
    if (a->kept > SYNC_ONE_BY_ONE_MAX) return sync_all(a, err);
    snprintf(path, sizeof path, "%s/artifacts", a->folder);
    DIR *d = opendir(path);
    bool fine = true;
    for (struct dirent *e; fine && d && (e = readdir(d));) {
        if (e->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/artifacts/%s", a->folder, e->d_name);
        fine = file_sync(path, err);
    }
    if (d) closedir(d);
    snprintf(path, sizeof path, "%s/artifacts", a->folder);
    return fine && file_sync(path, err);
}

bool artifacts_commit(struct artifacts *a, struct err *err)
{
    if (a->error) return err_system(err, a->error, "cannot write artifacts to %s", a->folder);
    if (!a->folder || a->kept == 0) return true;
    bool fine = a->kept > SYNC_ONE_BY_ONE_MAX ? sync_all(a, err) : each_new(a, sync_one, err);
    if (!fine || !each_new(a, move_one, err) || !sync_folders(a, err)) return false;
    a->kept = a->kept_bytes = 0;
    return true;
}

static bool remove_one(const struct artifacts *a, const char *name, struct err *err)
{
    char path[FULL_PATH_MAX];
    (void)err;
    path_in_new(a, path, name);
    unlink(path);
    return true;
}

void artifacts_abort(struct artifacts *a)
{
    if (a->folder) each_new(a, remove_one, NULL);
    a->kept = a->kept_bytes = 0;
    a->error = 0;
}
