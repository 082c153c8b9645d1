#include "bus/kafka_place.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "bus/kafka_library.h"

enum { FILE_BYTES_MAX = 1 << 20, WHY_MAX = 256, ROW_NAME_MAX = 128 };

static const char scheme[] = "kafka://";

bool kafka_is_place(const char *word)
{
    return strncmp(word, scheme, strlen(scheme)) == 0;
}

// ---- properties ---------------------------------------------------------------------------------

static bool copy_word(char *to, size_t size, bytes word)
{
    if (word.n >= size) return false;
    memcpy(to, word.p, word.n);
    to[word.n] = 0;
    return true;
}

// What exactly-once depends on is not a person's to change.
static bool is_ours(const char *name)
{
    static const char *const ours[] = {"enable.auto.commit",
                                       "enable.auto.offset.store",
                                       "auto.offset.reset",
                                       "enable.idempotence",
                                       "enable.partition.eof",
                                       "bootstrap.servers",
                                       "metadata.broker.list",
                                       "group.id",
                                       "partition.assignment.strategy"};
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        if (strcmp(name, ours[i]) == 0) return true;
    return false;
}

static bool is_secret(bytes name)
{
    static const char *const words[] = {"password", "secret", ".pem", "username", "config"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (memmem(name.p, name.n, words[i], strlen(words[i]))) return true;
    return false;
}

bool kafka_place_set(struct kafka_place *place, const char *name, const char *value,
                     struct err *err)
{
    char why[WHY_MAX];
    rd_kafka_conf_res_t r = kafka.conf_set(place->conf, name, value, why, sizeof why);
    if (r == RD_KAFKA_CONF_OK) return true;
    if (r == RD_KAFKA_CONF_UNKNOWN)
        return err_set(err, ERR_USAGE, "\"%s\" is no option, and no property of librdkafka", name);
    // librdkafka's own sentences repeat the value.
    if (is_secret(bytes_text(name)))
        return err_set(err, ERR_USAGE, "the value of %s is not taken", name);
    return err_set(err, ERR_USAGE, "%s", why);
}

static bool set_from(struct kafka_place *place, const char *value, struct err *err)
{
    place->from = strcmp(value, "end") == 0 ? KAFKA_FROM_END : KAFKA_FROM_BEGINNING;
    return place->from == KAFKA_FROM_END || strcmp(value, "beginning") == 0 ||
           err_set(err, ERR_USAGE, "from=%s: there is from=beginning, and from=end", value);
}

static bool set_word(struct kafka_place *place, const char *name, const char *value,
                     struct err *err)
{
    bytes text = bytes_text(value);
    bool fits = true;
    if (strcmp(name, "group") == 0) fits = copy_word(place->group, sizeof place->group, text);
    else if (strcmp(name, "format") == 0)
        fits = copy_word(place->format, sizeof place->format, text);
    else if (strcmp(name, "link") == 0) fits = copy_word(place->link, sizeof place->link, text);
    else if (strcmp(name, "from") == 0) return set_from(place, value, err);
    else if (strcmp(name, "until") == 0) {
        place->until_end = strcmp(value, "end") == 0;
        return place->until_end || err_set(err, ERR_USAGE, "until=%s: there is until=end", value);
    } else if (is_ours(name)) {
        return err_set(err, ERR_USAGE, "%s is not to be changed%s", name,
                       strcmp(name, "group.id") == 0 ? ": name the group by group=" : "");
    } else {
        return kafka_place_set(place, name, value, err);
    }
    return fits || err_set(err, ERR_USAGE, "%s is longer than %d bytes", name, KAFKA_WORD_MAX - 1);
}

// ---- words --------------------------------------------------------------------------------------

// %XX as the byte; false when two digits do not follow, or it is a zero.
static bool word_decode(struct text *out, bytes word)
{
    text_clear(out);
    text_add(out, "");
    for (size_t i = 0; i < word.n; i++) {
        uint8_t c = word.p[i];
        if (c == '%') {
            bool fits = word.n - i > 2;
            int high = fits ? text_hex_value(word.p[i + 1]) : -1;
            int low = fits ? text_hex_value(word.p[i + 2]) : -1;
            if (high < 0 || low < 0 || !(high | low)) return false;
            c = (uint8_t)(high << 4 | low);
            i += 2;
        }
        text_put(out, bytes_of(&c, 1));
    }
    return true;
}

static bool take_pair(struct kafka_place *place, bytes pair, bool is_url, struct err *err)
{
    char name[ROW_NAME_MAX];
    size_t equals = bytes_find(pair, '=');
    struct text value = {0};
    if (equals == pair.n || !copy_word(name, sizeof name, bytes_first(pair, equals)))
        return err_set(err, ERR_USAGE, "options are NAME=VALUE");
    bytes text = bytes_after(pair, equals + 1);
    bool ok = true;
    if (is_url) ok = word_decode(&value, text);
    else text_put(&value, text);
    ok = ok ? set_word(place, name, value.p ? value.p : "", err)
            : err_set(err, ERR_USAGE, "in %s, %% is not followed by two hexadecimal digits", name);
    text_deinit(&value);
    return ok;
}

static bool take_query(struct kafka_place *place, bytes query, struct err *err)
{
    while (query.n) {
        size_t end = bytes_find(query, '&');
        if (!take_pair(place, bytes_first(query, end), true, err)) return false;
        query = bytes_after(query, end + 1);
    }
    return true;
}

static bytes trimmed(bytes line)
{
    while (line.n && (line.p[0] == ' ' || line.p[0] == '\t')) line = bytes_after(line, 1);
    while (line.n && strchr(" \t\r", line.p[line.n - 1])) line.n--;
    return line;
}

static bool take_file(struct kafka_place *place, const char *path, struct err *err)
{
    bytes content = file_read(path, FILE_BYTES_MAX, err), rest = content;
    bool ok = content.p != NULL;
    for (unsigned number = 1; ok && rest.n; number++) {
        size_t end = bytes_find(rest, '\n');
        bytes line = trimmed(bytes_first(rest, end));
        if (line.n && line.p[0] != '#') ok = take_pair(place, line, false, err);
        if (!ok) err_in(err, "%s, line %u", path, number);
        rest = bytes_after(rest, end + 1);
    }
    memory_free((void *)content.p);
    return ok;
}

static bool take_more(struct kafka_place *place, const char *more, struct err *err)
{
    if (!more) return true;
    if (strchr(more, '=')) return take_pair(place, bytes_text(more), false, err);
    return take_file(place, more, err);
}

// ---- the place ----------------------------------------------------------------------------------

static bool is_topic(bytes name)
{
    for (size_t i = 0; i < name.n; i++) {
        uint8_t c = name.p[i];
        bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '.' || c == '_' || c == '-';
        if (!fine) return false;
    }
    return name.n > 0;
}

static bool take_name(struct kafka_place *place, bytes name, struct err *err)
{
    bytes rest = bytes_after(name, strlen(scheme));
    size_t slash = bytes_find(rest, '/');
    bytes brokers = bytes_first(rest, slash), topic = bytes_after(rest, slash + 1);
    // A password before an "@" would be shown with the name.
    bool fits = brokers.n && bytes_find(brokers, '@') == brokers.n && is_topic(topic) &&
                copy_word(place->name, sizeof place->name, name) &&
                copy_word(place->brokers, sizeof place->brokers, brokers) &&
                copy_word(place->topic, sizeof place->topic, topic);
    return fits || err_set(err, ERR_USAGE, "a topic is named as kafka://HOST:PORT/TOPIC");
}

bool kafka_place_parse(struct kafka_place *place, const char *url, const char *more,
                       struct err *err)
{
    bytes all = bytes_text(url);
    size_t mark = bytes_find(all, '?');
    *place = (struct kafka_place){0};
    if (!take_name(place, bytes_first(all, mark), err) || !kafka_load(err)) return false;
    place->conf = kafka.conf_new();
    if (take_more(place, more, err) && take_query(place, bytes_after(all, mark + 1), err) &&
        kafka_place_set(place, "bootstrap.servers", place->brokers, err))
        return true;
    kafka_place_deinit(place);
    return err_in(err, "%s", place->name);
}

void kafka_place_deinit(struct kafka_place *place)
{
    if (place->conf) kafka.conf_destroy(place->conf);
    place->conf = NULL;
}

// ---- showing it ---------------------------------------------------------------------------------

static void show_pair(bytes pair, struct text *out)
{
    size_t equals = bytes_find(pair, '=');
    bool hides = equals < pair.n && is_secret(bytes_first(pair, equals));
    text_put(out, hides ? bytes_first(pair, equals + 1) : pair);
    if (hides) text_add(out, "***");
}

void kafka_show(const char *word, struct text *out)
{
    bytes rest = bytes_text(word);
    if (!kafka_is_place(word)) {
        show_pair(rest, out);
        return;
    }
    size_t end = bytes_find(rest, '?');
    text_put(out, bytes_first(rest, end));
    for (rest = bytes_after(rest, end); rest.n; rest = bytes_after(rest, 1 + end)) {
        text_put(out, bytes_first(rest, 1)); // "?", then each "&"
        end = bytes_find(bytes_after(rest, 1), '&');
        show_pair(bytes_first(bytes_after(rest, 1), end), out);
    }
}
