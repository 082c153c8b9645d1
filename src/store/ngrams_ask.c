#include "store/ngrams_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/memory.h"

enum {
    HEAD_MAX = 1 + 8 + 8 + 10, // of an entry, before its filter
    ENTRY_MAX = HEAD_MAX + NGRAMS_FILTER_MAX,
    WINDOW_SIZE = 1 << 20,
};
_Static_assert(ENTRY_MAX < WINDOW_SIZE, "an entry is seen as a whole");

// A window that moves over the index.
struct asking {
    const struct ngrams_asking *asking;
    int file;   // or -1:
    bytes rest; // what is left of the index in memory
    uint32_t hashes[NGRAMS_NEEDLE_MAX];
    unsigned hash_count;
    struct sha256 hash;
    uint8_t *window;
    size_t from, to;
    bool failed;
};

static size_t more(struct asking *a, uint8_t *to, size_t size)
{
    if (a->file < 0) {
        bytes b = bytes_first(a->rest, size);
        if (b.n) memcpy(to, b.p, b.n);
        a->rest = bytes_after(a->rest, b.n);
        return b.n;
    }
    ssize_t n;
    do {
        n = read(a->file, to, size);
    } while (n < 0 && errno == EINTR);
    if (n < 0) a->failed = true;
    return n > 0 ? (size_t)n : 0;
}

// Bytes from here on, ENTRY_MAX at least where there are as many.
static struct reader look(struct asking *a)
{
    if (a->to - a->from < ENTRY_MAX) {
        memmove(a->window, a->window + a->from, a->to - a->from);
        a->to -= a->from;
        a->from = 0;
        for (size_t n; a->to < WINDOW_SIZE;) {
            n = more(a, a->window + a->to, WINDOW_SIZE - a->to);
            if (!n) break;
            a->to += n;
        }
    }
    return reader_of(bytes_of(a->window + a->from, a->to - a->from));
}

// What was read is done with.
static void pass(struct asking *a, const struct reader *r)
{
    size_t n = (size_t)(r->at - (a->window + a->from));
    sha256_add(&a->hash, bytes_of(a->window + a->from, n));
    a->from += n;
}

static bool filter_may(const struct asking *a, bytes filter)
{
    if (!filter.n) return true;
    for (unsigned i = 0; i < a->hash_count; i++) {
        uint32_t bit = ngram_bit(a->hashes[i], (uint32_t)filter.n * 8);
        if (!(filter.p[bit / 8] >> bit % 8 & 1)) return false;
    }
    return true;
}

// One entry. False at the end, or when *bad is set.
static bool ask_entry(struct asking *a, bool *bad)
{
    const struct ngrams_asking *to = a->asking;
    struct reader r = look(a);
    uint8_t kind = read_u8(&r);
    if (kind == NGRAMS_ENTRY_END) {
        read_le64(&r); // the payload, for people
        *bad = r.bad;
        if (!r.bad) pass(a, &r);
        return false;
    }
    uint64_t first = read_le64(&r), second = read_le64(&r), size = read_varint(&r);
    if (size > NGRAMS_FILTER_MAX) r.bad = true;
    bytes filter = read_bytes(&r, r.bad ? 0 : (size_t)size);
    *bad = r.bad || kind > NGRAMS_ENTRY_ARTIFACT;
    if (*bad) return false;
    bool may = filter_may(a, filter);
    struct record_id words = {first, second};
    if (kind == NGRAMS_ENTRY_CONVERSATION && to->conversation)
        to->conversation(to->context, words, may);
    if (kind == NGRAMS_ENTRY_GROUP && to->group) to->group(to->context, first, second, may);
    if (kind == NGRAMS_ENTRY_ARTIFACT && to->artifact) to->artifact(to->context, words, may);
    pass(a, &r);
    return true;
}

static enum ngrams_state ask_all(struct asking *a, const uint8_t name[SHA256_SIZE])
{
    struct reader r = look(a);
    bytes magic = read_bytes(&r, NGRAMS_MAGIC_SIZE), made_from = read_bytes(&r, SHA256_SIZE);
    if (r.bad) return NGRAMS_DAMAGED;
    if (!bytes_equal(magic, bytes_of(ngrams_magic, NGRAMS_MAGIC_SIZE)) ||
        !bytes_equal(made_from, bytes_of(name, SHA256_SIZE)))
        return NGRAMS_OTHER;
    pass(a, &r);
    bool bad = false;
    while (ask_entry(a, &bad)) {
    }
    if (bad) return NGRAMS_DAMAGED;
    uint8_t digest[SHA256_SIZE];
    sha256_end(&a->hash, digest);
    r = look(a);
    bytes said = read_bytes(&r, SHA256_SIZE);
    bool fits =
        !a->failed && bytes_equal(said, bytes_of(digest, sizeof digest)) && reader_left(&r) == 0;
    return fits ? NGRAMS_FIT : NGRAMS_DAMAGED;
}

static enum ngrams_state ask(struct asking *a, const uint8_t name[SHA256_SIZE])
{
    bytes needle = bytes_first(a->asking->needle, NGRAMS_NEEDLE_MAX);
    uint32_t gram = 0;
    for (size_t i = 0; i < needle.n; i++) {
        gram = ngram_add(gram, needle.p[i]);
        if (i + 1 >= NGRAM_SIZE) a->hashes[a->hash_count++] = ngram_hash(gram);
    }
    a->window = memory_get(WINDOW_SIZE);
    sha256_init(&a->hash);
    enum ngrams_state state = ask_all(a, name);
    memory_free(a->window);
    return state;
}

enum ngrams_state ngrams_ask(const char *path, const uint8_t name[SHA256_SIZE],
                             const struct ngrams_asking *asking)
{
    struct asking a = {.asking = asking, .file = open(path, O_RDONLY | O_CLOEXEC)};
    if (a.file < 0) return errno == ENOENT || errno == ENOTDIR ? NGRAMS_ABSENT : NGRAMS_DAMAGED;
    enum ngrams_state state = ask(&a, name);
    close(a.file);
    return state;
}

enum ngrams_state ngrams_ask_bytes(bytes content, const uint8_t name[SHA256_SIZE],
                                   const struct ngrams_asking *asking)
{
    struct asking a = {.asking = asking, .file = -1, .rest = content};
    return ask(&a, name);
}
