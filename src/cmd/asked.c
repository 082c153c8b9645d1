// A case by name, or captures and files of IPFIX messages that are read into memory.
#include <string.h>
#include <sys/stat.h>

#include "cmd/cmd.h"
#include "engine/catalogue.h"
#include "engine/ingest.h"
#include "engine/version.h"
#include "service/gather.h"
#include "store/case.h"
#include "store/entry.h"
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

static bool gather_into(struct store *store, const char *path, const struct author *author,
                        struct err *err)
{
    uint32_t kind_count;
    const struct record_kind *const *kinds = catalogue(&kind_count);
    struct record_writer *writer = writer_create(kinds, kind_count, store_sink(store));
    struct collector_options options = {.point = "", .elements = true};
    struct collector *collector = collector_create(&options, writer, err);
    struct gather_options in = {.inputs = &path, .input_count = 1, .elements = true};
    struct gather_counts counts = {0};
    bool ok = collector && gather(&in, collector, writer, &counts, err);
    if (ok) collector_end(collector);
    writer_flush(writer);
    collector_destroy(collector);
    writer_destroy(writer);
    struct reading_capture capture = {.path = path};
    struct reading reading = {&capture, 1, "collect", author->version, author->time};
    return ok && store_commit(store, &reading, false, err);
}

static bool asked_gather(struct asked *a, const char *path, struct err *err)
{
    uint32_t kind_count;
    const struct record_kind *const *kinds = catalogue(&kind_count);
    struct author author = {.version = WEIR_VERSION, .time = command_now()};
    a->store = store_open(NULL, kinds, kind_count, &author, err);
    if (!a->store) return false;
    if (gather_into(a->store, path, &author, err)) a->reader = case_of_store(a->store, err);
    if (a->reader) return true;
    store_close(a->store);
    return false;
}

bool asked_open(struct asked *a, const char *path, struct err *err)
{
    struct stat info;
    *a = (struct asked){0};
    bool is_file = !is_case(path) && stat(path, &info) == 0 && S_ISREG(info.st_mode);
    if (is_file && gather_is_file(path)) return asked_gather(a, path, err);
    if (is_file || strcmp(path, "-") == 0) return asked_read(a, path, err);
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
