#include "store/ngrams.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/memory.h"
#include "store/ngrams_inside.h"

enum {
    BITS_OF_GRAM = 3, // of a filter, where there is room: one in four is then set
    GRAMS_OF_BIT = 2, // with more, a filter lets nearly everything through
    PATH_SIZE = 4096,
    BUFFER_SIZE = 1 << 16,
    HEAD_MAX = 64, // of an entry, before its filter
    SAMPLE_SIZE = 1024,
    SAMPLE_BYTES_MAX = 14, // how often the most frequent byte of a random sample stands in it
};

const uint8_t ngrams_magic[NGRAMS_MAGIC_SIZE] = "weirngr\1";

#define SAME4(n) n, n + 1, n + 2, n + 3
#define SAME16(n) SAME4(n), SAME4(n + 4), SAME4(n + 8), SAME4(n + 12)
#define LETTERS                                                                                    \
    'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's', \
        't', 'u', 'v', 'w', 'x', 'y', 'z'
const uint8_t ngrams_fold[256] = {SAME16(0),   SAME16(16),  SAME16(32),  SAME16(48),  64,
                                  LETTERS,     91,          SAME4(92),   SAME16(96),  SAME16(112),
                                  SAME16(128), SAME16(144), SAME16(160), SAME16(176), SAME16(192),
                                  SAME16(208), SAME16(224), SAME16(240)};

struct ngrams_writer {
    char path[PATH_SIZE], hidden[PATH_SIZE];
    int file;
    struct sha256 hash;
    struct ngrams_size size;
    bool failed;
    struct err err;
    size_t used;
    uint8_t buffer[BUFFER_SIZE];
    uint8_t seen[(1 << NGRAM_HASH_BITS) / 8]; // bit h: a sequence of hash h is in the stretch
    uint32_t hashes[NGRAMS_CHUNK + NGRAMS_OVERLAP];
    uint8_t filter[NGRAMS_FILTER_MAX];
};

void ngrams_path(char path[NGRAMS_PATH_MAX], uint64_t reading)
{
    if (reading) snprintf(path, NGRAMS_PATH_MAX, "cache/ngrams-%08" PRIu64 ".idx", reading);
    else snprintf(path, NGRAMS_PATH_MAX, "cache/ngrams-artifacts.idx");
}

bool ngrams_is_path(const char *below)
{
    return strncmp(below, "cache/ngrams-", 13) == 0 || strncmp(below, "cache/.ngrams-", 14) == 0;
}

struct record_id ngrams_half(const uint8_t sha256[SHA256_SIZE])
{
    struct reader r = reader_of(bytes_of(sha256, SHA256_SIZE));
    uint64_t first = read_le64(&r);
    return (struct record_id){first, read_le64(&r)};
}

// ---- the file -----------------------------------------------------------------------------------

static void writer_flush(struct ngrams_writer *w)
{
    bytes content = bytes_of(w->buffer, w->used);
    sha256_add(&w->hash, content);
    if (!w->failed) w->failed = !file_write_all(w->file, content, &w->err);
    w->size.index += w->used;
    w->used = 0;
}

static void writer_put(struct ngrams_writer *w, bytes content)
{
    if (content.n > sizeof w->buffer - w->used) writer_flush(w);
    memcpy(w->buffer + w->used, content.p, content.n);
    w->used += content.n;
}

static void put_le64(struct buf *b, uint64_t v)
{
    for (unsigned i = 0; i < 8; i++) buf_u8(b, (uint8_t)(v >> 8 * i));
}

