#include "store/tail.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "record/kinds.h"

// The numbers of a frame and the words of its columns stand in the file as they do in memory.
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "least significant byte first");

enum { FULL_PATH_MAX = 4096, ABOUT_MAX = 1 << 20, KINDS_MAX = 4096, CONTENT_MAX = NARROW_MAX };

struct tail_head {
    char magic[8];
    uint64_t size;     // of the JSON that follows
    uint64_t checksum; // of it
};
static const char magic[8] = "weirtai2";

void tail_about_deinit(struct tail_about *about)
{
    memory_free(about->input);
    memory_free(about->options);
    memory_free(about->version);
    positions_deinit(&about->positions);
    *about = (struct tail_about){0};
}

// ---- names --------------------------------------------------------------------------------------

void tail_path(char path[TAIL_PATH_MAX], uint64_t number)
{
    snprintf(path, TAIL_PATH_MAX, "tail/%08" PRIu64 ".tail", number);
}

uint64_t tail_number(const char *path)
{
    char same[TAIL_PATH_MAX];
    uint64_t number = 0;
    if (sscanf(path, "tail/%19" SCNu64, &number) != 1) return 0;
    tail_path(same, number);
    return strcmp(same, path) == 0 ? number : 0;
}

static void full_path(char path[FULL_PATH_MAX], const char *folder, uint64_t number)
{
    char below[TAIL_PATH_MAX];
    tail_path(below, number);
    snprintf(path, FULL_PATH_MAX, "%s/%s", folder, below);
}

void tail_remove(const char *folder, uint64_t number)
{
    char path[FULL_PATH_MAX];
    full_path(path, folder, number);
    unlink(path);
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

// All that are there.
static uint64_t *list_all(const char *folder, size_t *count)
{
    char path[FULL_PATH_MAX], below[TAIL_PATH_MAX];
    uint64_t *numbers = NULL;
    *count = 0;
    snprintf(path, sizeof path, "%s/tail", folder);
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));) {
        int n = snprintf(below, sizeof below, "tail/%.30s", e->d_name);
        if (n < 0 || !tail_number(below)) continue;
        numbers = memory_resize(numbers, (*count + 1) * sizeof *numbers);
        numbers[(*count)++] = tail_number(below);
    }
    if (d) closedir(d);
    if (*count) qsort(numbers, *count, sizeof *numbers, by_number);
    return numbers;
}

uint64_t *tail_list(const char *folder, const struct catalogue *c, size_t *count)
{
    size_t all, kept = 0;
    uint64_t *numbers = list_all(folder, &all);
    for (size_t i = 0; i < all; i++)
        if (numbers[i] > c->tail_taken) numbers[kept++] = numbers[i];
    *count = kept;
    return numbers;
}

void tail_sweep(const char *folder, const struct catalogue *c)
{
    char path[FULL_PATH_MAX];
    size_t count;
    uint64_t *numbers = list_all(folder, &count);
    for (size_t i = 0; i < count; i++)
        if (numbers[i] <= c->tail_taken) tail_remove(folder, numbers[i]);
    memory_free(numbers);
    snprintf(path, sizeof path, "%s/tail", folder);
    file_sweep(path);
}

// ---- frames -------------------------------------------------------------------------------------

void tail_frame_fill(struct tail_frame *frame, const struct spool_entry *e, uint64_t size)
{
    *frame = (struct tail_frame){{[TAIL_CONTENT] = table_hash(frame + 1, size, 0),
                                  [TAIL_SIZE] = size,
                                  [TAIL_KIND] = e->kind | (uint64_t)e->rows << 32,
                                  [TAIL_HEAP] = e->heap_used,
                                  [TAIL_PRESENT] = e->present,
                                  [TAIL_FIRST] = (uint64_t)e->first,
                                  [TAIL_LAST] = (uint64_t)e->last}};
}

static uint64_t frame_checksum(const struct tail_frame *frame, uint64_t number, uint64_t offset)
{
    const uint64_t place[2] = {number, offset};
    return table_hash(frame->words + 1, sizeof frame->words - sizeof frame->words[0],
                      table_hash(place, sizeof place, 0));
}

void tail_frame_seal(struct tail_frame *frame, uint64_t number, uint64_t offset)
{
    frame->words[TAIL_CHECKSUM] = frame_checksum(frame, number, offset);
}

// ---- beginning one ------------------------------------------------------------------------------

static void put_about(struct text *json, const struct spool *s, const struct tail_about *about)
{
    text_format(json, "{\"format\":%d,", CASE_FORMAT);
    entry_text(json, "weir", about->version);
    text_add(json, ",");
    entry_text(json, "input", about->input);
    text_add(json, ",");
    entry_text(json, "options", about->options);
    text_format(json, ",\"begun_ns\":%" PRId64 ",\"kinds\":[", about->begun);
    for (unsigned i = 0; i < s->kind_count; i++)
        text_format(json, "%s[\"%s\",%" PRIu32 "]", i ? "," : "", s->kinds[i]->name,
                    s->kinds[i]->field_count);
    text_add(json, "]}");
}

