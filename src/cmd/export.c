// weir export: packets of a case as a capture that any other program reads.
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "bus/kafka_place.h"
#include "cmd/cmd.h"
#include "cmd/sending.h"
#include "engine/bundle.h"
#include "engine/catalogue.h"
#include "engine/export.h"
#include "engine/provenance.h"
#include "filter/filter.h"
#include "flow/flow.h"
#include "store/entry.h"

struct export_options {
    const char *to, *kafka, *bundle, *expression, *kind, *why;
};

static const struct option_row rows[] = {
    {'w', "write", OPTION_TEXT, offsetof(struct export_options, to), "TO",
     "the packets as pcapng into a file; - is standard output; or each into a topic, "
     "kafka://HOST:PORT/TOPIC",
     0, 0},
    {0, "kafka", OPTION_TEXT, offsetof(struct export_options, kafka), "FILE",
     "options of kafka://HOST:PORT/TOPIC, NAME=VALUE on each line; or one NAME=VALUE [none]", 0, 0},
    {0, "bundle", OPTION_TEXT, offsetof(struct export_options, bundle), "DIR",
     "whole conversations with records, files, log and signature, to be checked without weir", 0,
     0},
    {'Y', "filter", OPTION_TEXT, offsetof(struct export_options, expression), "EXPR",
     "of what this holds for: 'service == \"dns\" and src_addr in 10.0.0.0/8'", 0, 0},
    {'k', "kind", OPTION_TEXT, offsetof(struct export_options, kind), "KIND",
     "kind of record that -Y chooses from [conversation]", 0, 0},
    {0, "why", OPTION_TEXT, offsetof(struct export_options, why), "TEXT",
     "the reason, for the log of the case", 0, 0},
};

struct export_run {
    const struct export_options *options;
    const struct record_kind *kind;
    struct filter *filter;
    struct record_id id;
    struct asked asked;
    struct provenance provenance;
    uint64_t records, loose;
};

// ---- which packets ------------------------------------------------------------------------------

static bool take_row(void *context, const struct record_batch *b, uint32_t row)
{
    struct export_run *r = context;
    if (provenance_add(&r->provenance, b, row)) r->records++;
    else r->loose++;
    return true;
}

static bool take_named(void *context, const struct record_batch *b)
{
    struct export_run *r = context;
    r->kind = b->kind;
    return take_row(r, b, 0);
}

static bool export_choose(struct export_run *r, struct err *err)
{
    bool ok = r->filter ? wanted_scan(r->asked.reader, r->kind, r->filter, take_row, r, err)
                        : named_find(r->asked.reader, r->id, take_named, r, err);
    if (!ok) return false;
    if (r->loose && !r->records)
        return err_set(err, ERR_INPUT, "%s hangs on no conversation, whose packets could be told",
                       r->kind->name);
    if (!r->records) return err_set(err, ERR_DIFFERENCE, "no %s matches", r->kind->name);
    if (r->options->bundle) provenance_widen(&r->provenance);
    return provenance_find(&r->provenance, r->asked.reader, err);
}

// ---- writing ------------------------------------------------------------------------------------

static FILE *export_open(const char *path, struct err *err)
{
    if (strcmp(path, "-") == 0) return stdout;
    int file = file_create(path, err);
    return file < 0 ? NULL : fdopen(file, "wb");
}

static bool export_write(struct export_run *r, const char *path, struct export_counts *counts,
                         struct err *err)
{
    FILE *out = export_open(path, err);
    if (!out) return false;
    bool ok = export_packets(r->asked.reader, &r->provenance.found, out, counts, err);
    if (out != stdout && fclose(out) != 0 && ok)
        ok = err_system(err, errno, "cannot write %s", path);
    if (!ok && out != stdout) unlink(path);
    return ok;
}

static bool export_send(struct export_run *r, const char *url, struct export_counts *counts,
                        struct err *err)
{
    struct packets_out *packets = sending_open(url, r->options->kafka, err);
    if (!packets) return false;
    bool ok = export_packets_to(r->asked.reader, &r->provenance.found, packets, counts, err);
    if (!ok) packets_out_close(packets);
    return ok && sending_end(packets, true, err);
}

static bool export_bundle(struct export_run *r, const char *folder, struct export_counts *counts,
                          struct err *err)
{
    struct author author;
    return command_author(&author, true, r->options->why, err) &&
           bundle_write(r->asked.reader, &r->provenance.found, folder, &author, counts, err);
}

// ---- the log ------------------------------------------------------------------------------------

static void put_text(struct text *members, const char *name, const char *value)
{
    if (!value) return;
    entry_text(members, name, value);
    text_add(members, ",");
}

// Options may be secrets.
static void put_place(struct text *members, const char *url)
{
    struct text name = {0};
    text_put(&name, bytes_first(bytes_text(url), strcspn(url, "?")));
    put_text(members, "topic", name.p);
    text_deinit(&name);
}