struct ngrams_writer *ngrams_create(const char *path, const uint8_t name[SHA256_SIZE],
                                    struct err *err)
{
    struct ngrams_writer *w = memory_get(sizeof *w);
    const char *slash = strrchr(path, '/');
    int folder = slash ? (int)(slash - path) + 1 : 0;
    snprintf(w->path, sizeof w->path, "%s", path);
    snprintf(w->hidden, sizeof w->hidden, "%.*s.%s.%ld", folder, path, path + folder,
             (long)getpid());
    w->file = open(w->hidden, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (w->file < 0) {
        err_system(err, errno, "cannot make the index %s", path);
        memory_free(w);
        return NULL;
    }
    sha256_init(&w->hash);
    writer_put(w, bytes_of(ngrams_magic, NGRAMS_MAGIC_SIZE));
    writer_put(w, bytes_of(name, SHA256_SIZE));
    return w;
}

void ngrams_abandon(struct ngrams_writer *w)
{
    if (!w) return;
    close(w->file);
    unlink(w->hidden);
    memory_free(w);
}

bool ngrams_finish(struct ngrams_writer *w, struct ngrams_size *size, struct err *err)
{
    uint8_t memory[1 + 8], digest[SHA256_SIZE];
    struct buf end = buf_on(memory, sizeof memory);
    buf_u8(&end, NGRAMS_ENTRY_END);
    put_le64(&end, w->size.payload);
    writer_put(w, buf_bytes(&end));
    writer_flush(w);
    sha256_end(&w->hash, digest);
    bool ok = !w->failed && file_write_all(w->file, bytes_of(digest, sizeof digest), &w->err);
    if (ok && fsync(w->file) != 0) ok = err_system(&w->err, errno, "cannot sync");
    if (ok && rename(w->hidden, w->path) != 0) ok = err_system(&w->err, errno, "cannot rename");
    w->size.index += sizeof digest;
    *size = w->size;
    if (!ok) {
        *err = w->err;
        err_in(err, "cannot make the index %s", w->path);
    }
    ngrams_abandon(w);
    return ok;
}

// ---- filters ------------------------------------------------------------------------------------

void ngrams_payload(struct ngrams_writer *w, uint64_t n)
{
    w->size.payload += n;
}

// Whether the bytes look random: compressed or encrypted. Then all their sequences differ, and a
// filter that is of use would take more than all others.
static bool is_random_at(bytes sample)
{
    uint16_t counts[256] = {0};
    for (size_t i = 0; i < sample.n; i++)
        if (++counts[sample.p[i]] > SAMPLE_BYTES_MAX) return false;
    return true;
}

static bool is_random(bytes stretch)
{
    if (stretch.n < 4 * SAMPLE_SIZE) return false;
    for (size_t i = 1; i <= 3; i++)
        if (!is_random_at(bytes_first(bytes_after(stretch, stretch.n / 4 * i - SAMPLE_SIZE / 2),
                                      SAMPLE_SIZE)))
            return false;
    return true;
}

// The hashes of the sequences in a stretch, each once.
static uint32_t count_hashes(struct ngrams_writer *w, bytes stretch)
{
    uint32_t gram = 0, count = 0;
    for (size_t i = 0; i < stretch.n; i++) {
        gram = ngram_add(gram, stretch.p[i]);
        if (i + 1 < NGRAM_SIZE) continue;
        uint32_t hash = ngram_hash(gram);
        uint8_t bit = (uint8_t)(1 << hash % 8);
        if (w->seen[hash / 8] & bit) continue;
        w->seen[hash / 8] |= bit;
        w->hashes[count++] = hash;
    }
    for (uint32_t i = 0; i < count; i++) w->seen[w->hashes[i] / 8] = 0;
    return count;
}

// Bytes that may still be written, this entry's head and the end of the file left aside.
static uint64_t room_left(const struct ngrams_writer *w, size_t head)
{
    uint64_t all = w->size.payload * NGRAMS_SHARE_PERCENT / 100;
    uint64_t used = w->size.index + w->used + head;
    return used < all ? all - used : 0;
}

// The filter of a stretch in w->filter; its size, 0 where there is none.
static size_t make_filter(struct ngrams_writer *w, bytes stretch, size_t head)
{
    if (stretch.n < NGRAM_SIZE || is_random(stretch)) return 0;
    uint32_t count = count_hashes(w, stretch);
    // Never all that is left, so that every stretch gets about the same.
    uint64_t size = (uint64_t)count * BITS_OF_GRAM / 8 + 1, room = room_left(w, head) / 2;
    if (size > room) size = room;
    if (size > NGRAMS_FILTER_MAX) size = NGRAMS_FILTER_MAX;
    if (size * 8 * GRAMS_OF_BIT < count) return 0;
    memset(w->filter, 0, size);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t bit = ngram_bit(w->hashes[i], (uint32_t)size * 8);
        w->filter[bit / 8] |= (uint8_t)(1 << bit % 8);
    }
    return size;
}

static void put_entry(struct ngrams_writer *w, enum ngrams_entry kind, struct record_id words,
                      bytes stretch)
{
    uint8_t memory[HEAD_MAX];
    struct buf head = buf_on(memory, sizeof memory);
    buf_u8(&head, (uint8_t)kind);
    put_le64(&head, words.time_us);
    put_le64(&head, words.hash);
    size_t size = make_filter(w, stretch, head.n + 3);
    buf_varint(&head, size);
    writer_put(w, buf_bytes(&head));
    writer_put(w, bytes_of(w->filter, size));
    w->size.stretches++;
    w->size.unfiltered += !size;
}

void ngrams_conversation(struct ngrams_writer *w, struct record_id id, bytes stretch)
{
    put_entry(w, NGRAMS_ENTRY_CONVERSATION, id, stretch);
}

void ngrams_group(struct ngrams_writer *w, uint64_t from, uint64_t to, bytes stretch)
{
    put_entry(w, NGRAMS_ENTRY_GROUP, (struct record_id){from, to}, stretch);
}

void ngrams_artifact(struct ngrams_writer *w, const uint8_t sha256[SHA256_SIZE], bytes stretch)
{
    put_entry(w, NGRAMS_ENTRY_ARTIFACT, ngrams_half(sha256), stretch);
}
