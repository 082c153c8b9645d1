// weir files: artifacts of a case, listed or taken out.
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cmd/cmd.h"
#include "extract/file_kind.h"
#include "filter/filter.h"
#include "record/output.h"
#include "store/artifact.h"

enum { PATH_SIZE = 4096, COPY_SIZE = 65536 };

struct files_options {
    const char *folder, *expression, *format;
};

static const struct option_row rows[] = {
    {'w', "write", OPTION_TEXT, offsetof(struct files_options, folder), "DIR",
     "take them out into this folder, named by SHA-256", 0, 0},
    {'Y', "filter", OPTION_TEXT, offsetof(struct files_options, expression), "EXPR",
     "only files for which this holds", 0, 0},
    {'o', "output", OPTION_TEXT, offsetof(struct files_options, format), "FORMAT",
     "table, json, csv [table]", 0, 0},
};

struct files {
    const struct files_options *options;
    const char *case_path;
    struct output *output;
    uint64_t found, taken, absent;
    struct err *err; // set when the machine failed
    bool failed;
};

// ---- taking out ---------------------------------------------------------------------------------

// An ending that lets people open the file; none for what is not known.
static const char *file_ending(bytes mime_type)
{
    static const struct {
        const char *type, *ending;
    } known[] = {
        {"text/html", ".html"},
        {"text/plain", ".txt"},
        {"text/xml", ".xml"},
        {"application/json", ".json"},
        {"image/png", ".png"},
        {"image/jpeg", ".jpg"},
        {"image/gif", ".gif"},
        {"image/svg+xml", ".svg"},
        {"image/webp", ".webp"},
        {"application/pdf", ".pdf"},
        {"application/zip", ".zip"},
        {"application/gzip", ".gz"},
        {"application/x-dosexec", ".exe"},
        {"text/javascript", ".js"},
        {"application/javascript", ".js"},
        {"video/mp4", ".mp4"},
        {"audio/mpeg", ".mp3"},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (bytes_equal(mime_type, bytes_text(known[i].type))) return known[i].ending;
    return "";
}

static bool copy_all(int from, int to, struct err *err)
{
    uint8_t memory[COPY_SIZE];
    ssize_t n;
    while ((n = read(from, memory, sizeof memory)) > 0)
        if (!file_write_all(to, bytes_of(memory, (size_t)n), err)) return false;
    return n == 0 || err_system(err, errno, "cannot read an artifact");
}

static bool copy_file(const char *from_path, const char *to_path, struct err *err)
{
    int from = open(from_path, O_RDONLY | O_CLOEXEC);
    if (from < 0) return err_system(err, errno, "cannot open %s", from_path);
    int to = open(to_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    bool ok = to >= 0 || err_system(err, errno, "cannot write %s", to_path);
    ok = ok && copy_all(from, to, err);
    close(from);
    if (to >= 0 && close(to) != 0 && ok) ok = err_system(err, errno, "cannot write %s", to_path);
    return ok;
}

static void take_out(struct files *f, const struct record_batch *b, uint32_t row)
{
    char artifact[ARTIFACT_PATH_MAX], from[PATH_SIZE], to[PATH_SIZE];
    if (!batch_has(b, FILE_ARTIFACT, row)) {
        f->absent++;
        return;
    }
    artifact_path(artifact, batch_get_bytes(b, FILE_ARTIFACT, row).p);
    snprintf(from, sizeof from, "%s/%s", f->case_path, artifact);
    if (access(from, F_OK) != 0) {
        f->absent++;
        return;
    }
    bytes type = batch_has(b, FILE_MIME_TYPE, row) ? batch_get_bytes(b, FILE_MIME_TYPE, row)
                                                   : bytes_of(NULL, 0);
    snprintf(to, sizeof to, "%s/%s%s", f->options->folder, strrchr(artifact, '/') + 1,
             file_ending(type));
    if (access(to, F_OK) == 0) return; // the same content under the same name
    if (copy_file(from, to, f->err)) f->taken++;
    else f->failed = true;
}

static bool take_file(void *context, const struct record_batch *b, uint32_t row)
{
    struct files *f = context;
    f->found++;
    output_batch_row(f->output, b, row);
    if (f->options->folder) take_out(f, b, row);
    return !f->failed;
}

// ---- the command --------------------------------------------------------------------------------

static bool files_format(const char *name, enum output_format *format, struct err *err)
{
    *format = OUTPUT_TABLE;
    if (!name || strcmp(name, "table") == 0) return true;
    *format = OUTPUT_JSON;
    if (strcmp(name, "json") == 0) return true;
    *format = OUTPUT_CSV;
    if (strcmp(name, "csv") == 0) return true;
    return err_set(err, ERR_USAGE, "\"%s\" is no format; there are table, json and csv", name);
}

static bool files_check(const struct files_options *o, int argc, enum output_format *format,
                        struct err *err)
{
    if (argc < 0) return false;
    if (argc != 1) return err_set(err, ERR_USAGE, "name one case: weir files CASE [-w DIR]");
    if (!files_format(o->format, format, err)) return false;
    return !o->folder || folder_make(o->folder, err);
}

static int files_tell(const struct files *f)
{
    if (f->options->folder)
        fprintf(stderr, "weir: %llu files written to %s\n", (unsigned long long)f->taken,
                f->options->folder);
    if (f->options->folder && f->absent)
        fprintf(stderr, "weir: the content of %llu was not kept (empty, or --file-limit 0)\n",
                (unsigned long long)f->absent);
    return f->found ? 0 : ERR_DIFFERENCE;
}

static int files_run(int argc, char **argv)
{
    struct files_options o = {0};
    struct err err = {0};
    enum output_format format = OUTPUT_TABLE;
    argc = options_parse(&files_command, argc, argv, &o, &err);
    if (!files_check(&o, argc, &format, &err)) return command_fail(&err);
    struct filter *filter = o.expression ? wanted_filter(o.expression, &file_kind) : NULL;
    if (o.expression && !filter) return ERR_USAGE;
    struct asked asked;
    if (!asked_open(&asked, argv[0], &err)) return command_fail(&err);
    struct files f = {.options = &o, .case_path = case_path(asked.reader), .err = &err};
    bool ok = true;
    if (o.folder && !f.case_path)
        ok = err_set(&err, ERR_USAGE, "%s is no case: read it into one first, to keep its files",
                     argv[0]);
    f.output = output_create_for(format, stdout, &file_kind, table_width());
    ok = ok && wanted_scan(asked.reader, &file_kind, filter, take_file, &f, &err) && !f.failed;
    ok = ok && output_end(f.output, &err);
    output_destroy(f.output);
    filter_destroy(filter);
    asked_close(&asked);
    return ok ? files_tell(&f) : command_fail(&err);
}

const struct command files_command = {
    "files", "CASE [-Y EXPR] [-w DIR]",    "artifacts: list, or take out",
    rows,    sizeof rows / sizeof rows[0], files_run};
