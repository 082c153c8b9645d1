// Opening what was named, and merging it by packet time.
//
// At first each file is only looked at: format, and time of its first packet. Those that wait are
// sorted by that time; a file is opened for good when the merge reaches it. Files that are open
// form a heap by the time of their next packet; the one at the top delivers all it has up to the
// next packet of any other, so that files which do not overlap are read as if they were alone.
#include "source/source.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "source/capture_file.h"
#include "source/live.h"
#include "source/paths.h"

enum { SECRETS_MAX = 4096, SECRET_BYTES_MAX = 16 * 1024 * 1024 };

struct source_file {
    struct capture_info info;
    struct path_entry *entry;  // NULL: bytes in memory
    struct capture_file *open; // NULL while it waits, and when it is done
    nanos head;                // time of its next packet
    bool head_known;
};

struct source {
    struct source_options options;
    struct path_list paths;
    struct source_file *files; // in the order named
    uint32_t file_count;
    uint32_t *waiting; // files by the time of their first packet
    uint32_t waiting_count, waiting_next;
    uint32_t *heap; // open files, the one with the earliest next packet first
    uint32_t heap_count;
    struct aside *hasher, *keeper;
    struct packet_filter *filter;
    struct capture_secret *secrets;
    uint32_t secret_count;
    size_t secret_bytes;
    uint64_t bytes_total, bytes_done; // done: of files that were read to their end
    struct source_sums forgotten;
};

static void source_take_secret(void *context, uint32_t capture, uint32_t type, bytes secret)
{
    struct source *s = context;
    if (s->secret_count == SECRETS_MAX || secret.n > SECRET_BYTES_MAX - s->secret_bytes) return;
    uint8_t *copy = memory_get(secret.n);
    if (secret.n) memcpy(copy, secret.p, secret.n);
    s->secrets = memory_resize(s->secrets, (s->secret_count + 1) * sizeof *s->secrets);
    s->secrets[s->secret_count++] =
        (struct capture_secret){capture, type, bytes_of(copy, secret.n)};
    s->secret_bytes += secret.n;
}

static struct source *source_create(const struct source_options *options, struct err *err)
{
    struct source *s = memory_get(sizeof *s);
    s->options = *options;
    if (options->bpf) s->filter = packet_filter_create(options->bpf);
    if (!options->hash_captures) return s;
    s->hasher = aside_create("weir-hash", err);
    if (s->hasher) return s;
    source_close(s);
    return NULL;
}

void source_close(struct source *s)
{
    if (!s) return;
    for (uint32_t i = 0; i < s->file_count; i++) {
        capture_file_close(s->files[i].open);
        capture_info_deinit(&s->files[i].info);
    }
    for (uint32_t i = 0; i < s->secret_count; i++) memory_free((uint8_t *)s->secrets[i].secret.p);
    aside_destroy(s->hasher);
    aside_destroy(s->keeper);
    packet_filter_destroy(s->filter);
    path_list_deinit(&s->paths);
    memory_free(s->files);
    memory_free(s->waiting);
    memory_free(s->heap);
    memory_free(s->secrets);
    memory_free(s);
}

static int source_descriptor(const struct path_entry *entry, struct err *err)
{
    bool is_stdin = strcmp(entry->path, "-") == 0;
    int fd = is_stdin ? dup(STDIN_FILENO) : open(entry->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) path_error(err, errno, entry->path);
    else posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return fd;
}

// What belongs to reading a file for good.
static bool file_options(struct source *s, bool keep, struct capture_file_options *o,
                         struct err *err)
{
    const struct capture_sink *sink = &s->options.captures;
    o->hasher = s->hasher;
    o->secrets = (struct capture_secrets){s, source_take_secret};
    if (!sink->begin) return true;
    assert(s->hasher);
    o->sink = sink;
    o->keep = keep;
    if (o->keep && !s->keeper) s->keeper = aside_create("weir-keep", err);
    o->keeper = s->keeper;
    return !o->keep || s->keeper;
}

// Opens a file to read it, or (`to_look`) to see what it is: then it is not hashed and its secrets
// are not taken.
static bool file_open(struct source *s, struct source_file *file, bool to_look, struct err *err)
{
    struct block_input input = {.fd = -1};
    if (s->options.contents) input.content = s->options.contents[file - s->files];
    if (!input.content) input.fd = source_descriptor(file->entry, err);
    if (!input.content && input.fd < 0) return false;
    struct capture_file_options options = {.filter = s->filter};
    bool keep = s->options.captures.keep || file->entry->is_stream;
    if (!to_look && !file_options(s, keep, &options, err)) {
        if (input.fd >= 0) close(input.fd);
        return false;
    }
    file->open = capture_file_open(&input, &file->info, &options, err);
    if (!file->open) return false;
    file->info.file_bytes = file->entry->size;
    file->info.is_stream = file->entry->is_stream;
    return true;
}

