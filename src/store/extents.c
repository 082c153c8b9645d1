#include "store/extents.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "store/extent.h"

enum { FULL_PATH_MAX = 4096, ROOM_FIRST = 16 };

// One capture. While it is open, `add` is the keeping thread's.
struct extent_slot {
    struct extents *owner;
    uint64_t reading; // of a recording, 0: of the reading that is committed next
    uint32_t number;
    bool kept, written;   // written: the file is whole
    bool is_over, misses; // was told to its end; has not all that it was given
    int file;             // -1: not open
    uint8_t *buffer;
    uint32_t used;
    uint32_t frame_room; // of index.frames
    struct extent_index index;
    struct sha256 hash; // of the file
    uint64_t bytes, content_bytes;
    uint8_t content_sha256[SHA256_SIZE];
    nanos first, last;
};

struct recorder {
    struct extents *owner;
    uint64_t reading;
    struct recorder *next;
};

bool extents_init(struct extents *x, const char *folder, struct err *err)
{
    *x = (struct extents){0};
    lock_init(&x->lock);
    if (!folder) return true;
    x->folder = text_copy(folder);
    x->codec = frame_codec_create(false);
    if (!x->codec) return err_set(err, ERR_MACHINE, "there is no memory to compress packets");
    extents_abort(x);
    return true;
}

static void slot_destroy(struct extent_slot *s)
{
    if (s->file >= 0) close(s->file);
    extent_index_deinit(&s->index);
    memory_free(s->buffer);
    memory_free(s);
}

void extents_deinit(struct extents *x)
{
    if (x->folder) extents_abort(x);
    frame_codec_destroy(x->codec);
    memory_free(x->frame);
    memory_free(x->slots);
    for (struct recorder *r = x->recorders, *next; r; r = next) {
        next = r->next;
        memory_free(r);
    }
    memory_free(x->folder);
    lock_deinit(&x->lock);
    *x = (struct extents){0};
}

static void path_in_new(const struct extents *x, char path[FULL_PATH_MAX], const char *name)
{
    snprintf(path, FULL_PATH_MAX, "%s/packets/.new/%s", x->folder, name);
}

static void slot_path(const struct extent_slot *s, char path[FULL_PATH_MAX])
{
    char name[40];
    snprintf(name, sizeof name, "%" PRIu64 "-%u", s->reading, s->number);
    path_in_new(s->owner, path, name);
}

// ---- the sink -----------------------------------------------------------------------------------

static struct extent_slot *slot_begin(struct extents *x, uint64_t reading, uint32_t number,
                                      bool keep)
{
    struct extent_slot *s = memory_get(sizeof *s);
    *s = (struct extent_slot){
        .owner = x, .reading = reading, .number = number, .kept = keep, .file = -1};
    sha256_init(&s->hash);
    lock_take(&x->lock);
    if (x->count == x->room) {
        x->room = x->room ? 2 * x->room : ROOM_FIRST;
        x->slots = memory_resize(x->slots, x->room * sizeof(struct extent_slot *));
    }
    x->slots[x->count++] = s;
    bool is_large = keep && x->open++ < EXTENTS_LARGE_MAX;
    lock_give(&x->lock);
    if (!keep) return s;
    s->index.frame_size = is_large ? EXTENT_FRAME_SIZE : EXTENT_FRAME_SIZE_SMALL;
    s->buffer = memory_resize(NULL, s->index.frame_size);
    return s;
}

static void *begin(void *context, uint32_t number, bool keep)
{
    return slot_begin(context, 0, number, keep);
}

// What is not whole is of no use, and its room may be.
static void slot_miss(struct extent_slot *s)
{
    char path[FULL_PATH_MAX];
    s->misses = true;
    if (s->file < 0) return;
    close(s->file);
    s->file = -1;
    slot_path(s, path);
    unlink(path);
}

static void slot_write(struct extent_slot *s, bytes content)
{
    char path[FULL_PATH_MAX];
    struct extents *x = s->owner;
    if (s->reading && x->is_paused && !s->misses) slot_miss(s);
    if (x->error || s->misses) return;
    if (s->file < 0) {
        slot_path(s, path);
        s->file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    }
    if (s->file < 0 || !file_write_all(s->file, content, NULL)) x->error = errno ? errno : EIO;
    sha256_add(&s->hash, content);
    s->bytes += content.n;
}

static void slot_note_frame(struct extent_slot *s, uint64_t sum)
{
    struct extent_index *i = &s->index;
    if (i->frame_count + 1 >= s->frame_room) {
        s->frame_room = s->frame_room ? 2 * s->frame_room : ROOM_FIRST;
        i->frames = memory_resize(i->frames, s->frame_room * sizeof *i->frames);
        i->sums = memory_resize(i->sums, s->frame_room * sizeof *i->sums);
        if (!i->frame_count) i->frames[0] = 0;
    }
    i->sums[i->frame_count] = sum;
    i->frames[++i->frame_count] = s->bytes;
}

