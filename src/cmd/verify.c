// weir verify: whether a case is what it was.
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "engine/catalogue.h"
#include "engine/reading.h"
#include "engine/rebuild.h"
#include "engine/version.h"
#include "store/check.h"
#include "store/lease.h"

struct verify_options {
    bool quick;
    const char *head, *key;
    uint64_t lanes;
};

static const struct option_row rows[] = {
    {0, "quick", OPTION_FLAG, offsetof(struct verify_options, quick), NULL,
     "the log and the files only; nothing is made again from packets", 0, 0},
    {0, "head", OPTION_TEXT, offsetof(struct verify_options, head), "HASH",
     "a state that it had, as an earlier verify printed it", 0, 0},
    {0, "key", OPTION_TEXT, offsetof(struct verify_options, key), "FILE",
     "the public key of who must have signed it", 0, 0},
    {'j', "lanes", OPTION_COUNT, offsetof(struct verify_options, lanes), "N",
     "lanes (threads) that make records again [1]", 1, LANES_MAX},
};

struct verify {
    const struct verify_options *options;
    const char *path;
    uint64_t changed, unchecked;
    struct log_checking log;
    struct log_checked log_is;
    struct case_reader *reader;
    char head[HEX_SHA256_SIZE];
    uint8_t key[PUBLIC_KEY_SIZE];
};

static void print_finding(void *context, const struct finding *f)
{
    struct verify *v = context;
    char time[TIME_TEXT_MAX];
    FILE *out = f->changed ? stdout : stderr;
    v->changed += f->changed;
    v->unchecked += !f->changed;
    fprintf(out, "%s%s: %s", f->changed ? "" : "weir: ", f->subject, f->what);
    if (f->line) {
        int n = time_format(time, f->time);
        fprintf(out, " (written %.*s, line %llu of the log)", n, time, (unsigned long long)f->line);
    }
    fputc('\n', out);
}

// ---- what is asked ------------------------------------------------------------------------------

// "HASH" or "HASH:LINE".
static bool read_head(struct verify *v, struct err *err)
{
    const char *text = v->options->head;
    uint8_t hash[SHA256_SIZE];
    char *end = NULL;
    if (!text) return true;
    size_t n = strcspn(text, ":");
    bool fine = n == 2 * SHA256_SIZE && hex_parse(bytes_of(text, n), hash, sizeof hash);
    if (fine && text[n]) {
        v->log.head_line = strtoull(text + n + 1, &end, 10);
        fine = !*end && v->log.head_line;
    }
    if (!fine)
        return err_set(err, ERR_USAGE,
                       "--head: \"%s\" is no state of a case: 64 hexadecimal digits, perhaps with "
                       ":LINE behind them, as weir verify prints it",
                       text);
    hex_format(v->head, bytes_of(hash, sizeof hash));
    v->log.head = v->head;
    return true;
}

static bool read_key(struct verify *v, struct err *err)
{
    if (!v->options->key) return true;
    if (!public_key_read(v->options->key, v->key, err)) return err_in(err, "--key");
    v->log.key = v->key;
    return true;
}

// ---- the log ------------------------------------------------------------------------------------

static bool is_there(const char *folder, const char *below)
{
    char path[PATH_MAX];
    return snprintf(path, sizeof path, "%s/%s", folder, below) < (int)sizeof path &&
           access(path, F_OK) == 0;
}

// What has records and no log was a case.
static bool has_lost_its_log(const char *path)
{
    return !is_there(path, CASE_LOG) && (is_there(path, "records") || is_there(path, "keys"));
}

// A log that no reader takes is looked at line by line, to say what is wrong with it.
static bool check_log(struct verify *v, struct err *err)
{
    uint32_t kind_count;
    struct err why = {0}, cannot = {0};
    const struct record_kind *const *kinds = catalogue(&kind_count);
    v->reader = case_open(v->path, kinds, kind_count, &why);
    v->log.lines_max = UINT64_MAX;
    v->log.findings = (struct finding_sink){v, print_finding};
    if (v->reader) {
        case_head(v->reader, &v->log.lines_max);
        return log_check(case_path(v->reader), &v->log, &v->log_is, err);
    }
    if (has_lost_its_log(v->path)) {
        const struct finding finding = {.changed = true, .subject = CASE_LOG, .what = "is missing"};
        print_finding(v, &finding);
        return true;
    }
    if (log_check(v->path, &v->log, &v->log_is, &cannot) && v->log_is.wrong) return true;
    *err = why;
    return false;
}