bool tail_create(struct spool *s, const char *folder, const struct tail_about *about,
                 struct err *err)
{
    char path[FULL_PATH_MAX];
    struct text json = {0}, content = {0};
    full_path(path, folder, about->number);
    put_about(&json, s, about);
    struct tail_head head = {.size = json.n, .checksum = table_hash(json.p, json.n, about->number)};
    memcpy(head.magic, magic, sizeof magic);
    text_put(&content, bytes_of(&head, sizeof head));
    text_put(&content, bytes_of(json.p, json.n));
    bool fine = file_write_durable(path, bytes_of(content.p, content.n), err);
    s->size = content.n;
    text_deinit(&json);
    text_deinit(&content);
    if (fine) s->file = open(path, O_RDWR | O_CLOEXEC);
    if (fine && s->file < 0) fine = err_system(err, errno, "cannot open %s", path);
    s->number = about->number;
    s->is_tail = fine;
    return fine;
}

// ---- reading one --------------------------------------------------------------------------------

struct loading {
    struct spool *spool;
    struct tail_about *about; // or NULL
    const char *path;
    int file;
    uint64_t number, offset;
    uint64_t marked;      // behind the last mark
    size_t looked;        // entries before it
    int kinds[KINDS_MAX]; // of the header: their place in the spool's list, -1: not known here
    uint32_t kind_count;
    uint8_t *content;
};

