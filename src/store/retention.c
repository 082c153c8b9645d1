#include "store/retention.h"

#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

static bool size_parse(bytes text, uint64_t *size)
{
    static const char units[] = "kMGT";
    char digits[24], *end;
    if (!text.n || text.n >= sizeof digits) return false;
    memcpy(digits, text.p, text.n);
    digits[text.n] = 0;
    uint64_t n = strtoull(digits, &end, 10);
    const char *unit = *end ? strchr(units, *end) : NULL;
    if (end == digits || digits[0] == '-' || (*end && (!unit || end[1]))) return false;
    unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;
    if (n == 0 || n > UINT64_MAX >> shift) return false;
    *size = n << shift;
    return true;
}

static struct limit *limit_for(struct limits *limits, unsigned kind)
{
    for (unsigned i = 0; i < limits->count; i++)
        if (limits->list[i].kind == kind) return &limits->list[i];
    if (limits->count == LIMITS_MAX) return NULL;
    struct limit *limit = &limits->list[limits->count++];
    *limit = (struct limit){.kind = kind};
    return limit;
}

static bool retain_parse(struct limits *limits, bytes item, const struct record_kind *const *kinds,
                         unsigned kind_count, struct err *err)
{
    bytes name = bytes_first(item, bytes_find(item, '=')), value = bytes_after(item, name.n + 1);
    unsigned kind = 0;
    while (kind < kind_count && !bytes_equal(name, bytes_text(kinds[kind]->name))) kind++;
    struct limit *limit = kind < kind_count ? limit_for(limits, kind) : NULL;
    if (!limit)
        return err_set(err, ERR_USAGE,
                       "retain: there is no kind \"%.*s\"; weir fields lists them all", (int)name.n,
                       (const char *)name.p);
    nanos age = 0;
    if (size_parse(value, &limit->size)) return true;
    if (!duration_parse(value, &age) || age <= 0)
        return err_set(err, ERR_USAGE,
                       "retain: \"%.*s\" is no age and no size; write %.*s=30d or %.*s=200G",
                       (int)item.n, (const char *)item.p, (int)name.n, (const char *)name.p,
                       (int)name.n, (const char *)name.p);
    limit->age = age;
    return true;
}

static bool free_parse(struct limits *limits, const char *text, struct err *err)
{
    char *end;
    unsigned long percent = strtoul(text, &end, 10);
    if (end != text && strcmp(end, "%") == 0 && percent > 0 && percent < 100) {
        limits->free_percent = (unsigned)percent;
        return true;
    }
    return size_parse(bytes_text(text), &limits->free) ||
           err_set(err, ERR_USAGE, "free: \"%s\" is no part of a disk; write 5%% or 10G", text);
}

bool limits_parse(struct limits *limits, const char *retain, const char *free,
                  const struct record_kind *const *kinds, unsigned kind_count, struct err *err)
{
    *limits = (struct limits){.count = 0};
    bytes rest = bytes_text(retain ? retain : "");
    while (rest.n) {
        bytes item = bytes_first(rest, bytes_find(rest, ','));
        if (!retain_parse(limits, item, kinds, kind_count, err)) return false;
        rest = bytes_after(rest, item.n + 1);
    }
    return !free || free_parse(limits, free, err);
}

const struct limit *limits_of(const struct limits *limits, unsigned kind)
{
    for (unsigned i = 0; i < limits->count; i++)
        if (limits->list[i].kind == kind) return &limits->list[i];
    return NULL;
}

uint64_t disk_free(const char *folder)
{
    struct statvfs disk;
    return statvfs(folder, &disk) == 0 ? (uint64_t)disk.f_bavail * disk.f_frsize : 0;
}

uint64_t limits_missing(const struct limits *limits, const char *folder)
{
    struct statvfs disk;
    uint64_t wanted = limits->free;
    if (!wanted && !limits->free_percent) return 0;
    if (statvfs(folder, &disk) != 0) return 0;
    if (!wanted) wanted = (uint64_t)disk.f_blocks * disk.f_frsize / 100 * limits->free_percent;
    uint64_t is_free = (uint64_t)disk.f_bavail * disk.f_frsize;
    return is_free < wanted ? wanted - is_free : 0;
}
