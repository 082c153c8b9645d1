// A case by name, or captures that are read into memory.
#include <string.h>
#include <sys/stat.h>

#include "cmd/cmd.h"
#include "engine/catalogue.h"
#include "engine/ingest.h"
#include "engine/version.h"
#include "store/case.h"
#include "store/store.h"

static bool is_case(const char *path)
{
    struct stat info;
    char log[4096];
    int n = snprintf(log, sizeof log, "%s/log", path);
    return n < (int)sizeof log && stat(log, &info) == 0 && S_ISDIR(info.st_mode);
}

static void tell(void *context, const char *sentence)
{
    (void)context;
    fprintf(stderr, "weir: %s\n", sentence);
}

static bool asked_read(struct asked *a, const char *path, struct err *err)
{
    struct ingest_options in = {
        .reading = READING_DEFAULTS,
        .source = {.paths = &path, .path_count = 1},
        .target = INGEST_MEMORY,
        .author = {.version = WEIR_VERSION, .time = command_now()},
        .remark = tell,
    };
    struct ingest_outcome out;
    if (!ingest(&in, &out, err)) return false;
    a->store = out.store;
    a->reader = case_of_store(a->store, err);
    if (a->reader) return true;
    store_close(a->store);
    return false;
}

bool asked_open(struct asked *a, const char *path, struct err *err)
{
    struct stat info;
    *a = (struct asked){0};
    if (strcmp(path, "-") == 0 ||
        (!is_case(path) && stat(path, &info) == 0 && S_ISREG(info.st_mode)))
        return asked_read(a, path, err);
    uint32_t kind_count;
    const struct record_kind *const *kinds = catalogue(&kind_count);
    a->reader = case_open(path, kinds, kind_count, err);
    return a->reader != NULL;
}

void asked_close(struct asked *a)
{
    case_close(a->reader);
    store_close(a->store);
}