// The file's hash, or that of a bundle's list of hashes: so it is known later what was given out.
static bool put_hash(const struct export_run *r, struct text *members, struct err *err)
{
    const struct export_options *o = r->options;
    char path[4096], hex[HEX_SHA256_SIZE];
    uint8_t digest[SHA256_SIZE];
    uint64_t size;
    if (!o->bundle && (strcmp(o->to, "-") == 0 || kafka_is_place(o->to))) return true;
    snprintf(path, sizeof path, "%s%s", o->bundle ? o->bundle : o->to,
             o->bundle ? "/SHA256SUMS" : "");
    if (!file_sha256(path, digest, &size, err)) return false;
    hex_format(hex, bytes_of(digest, sizeof digest));
    text_format(members, "\"sha256\":\"%s\",", hex);
    return true;
}

// A case that can't be written is exported from all the same.
static bool export_note(const struct export_run *r, const char *id, uint64_t packets,
                        struct err *err)
{
    const struct export_options *o = r->options;
    const char *folder = case_path(r->asked.reader);
    struct author author;
    struct text members = {0};
    if (!folder || access(folder, W_OK) != 0) return true;
    if (o->to && kafka_is_place(o->to)) put_place(&members, o->to);
    else put_text(&members, o->bundle ? "bundle" : "file", o->bundle ? o->bundle : o->to);
    put_text(&members, "kind", o->expression ? r->kind->name : NULL);
    put_text(&members, "filter", o->expression);
    put_text(&members, "id", id);
    bool ok = put_hash(r, &members, err);
    text_format(&members, "\"packets\":%llu", (unsigned long long)packets);
    ok = ok && command_author(&author, true, o->why, err) &&
         case_append(folder, "export", bytes_of(members.p, members.n), &author, err);
    text_deinit(&members);
    return ok || err_in(err, "the packets are written, and the log of the case does not tell so");
}

static bool export_all(struct export_run *r, const char *id, struct err *err)
{
    const struct export_options *o = r->options;
    struct export_counts counts;
    if (!export_choose(r, err)) return false;
    bool ok = o->bundle               ? export_bundle(r, o->bundle, &counts, err)
              : kafka_is_place(o->to) ? export_send(r, o->to, &counts, err)
                                      : export_write(r, o->to, &counts, err);
    if (!ok || !export_note(r, id, counts.packets, err)) return false;
    if (counts.left_out) command_left_out(counts.left_out);
    fprintf(stderr, "weir: wrote %llu packets, from which %llu %s record%s came\n",
            (unsigned long long)counts.packets, (unsigned long long)r->records, r->kind->name,
            r->records == 1 ? "" : "s");
    return true;
}

// ---- the command --------------------------------------------------------------------------------

static bool export_check(struct export_run *r, int argc, char **argv, struct err *err)
{
    const struct export_options *o = r->options;
    if (argc < 0) return false;
    if (argc != (o->expression ? 1 : 2))
        return err_set(err, ERR_USAGE,
                       "name a case and an id, or what to choose by: weir export CASE ID|-Y EXPR "
                       "-w FILE");
    if (!o->to == !o->bundle)
        return err_set(err, ERR_USAGE,
                       "say where to: weir export CASE ID -w FILE, or --bundle DIR");
    if (o->kafka && !(o->to && kafka_is_place(o->to)))
        return err_set(err, ERR_USAGE, "--kafka is for a topic: name one with -w");
    if (o->to && strcmp(o->to, "-") == 0 && isatty(STDOUT_FILENO))
        return err_set(err, ERR_USAGE, "-w - writes bytes: send them to a file or a program");
    if (o->kind && !o->expression)
        return err_set(err, ERR_USAGE, "-k says what -Y chooses from: name an expression, too");
    if (!o->expression) return named_parse(argv[1], &r->id, err);
    r->kind = o->kind ? catalogue_kind(bytes_text(o->kind)) : &conversation_kind;
    return (r->kind && !r->kind->hidden) ||
           err_set(err, ERR_USAGE, "there is no kind \"%s\"; weir fields lists all", o->kind);
}

static int export_run(int argc, char **argv)
{
    struct export_options o = {0};
    struct export_run r = {.options = &o};
    struct err err = {0};
    argc = options_parse(&export_command, argc, argv, &o, &err);
    if (!export_check(&r, argc, argv, &err)) return command_fail(&err);
    if (o.expression && !(r.filter = wanted_filter(o.expression, r.kind))) return ERR_USAGE;
    bool ok = asked_open(&r.asked, argv[0], &err);
    ok = ok && export_all(&r, o.expression ? NULL : argv[1], &err);
    provenance_deinit(&r.provenance);
    filter_destroy(r.filter);
    asked_close(&r.asked);
    return ok ? 0 : command_fail(&err);
}

const struct command export_command = {
    "export", "CASE|FILE ID|-Y EXPR -w FILE", "packets as a capture, or all with proof",
    rows,     sizeof rows / sizeof rows[0],   export_run};
