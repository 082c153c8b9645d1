#include "store/chain.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"

void chain_reset(struct chain *c)
{
    *c = (struct chain){.file = -1};
    memset(c->head, '0', HEX_SHA256_SIZE - 1);
}

static void chain_follow(struct chain *c, bytes line)
{
    uint8_t digest[SHA256_SIZE];
    sha256_of(line, digest);
    hex_format(c->head, bytes_of(digest, sizeof digest));
    c->seq++;
    c->size += line.n + 1;
}

static bool check_place(const struct chain *c, const json_t *line, const char *path,
                        struct err *err)
{
    const json_t *seq = json_object_get(line, "seq");
    const char *prev = json_string_value(json_object_get(line, "prev"));
    if (!json_is_integer(seq) || (uint64_t)json_integer_value(seq) != c->seq + 1)
        return err_set(err, ERR_INPUT,
                       "%s: line %" PRIu64 " has another number: lines were removed or put in",
                       path, c->seq + 1);
    if (!prev || strcmp(prev, c->head) != 0)
        return err_set(err, ERR_INPUT,
                       "%s: line %" PRIu64 " does not follow from line %" PRIu64
                       ": the log was changed",
                       path, c->seq + 1, c->seq);
    return true;
}

static bool take_line(struct chain *c, const char *path, bytes line, chain_visit *visit,
                      void *context, struct err *err)
{
    json_error_t why;
    json_t *json = json_loadb((const char *)line.p, line.n, JSON_REJECT_DUPLICATES, &why);
    if (!json)
        return err_set(err, ERR_INPUT, "%s: line %" PRIu64 " is damaged: %s", path, c->seq + 1,
                       why.text);
    bool fine =
        check_place(c, json, path, err) && (!visit || visit(context, c->seq + 1, json, err));
    json_decref(json);
    if (fine) chain_follow(c, line);
    return fine;
}

// Whether the line was cut short by a crash: zero bytes where a sector never came to the disk, and
// nothing behind it.
static bool is_torn(bytes line, bytes rest)
{
    return rest.n <= line.n + 1 && bytes_find(line, 0) < line.n;
}

bool chain_read(struct chain *c, const char *path, chain_visit *visit, void *context,
                struct err *err)
{
    chain_reset(c);
    bytes content = file_read(path, CHAIN_SIZE_MAX, err);
    if (!content.p) return false;
    bytes rest = content;
    bool fine = true;
    while (fine) {
        bytes line = bytes_first(rest, bytes_find(rest, '\n'));
        if (line.n == rest.n || is_torn(line, rest)) break;
        fine = take_line(c, path, line, visit, context, err);
        rest = bytes_after(rest, line.n + 1);
    }
    memory_free((void *)content.p);
    return fine;
}

bool chain_open(struct chain *c, const char *path, struct err *err)
{
    c->file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (c->file < 0) return err_system(err, errno, "cannot open %s for writing", path);
    if (ftruncate(c->file, (off_t)c->size) == 0) return true;
    err_system(err, errno, "cannot cut off the unfinished end of %s", path);
    chain_close(c);
    return false;
}

void chain_close(struct chain *c)
{
    if (c->file >= 0) close(c->file);
    c->file = -1;
}

void chain_draft_init(struct chain_draft *d, const struct chain *c)
{
    *d = (struct chain_draft){.after = *c};
}

void chain_draft_line(struct chain_draft *d, bytes members, const struct signing_key *key)
{
    size_t from = d->lines.n;
    text_format(&d->lines, "{\"seq\":%" PRIu64 ",\"prev\":\"%s\",", d->after.seq + 1,
                d->after.head);
    text_put(&d->lines, members);
    if (key) {
        uint8_t signature[SIGNATURE_SIZE];
        char hex[2 * SIGNATURE_SIZE + 1];
        signing_sign(key, bytes_of(d->lines.p + from, d->lines.n - from), signature);
        hex_format(hex, bytes_of(signature, sizeof signature));
        text_format(&d->lines, ",\"signature\":\"%s\"", hex);
    }
    text_add(&d->lines, "}");
    chain_follow(&d->after, bytes_of(d->lines.p + from, d->lines.n - from));
    text_add(&d->lines, "\n");
}

bool chain_append(struct chain *c, struct chain_draft *d, struct err *err)
{
    bool fine = file_write_all(c->file, bytes_of(d->lines.p, d->lines.n), err);
    if (fine && fdatasync(c->file) != 0) fine = err_system(err, errno, "fsync");
    if (fine) *c = d->after;
    else if (ftruncate(c->file, (off_t)c->size) != 0) err_in(err, "the log's end is unfinished");
    text_deinit(&d->lines);
    return fine || err_in(err, "cannot write the log");
}