// Bytes behind the last line are what a writer was stopped in, or is writing just now.
static void tell_unfinished(struct verify *v)
{
    struct stat info;
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/" CASE_LOG, case_path(v->reader));
    if (!v->log_is.unfinished || lease_writer(case_path(v->reader)) == LEASE_HELD) return;
    if (stat(path, &info) != 0) return;
    const struct finding finding = {
        .subject = CASE_LOG,
        .what = "its last line is not finished: a writer was stopped in it, or it was changed; the "
                "next writer cuts it off"};
    print_finding(v, &finding);
}

// ---- who signed ---------------------------------------------------------------------------------

static const char *whose(const struct verify *v, const struct log_key *key)
{
    char path[PATH_MAX];
    uint8_t own[PUBLIC_KEY_SIZE];
    struct err ignored;
    if (v->log.key) return memcmp(v->key, key->key, sizeof own) == 0 ? " (the one named)" : "";
    if (!command_key_path(path, sizeof path, &ignored) || !public_key_read(path, own, &ignored))
        return " (compare it with its owner's: --key FILE)";
    return memcmp(own, key->key, sizeof own) == 0
               ? " (your key)"
               : " (not your key: compare it with its owner's: --key FILE)";
}

static void print_keys(const struct verify *v)
{
    for (unsigned i = 0; i < v->log_is.key_count; i++) {
        const struct log_key *key = &v->log_is.keys[i];
        char hex[2 * PUBLIC_KEY_SIZE + 1];
        hex_format(hex, bytes_of(key->key, PUBLIC_KEY_SIZE));
        printf("signed by %.16s, lines %llu to %llu%s\n", hex, (unsigned long long)key->first,
               (unsigned long long)key->last, whose(v, key));
    }
}

// ---- the command --------------------------------------------------------------------------------

static bool check_files(struct verify *v, struct err *err)
{
    struct case_checked checked;
    if (!case_check(v->reader, &v->log_is, &v->log.findings, &checked, err)) return false;
    if (checked.is_written)
        fputs("weir: somebody writes to the case: what the log does not name yet was passed over\n",
              stderr);
    if (checked.tail_rows)
        fprintf(stderr, "weir: %llu records are in no segment yet: nobody has signed them\n",
                (unsigned long long)checked.tail_rows);
    printf(
        "log of %llu lines, %llu segments, %llu artifacts, %llu extents of packets: %llu bytes\n",
        (unsigned long long)v->log_is.lines, (unsigned long long)checked.segments,
        (unsigned long long)checked.artifacts, (unsigned long long)checked.extents,
        (unsigned long long)checked.bytes);
    return true;
}

// Only what is as it was written can be made again and compared.
static bool check_records(struct verify *v, struct err *err)
{
    const struct rebuild_options options = {
        .lanes = (uint32_t)v->options->lanes, .version = WEIR_VERSION, .findings = v->log.findings};
    struct rebuilt rebuilt;
    if (v->options->quick || v->changed) return true;
    if (!rebuild(v->reader, &options, &rebuilt, err)) return false;
    printf("%llu records of %llu readings made again from their packets\n",
           (unsigned long long)rebuilt.records, (unsigned long long)rebuilt.readings);
    if (rebuilt.expired)
        printf(
            "%llu readings have lost records or packets by age or size: they were not made again\n",
            (unsigned long long)rebuilt.expired);
    if (rebuilt.collected)
        printf("%llu readings were collected: they were not made again\n",
               (unsigned long long)rebuilt.collected);
    return true;
}

static bool verify_all(struct verify *v, struct err *err)
{
    if (!read_head(v, err) || !read_key(v, err) || !check_log(v, err)) return false;
    if (!v->reader) {
        fputs("weir: the log is not what it was: what it named cannot be checked\n", stderr);
        return true;
    }
    tell_unfinished(v);
    if (!check_files(v, err) || !check_records(v, err)) return false;
    print_keys(v);
    printf("state %s:%llu\n", v->log_is.head, (unsigned long long)v->log_is.lines);
    return true;
}

static int verify_status(const struct verify *v)
{
    if (v->changed) return ERR_DIFFERENCE;
    return v->unchecked ? ERR_INPUT : 0;
}

static int verify_run(int argc, char **argv)
{
    struct verify_options options = {.lanes = 1};
    struct err err = {0};
    argc = options_parse(&verify_command, argc, argv, &options, &err);
    if (argc >= 0 && argc != 1) err_set(&err, ERR_USAGE, "name one case: weir verify CASE");
    if (argc != 1) return command_fail(&err);
    struct verify v = {.options = &options, .path = argv[0]};
    bool ok = verify_all(&v, &err);
    case_close(v.reader);
    log_checked_deinit(&v.log_is);
    return ok ? verify_status(&v) : command_fail(&err);
}

const struct command verify_command = {
    "verify", "CASE [--quick] [--head HASH]", "whether a case is what it was",
    rows,     sizeof rows / sizeof rows[0],   verify_run};
