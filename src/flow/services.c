#include "flow/services.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/memory.h"

enum { PORTS = 65536, PROTOS = 4, COLUMNS = 3 };

static const struct service {
    uint16_t port;
    uint16_t proto;
    const char *name;
} built_in[] = {
#include "flow/services_table.h"
};

// What a file said: for each protocol and port where its name stands in `names`, 0 for none.
struct services {
    uint32_t name_at[PROTOS][PORTS];
    size_t names_used, names_size;
    char *names;
};

static struct services *loaded; // set before threads start

static const struct {
    const char *name;
    uint8_t number;
} protos[PROTOS] = {{"tcp", 6}, {"udp", 17}, {"sctp", 132}, {"dccp", 33}};

static int service_compare(const void *key, const void *row)
{
    const struct service *a = key, *b = row;
    if (a->port != b->port) return a->port < b->port ? -1 : 1;
    return a->proto == b->proto ? 0 : a->proto < b->proto ? -1 : 1;
}

static const char *loaded_by_port(uint16_t port, uint32_t proto)
{
    for (unsigned i = 0; i < PROTOS; i++) {
        if (protos[i].number != proto) continue;
        uint32_t at = loaded->name_at[i][port];
        return at ? loaded->names + at : NULL;
    }
    return NULL;
}

const char *service_by_port(uint16_t port, uint32_t proto)
{
    if (proto > UINT8_MAX) return NULL;
    if (loaded) return loaded_by_port(port, proto);
    struct service key = {port, (uint16_t)proto, NULL};
    const size_t count = sizeof built_in / sizeof built_in[0];
    const struct service *row = bsearch(&key, built_in, count, sizeof *built_in, service_compare);
    return row ? row->name : NULL;
}

// One field of IANA's list (RFC 4180) and what ends it: ',' or '\n', or 0 at the end of the file. A
// quoted field is taken without its quotes; of doubled quotes within it none of our columns has
// any, so they are not undone.
static uint8_t csv_field(struct reader *r, bytes *field)
{
    bytes rest = reader_rest(r);
    bool quoted = rest.n && rest.p[0] == '"', open = quoted;
    size_t n = quoted;
    for (; n < rest.n; n++) {
        uint8_t c = rest.p[n];
        if (c == '"') open = !open;
        if (!open && (c == ',' || c == '\n')) break;
    }
    bytes raw = read_bytes(r, n);
    uint8_t end = reader_left(r) ? read_u8(r) : 0;
    if (raw.n && raw.p[raw.n - 1] == '\r') raw.n--;
    if (quoted && raw.n >= 2 && raw.p[raw.n - 1] == '"') raw = (bytes){raw.p + 1, raw.n - 2};
    *field = raw;
    return end;
}

// One row, of which the first three fields are of interest; false at the end of the file.
static bool csv_row(struct reader *r, bytes fields[COLUMNS])
{
    if (!reader_left(r)) return false;
    for (unsigned i = 0; i < COLUMNS; i++) fields[i] = (bytes){NULL, 0};
    uint8_t end = ',';
    for (unsigned i = 0; end == ','; i++) {
        bytes field;
        end = csv_field(r, &field);
        if (i < COLUMNS) fields[i] = field;
    }
    return true;
}

static bool port_read(struct reader *r, uint32_t *port)
{
    bytes rest = reader_rest(r);
    size_t n = 0;
    for (*port = 0; n < rest.n && rest.p[n] >= '0' && rest.p[n] <= '9'; n++) {
        *port = *port * 10 + (rest.p[n] - '0');
        if (*port >= PORTS) return false;
    }
    read_bytes(r, n);
    return n > 0;
}

// "80" or "6000-6063".
static bool ports_read(bytes text, uint32_t *first, uint32_t *last)
{
    struct reader r = reader_of(text);
    if (!port_read(&r, first)) return false;
    *last = *first;
    if (!reader_left(&r)) return true;
    return read_u8(&r) == '-' && port_read(&r, last) && !reader_left(&r) && *first <= *last;
}

static uint32_t services_put_name(struct services *s, bytes name)
{
    size_t needed = s->names_used + name.n + 1;
    if (needed > s->names_size) {
        s->names_size = needed * 2;
        s->names = memory_resize(s->names, s->names_size);
    }
    uint32_t at = (uint32_t)s->names_used;
    memcpy(s->names + at, name.p, name.n);
    s->names[at + name.n] = 0;
    s->names_used = needed;
    return at;
}

static bool name_is_clean(bytes name)
{
    if (!name.n || name.n > SERVICE_NAME_MAX) return false;
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] <= ' ' || name.p[i] >= 0x7f) return false;
    return true;
}

// Many rows have no name, port or protocol: what is unassigned, or found by name only. They are
// left out.
static void services_add(struct services *s, bytes name, bytes ports, bytes protocol)
{
    uint32_t first, last;
    if (!name_is_clean(name) || !ports_read(ports, &first, &last)) return;
    for (unsigned i = 0; i < PROTOS; i++) {
        if (!bytes_equal_nocase(protocol, bytes_text(protos[i].name))) continue;
        uint32_t at = services_put_name(s, name);
        for (uint32_t port = first; port <= last; port++)
            if (!s->name_at[i][port]) s->name_at[i][port] = at;
    }
}

static bool services_parse(struct services *s, bytes content, struct err *err)
{
    static const char *const titles[COLUMNS] = {"Service Name", "Port Number",
                                                "Transport Protocol"};
    bool has_mark = bytes_start_with(content, "\xef\xbb\xbf");
    struct reader r = reader_of(has_mark ? bytes_after(content, 3) : content);
    bytes fields[COLUMNS];
    bool has_titles = csv_row(&r, fields);
    for (unsigned i = 0; has_titles && i < COLUMNS; i++)
        has_titles = bytes_equal_nocase(fields[i], bytes_text(titles[i]));
    if (!has_titles)
        return err_set(err, ERR_INPUT,
                       "not IANA's list: its first line must begin with "
                       "Service Name,Port Number,Transport Protocol");
    size_t before = s->names_used;
    while (csv_row(&r, fields)) services_add(s, fields[0], fields[1], fields[2]);
    return s->names_used > before ||
           err_set(err, ERR_INPUT, "no service with a name and a port in it");
}

static void services_destroy(struct services *s)
{
    if (!s) return;
    memory_free(s->names);
    memory_free(s);
}

bool services_load(const char *path, struct err *err)
{
    assert(path);
    bytes content = file_read(path, SERVICES_FILE_MAX, err);
    if (!content.p) return err_in(err, "list of services");
    struct services *s = memory_get(sizeof *s);
    services_put_name(s, (bytes){(const uint8_t *)"", 0}); // so that no name stands at 0
    bool fine = services_parse(s, content, err);
    memory_free((void *)content.p);
    if (!fine) {
        services_destroy(s);
        return err_in(err, "list of services %s", path);
    }
    services_unload();
    loaded = s;
    return true;
}

void services_unload(void)
{
    services_destroy(loaded);
    loaded = NULL;
}
