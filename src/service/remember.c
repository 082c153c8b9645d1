#include "service/remember.h"

#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "store/catalogue.h"

enum { PATH_SIZE = 4200 };

// The first has the name alone.
static void path_of(char path[PATH_SIZE], const char *folder, unsigned number)
{
    int n = snprintf(path, PATH_SIZE, "%s/" CASE_TEMPLATES, folder);
    if (number && n < PATH_SIZE) snprintf(path + n, PATH_SIZE - (size_t)n, ".%u", number);
}

bool exporters_keep(const char *folder, unsigned number, bytes content, struct err *err)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/" CASE_EXPORTERS, folder);
    bool ok = folder_make(path, err);
    path_of(path, folder, number);
    return ok && file_write_durable(path, content, err);
}

bool exporters_recall(const char *folder, unsigned number, struct collector *c, struct err *err)
{
    char path[PATH_SIZE];
    path_of(path, folder, number);
    if (access(path, F_OK) != 0) return true;
    bytes content = file_read(path, EXPORTERS_BYTES_MAX, err);
    if (!content.p) return false;
    bool ok = exporters_read(c, content);
    memory_free((void *)content.p);
    return ok || err_set(err, ERR_INPUT,
                         "%s is damaged: remove it, and templates are waited for again", path);
}