// Makes a frame of what is there.
static void slot_flush(struct extent_slot *s)
{
    struct extents *x = s->owner;
    size_t room = frame_room(EXTENT_FRAME_SIZE);
    if (!s->used) return;
    lock_take(&x->lock);
    if (!x->frame) x->frame = memory_resize(NULL, room);
    if (s->index.frame_count == EXTENT_FRAMES_MAX) x->error = EFBIG;
    size_t n = frame_make(x->codec, bytes_of(s->buffer, s->used), x->frame, room);
    if (!n && !x->error) x->error = ENOMEM;
    uint64_t sum = table_hash(x->frame, n, 0);
    slot_write(s, bytes_of(x->frame, n));
    lock_give(&x->lock);
    slot_note_frame(s, sum);
    s->used = 0;
}

static void add(void *capture, bytes content)
{
    struct extent_slot *s = capture;
    while (content.n) {
        size_t n = s->index.frame_size - s->used;
        if (n > content.n) n = content.n;
        memcpy(s->buffer + s->used, content.p, n);
        s->used += (uint32_t)n;
        content = bytes_after(content, n);
        if (s->used == s->index.frame_size) slot_flush(s);
    }
}

// The index, and nothing more: as many captures as there are wait for the commit.
static void slot_finish(struct extent_slot *s, const struct capture_end *end)
{
    struct extents *x = s->owner;
    struct extent_index index = s->index;
    struct text t = {0};
    index.content_bytes = s->content_bytes = end->bytes;
    index.map = *end->map;
    extent_index_put(&index, &t);
    memcpy(s->content_sha256, end->sha256, sizeof s->content_sha256);
    s->first = end->first;
    s->last = end->last;
    lock_take(&x->lock);
    if (t.n > EXTENT_INDEX_MAX) x->error = EFBIG;
    slot_write(s, bytes_of(t.p, t.n));
    if (s->file >= 0 && close(s->file) != 0 && !x->error) x->error = errno;
    s->file = -1;
    s->written = !s->misses;
    lock_give(&x->lock);
    text_deinit(&t);
}

static void end(void *capture, const struct capture_end *end)
{
    struct extent_slot *s = capture;
    slot_flush(s);
    if (s->kept || (end->map->point_count && end->bytes >= EXTENTS_PLACES_MIN)) slot_finish(s, end);
    extent_index_deinit(&s->index);
    memory_free(s->buffer);
    s->buffer = NULL;
    lock_take(&s->owner->lock);
    s->owner->open -= s->kept;
    s->is_over = true;
    lock_give(&s->owner->lock);
}

struct capture_sink extents_sink(struct extents *x, bool keep)
{
    return (struct capture_sink){x, keep, begin, add, end};
}

// ---- commit -------------------------------------------------------------------------------------

static bool slot_publish(struct extent_slot *s, struct catalogue_reading *entry, uint32_t number,
                         struct err *err)
{
    char from[FULL_PATH_MAX], to[FULL_PATH_MAX], below[64];
    uint8_t digest[SHA256_SIZE];
    slot_path(s, from);
    snprintf(below, sizeof below, "packets/%08" PRIu64 "-%04u.%s", entry->seq, number,
             s->kept ? "zst" : "idx");
    snprintf(to, sizeof to, "%s/%s", s->owner->folder, below);
    if (rename(from, to) != 0) return err_system(err, errno, "cannot rename %s", from);
    struct catalogue_extent extent = {.reading = s->reading,
                                      .capture = s->number,
                                      .first = s->first,
                                      .last = s->last,
                                      .bytes = s->bytes,
                                      .content_bytes = s->content_bytes};
    sha256_end(&s->hash, digest);
    hex_format(extent.sha256, bytes_of(digest, sizeof digest));
    hex_format(extent.content_sha256, bytes_of(s->content_sha256, sizeof s->content_sha256));
    extent.path = below;
    catalogue_add_extent(entry, &extent);
    return true;
}

void extents_carry(const struct catalogue_reading *replaced, struct catalogue_reading *entry)
{
    for (size_t i = 0; replaced && i < replaced->extent_count; i++) {
        struct catalogue_extent extent = replaced->extents[i];
        if (extent.capture >= replaced->capture_count || !catalogue_is_kept(&extent)) continue;
        const char *sha256 = replaced->captures[extent.capture].sha256;
        for (size_t k = 0; k < entry->capture_count; k++) {
            if (strcmp(entry->captures[k].sha256, sha256) != 0) continue;
            extent.capture = k;
            if (!catalogue_extent_of(entry, k)) catalogue_add_extent(entry, &extent);
        }
    }
}

static void drop_slots(struct extents *x)
{
    for (uint32_t i = 0; i < x->count; i++) slot_destroy(x->slots[i]);
    x->count = x->open = 0;
}

// Whether it is to be named by the entry, which may have the capture from before.
static bool is_wanted(const struct extent_slot *s, const struct catalogue_reading *entry)
{
    return s->written && !catalogue_extent_of(entry, s->number);
}

static bool sync_slots(const struct extents *x, const struct catalogue_reading *entry,
                       struct err *err)
{
    char path[FULL_PATH_MAX];
    bool fine = true;
    for (uint32_t i = 0; fine && i < x->count; i++) {
        if (!is_wanted(x->slots[i], entry)) continue;
        slot_path(x->slots[i], path);
        fine = file_sync(path, err);
    }
    return fine;
}

