// weir digest: what a case says, as one SHA-256 for each kind.
#include "cmd/cmd.h"
#include "engine/catalogue.h"
#include "store/case.h"
#include "store/digest.h"

static bool digest_take(void *context, const struct record_batch *batch)
{
    digest_add(context, batch);
    return true;
}

static void digest_print(struct digest *digest, const struct record_kind *const *kinds,
                         uint32_t kind_count)
{
    char hex[HEX_SHA256_SIZE];
    uint64_t rows;
    for (uint32_t i = 0; i < kind_count; i++)
        if (digest_of_kind(digest, i, hex, &rows) && rows)
            printf("%s  %-14s %llu\n", hex, kinds[i]->name, (unsigned long long)rows);
    digest_total(digest, hex);
    printf("%s  all\n", hex);
}

static int digest_run(int argc, char **argv)
{
    struct err err = {0};
    argc = options_parse(&digest_command, argc, argv, NULL, &err);
    if (argc >= 0 && argc != 1) err_set(&err, ERR_USAGE, "name one case: weir digest CASE");
    if (argc != 1) return command_fail(&err);
    struct asked asked;
    if (!asked_open(&asked, argv[0], &err)) return command_fail(&err);
    uint32_t kind_count;
    const struct record_kind *const *kinds = catalogue(&kind_count);
    struct digest *digest = digest_create(kinds, kind_count);
    bool ok = true;
    for (uint32_t i = 0; ok && i < kind_count; i++) {
        struct case_scan scan = {.kind = kinds[i],
                                 .fields = digest_fields(kinds[i]),
                                 .take = digest_take,
                                 .context = digest};
        if (scan.fields) ok = case_scan(asked.reader, &scan, &err);
    }
    if (ok) digest_print(digest, kinds, kind_count);
    digest_destroy(digest);
    asked_close(&asked);
    return ok ? 0 : command_fail(&err);
}

const struct command digest_command = {"digest", "CASE|FILE", "a SHA-256 for each kind of record",
                                       NULL,     0,           digest_run};
