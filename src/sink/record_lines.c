#include "sink/record_lines.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "filter/filter.h"
#include "sink/export_column.h"

enum { NAME_MAX_SIZE = 80, PROTOCOL_NAME_MAX = 16 };
enum { SHOWN_MAX = 2 * COLUMNS_MAX + KIND_FIELDS_MAX };

// What a line in the names of elements has: a column of the export, or a field under its own name.
struct shown {
    int column, field; // -1: none
    bool is_wide;
};

struct record_lines {
    const struct style *style;
    struct output *output;
    const struct record_kind *kind;
    struct export_columns columns;
    struct shown shown[SHOWN_MAX];
    uint32_t shown_count;
};

struct style {
    const char *format;
    bool only_flows;
    void (*open)(struct record_lines *l, FILE *out);
    void (*put)(struct record_lines *l, const struct record_batch *batch, uint32_t row);
};

// ---- in the words of weir -----------------------------------------------------------------------

static void own_open(struct record_lines *l, FILE *out)
{
    l->output = output_create_for(OUTPUT_JSON, out, l->kind, 0);
    output_tell_kind(l->output, l->kind->name);
}

static void own_put(struct record_lines *l, const struct record_batch *batch, uint32_t row)
{
    output_batch_row(l->output, batch, row);
}

// ---- in the names of elements -------------------------------------------------------------------

// Sampling has two fields, of which the element tells one.
static bool is_by_element(const struct record_lines *l, const struct export_column *c)
{
    const char *name = c->field >= 0 ? l->kind->fields[c->field].name : "";
    return c->how != COLUMN_UNTOLD && strcmp(name, "sampling_rate") != 0;
}

static bool is_own(const struct record_lines *l, unsigned field)
{
    const struct field *f = &l->kind->fields[field];
    if (f->flags & (FIELD_HIDDEN | FIELD_ASKED) || f->type == FIELD_ID) return false;
    for (uint32_t i = 0; i < l->columns.count; i++)
        if (l->columns.list[i].field == (int)field && is_by_element(l, &l->columns.list[i]))
            return false;
    return true;
}

static void show(struct record_lines *l, struct output_column *column, struct shown shown,
                 char name[NAME_MAX_SIZE], const char *prefix, const char *text)
{
    snprintf(name, NAME_MAX_SIZE, "%s%s", prefix, text);
    *column = (struct output_column){name, false};
    l->shown[l->shown_count++] = shown;
}

// Stream4Flow knows this one by the name that Flowmon's probes gave it.
static const char *name_of(const struct element *e)
{
    return strcmp(e->name, "httpRequestHost") == 0 ? "HTTPRequestHost" : e->name;
}

static void ipfix_open(struct record_lines *l, FILE *out)
{
    static const struct column_abilities abilities = {true, true, true, true};
    char names[SHOWN_MAX][NAME_MAX_SIZE];
    struct output_column columns[SHOWN_MAX + 1] = {{"@type", false}};
    columns_init(&l->columns, l->kind, &abilities);
    for (uint32_t i = 0; i < l->columns.count; i++) {
        const struct export_column *c = &l->columns.list[i];
        const char *prefix = c->is_reverse ? "iana@reverse:" : "ipfix.";
        if (!is_by_element(l, c)) continue;
        for (int wide = 0; wide < 2; wide++) {
            const struct element *e = wide ? c->wide : c->element;
            if (!e || (wide && e == c->element)) continue;
            uint32_t n = l->shown_count;
            show(l, &columns[1 + n], (struct shown){(int)i, c->field, wide}, names[n], prefix,
                 name_of(e));
        }
    }
    for (unsigned f = 0; f < l->kind->field_count; f++) {
        uint32_t n = l->shown_count;
        if (is_own(l, f))
            show(l, &columns[1 + n], (struct shown){-1, (int)f, false}, names[n], "",
                 l->kind->fields[f].name);
    }
    l->output = output_create(OUTPUT_JSON, out, columns, 1 + l->shown_count, 0);
}