bool extents_commit(struct extents *x, struct catalogue_reading *entry, struct err *err)
{
    char path[FULL_PATH_MAX];
    size_t before = entry->extent_count;
    if (x->error) return err_system(err, x->error, "cannot write packets to %s", x->folder);
    bool fine = sync_slots(x, entry, err);
    for (uint32_t i = 0; fine && i < x->count; i++)
        if (is_wanted(x->slots[i], entry))
            fine = slot_publish(x->slots[i], entry, x->slots[i]->number + 1, err);
    if (!fine) return false;
    extents_abort(x); // what was not to be kept after all
    snprintf(path, sizeof path, "%s/packets", x->folder);
    return entry->extent_count == before || file_sync(path, err);
}

// ---- recordings ---------------------------------------------------------------------------------

static void *begin_recorded(void *context, uint32_t number, bool keep)
{
    const struct recorder *r = context;
    return slot_begin(r->owner, r->reading, number, keep);
}

struct capture_sink extents_record(struct extents *x, uint64_t reading)
{
    struct recorder *r = memory_get(sizeof *r);
    lock_take(&x->lock);
    *r = (struct recorder){x, reading, x->recorders};
    x->recorders = r;
    lock_give(&x->lock);
    return (struct capture_sink){r, true, begin_recorded, add, end};
}

// Takes those that are over out of the list; owned, as is each of them.
static struct extent_slot **take_over(struct extents *x, uint32_t *count)
{
    uint32_t stay = 0;
    *count = 0;
    lock_take(&x->lock);
    struct extent_slot **over = memory_get((x->count + (size_t)1) * sizeof(struct extent_slot *));
    for (uint32_t i = 0; i < x->count; i++) {
        if (x->slots[i]->is_over && x->slots[i]->reading) over[(*count)++] = x->slots[i];
        else x->slots[stay++] = x->slots[i];
    }
    x->count = stay;
    lock_give(&x->lock);
    return over;
}

static int error_of(struct extents *x)
{
    lock_take(&x->lock);
    int error = x->error;
    lock_give(&x->lock);
    return error;
}

static bool slot_make_part(struct extent_slot *s, struct catalogue_reading *entry, struct err *err)
{
    char path[FULL_PATH_MAX];
    if (!s->written) return true;
    slot_path(s, path);
    return file_sync(path, err) && slot_publish(s, entry, (uint32_t)entry->extent_count + 1, err);
}

bool extents_publish(struct extents *x, struct catalogue_reading *entry, struct err *err)
{
    char path[FULL_PATH_MAX];
    int error = error_of(x);
    if (error) return err_system(err, error, "cannot write packets to %s", x->folder);
    uint32_t count;
    struct extent_slot **over = take_over(x, &count);
    bool fine = true;
    for (uint32_t i = 0; i < count; i++) {
        fine = fine && slot_make_part(over[i], entry, err);
        slot_destroy(over[i]);
    }
    memory_free(over);
    snprintf(path, sizeof path, "%s/packets", x->folder);
    return fine && (!entry->extent_count || file_sync(path, err));
}

uint64_t extents_waiting(struct extents *x, bool *any_over)
{
    uint64_t sum = 0;
    *any_over = false;
    lock_take(&x->lock);
    for (uint32_t i = 0; i < x->count; i++) {
        sum += x->slots[i]->reading ? x->slots[i]->bytes : 0;
        *any_over = *any_over || (x->slots[i]->reading && x->slots[i]->is_over);
    }
    lock_give(&x->lock);
    return sum;
}

void extents_pause(struct extents *x, bool is_paused)
{
    lock_take(&x->lock);
    x->is_paused = is_paused;
    lock_give(&x->lock);
}

// ---- what is left -------------------------------------------------------------------------------

static bool is_named(const struct catalogue *c, const char *below)
{
    for (const struct catalogue_reading *r = NULL; (r = catalogue_next(c, r));)
        for (size_t i = 0; i < r->extent_count; i++)
            if (!r->extents[i].removed_by && strcmp(r->extents[i].path, below) == 0) return true;
    return false;
}

// Removes the files in it that are not named.
static void empty_folder(const char *folder, const struct catalogue *named)
{
    DIR *d = opendir(folder);
    for (struct dirent *e; d && (e = readdir(d));) {
        char below[FULL_PATH_MAX];
        snprintf(below, sizeof below, "packets/%s", e->d_name);
        if (e->d_name[0] == '.' || (named && is_named(named, below))) continue;
        unlinkat(dirfd(d), e->d_name, 0);
    }
    if (d) closedir(d);
}

void extents_abort(struct extents *x)
{
    char path[FULL_PATH_MAX];
    drop_slots(x);
    x->error = 0;
    if (!x->folder) return;
    path_in_new(x, path, "");
    empty_folder(path, NULL);
}

void extents_sweep(const char *folder, const struct catalogue *c)
{
    char path[FULL_PATH_MAX];
    snprintf(path, sizeof path, "%s/packets", folder);
    empty_folder(path, c);
}
