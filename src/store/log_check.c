#include "store/log_check.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "store/catalogue.h"

enum { WHAT_MAX = 320, SIGNATURE_TAIL = 14 + 2 * SIGNATURE_SIZE + 2 };

struct pass {
    const struct log_checking *checking;
    struct log_checked *checked;
    uint64_t times_size;
    uint8_t first_key[PUBLIC_KEY_SIZE]; // that the first line names
    bool first_named;
};

static void tell(struct pass *p, bool changed, uint64_t line, const char *what)
{
    const struct finding finding = {
        .changed = changed,
        .subject = CASE_LOG,
        .what = what,
        .line = line,
        .time = line && line <= p->checked->lines ? p->checked->times[line - 1] : 0};
    p->checked->wrong += changed;
    p->checking->findings.take(p->checking->findings.context, &finding);
}

static void tell_line(struct pass *p, const char *format, uint64_t a, uint64_t b)
    __attribute__((format(printf, 2, 0)));
static void tell_line(struct pass *p, const char *format, uint64_t a, uint64_t b)
{
    char what[WHAT_MAX];
    snprintf(what, sizeof what, format, a, b);
    tell(p, true, 0, what);
}

static void note_time(struct pass *p, const json_t *json)
{
    struct log_checked *c = p->checked;
    if (c->lines == p->times_size) {
        p->times_size = p->times_size ? 2 * p->times_size : 64;
        c->times = memory_resize(c->times, p->times_size * sizeof *c->times);
    }
    c->times[c->lines] = (nanos)json_integer_value(json_object_get(json, "time_ns"));
}

// ---- places -------------------------------------------------------------------------------------

static void check_place(struct pass *p, const json_t *json)
{
    uint64_t line = p->checked->lines + 1;
    const json_t *seq = json_object_get(json, "seq");
    const char *prev = json_string_value(json_object_get(json, "prev"));
    uint64_t number = (uint64_t)json_integer_value(seq);
    if (!json_is_integer(seq) || number != line)
        tell_line(p,
                  "line %" PRIu64 " says that it is line %" PRIu64
                  ": it was changed, or lines were removed or put in before it",
                  line, number);
    if (prev && strcmp(prev, p->checked->head) == 0) return;
    if (line == 1) tell(p, true, 0, "line 1 was changed, or lines before it were removed");
    else
        tell_line(p,
                  "line %" PRIu64 " does not follow from line %" PRIu64
                  ": one of them was changed, removed or put in",
                  line, line - 1);
}

static void follow(struct pass *p, bytes line)
{
    uint8_t digest[SHA256_SIZE];
    struct log_checked *c = p->checked;
    const struct log_checking *wanted = p->checking;
    sha256_of(line, digest);
    hex_format(c->head, bytes_of(digest, sizeof digest));
    c->lines++;
    if (wanted->head && (!wanted->head_line || wanted->head_line == c->lines) &&
        strcmp(wanted->head, c->head) == 0)
        c->head_found = true;
}

// ---- signatures ---------------------------------------------------------------------------------

static bool read_key(const json_t *json, uint8_t key[PUBLIC_KEY_SIZE])
{
    const char *hex = json_string_value(json_object_get(json, "key"));
    return hex && strlen(hex) == 2 * PUBLIC_KEY_SIZE &&
           hex_parse(bytes_text(hex), key, PUBLIC_KEY_SIZE);
}

// The signature and the bytes that it is of. Its form is fixed to the last byte, so that none of
// them can be changed unnoticed.
static bool split_signature(bytes line, bytes *message, uint8_t signature[SIGNATURE_SIZE])
{
    char expected[SIGNATURE_TAIL + 1], hex[2 * SIGNATURE_SIZE + 1];
    if (line.n < SIGNATURE_TAIL) return false;
    *message = bytes_first(line, line.n - SIGNATURE_TAIL);
    bytes tail = bytes_after(line, message->n);
    if (!hex_parse(bytes_first(bytes_after(tail, SIGNATURE_TAIL - 2 * SIGNATURE_SIZE - 2),
                               2 * SIGNATURE_SIZE),
                   signature, SIGNATURE_SIZE))
        return false;
    hex_format(hex, bytes_of(signature, SIGNATURE_SIZE));
    snprintf(expected, sizeof expected, ",\"signature\":\"%s\"}", hex);
    return bytes_equal(tail, bytes_text(expected));
}