// Octets are digits behind 0x.
static void put_octets(struct output *o, bytes octets)
{
    struct text text = {0};
    element_format(&text, NULL, octets);
    output_text(o, bytes_of(text.p, text.n));
    text_deinit(&text);
}

static void put_column(struct output *o, const struct export_column *c,
                       const struct column_value *v, bytes text)
{
    switch ((enum column_how)c->how) {
    case COLUMN_TIME:
        output_uint(o, v->word / NANOS_PER_MILLI);
        return;
    case COLUMN_NUMBER:
    case COLUMN_FINE:
    case COLUMN_REASON:
    case COLUMN_ICMP:
        output_uint(o, v->word);
        return;
    case COLUMN_ADDRESS:
        output_address(o, v->address);
        return;
    case COLUMN_MAC:
        output_mac(o, v->word);
        return;
    case COLUMN_TEXT:
        output_text(o, text);
        return;
    case COLUMN_HASH:
        put_octets(o, text);
        return;
    case COLUMN_UNTOLD:
        break;
    }
    output_null(o);
}

static void ipfix_put(struct record_lines *l, const struct record_batch *batch, uint32_t row)
{
    struct export_values values;
    columns_read(&l->columns, &(struct export_row){batch, row, false}, &values);
    output_text(l->output, bytes_text("ipfix.entry"));
    for (uint32_t i = 0; i < l->shown_count; i++) {
        const struct shown *s = &l->shown[i];
        bool is_there = s->column >= 0 ? values.present >> s->column & 1
                                       : batch_has(batch, (unsigned)s->field, row);
        if (s->column >= 0) {
            const struct export_column *c = &l->columns.list[s->column];
            bool other = c->wide && c->wide != c->element;
            is_there = is_there && (!other || (values.wide >> s->column & 1) == s->is_wide);
        }
        if (!is_there) output_null(l->output);
        else if (s->column < 0) output_field(l->output, batch, (unsigned)s->field, row);
        else
            put_column(l->output, &l->columns.list[s->column], &values.of[s->column],
                       field_is_in_heap(l->kind->fields[s->field].type)
                           ? batch_get_bytes(batch, (unsigned)s->field, row)
                           : bytes_of(NULL, 0));
    }
    output_row_end(l->output);
}

// ---- the twelve keys ----------------------------------------------------------------------------

static const struct {
    const char *name, *field, *back; // back: of the line for the other direction
} keys[] = {
    {"date_first_seen", "first_seen", "first_seen"},
    {"date_last_seen", "last_seen", "last_seen"},
    {"duration", NULL, NULL},
    {"src_ip_addr", "src_addr", "dst_addr"},
    {"dst_ip_addr", "dst_addr", "src_addr"},
    {"src_port", "src_port", "dst_port"},
    {"dst_port", "dst_port", "src_port"},
    {"protocol", "proto", "proto"},
    {"flags", "tcp_flags", "reverse_tcp_flags"},
    {"tos", "tos", "tos"},
    {"packets", "packets", "reverse_packets"},
    {"bytes", "bytes", "reverse_bytes"},
};
enum { KEYS = sizeof keys / sizeof keys[0] };
enum { KEY_FIRST = 0, KEY_LAST = 1, KEY_PROTOCOL = 7, KEY_FLAGS = 8 };

static void nfdump_open(struct record_lines *l, FILE *out)
{
    struct output_column columns[KEYS];
    for (unsigned i = 0; i < KEYS; i++) {
        columns[i] = (struct output_column){keys[i].name, false};
        for (unsigned back = 0; keys[i].field && back < 2; back++)
            l->shown[2 * i + back].field =
                kind_field(l->kind, bytes_text(back ? keys[i].back : keys[i].field));
    }
    l->output = output_create(OUTPUT_JSON, out, columns, KEYS, 0);
}

// As nfdump has them: a letter or a dot for each.
static void put_flags(struct output *o, uint64_t flags)
{
    static const char letters[] = "UAPRSF";
    enum { FLAGS = sizeof letters - 1 };
    char text[FLAGS];
    for (unsigned i = 0; i < FLAGS; i++) text[i] = flags >> (FLAGS - 1 - i) & 1 ? letters[i] : '.';
    output_text(o, bytes_of(text, FLAGS));
}

