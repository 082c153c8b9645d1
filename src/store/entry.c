#include "store/entry.h"

#include <assert.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "store/catalogue.h"
#include "store/lease.h"

void entry_text(struct text *t, const char *name, const char *value)
{
    size_t n = strlen(value);
    char *escaped = memory_get(4 * n + 1);
    size_t escaped_n = text_escape(escaped, 4 * n + 1, bytes_of(value, n));
    text_format(t, "\"%s\":", name);
    text_json(t, bytes_of(escaped, escaped_n));
    memory_free(escaped);
}

void entry_head(struct text *t, const char *type, const struct author *author)
{
    char text[TIME_TEXT_MAX];
    int n = time_format(text, author->time);
    text_format(t, "\"type\":\"%s\",\"time\":\"%.*s\",\"time_ns\":%" PRId64 ",", type, n, text,
                author->time);
    entry_text(t, "weir", author->version);
    text_format(t, ",\"format\":%d", CASE_FORMAT);
    if (author->who) {
        text_add(t, ",");
        entry_text(t, "who", author->who);
    }
    if (author->why) {
        text_add(t, ",");
        entry_text(t, "why", author->why);
    }
}

void key_path(char path[KEY_PATH_MAX], const uint8_t key[PUBLIC_KEY_SIZE])
{
    char hex[2 * PUBLIC_KEY_SIZE + 1];
    hex_format(hex, bytes_of(key, PUBLIC_KEY_SIZE));
    snprintf(path, KEY_PATH_MAX, "keys/%.16s.pem", hex);
}

// The public half must be in the case before a line is that it signs.
static bool put_key(const char *folder, const uint8_t key[PUBLIC_KEY_SIZE], struct err *err)
{
    char below[KEY_PATH_MAX], path[PATH_MAX];
    struct text content = {0};
    key_path(below, key);
    snprintf(path, sizeof path, "%s/%s", folder, below);
    if (access(path, F_OK) == 0) return true;
    public_key_text(&content, key);
    bool fine = file_write_durable(path, bytes_of(content.p, content.n), err);
    text_deinit(&content);
    return fine;
}

static void draft_checkpoint(struct chain_draft *d, const struct author *author)
{
    char hex[2 * PUBLIC_KEY_SIZE + 1];
    struct text members = {0};
    const struct author program = {.version = author->version, .time = author->time};
    entry_head(&members, "checkpoint", &program);
    hex_format(hex, bytes_of(signing_public(author->key), PUBLIC_KEY_SIZE));
    text_format(&members, ",\"key\":\"%s\"", hex);
    chain_draft_line(d, bytes_of(members.p, members.n), author->key);
    text_deinit(&members);
}

bool entry_append(struct chain *c, const char *folder, bytes members, const struct author *author,
                  struct err *err)
{
    struct chain_draft draft;
    assert(author->key);
    if (!put_key(folder, signing_public(author->key), err)) return false;
    chain_draft_init(&draft, c);
    chain_draft_line(&draft, members, NULL);
    draft_checkpoint(&draft, author);
    return chain_append(c, &draft, err);
}

bool entry_sign(struct chain *c, const char *folder, const struct author *author, struct err *err)
{
    struct chain_draft draft;
    assert(author->key);
    if (!put_key(folder, signing_public(author->key), err)) return false;
    chain_draft_init(&draft, c);
    draft_checkpoint(&draft, author);
    return chain_append(c, &draft, err);
}

// ---- a case that is not open --------------------------------------------------------------------

static bool append_to(struct catalogue *c, const char *folder, bytes members,
                      const struct author *author, struct err *err)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/" CASE_LOG, folder);
    return catalogue_read(c, folder, err) && chain_open(&c->chain, path, err) &&
           (c->signed_to == c->chain.seq || entry_sign(&c->chain, folder, author, err)) &&
           catalogue_take(c, members, err) && entry_append(&c->chain, folder, members, author, err);
}

bool case_append(const char *folder, const char *type, bytes members, const struct author *author,
                 struct err *err)
{
    struct lease lease = {.file = -1};
    struct catalogue catalogue = {0};
    struct text all = {0};
    if (!lease_write(&lease, folder, err)) return false;
    entry_head(&all, type, author);
    if (members.n) text_add(&all, ",");
    text_put(&all, members);
    bool fine = append_to(&catalogue, folder, bytes_of(all.p, all.n), author, err);
    text_deinit(&all);
    catalogue_deinit(&catalogue);
    lease_end(&lease);
    return fine;
}
