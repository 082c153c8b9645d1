// What a case knows of a reading: the unit of idempotence.
#include <string.h>

#include "store/store_inside.h"

void reading_id(const struct reading *reading, uint8_t id[32])
{
    struct sha256 h;
    sha256_init(&h);
    for (size_t i = 0; i < reading->capture_count; i++)
        sha256_add(&h, bytes_of(reading->captures[i].sha256, SHA256_SIZE));
    sha256_add(&h, bytes_of("\0", 1));
    sha256_add(&h, bytes_of(reading->options, strlen(reading->options) + 1));
    sha256_add(&h, bytes_text(reading->version));
    sha256_end(&h, id);
}

static bool has_capture(const struct catalogue_reading *r, const char *sha256)
{
    for (size_t i = 0; i < r->capture_count; i++)
        if (strcmp(r->captures[i].sha256, sha256) == 0) return true;
    return false;
}

static bool is_among(const struct reading *reading, const char *sha256)
{
    char hex[HEX_SHA256_SIZE];
    for (size_t i = 0; i < reading->capture_count; i++) {
        hex_format(hex, bytes_of(reading->captures[i].sha256, SHA256_SIZE));
        if (strcmp(hex, sha256) == 0) return true;
    }
    return false;
}

// Whether a reading that counts has this capture; `options` NULL for any options.
static bool is_there(const struct store *s, const char *sha256, const char *options)
{
    for (const struct catalogue_reading *r = NULL; (r = catalogue_next(&s->catalogue, r));)
        if ((!options || strcmp(r->options, options) == 0) && has_capture(r, sha256)) return true;
    return false;
}

enum reading_state store_find(const struct store *s, const struct reading *reading)
{
    size_t there = 0, same = 0;
    for (size_t i = 0; i < reading->capture_count; i++) {
        char hex[HEX_SHA256_SIZE];
        hex_format(hex, bytes_of(reading->captures[i].sha256, SHA256_SIZE));
        there += is_there(s, hex, NULL);
        same += is_there(s, hex, reading->options);
    }
    if (there == 0) return READING_NEW;
    if (same == reading->capture_count) return READING_SAME;
    return there == reading->capture_count ? READING_OTHER_OPTIONS : READING_PARTLY;
}

bool store_keeps(const struct store *s, const uint8_t sha256[32])
{
    char hex[HEX_SHA256_SIZE];
    hex_format(hex, bytes_of(sha256, SHA256_SIZE));
    for (const struct catalogue_reading *r = NULL; (r = catalogue_next(&s->catalogue, r));)
        for (size_t i = 0; i < r->extent_count; i++) {
            const struct catalogue_extent *e = &r->extents[i];
            if (e->capture < r->capture_count && catalogue_is_kept(e) &&
                strcmp(r->captures[e->capture].sha256, hex) == 0)
                return true;
        }
    return false;
}

static bool shares_a_capture(const struct catalogue_reading *r, const struct reading *reading)
{
    for (size_t i = 0; i < r->capture_count; i++)
        if (is_among(reading, r->captures[i].sha256)) return true;
    return false;
}

uint64_t *readings_replaced(const struct store *s, const struct reading *reading, size_t *count)
{
    uint64_t *replaced = memory_get((s->catalogue.reading_count + 1) * sizeof *replaced);
    *count = 0;
    for (const struct catalogue_reading *r = NULL; (r = catalogue_next(&s->catalogue, r));)
        if (shares_a_capture(r, reading)) replaced[(*count)++] = r->seq;
    return replaced;
}

bool store_may_replace(const struct store *s, const struct reading *reading, struct err *err)
{
    for (const struct catalogue_reading *r = NULL; (r = catalogue_next(&s->catalogue, r));) {
        if (!shares_a_capture(r, reading)) continue;
        for (size_t i = 0; i < r->capture_count; i++)
            if (!is_among(reading, r->captures[i].sha256))
                return err_set(
                    err, ERR_USAGE,
                    "these captures were read together with %s: name it too, to read them again",
                    r->captures[i].path);
    }
    return true;
}