// Finds out the time of the next packet. A file at its end comes before all others, to be done
// with.
static void file_find_head(struct source_file *file, struct packet_batch *batch)
{
    enum fill_result result;
    do result = file->open->format->fill(file->open, batch, INT64_MIN);
    while (result == FILL_GO);
    file->head = result == FILL_HELD ? file->open->head_time : INT64_MIN + 1;
    file->head_known = true;
}

static bool file_is_before(const struct source *s, uint32_t a, uint32_t b)
{
    const struct source_file *x = &s->files[a], *y = &s->files[b];
    return x->head != y->head ? x->head < y->head : a < b;
}

static void heap_swap(struct source *s, uint32_t i, uint32_t j)
{
    uint32_t file = s->heap[i];
    s->heap[i] = s->heap[j];
    s->heap[j] = file;
}

static void heap_push(struct source *s, uint32_t file)
{
    uint32_t at = s->heap_count++;
    s->heap[at] = file;
    for (; at > 0 && file_is_before(s, s->heap[at], s->heap[(at - 1) / 2]); at = (at - 1) / 2) {
        heap_swap(s, at, (at - 1) / 2);
    }
}

static void heap_sink_top(struct source *s)
{
    for (uint32_t at = 0;;) {
        uint32_t first = at;
        for (uint32_t child = 2 * at + 1; child <= 2 * at + 2 && child < s->heap_count; child++) {
            if (file_is_before(s, s->heap[child], s->heap[first])) first = child;
        }
        if (first == at) return;
        heap_swap(s, at, first);
        at = first;
    }
}

static void heap_pop(struct source *s)
{
    s->heap[0] = s->heap[--s->heap_count];
    heap_sink_top(s);
}

// Puts the file among those that wait, or leaves it open when it is the only one or can be read
// only once.
static bool source_look(struct source *s, uint32_t number, struct packet_batch *batch,
                        struct err *err)
{
    struct source_file *file = &s->files[number];
    bool stays_open = s->paths.count == 1 || file->entry->is_stream;
    if (!file_open(s, file, !stays_open, err)) return false;
    file_find_head(file, batch);
    if (stays_open) {
        heap_push(s, number);
        return true;
    }
    capture_file_close(file->open);
    file->open = NULL;
    s->waiting[s->waiting_count++] = number;
    return true;
}

// Looks at one entry of the list; what was found in a folder and is no capture is left out.
static bool source_add(struct source *s, struct path_entry *entry, struct packet_batch *batch,
                       struct err *err)
{
    struct err reason = {0};
    uint32_t number = s->file_count++;
    s->files[number] =
        (struct source_file){.entry = entry, .info = {.path = entry->path, .number = number}};
    if (source_look(s, number, batch, &reason)) {
        entry->is_capture = true;
        s->bytes_total += entry->size;
        return true;
    }
    capture_info_deinit(&s->files[number].info);
    s->file_count--;
    if (entry->from_folder && reason.code == ERR_INPUT) return true;
    if (err) *err = reason;
    return false;
}

static bool source_add_all(struct source *s, struct packet_batch *batch, struct err *err)
{
    bool *found = memory_get(s->paths.named * sizeof *found), ok = true;
    for (uint32_t i = 0; ok && i < s->paths.count; i++) {
        struct path_entry *entry = &s->paths.entries[i];
        if (entry->same_as == i) ok = source_add(s, entry, batch, err);
        found[entry->named] |= s->paths.entries[entry->same_as].is_capture;
    }
    for (uint32_t i = 0; ok && i < s->paths.named; i++) {
        if (found[i]) continue;
        ok = err_set(err, ERR_INPUT, "the folder %s holds no capture (pcap, pcapng or snoop)",
                     s->options.paths[i]);
    }
    memory_free(found);
    return ok;
}

static int waiting_compare(const void *a, const void *b, void *context)
{
    const struct source *s = context;
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
    return i == j ? 0 : file_is_before(s, i, j) ? -1 : 1;
}

static bool source_open_paths(struct source *s, struct err *err)
{
    for (uint32_t i = 0; i < s->options.path_count; i++) {
        if (!path_list_add(&s->paths, s->options.paths[i], err)) return false;
    }
    if (s->options.path_count == 0) return err_set(err, ERR_USAGE, "no capture is named");
    path_list_find_doubled(&s->paths);
    s->files = memory_get(s->paths.count * sizeof *s->files);
    s->waiting = memory_get(s->paths.count * sizeof *s->waiting);
    s->heap = memory_get(s->paths.count * sizeof *s->heap);
    struct packet_batch *batch = packet_batch_create();
    bool ok = source_add_all(s, batch, err);
    packet_batch_destroy(batch);
    qsort_r(s->waiting, s->waiting_count, sizeof *s->waiting, waiting_compare, s);
    return ok && (!s->filter || packet_filter_check(s->filter, err));
}

