#include "engine/evidence.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "store/case.h"
#include "store/extent.h"

struct evidence {
    struct extent *extent; // NULL: the capture is elsewhere, and nothing is known of it
    struct fetch *fetch;
    char *path;
};

static bool is_gone(const struct case_reader *reader, const char *path, struct err *err)
{
    const char *folder = case_path(reader);
    return err_set(err, ERR_INPUT,
                   "the packets are in %s, which is not there any more: put it back, or say where "
                   "it is now: weir relocate %s PATH",
                   path, folder ? folder : "CASE");
}

// The capture must be the one that was read, as far as its size tells; `weir verify` compares
// hashes.
static bool is_there(const struct case_reader *reader, const char *path, uint64_t size,
                     struct err *err)
{
    struct stat info;
    if (strcmp(path, "-") == 0)
        return err_set(err, ERR_INPUT,
                       "the packets came from standard input and are not there any more");
    if (stat(path, &info) != 0) {
        if (errno == ENOENT || errno == ENOTDIR) return is_gone(reader, path, err);
        return err_system(err, errno, "cannot read the packets in %s", path);
    }
    if ((uint64_t)info.st_size == size) return true;
    return err_set(err, ERR_INPUT,
                   "%s is not the file that was read: it had %llu bytes and has %llu", path,
                   (unsigned long long)size, (unsigned long long)info.st_size);
}

// Why a capture of the case is not there, where its file is not either.
static bool is_lost(const struct catalogue_extent *former, const char *path, struct err *err)
{
    if (former)
        return err_set(err, ERR_INPUT,
                       "the packets of %s are not there any more: they went by age or size, as "
                       "line %llu of the log says",
                       path, (unsigned long long)former->removed_by);
    return err_set(err, ERR_INPUT,
                   "these packets of %s are not in the case: they come with its next part, unless "
                   "the disk was full or weir was killed before that",
                   path);
}

bool evidence_is_left(const struct case_reader *reader, const struct evidence_of *of,
                      struct err *err)
{
    const struct catalogue_reading *r = catalogue_reading_of(case_catalogue(reader), of->reading);
    const struct catalogue_extent *named = r ? catalogue_extent_of(r, of->number) : NULL;
    if (named ? !named->removed_by : !r || !r->is_recording) return true;
    return (named && access(of->path, F_OK) == 0) || is_lost(named, of->path, err);
}

static bool open_fetch(struct evidence *e, const struct case_reader *reader,
                       const struct evidence_of *of, struct err *err)
{
    struct fetch_from from = {.path = of->path};
    const struct catalogue_reading *r = catalogue_reading_of(case_catalogue(reader), of->reading);
    const struct catalogue_extent *named = r ? catalogue_extent_of(r, of->number) : NULL;
    if (named && !named->removed_by) {
        e->extent = extent_open(case_path(reader), named, err);
        if (!e->extent) return false;
        from.map = extent_map(e->extent);
        from.content = extent_content(e->extent);
    }
    if (r && of->number < r->capture_count && catalogue_is_moved(&r->captures[of->number]))
        from.path = r->captures[of->number].found_at;
    if (!from.content && !is_there(reader, from.path, of->bytes, err)) return false;
    e->path = text_copy(from.path);
    e->fetch = fetch_open(&from, err);
    return e->fetch != NULL;
}

struct evidence *evidence_open(const struct case_reader *reader, const struct evidence_of *of,
                               struct err *err)
{
    struct evidence *e = memory_get(sizeof *e);
    if (open_fetch(e, reader, of, err)) return e;
    evidence_close(e);
    return NULL;
}

void evidence_close(struct evidence *e)
{
    if (!e) return;
    fetch_close(e->fetch);
    extent_close(e->extent);
    memory_free(e->path);
    memory_free(e);
}

struct fetch *evidence_fetch(struct evidence *e)
{
    return e->fetch;
}

const char *evidence_path(const struct evidence *e)
{
    return e->path;
}
