#include "bus/disk_queue.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"

enum {
    HEAD = 8, // of a message: its length and a checksum, least significant byte first
    WRITE_AT_ONCE = 256 * 1024,
    READ_AT_ONCE = DISK_QUEUE_MESSAGE_MAX + HEAD,
    FILE_BYTES_MAX = 64 * 1024 * 1024,
};

struct disk_queue {
    uint64_t bytes_max;
    int folder;       // locked
    uint64_t *starts; // where files begin, in order; at least one
    size_t file_count;
    int out;
    struct text waiting; // what was put and not written
    uint64_t written, at, done, noted;
    uint64_t messages; // when it was opened
    // The file that is read, and what was read ahead of `at`.
    int in;
    uint64_t in_start;
    uint8_t *ahead;
    size_t ahead_at, ahead_n;
    char path[]; // of the folder
};

// ---- files --------------------------------------------------------------------------------------

static bool queue_fail(const struct disk_queue *q, struct err *err)
{
    return err_system(err, errno, "the queue at %s", q->path);
}

static void file_name(char name[32], uint64_t start)
{
    snprintf(name, 32, "%016" PRIx64 ".queue", start);
}

static bool add_start(struct disk_queue *q, uint64_t start)
{
    q->starts = memory_resize(q->starts, (q->file_count + 1) * sizeof *q->starts);
    q->starts[q->file_count++] = start;
    return true;
}

static bool file_begin(struct disk_queue *q, uint64_t start, struct err *err)
{
    char name[32];
    file_name(name, start);
    if (q->out >= 0) close(q->out);
    q->out = openat(q->folder, name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    return q->out >= 0 || queue_fail(q, err);
}

static int compare_starts(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static bool files_find(struct disk_queue *q, struct err *err)
{
    DIR *folder = opendir(q->path);
    if (!folder) return queue_fail(q, err);
    for (struct dirent *e; (e = readdir(folder));) {
        char *end, name[32];
        uint64_t start = strtoull(e->d_name, &end, 16);
        file_name(name, start);
        if (strcmp(name, e->d_name) == 0) add_start(q, start);
    }
    closedir(folder);
    if (!q->file_count) return add_start(q, 0);
    qsort(q->starts, q->file_count, sizeof *q->starts, compare_starts);
    return true;
}

static uint32_t checksum(bytes content, uint64_t place)
{
    return (uint32_t)table_hash(content.p, content.n, place);
}

// ---- reading ------------------------------------------------------------------------------------

// Where the file that begins at `start` ends: where the next one begins.
static uint64_t file_end(const struct disk_queue *q, uint64_t start)
{
    for (size_t i = 0; i + 1 < q->file_count; i++)
        if (q->starts[i] == start) return q->starts[i + 1];
    return q->written;
}

// Moves on to the file in which `at` lies.
static bool file_enter(struct disk_queue *q, struct err *err)
{
    uint64_t start = q->starts[0];
    char name[32];
    for (size_t i = 0; i < q->file_count && q->starts[i] <= q->at; i++) start = q->starts[i];
    if (q->in >= 0 && q->in_start == start) return true;
    if (q->in >= 0) close(q->in);
    file_name(name, start);
    q->in = openat(q->folder, name, O_RDONLY | O_CLOEXEC);
    q->in_start = start;
    q->ahead_at = q->ahead_n = 0;
    return q->in >= 0 || queue_fail(q, err);
}

// So many bytes at `at`, as far as the file has them.
static bytes look(struct disk_queue *q, size_t n)
{
    while (q->ahead_n - q->ahead_at < n) {
        memmove(q->ahead, q->ahead + q->ahead_at, q->ahead_n - q->ahead_at);
        q->ahead_n -= q->ahead_at;
        q->ahead_at = 0;
        ssize_t got = pread(q->in, q->ahead + q->ahead_n, READ_AT_ONCE - q->ahead_n,
                            (off_t)(q->at - q->in_start + q->ahead_n));
        if (got <= 0) break;
        q->ahead_n += (size_t)got;
    }
    return bytes_first(bytes_of(q->ahead + q->ahead_at, q->ahead_n - q->ahead_at), n);
}

// The whole message at `at`; false when there is none, or no whole one.
static bool message_look(struct disk_queue *q, bytes *message)
{
    struct reader r = reader_of(look(q, HEAD));
    uint32_t n = read_le32(&r), sum = read_le32(&r);
    if (r.bad || n > DISK_QUEUE_MESSAGE_MAX) return false;
    *message = bytes_after(look(q, HEAD + n), HEAD);
    return message->n == n && checksum(*message, q->at) == sum;
}

static void message_pass(struct disk_queue *q, bytes message)
{
    q->ahead_at += HEAD + message.n;
    q->at += HEAD + message.n;
}

bool disk_queue_next(struct disk_queue *q, bytes *message, uint64_t *place, struct err *err)
{
    if (q->at == q->written && (!q->waiting.n || !disk_queue_flush(q, err))) return false;
    while (q->at < q->written) {
        if (!file_enter(q, err)) return false;
        if (message_look(q, message)) {
            message_pass(q, *message);
            *place = q->at;
            return true;
        }
        // Damage: what follows it in its file is lost.
        q->at = file_end(q, q->in_start);
        q->ahead_at = q->ahead_n = 0;
    }
    return false;
}

// ---- writing ------------------------------------------------------------------------------------

static void put_le32(struct text *t, uint32_t v)
{
    uint8_t b[4] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24)};
    text_put(t, bytes_of(b, sizeof b));
}

