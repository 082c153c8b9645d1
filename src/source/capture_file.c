#include "source/capture_file.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/text.h"
#include "source/link_type.h"
#include "source/formats.h"
#include "source/paths.h"

enum { CAPTURE_COMMENTS_MAX = 1024 };

static const struct capture_format *const capture_formats[] = {&pcap_format, &pcapng_format,
                                                               &snoop_format};

static const char *compression_name(enum compression compression)
{
    switch (compression) {
    case COMPRESSION_GZIP:
        return "gzip";
    case COMPRESSION_ZSTD:
        return "zstd";
    case COMPRESSION_LZ4:
        return "lz4";
    case COMPRESSION_NONE:
    case COMPRESSION_DEFLATE:
    case COMPRESSION_BROTLI:
        break;
    }
    return "";
}

static const struct capture_format *format_of(bytes first)
{
    for (size_t i = 0; i < sizeof capture_formats / sizeof *capture_formats; i++) {
        if (capture_formats[i]->recognise(first)) return capture_formats[i];
    }
    return NULL;
}

void capture_info_deinit(struct capture_info *info)
{
    if (info->comments && info->comments[0]) memory_free((char *)info->comments);
    info->comments = "";
    memory_free(info->losses);
    info->losses = NULL;
    info->loss_count = 0;
}

// Path and number stay, everything else begins anew: a file may be opened twice.
static void info_reset(struct capture_info *info)
{
    capture_info_deinit(info);
    *info = (struct capture_info){.path = info->path,
                                  .number = info->number,
                                  .format = "",
                                  .compression = "",
                                  .comments = "",
                                  .first_seen = INT64_MAX,
                                  .last_seen = INT64_MIN};
}

static bool capture_recognise(struct capture_file *f, struct err *err)
{
    const char *name = path_called(f->info->path);
    block_need(&f->in, CAPTURE_MAGIC_SIZE);
    if (f->in.error_number) return capture_file_error(f, err);
    if (f->in.stored_bytes == 0) {
        return err_set(err, ERR_INPUT,
                       "%s is empty: no capture was written to it, or copying it failed", name);
    }
    f->format = format_of(bytes_first(block_view(&f->in), CAPTURE_MAGIC_SIZE));
    if (f->format) return true;
    if (f->in.cut) {
        return err_set(err, ERR_INPUT,
                       "%s is compressed, but cut or damaged at its very beginning: copy it "
                       "again from where it came",
                       name);
    }
    return err_set(
        err, ERR_INPUT,
        "%s is not a capture in a format that is known here (pcap, pcapng or "
        "snoop; also as .gz, .zst or .lz4); if it is one, 'editcap -F pcapng' may convert it",
        name);
}

bool capture_file_error(const struct capture_file *f, struct err *err)
{
    if (!f->in.content) return path_error(err, f->in.error_number, f->info->path);
    if (err) *err = f->in.content->err;
    return false;
}

// ---- keeping ------------------------------------------------------------------------------------

static void keep_take(void *context, bytes view)
{
    struct capture_keeping *k = context;
    k->sink->add(k->kept, view);
    if (k->hash_content) sha256_add(&k->content, view);
}

// Where the packets lie in a compressed file is of no use: one cannot begin in its middle.
static void keep_begin(struct capture_file *f, const struct capture_file_options *options,
                       enum compression compression)
{
    struct capture_keeping *k = &f->keeping;
    bool compressed = compression != COMPRESSION_NONE;
    if (!options->sink || (!options->keep && compressed)) return;
    k->sink = options->sink;
    k->kept = k->sink->begin(k->sink->context, f->info->number, options->keep);
    k->point_next = CAPTURE_POINT_DISTANCE;
    k->hash_content = options->keep && compressed;
    sha256_init(&k->content);
    if (options->keep) block_tap(&f->in, options->keeper, keep_take, k);
}

static void keep_end(struct capture_file *f)
{
    struct capture_keeping *k = &f->keeping;
    if (!k->sink) return;
    block_tap_wait(&f->in);
    struct capture_end end = {.map = &k->map,
                              .bytes = f->in.end_offset,
                              .first = f->info->first_seen,
                              .last = f->info->last_seen};
    if (k->hash_content) sha256_end(&k->content, end.sha256);
    else memcpy(end.sha256, f->info->sha256, sizeof end.sha256);
    k->sink->end(k->kept, &end);
}

void capture_file_note(struct capture_file *f)
{
    uint64_t offset = block_offset(&f->in);
    if (!f->keeping.sink || offset < f->keeping.point_next) return;
    struct capture_point point = {.ordinal = f->ordinal, .offset = offset};
    if (f->format->save) point.state = f->format->save(f);
    capture_map_add(&f->keeping.map, point);
    f->keeping.point_next = offset + CAPTURE_POINT_DISTANCE;
}