// Its filter is the kernel's. What it has now is not looked at: that would wait for a packet.
// Captures of interfaces follow one another: the last file is the one that is open.
static bool open_live_capture(struct source *s, struct err *err)
{
    struct live *live = s->options.live;
    uint32_t number =
        s->file_count ? s->files[s->file_count - 1].info.number + 1 : s->options.first_number;
    s->files = memory_resize(s->files, (s->file_count + (size_t)1) * sizeof *s->files);
    struct source_file *file = &s->files[s->file_count++];
    *file = (struct source_file){.info = {.path = live_name(live), .number = number}};
    struct capture_file_options options = {0};
    struct block_input input = {.fd = -1, .content = live_content(live), .waits = true};
    // What a topic had is gone some time: it is like standard input.
    bool keep = s->options.captures.keep || live_is_topics(live);
    if (!file_options(s, keep, &options, err)) return false;
    if (!options.keep) options.sink = NULL; // nobody comes back to where its packets lay
    file->open = capture_file_open(&input, &file->info, &options, err);
    if (!file->open) return false;
    file->info.is_stream = true;
    heap_push(s, s->file_count - 1);
    return true;
}

static bool source_open_live(struct source *s, struct err *err)
{
    s->heap = memory_get(sizeof *s->heap);
    return open_live_capture(s, err);
}

struct source *source_open(const struct source_options *options, struct err *err)
{
    struct source *s = source_create(options, err);
    if (!s || (options->live ? source_open_live(s, err) : source_open_paths(s, err))) return s;
    source_close(s);
    return NULL;
}

static bool source_open_content(struct source *s, bytes content, struct err *err)
{
    s->files = memory_get(sizeof *s->files);
    s->heap = memory_get(sizeof *s->heap);
    s->files[0].info.path = "memory";
    struct capture_file_options options = {
        .hasher = s->hasher, .filter = s->filter, .secrets = {s, source_take_secret}};
    s->files[0].open = capture_file_open(&(struct block_input){.fd = -1, .memory = content},
                                         &s->files[0].info, &options, err);
    if (!s->files[0].open) return false;
    s->file_count = 1;
    s->bytes_total = content.n;
    struct packet_batch *batch = packet_batch_create();
    file_find_head(&s->files[0], batch);
    packet_batch_destroy(batch);
    heap_push(s, 0);
    return !s->filter || packet_filter_check(s->filter, err);
}

struct source *source_open_memory(bytes content, const struct source_options *options,
                                  struct err *err)
{
    struct source *s = source_create(options, err);
    if (!s || source_open_content(s, content, err)) return s;
    source_close(s);
    return NULL;
}

// Opens the files that wait and whose time has come.
static bool source_open_due(struct source *s, struct packet_batch *batch, struct err *err)
{
    while (s->waiting_next < s->waiting_count) {
        uint32_t number = s->waiting[s->waiting_next];
        if (s->heap_count > 0 && !file_is_before(s, number, s->heap[0])) return true;
        if (!file_open(s, &s->files[number], false, err)) return false;
        s->waiting_next++;
        file_find_head(&s->files[number], batch);
        heap_push(s, number);
    }
    return true;
}

// The latest time up to which file `number` may deliver before another one's turn comes.
static nanos source_turn(const struct source *s, uint32_t number, uint32_t other, nanos until)
{
    nanos head = s->files[other].head;
    nanos last = number < other ? head : head - 1;
    return last < until ? last : until;
}

static nanos source_until(const struct source *s)
{
    nanos until = INT64_MAX;
    for (uint32_t child = 1; child <= 2 && child < s->heap_count; child++) {
        until = source_turn(s, s->heap[0], s->heap[child], until);
    }
    if (s->waiting_next == s->waiting_count) return until;
    return source_turn(s, s->heap[0], s->waiting[s->waiting_next], until);
}

static bool source_finish_top(struct source *s, struct err *err)
{
    struct source_file *file = &s->files[s->heap[0]];
    bool ok = capture_file_finish(file->open, err);
    capture_file_close(file->open);
    file->open = NULL;
    s->bytes_done += file->info.file_bytes;
    heap_pop(s);
    if (ok && s->options.live && live_next(s->options.live)) return open_live_capture(s, err);
    return ok;
}

enum source_step { STEP_AGAIN, STEP_PACKETS, STEP_END, STEP_FAILED };