static void note_key(struct log_checked *c, const uint8_t key[PUBLIC_KEY_SIZE], uint64_t line)
{
    unsigned i = 0;
    while (i < c->key_count && memcmp(c->keys[i].key, key, PUBLIC_KEY_SIZE) != 0) i++;
    if (i == LOG_KEYS_MAX) return;
    if (i == c->key_count) {
        memcpy(c->keys[i].key, key, PUBLIC_KEY_SIZE);
        c->keys[i].first = line;
        c->key_count++;
    }
    c->keys[i].last = line;
}

static void check_signature(struct pass *p, bytes line, const json_t *json)
{
    uint8_t key[PUBLIC_KEY_SIZE], signature[SIGNATURE_SIZE];
    uint64_t number = p->checked->lines + 1;
    bytes message;
    if (!read_key(json, key) || !split_signature(line, &message, signature) ||
        !signature_holds(key, message, signature)) {
        tell_line(p, "the signature in line %" PRIu64 " does not hold: this line was changed",
                  number, 0);
        return;
    }
    p->checked->signed_to = number;
    note_key(p->checked, key, number);
    if (p->checking->key && memcmp(p->checking->key, key, PUBLIC_KEY_SIZE) != 0)
        tell_line(p, "line %" PRIu64 " is signed by another key than the one named", number, 0);
    if (number == 2 && p->first_named && memcmp(p->first_key, key, PUBLIC_KEY_SIZE) != 0)
        tell(p, true, 0, "line 2 is signed by another key than line 1 names");
}

// ---- all of it ----------------------------------------------------------------------------------

static void check_line(struct pass *p, bytes line)
{
    json_t *json = json_loadb((const char *)line.p, line.n, JSON_REJECT_DUPLICATES, NULL);
    const char *type = json_string_value(json_object_get(json, "type"));
    note_time(p, json);
    if (json) check_place(p, json);
    else tell_line(p, "line %" PRIu64 " is damaged", p->checked->lines + 1, 0);
    if (p->checked->lines == 0) p->first_named = read_key(json, p->first_key);
    if (type && strcmp(type, "checkpoint") == 0) check_signature(p, line, json);
    json_decref(json);
    follow(p, line);
}

static void check_end(struct pass *p)
{
    const struct log_checked *c = p->checked;
    char what[WHAT_MAX];
    if (c->lines == 0) tell(p, true, 0, "has no line");
    if (p->checking->head && !c->head_found)
        tell(p, true, 0,
             "no line of it is the state that was named: the case was set back to an older state, "
             "or "
             "its log was replaced");
    if (c->signed_to == c->lines) return;
    snprintf(what, sizeof what,
             "lines %" PRIu64 " to %" PRIu64
             " are not signed: a writer was stopped between writing and signing, or the end was "
             "changed; the next writer signs them",
             c->signed_to + 1, c->lines);
    tell(p, false, c->signed_to + 1, what);
}

bool log_check(const char *folder, const struct log_checking *checking, struct log_checked *checked,
               struct err *err)
{
    char path[PATH_MAX];
    struct pass p = {.checking = checking, .checked = checked};
    *checked = (struct log_checked){0};
    memset(checked->head, '0', HEX_SHA256_SIZE - 1);
    snprintf(path, sizeof path, "%s/" CASE_LOG, folder);
    bytes content = file_read(path, CHAIN_SIZE_MAX, err);
    if (!content.p) return false;
    bytes rest = content;
    while (rest.n && checked->lines < checking->lines_max) {
        bytes line = bytes_first(rest, bytes_find(rest, '\n'));
        if (line.n == rest.n) break;
        check_line(&p, line);
        rest = bytes_after(rest, line.n + 1);
    }
    checked->unfinished = rest.n;
    check_end(&p);
    memory_free((void *)content.p);
    return true;
}

void log_checked_deinit(struct log_checked *c)
{
    memory_free(c->times);
    c->times = NULL;
}
