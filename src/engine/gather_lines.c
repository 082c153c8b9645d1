// Files of flow lines, and standard input, piece by piece.
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "engine/gather.h"

enum { PIECE = 64 * 1024 };

struct lines_input {
    const struct gather_options *options;
    const char *path;
    int descriptor;
};

static void pass_dead(void *context, uint64_t line, const char *why, bytes text)
{
    const struct lines_input *in = context;
    if (in->options->dead) in->options->dead(in->options->context, in->path, line, why, text);
}

// As much as there is, up to a piece; a pipe gives it in parts.
static bool read_piece(const struct lines_input *in, uint8_t *piece, size_t *n, struct err *err)
{
    *n = 0;
    while (*n < PIECE) {
        ssize_t got = read(in->descriptor, piece + *n, PIECE - *n);
        if (got < 0 && errno == EINTR) {
            if (in->options->stop && *in->options->stop) return true;
            continue;
        }
        if (got < 0)
            return err_set(err, ERR_INPUT, "%s cannot be read: %s", in->path, strerror(errno));
        if (got == 0) return true;
        *n += (size_t)got;
    }
    return true;
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
        if (in->options->stop && *in->options->stop) break;
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
    struct lines_input in = {options, path, STDIN_FILENO};
    bool is_stdin = strcmp(path, "-") == 0;
    *is_lines = false;
    if (!is_stdin) in.descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (in.descriptor < 0)
        return err_set(err, ERR_INPUT, "%s cannot be opened: %s", path, strerror(errno));
    uint8_t *piece = memory_get(PIECE);
    size_t n;
    bool ok = read_piece(&in, piece, &n, err);
    *is_lines = ok && lines_recognise(bytes_of(piece, n));
    if (*is_lines) ok = take_lines(&in, writer, piece, n, counts, err);
    else if (ok && is_stdin) ok = err_set(err, ERR_INPUT, "standard input has no lines of flows");
    memory_free(piece);
    if (!is_stdin) close(in.descriptor);
    return ok;
}