static bool read_whole(int file, void *into, size_t n, uint64_t offset)
{
    size_t done = 0;
    while (done < n) {
        ssize_t got = pread(file, (uint8_t *)into + done, n - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        done += (size_t)got;
    }
    return true;
}

static bool is_newer(const struct loading *l, const char *version, struct err *err)
{
    return err_set(err, ERR_INPUT,
                   "%s has records that this weir does not know: use the version that wrote it "
                   "(%s)",
                   l->path, version ? version : "?");
}

static bool take_kinds(struct loading *l, const json_t *list, const char *version, struct err *err)
{
    const struct spool *s = l->spool;
    if (json_array_size(list) > KINDS_MAX) return is_newer(l, version, err);
    l->kind_count = (uint32_t)json_array_size(list);
    for (uint32_t i = 0; i < l->kind_count; i++) {
        const json_t *row = json_array_get(list, i);
        const char *name = json_string_value(json_array_get(row, 0));
        l->kinds[i] = name ? spool_kind(s, name) : -1;
        json_int_t fields = json_integer_value(json_array_get(row, 1));
        if (l->kinds[i] >= 0 && fields > s->kinds[l->kinds[i]]->field_count)
            return is_newer(l, version, err);
    }
    return true;
}

static char *copy_member(const json_t *json, const char *name)
{
    const char *value = json_string_value(json_object_get(json, name));
    return text_unescaped(bytes_text(value ? value : ""));
}

static bool take_about(struct loading *l, const json_t *json, struct err *err)
{
    const char *version = json_string_value(json_object_get(json, "weir"));
    if (json_integer_value(json_object_get(json, "format")) != CASE_FORMAT)
        return is_newer(l, version, err);
    if (!take_kinds(l, json_object_get(json, "kinds"), version, err)) return false;
    if (l->about)
        *l->about = (struct tail_about){
            .number = l->number,
            .input = copy_member(json, "input"),
            .options = copy_member(json, "options"),
            .version = copy_member(json, "weir"),
            .begun = (nanos)json_integer_value(json_object_get(json, "begun_ns"))};
    return true;
}

static bool read_head(struct loading *l, struct err *err)
{
    struct tail_head head;
    json_t *json = NULL;
    if (read_whole(l->file, &head, sizeof head, 0) && memcmp(head.magic, magic, 8) == 0 &&
        head.size <= ABOUT_MAX) {
        char *text = memory_get(head.size + 1);
        if (read_whole(l->file, text, head.size, sizeof head) &&
            table_hash(text, head.size, l->number) == head.checksum)
            json = json_loadb(text, head.size, JSON_REJECT_DUPLICATES, NULL);
        memory_free(text);
        l->offset = sizeof head + head.size;
    }
    if (!json)
        return err_set(err, ERR_INPUT,
                       "%s is damaged at its beginning: what is in it cannot be had back; move it "
                       "away to go on without it",
                       l->path);
    bool fine = take_about(l, json, err);
    json_decref(json);
    return fine;
}

// Numbers that no writer of ours makes are no frame, whatever the checksum says.
static bool frame_entry(const struct loading *l, const struct tail_frame *frame,
                        struct spool_entry *e)
{
    const uint64_t *w = frame->words;
    uint32_t number = (uint32_t)w[TAIL_KIND];
    if (number >= l->kind_count) return false;
    *e = (struct spool_entry){.offset = l->offset + sizeof *frame,
                              .file = l->file,
                              .size = (uint32_t)w[TAIL_SIZE],
                              .rows = (uint32_t)(w[TAIL_KIND] >> 32),
                              .heap_used = (uint32_t)w[TAIL_HEAP],
                              .present = w[TAIL_PRESENT],
                              .first = (nanos)w[TAIL_FIRST],
                              .last = (nanos)w[TAIL_LAST]};
    if (!e->rows || e->rows > BATCH_ROWS_MAX || w[TAIL_HEAP] > BATCH_HEAP_SIZE) return false;
    if (l->kinds[number] < 0) return true;
    e->kind = (uint32_t)l->kinds[number];
    uint32_t fields = l->spool->kinds[e->kind]->field_count;
    struct narrow_view view;
    return (fields == 64 || w[TAIL_PRESENT] >> fields == 0) &&
           narrow_open(&view, l->spool->kinds[e->kind], e->present, e->rows, e->heap_used,
                       bytes_of(l->content, e->size));
}

// Whether its rows say something that must be known of all.
static bool is_looked_into(const struct record_kind *kind)
{
    return kind == &ambiguity_kind || kind_field(kind, bytes_text("artifact")) >= 0;
}

static void look_into(struct spool *s, const struct spool_entry *e)
{
    if (!is_looked_into(s->kinds[e->kind])) return;
    struct record_batch *batch = batch_create(s->kinds[e->kind]);
    if (spool_read(s, e, batch)) {
        disputes_collect(&s->disputes, batch);
        artifact_names_collect(&s->names, batch);
    }
    batch_destroy(batch);
}

static void keep_file(struct spool *s, int file)
{
    s->files = memory_resize(s->files, (s->file_count + 1) * sizeof *s->files);
    s->files[s->file_count++] = file;
}

static uint64_t size_of(int file)
{
    off_t size = lseek(file, 0, SEEK_END);
    return size < 0 ? 0 : (uint64_t)size;
}

// All that was read counts.
static bool take_mark(struct loading *l, uint64_t size)
{
    struct spool *s = l->spool;
    json_t *json = json_loadb((const char *)l->content, size, JSON_REJECT_DUPLICATES, NULL);
    if (!json) return false;
    if (l->about) positions_take(&l->about->positions, json);
    json_decref(json);
    while (l->looked < s->entry_count) look_into(s, &s->entries[l->looked++]);
    l->marked = l->offset;
    return true;
}

// The next frame, when it is whole.
static bool read_frame(struct loading *l)
{
    struct tail_frame frame;
    struct spool_entry e;
    uint64_t *w = frame.words, at = l->offset;
    if (!read_whole(l->file, &frame, sizeof frame, at) ||
        frame_checksum(&frame, l->number, at) != w[TAIL_CHECKSUM] || w[TAIL_SIZE] > CONTENT_MAX ||
        !read_whole(l->file, l->content, w[TAIL_SIZE], at + sizeof frame) ||
        table_hash(l->content, w[TAIL_SIZE], 0) != w[TAIL_CONTENT])
        return false;
    bool is_mark = (uint32_t)w[TAIL_KIND] == TAIL_MARK;
    if (!is_mark && !frame_entry(l, &frame, &e)) return false;
    l->offset = at + sizeof frame + w[TAIL_SIZE];
    if (is_mark) return take_mark(l, w[TAIL_SIZE]);
    if (l->kinds[(uint32_t)w[TAIL_KIND]] >= 0) spool_note(l->spool, &e);
    return true;
}

static void read_frames(struct loading *l)
{
    struct spool *s = l->spool;
    l->marked = l->offset;
    l->looked = s->entry_count;
    l->content = memory_get(CONTENT_MAX + NARROW_SLACK);
    while (read_frame(l)) continue;
    memory_free(l->content);
    while (s->entry_count > l->looked) s->rows -= s->entries[--s->entry_count].rows;
    if (l->about) l->about->cut_off = size_of(l->file) - l->marked;
    disputes_sort(&s->disputes);
    artifact_names_sort(&s->names);
}

bool tail_load(struct spool *s, const char *folder, uint64_t number, struct tail_about *about,
               struct err *err)
{
    char path[FULL_PATH_MAX];
    struct loading *l = memory_get(sizeof *l);
    full_path(path, folder, number);
    *l = (struct loading){.spool = s, .about = about, .path = path, .number = number};
    l->file = open(path, O_RDONLY | O_CLOEXEC);
    bool fine = l->file >= 0 || err_system(err, errno, "cannot open %s", path);
    if (fine) keep_file(s, l->file);
    fine = fine && read_head(l, err);
    s->is_read = true;
    if (fine) read_frames(l);
    memory_free(l);
    return fine;
}