bool disk_queue_flush(struct disk_queue *q, struct err *err)
{
    if (!q->waiting.n) return true;
    uint64_t start = q->starts[q->file_count - 1];
    if (!file_write_all(q->out, bytes_of(q->waiting.p, q->waiting.n), err)) {
        // Not half of a message.
        (void)!ftruncate(q->out, (off_t)(q->written - start));
        return err_in(err, "the queue at %s", q->path);
    }
    q->written += q->waiting.n;
    text_clear(&q->waiting);
    if (q->written - start < FILE_BYTES_MAX) return true;
    return add_start(q, q->written) && file_begin(q, q->written, err);
}

bool disk_queue_put(struct disk_queue *q, bytes message, struct err *err)
{
    uint64_t place = q->written + q->waiting.n;
    bool fits = message.n <= DISK_QUEUE_MESSAGE_MAX &&
                place + HEAD + message.n - q->starts[0] <= q->bytes_max;
    if (!fits) return false;
    put_le32(&q->waiting, (uint32_t)message.n);
    put_le32(&q->waiting, checksum(message, place));
    text_put(&q->waiting, message);
    return q->waiting.n < WRITE_AT_ONCE || disk_queue_flush(q, err);
}

// ---- what is done -------------------------------------------------------------------------------

void disk_queue_done(struct disk_queue *q, uint64_t place)
{
    q->done = place;
}

// When all is done the files are empty again, so that the queue takes no room.
static bool files_drop(struct disk_queue *q, struct err *err)
{
    char name[32];
    uint64_t last = q->starts[q->file_count - 1];
    if (q->done == q->written && !q->waiting.n && q->written > last) {
        if (!add_start(q, q->written) || !file_begin(q, q->written, err)) return false;
    }
    size_t gone = 0;
    while (gone + 1 < q->file_count && q->starts[gone + 1] <= q->done) gone++;
    for (size_t i = 0; i < gone; i++) {
        file_name(name, q->starts[i]);
        unlinkat(q->folder, name, 0);
    }
    q->file_count -= gone;
    memmove(q->starts, q->starts + gone, q->file_count * sizeof *q->starts);
    return true;
}

bool disk_queue_note(struct disk_queue *q, struct err *err)
{
    char path[PATH_MAX];
    char text[32];
    if (q->done == q->noted) return true;
    int n = snprintf(text, sizeof text, "%" PRIu64 "\n", q->done);
    snprintf(path, sizeof path, "%s/done", q->path);
    if (!file_write_durable(path, bytes_of(text, (size_t)n), err)) return false;
    q->noted = q->done;
    return files_drop(q, err);
}

uint64_t disk_queue_bytes(const struct disk_queue *q)
{
    return q->written + q->waiting.n - q->done;
}

// ---- opening ------------------------------------------------------------------------------------

static uint64_t noted_before(const struct disk_queue *q)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/done", q->path);
    struct err none;
    bytes text = file_read(path, 64, &none);
    char digits[65] = "";
    memcpy(digits, text.p ? text.p : (const uint8_t *)"", text.p ? bytes_first(text, 64).n : 0);
    memory_free((void *)text.p);
    return strtoull(digits, NULL, 10);
}

// A kill may have left half a message at the end: the queue ends before it.
static bool end_find(struct disk_queue *q, struct err *err)
{
    bytes message;
    q->at = q->starts[q->file_count - 1];
    q->written = UINT64_MAX;
    if (!file_enter(q, err)) return false;
    while (message_look(q, &message)) message_pass(q, message);
    q->written = q->at;
    q->ahead_at = q->ahead_n = 0;
    return ftruncate(q->out, (off_t)(q->at - q->in_start)) == 0 || queue_fail(q, err);
}

static bool messages_count(struct disk_queue *q, struct err *err)
{
    struct err wrong = {0};
    bytes message;
    uint64_t place;
    while (disk_queue_next(q, &message, &place, &wrong)) q->messages++;
    q->at = q->done;
    q->ahead_at = q->ahead_n = 0;
    if (wrong.code) *err = wrong;
    return !wrong.code;
}

static bool folder_open(struct disk_queue *q, struct err *err)
{
    if (!folder_make(q->path, err)) return false;
    q->folder = open(q->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (q->folder < 0) return queue_fail(q, err);
    if (flock(q->folder, LOCK_EX | LOCK_NB) == 0) return true;
    return err_set(err, ERR_USAGE, "the queue at %s is in use: each needs a folder of its own",
                   q->path);
}

struct disk_queue *disk_queue_open(const char *folder, uint64_t bytes_max, struct err *err)
{
    struct disk_queue *q = memory_get(sizeof *q + strlen(folder) + 1);
    q->folder = q->in = q->out = -1;
    q->bytes_max = bytes_max;
    memcpy(q->path, folder, strlen(folder));
    q->ahead = memory_get(READ_AT_ONCE);
    bool ok = folder_open(q, err) && files_find(q, err) &&
              file_begin(q, q->starts[q->file_count - 1], err) && end_find(q, err);
    if (ok) {
        q->done = noted_before(q);
        if (q->done < q->starts[0]) q->done = q->starts[0];
        if (q->done > q->written) q->done = q->written;
        q->at = q->noted = q->done;
        ok = messages_count(q, err);
    }
    if (ok) return q;
    disk_queue_close(q);
    return NULL;
}

uint64_t disk_queue_messages(const struct disk_queue *q)
{
    return q->messages;
}

void disk_queue_close(struct disk_queue *q)
{
    if (!q) return;
    struct err none;
    if (q->out >= 0 && disk_queue_flush(q, &none)) disk_queue_note(q, &none);
    if (q->in >= 0) close(q->in);
    if (q->out >= 0) close(q->out);
    if (q->folder >= 0) close(q->folder);
    text_deinit(&q->waiting);
    memory_free(q->starts);
    memory_free(q->ahead);
    memory_free(q);
}