// Lets the file whose turn it is deliver.
static enum source_step source_step(struct source *s, struct packet_batch *batch, struct err *err)
{
    bool alone = s->heap_count == 1 && s->waiting_next == s->waiting_count;
    if (!alone && s->heap_count > 0 && !s->files[s->heap[0]].head_known) {
        file_find_head(&s->files[s->heap[0]], batch);
        heap_sink_top(s);
    }
    if (!source_open_due(s, batch, err)) return STEP_FAILED;
    if (s->heap_count == 0) return STEP_END;
    struct source_file *file = &s->files[s->heap[0]];
    file->open->in.read_size = s->heap_count == 1 ? BLOCK_READ_SIZE : BLOCK_READ_SIZE_SHARED;
    enum fill_result result = file->open->format->fill(file->open, batch, source_until(s));
    if (result != FILL_END) capture_file_note(file->open);
    switch (result) {
    case FILL_GO:
        file->head_known = false;
        return STEP_PACKETS;
    case FILL_HELD:
        file->head = file->open->head_time;
        heap_sink_top(s);
        return STEP_AGAIN;
    case FILL_END:
        return source_finish_top(s, err) ? STEP_AGAIN : STEP_FAILED;
    }
    return STEP_FAILED;
}

enum source_result source_read(struct source *s, struct packet_batch *batch, struct err *err)
{
    assert(batch->count == 0);
    enum source_step step;
    do step = source_step(s, batch, err);
    while (step == STEP_AGAIN && batch->count < PACKETS_MAX);
    if (step == STEP_FAILED) return SOURCE_FAILED;
    return step == STEP_END && batch->count == 0 ? SOURCE_END : SOURCE_PACKETS;
}

uint32_t source_capture_count(const struct source *s)
{
    return s->file_count;
}

const struct capture_info *source_capture(const struct source *s, uint32_t capture)
{
    assert(capture < s->file_count);
    return &s->files[capture].info;
}

bool source_capture_is_over(const struct source *s, uint32_t capture)
{
    assert(capture < s->file_count);
    return !s->files[capture].open && !s->files[capture].entry;
}

static void sums_add(struct source_sums *sums, const struct capture_info *c)
{
    sums->packets += c->packets;
    sums->bytes += c->packet_bytes;
    sums->captured_bytes += c->captured_bytes;
    sums->filtered += c->packets_filtered;
}

struct source_sums source_sums(const struct source *s)
{
    struct source_sums sums = s->forgotten;
    for (uint32_t i = 0; i < s->file_count; i++) sums_add(&sums, &s->files[i].info);
    return sums;
}

// The one that is open is the last, and stays.
void source_forget_captures(struct source *s)
{
    uint32_t last = s->file_count - 1;
    if (!s->options.live || !last) return;
    for (uint32_t i = 0; i < last; i++) {
        sums_add(&s->forgotten, &s->files[i].info);
        capture_info_deinit(&s->files[i].info);
    }
    s->files[0] = s->files[last];
    s->file_count = 1;
    if (s->files[0].open) s->files[0].open->info = &s->files[0].info;
    for (uint32_t i = 0; i < s->heap_count; i++) s->heap[i] = 0;
}

void source_forget_losses(struct source *s, uint32_t capture)
{
    assert(capture < s->file_count);
    s->files[capture].info.loss_count = 0;
}

uint64_t source_bytes_total(const struct source *s)
{
    for (uint32_t i = 0; i < s->file_count; i++) {
        if (s->files[i].info.is_stream) return 0;
    }
    return s->bytes_total;
}

uint64_t source_bytes_done(const struct source *s)
{
    uint64_t done = s->bytes_done;
    for (uint32_t i = 0; i < s->heap_count; i++) done += s->files[s->heap[i]].open->in.stored_bytes;
    return done;
}

const struct capture_secret *source_secrets(const struct source *s, uint32_t *count)
{
    *count = s->secret_count;
    return s->secrets;
}

bool capture_remark(const struct capture_info *info, char text[CAPTURE_REMARK_MAX])
{
    const char *name = path_called(info->path);
    unsigned long long packets = info->packets, damaged = info->damaged_bytes;
    int n = 0;
    if (info->truncated) {
        n = snprintf(text, CAPTURE_REMARK_MAX,
                     "%s ends too early, as if it had been cut or were still being "
                     "written: the %llu packets before that were read",
                     name, packets);
    }
    if (damaged && n > 0 && n < CAPTURE_REMARK_MAX) {
        snprintf(text + n, (size_t)(CAPTURE_REMARK_MAX - n),
                 ", and %llu damaged bytes were skipped", damaged);
    } else if (damaged) {
        snprintf(text, CAPTURE_REMARK_MAX,
                 "%s is damaged: %llu bytes were skipped, and %llu packets "
                 "around them were read",
                 name, damaged, packets);
    }
    return info->truncated || damaged;
}