// TCP; a number where there is no name.
static void put_protocol(struct output *o, uint64_t number)
{
    char upper[PROTOCOL_NAME_MAX];
    const char *name = number <= UINT8_MAX ? protocol_name((uint8_t)number) : NULL;
    size_t n = 0;
    for (; name && name[n] && n < sizeof upper; n++) upper[n] = (char)toupper(name[n]);
    if (name) output_text(o, bytes_of(upper, n));
    else output_uint(o, number);
}

static void put_duration(struct record_lines *l, const struct record_batch *batch, uint32_t row)
{
    unsigned first = (unsigned)l->shown[KEY_FIRST].field;
    unsigned last = (unsigned)l->shown[2 * KEY_LAST].field;
    if (!batch_has(batch, first, row) || !batch_has(batch, last, row)) {
        output_null(l->output);
        return;
    }
    nanos lasted = (nanos)(batch_get(batch, last, row) - batch_get(batch, first, row));
    output_real(l->output, (double)lasted / NANOS_PER_SECOND);
}

static void put_keys(struct record_lines *l, const struct record_batch *batch, uint32_t row,
                     unsigned back)
{
    for (unsigned i = 0; i < KEYS; i++) {
        unsigned field = (unsigned)l->shown[2 * i + back].field;
        if (!keys[i].field) put_duration(l, batch, row);
        else if (!batch_has(batch, field, row)) output_null(l->output);
        else if (i == KEY_PROTOCOL) put_protocol(l->output, batch_get(batch, field, row));
        else if (i == KEY_FLAGS) put_flags(l->output, batch_get(batch, field, row));
        else output_field(l->output, batch, field, row);
    }
    output_row_end(l->output);
}

static void nfdump_put(struct record_lines *l, const struct record_batch *batch, uint32_t row)
{
    int packets = kind_field(l->kind, bytes_text("reverse_packets"));
    put_keys(l, batch, row, 0);
    if (batch_has(batch, (unsigned)packets, row) && batch_get(batch, (unsigned)packets, row))
        put_keys(l, batch, row, 1);
}

// ---- all ----------------------------------------------------------------------------------------

static const struct style styles[] = {
    {"json", false, own_open, own_put},
    {"json-ipfix", true, ipfix_open, ipfix_put},
    {"json-nfdump", true, nfdump_open, nfdump_put},
};

static const struct style *style_of(const char *format)
{
    for (size_t i = 0; i < sizeof styles / sizeof styles[0]; i++)
        if (strcmp(styles[i].format, format) == 0) return &styles[i];
    return NULL;
}

bool record_lines_is(const char *format)
{
    return style_of(format);
}

bool record_lines_fits(const char *format, const struct record_kind *kind)
{
    const struct style *style = style_of(format);
    return style && (!style->only_flows || strcmp(kind->name, "flow") == 0);
}

const char *record_lines_formats(void)
{
    return "json, json-ipfix or json-nfdump";
}

struct record_lines *record_lines_create(const char *format, FILE *out,
                                         const struct record_kind *kind, struct err *err)
{
    if (!record_lines_fits(format, kind)) {
        err_set(err, ERR_USAGE, "records of kind \"%s\" go as json, not as %s", kind->name, format);
        return NULL;
    }
    struct record_lines *l = memory_get(sizeof *l);
    l->style = style_of(format);
    l->kind = kind;
    l->style->open(l, out);
    return l;
}

void record_lines_destroy(struct record_lines *l)
{
    if (!l) return;
    output_destroy(l->output);
    memory_free(l);
}

void record_lines_put(struct record_lines *l, const struct record_batch *batch, uint32_t row)
{
    l->style->put(l, batch, row);
}

bool record_lines_end(struct record_lines *l, struct err *err)
{
    return output_end(l->output, err);
}

uint64_t record_lines_rows(const struct record_lines *l)
{
    return output_rows(l->output);
}