void capture_describes(struct capture_file *f)
{
    if (f->keeping.sink) capture_map_describe(&f->keeping.map, block_offset(&f->in));
}

void capture_file_jump(struct capture_file *f, const struct capture_map *map,
                       const struct capture_point *point)
{
    uint32_t i = capture_map_description(map, block_offset(&f->in));
    for (; i < map->description_count && map->descriptions[i] < point->offset; i++) {
        block_seek(&f->in, map->descriptions[i]);
        if (f->format->describe) f->format->describe(f);
    }
    block_seek(&f->in, point->offset);
    f->ordinal = point->ordinal;
    if (f->format->resume) f->format->resume(f, point->state);
}

// ---- opening and closing ------------------------------------------------------------------------

struct capture_file *capture_file_open(const struct block_input *input, struct capture_info *info,
                                       const struct capture_file_options *options, struct err *err)
{
    struct capture_file *f = memory_get(sizeof *f);
    info_reset(info);
    f->info = info;
    f->filter = options->filter;
    f->secrets = options->secrets;
    enum compression compression;
    block_init(&f->in, input, options->hasher, &compression);
    if (!capture_recognise(f, err)) {
        capture_file_close(f);
        return NULL;
    }
    info->format = f->format->name;
    info->compression = compression_name(compression);
    f->state = memory_get(f->format->state_size);
    keep_begin(f, options, compression);
    f->format->begin(f);
    return f;
}

// A regular file that was longer when it was opened has shrunk: what is missing was part of the
// evidence.
static bool capture_has_shrunk(const struct capture_file *f)
{
    struct stat st;
    return f->in.fd >= 0 && fstat(f->in.fd, &st) == 0 && S_ISREG(st.st_mode) &&
           f->in.stored_bytes < f->info->file_bytes;
}

bool capture_file_finish(struct capture_file *f, struct err *err)
{
    struct capture_info *info = f->info;
    block_drain(&f->in);
    if (f->in.error_number) return capture_file_error(f, err);
    if (capture_has_shrunk(f) || f->in.cut) info->truncated = true;
    info->damaged_bytes += f->in.unusable_bytes;
    info->file_bytes = f->in.stored_bytes;
    info->hashed = block_hash(&f->in, info->sha256);
    keep_end(f);
    return true;
}

void capture_file_close(struct capture_file *f)
{
    if (!f) return;
    if (f->state && f->format->end) f->format->end(f);
    memory_free(f->state);
    block_deinit(&f->in);
    capture_map_deinit(&f->keeping.map);
    memory_free(f);
}

void capture_add_link_type(struct capture_file *f, uint16_t link_type)
{
    char number[8], *list = f->info->link_types;
    const char *name = link_type_name(link_type);
    if (f->filter) packet_filter_prepare(f->filter, link_type, NULL);
    snprintf(number, sizeof number, "%u", link_type);
    if (!name) name = number;
    size_t used = strlen(list), n = strlen(name);
    for (const char *at = list; (at = strstr(at, name)); at += n) {
        bool begins = at == list || at[-1] == ',', ends = at[n] == 0 || at[n] == ',';
        if (begins && ends) return;
    }
    if (used + n + 2 > sizeof f->info->link_types) return;
    snprintf(list + used, sizeof f->info->link_types - used, "%s%s", used ? "," : "", name);
}

void capture_add_comment(struct capture_file *f, bytes comment)
{
    comment = bytes_first(comment, bytes_find(comment, 0));
    if (comment.n == 0) return;
    if (!f->info->comments[0]) f->info->comments = memory_get(CAPTURE_COMMENTS_MAX);
    char *list = (char *)f->info->comments;
    size_t used = strlen(list);
    if (used + 2 >= CAPTURE_COMMENTS_MAX) return;
    if (used) list[used++] = '\n';
    used += text_escape(list + used, CAPTURE_COMMENTS_MAX - 1 - used, comment);
    list[used] = 0;
}

void capture_add_loss(struct capture_file *f, const struct capture_loss *loss)
{
    struct capture_info *info = f->info;
    info->timed_drops += loss->packets;
    if (info->loss_count == CAPTURE_LOSSES_MAX) {
        struct capture_loss *last = &info->losses[CAPTURE_LOSSES_MAX - 1];
        last->packets += loss->packets;
        last->messages += loss->messages;
        if (loss->from < last->from) last->from = loss->from;
        if (loss->to > last->to) last->to = loss->to;
        return;
    }
    if (!info->losses) info->losses = memory_get(CAPTURE_LOSSES_MAX * sizeof *info->losses);
    info->losses[info->loss_count++] = *loss;
}

enum fill_result capture_end_cut(struct capture_file *f)
{
    size_t left = block_view(&f->in).n;
    block_skip(&f->in, left);
    f->info->cut_bytes += left;
    f->info->truncated = f->info->truncated || left > 0;
    return FILL_END;
}
