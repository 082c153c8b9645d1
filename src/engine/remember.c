#include "engine/remember.h"

#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "store/catalogue.h"

enum { PATH_SIZE = 4200 };

bool exporters_keep(const char *folder, const struct collector *c, struct err *err)
{
    char path[PATH_SIZE];
    struct text content = {0};
    exporters_write(c, &content);
    snprintf(path, sizeof path, "%s/" CASE_EXPORTERS, folder);
    bool ok = folder_make(path, err);
    snprintf(path, sizeof path, "%s/" CASE_TEMPLATES, folder);
    ok = ok && file_write_durable(path, bytes_of(content.p, content.n), err);
    text_deinit(&content);
    return ok;
}

bool exporters_recall(const char *folder, struct collector *c, struct err *err)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/" CASE_TEMPLATES, folder);
    if (access(path, F_OK) != 0) return true;
    bytes content = file_read(path, EXPORTERS_BYTES_MAX, err);
    if (!content.p) return false;
    bool ok = exporters_read(c, content);
    memory_free((void *)content.p);
    return ok || err_set(err, ERR_INPUT,
                         "%s is damaged: remove it, and templates are waited for again", path);
}
