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

bool chain_append(struct chain *c, bytes members, struct err *err)
{
    struct text line = {0};
    text_format(&line, "{\"seq\":%" PRIu64 ",\"prev\":\"%s\",", c->seq + 1, c->head);
    text_put(&line, members);
    text_add(&line, "}\n");
    bool fine = file_write_all(c->file, bytes_of(line.p, line.n), err);
    if (fine && fdatasync(c->file) != 0) fine = err_system(err, errno, "fsync");
    if (fine) chain_follow(c, bytes_of(line.p, line.n - 1));
    else if (ftruncate(c->file, (off_t)c->size) != 0) err_in(err, "the log's end is unfinished");
    text_deinit(&line);
    return fine || err_in(err, "cannot write the log");
}
