// Files of flow lines, and standard input, piece by piece.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/decompress.h"
#include "base/memory.h"
#include "service/gather.h"

enum { PIECE = 64 * 1024, POLL_MS = 100 };

struct lines_input {
    const struct gather_options *options;
    const char *path;
    int descriptor;
    // Where the file is compressed.
    struct decompressor *decompressor;
    uint8_t *packed;
    bytes rest; // of it
};

static void pass_dead(void *context, uint64_t line, const char *why, bytes text)
{
    const struct lines_input *in = context;
    if (in->options->dead) in->options->dead(in->options->context, in->path, line, why, text);
}

static bool is_stopped(const struct lines_input *in)
{
    return in->options->stop && atomic_load(in->options->stop);
}

// As much as there is, up to a piece; a pipe gives it in parts.
static bool read_packed(const struct lines_input *in, uint8_t *piece, size_t *n, struct err *err)
{
    *n = 0;
    while (*n < PIECE) {
        struct pollfd waiting = {in->descriptor, POLLIN, 0};
        if (is_stopped(in)) return true;
        if (poll(&waiting, 1, POLL_MS) <= 0) continue;
        ssize_t got = read(in->descriptor, piece + *n, PIECE - *n);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0)
            return err_set(err, ERR_INPUT, "%s cannot be read: %s", in->path, strerror(errno));
        if (got == 0) return true;
        *n += (size_t)got;
    }
    return true;
}

// What was before damage comes first.
static bool read_piece(struct lines_input *in, uint8_t *piece, size_t *n, struct err *err)
{
    if (!in->decompressor) return read_packed(in, piece, n, err);
    *n = 0;
    for (;;) {
        size_t written, packed;
        enum decompress_result r =
            decompress(in->decompressor, &in->rest, piece + *n, PIECE - *n, &written);
        *n += written;
        if (*n == PIECE) return true;
        if (r == DECOMPRESS_BROKEN || (r == DECOMPRESS_END && in->rest.n))
            return *n || err_set(err, ERR_INPUT, "%s is compressed, and damaged", in->path);
        if (!read_packed(in, in->packed, &packed, err)) return false;
        in->rest = bytes_of(in->packed, packed);
        if (packed) continue;
        if (r == DECOMPRESS_END) return true;
        return *n || err_set(err, ERR_INPUT, "%s is compressed, and ends too early", in->path);
    }
}

// The first piece, which says whether the file is compressed.
static bool read_first(struct lines_input *in, uint8_t *piece, size_t *n, struct err *err)
{
    if (!read_packed(in, piece, n, err)) return false;
    enum compression compression = compression_of_file(bytes_of(piece, *n));
    if (compression == COMPRESSION_NONE) return true;
    in->decompressor = decompressor_create(compression);
    in->packed = memory_get(PIECE);
    memcpy(in->packed, piece, *n);
    in->rest = bytes_of(in->packed, *n);
    return in->decompressor ? read_piece(in, piece, n, err)
                            : err_set(err, ERR_MACHINE, "no memory to decompress %s", in->path);
}

void gather_counts_add(struct gather_counts *sum, const struct gather_counts *n)
{
    sum->datagrams += n->datagrams;
    sum->bytes += n->bytes;
    sum->dropped += n->dropped;
    sum->connections += n->connections;
    sum->faults += n->faults;
    lines_counts_add(&sum->lines, n->lines);
    nfdump_counts_add(&sum->nfdump, &n->nfdump);
    joining_counts_add(&sum->pairs, &n->pairs);
}

static bool take_lines(struct lines_input *in, struct record_writer *writer, uint8_t *piece,
                       size_t n, struct lines_counts *counts, struct err *err)
{
    struct lines_options options = {.input = in->path,
                                    .point = in->options->point ? in->options->point : "",
                                    .elements = in->options->elements,
                                    .context = in,
                                    .dead = pass_dead};
    struct lines *l = lines_create(&options, writer);
    bool ok = true;
    while (ok && n) {
        lines_feed(l, bytes_of(piece, n));
        if (is_stopped(in)) break;
        ok = read_piece(in, piece, &n, err);
    }
    lines_end(l);
    lines_counts_add(counts, lines_counts(l));
    lines_destroy(l);
    return ok;
}

bool gather_lines(const struct gather_options *options, const char *path,
                  struct record_writer *writer, struct lines_counts *counts, bool *is_lines,
                  struct err *err)
{
    struct lines_input in = {.options = options, .path = path, .descriptor = STDIN_FILENO};
    bool is_stdin = strcmp(path, "-") == 0;
    *is_lines = false;
    if (!is_stdin) in.descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (in.descriptor < 0)
        return err_set(err, ERR_INPUT, "%s cannot be opened: %s", path, strerror(errno));
    uint8_t *piece = memory_get(PIECE);
    size_t n;
    // Damage of what may be something else is for who reads that to tell.
    bool ok = read_first(&in, piece, &n, err) || (in.decompressor && !is_stdin);
    *is_lines = ok && (lines_recognise(bytes_of(piece, n)) || is_stopped(&in));
    if (*is_lines) ok = take_lines(&in, writer, piece, n, counts, err);
    else if (ok && is_stdin) ok = err_set(err, ERR_INPUT, "standard input has no lines of flows");
    memory_free(piece);
    memory_free(in.packed);
    decompressor_destroy(in.decompressor);
    if (!is_stdin) close(in.descriptor);
    return ok;
}
