// weir search: where something stands, in the streams as they were delivered and in artifacts.
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cmd/cmd.h"
#include "engine/search.h"
#include "filter/filter.h"
#include "flow/flow.h"
#include "record/output.h"

enum { SEARCH_LIMIT = 500, FRAMES_SHOWN = 8, ID_ROOM_MIN = 64 };

struct search_words {
    const char *expression, *format;
    bool fold, scan, index;
    uint64_t limit;
};

static const struct option_row rows[] = {
    {'i', "ignore-case", OPTION_FLAG, offsetof(struct search_words, fold), NULL,
     "ASCII letters are equal in both cases", 0, 0},
    {'Y', "filter", OPTION_TEXT, offsetof(struct search_words, expression), "EXPR",
     "only in conversations for which this holds, and in their files", 0, 0},
    {'o', "output", OPTION_TEXT, offsetof(struct search_words, format), "FORMAT",
     "table, json (one object a line), csv [table]", 0, 0},
    {0, "limit", OPTION_COUNT, offsetof(struct search_words, limit), "N",
     "most matches that are shown [500]", 1, 10000000},
    {0, "index", OPTION_FLAG, offsetof(struct search_words, index), NULL,
     "make the index that lets a search leave out most of the packets; TEXT may be missing", 0, 0},
    {0, "scan", OPTION_FLAG, offsetof(struct search_words, scan), NULL,
     "look at all packets, whatever an index says", 0, 0},
};

// ---- where to look ------------------------------------------------------------------------------

struct ids {
    struct record_id *ids;
    size_t count, room;
};

static bool take_id(void *context, const struct record_batch *batch, uint32_t row)
{
    struct ids *l = context;
    if (l->count == l->room) {
        l->room = l->room ? 2 * l->room : ID_ROOM_MIN;
        l->ids = memory_resize(l->ids, l->room * sizeof *l->ids);
    }
    l->ids[l->count++] = batch_get_id(batch, 0, row);
    return true;
}

// The conversations for which the filter holds; in order, since that is how they are looked up.
static bool find_ids(struct case_reader *reader, const struct filter *filter, struct ids *l,
                     struct err *err)
{
    l->ids = memory_get(sizeof *l->ids);
    l->room = 1;
    if (!wanted_scan(reader, &conversation_kind, filter, take_id, l, err)) return false;
    qsort(l->ids, l->count, sizeof *l->ids, record_id_order);
    return true;
}

// ---- what was found -----------------------------------------------------------------------------

// Bytes of the traffic on a line: what is no ASCII character is a dot.
static void print_bytes(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) putchar(p[i] >= 0x20 && p[i] < 0x7f ? p[i] : '.');
}

static void print_endpoint(struct address address, uint16_t port)
{
    char text[ADDRESS_TEXT_MAX];
    address_format(text, address);
    printf(strchr(text, ':') ? "[%s]:%u" : "%s:%u", text, port);
}

static void print_conversation(const struct match *m)
{
    char id[RECORD_ID_TEXT_SIZE];
    record_id_format(id, m->conversation);
    printf("conversation %s  ", id);
    if (m->proto == 6 || m->proto == 17) fputs(m->proto == 6 ? "tcp  " : "udp  ", stdout);
    else printf("protocol %llu  ", (unsigned long long)m->proto);
    print_endpoint(m->src_addr, m->src_port);
    fputs(" --> ", stdout);
    print_endpoint(m->dst_addr, m->dst_port);
    putchar('\n');
}

static void print_artifact(const struct match *m)
{
    char text[2 * SHA256_SIZE + 1];
    hex_format(text, bytes_of(m->sha256, SHA256_SIZE));
    printf("artifact %s\n  of file", text);
    for (uint32_t i = 0; i < m->file_count && i < MATCH_FILES_MAX; i++) {
        record_id_format(text, m->files[i]);
        printf(" %s", text);
    }
    if (m->file_count > MATCH_FILES_MAX) printf(" and %u more", m->file_count - MATCH_FILES_MAX);
    putchar('\n');
}

static void print_frames(const struct match *m)
{
    const char *path = NULL;
    for (uint32_t i = 0; i < m->frame_count && i < FRAMES_SHOWN; i++) {
        const struct match_frame *f = &m->frames[i];
        if (path != f->path) printf("%s%s frame", i ? "; " : "  ", f->path);
        path = f->path;
        printf(" %llu", (unsigned long long)f->number);
    }
    if (m->more_frames || m->frame_count > FRAMES_SHOWN) fputs(" ...", stdout);
}

static bool in_same_place(const struct match *a, const struct match *b)
{
    if (a->in_artifact != b->in_artifact) return false;
    return a->in_artifact ? memcmp(a->sha256, b->sha256, SHA256_SIZE) == 0
                          : record_id_equal(a->conversation, b->conversation);
}

static void print_match(const struct match *m, const struct match *before, bool colour)
{
    if (!before || !in_same_place(m, before))
        (m->in_artifact ? print_artifact : print_conversation)(m);
    const char *arrow = m->in_artifact ? "   " : m->from_src ? "-->" : "<--";
    printf("  %s %llu bytes at %llu", arrow, (unsigned long long)m->length,
           (unsigned long long)m->position);
    print_frames(m);
    fputs("\n      ", stdout);
    print_bytes(m->before, m->before_count);
    if (colour) fputs("\x1b[1;31m", stdout);
    print_bytes(m->shown, m->shown_count);
    if (colour) fputs("\x1b[0m", stdout);
    if (m->shown_count < m->length) fputs(" ... ", stdout);
    print_bytes(m->behind, m->behind_count);
    putchar('\n');
}

static bool print_rows(const struct match_list *l, enum output_format format, struct err *err)
{
    static uint8_t memory[ROW_SIZE_MAX];
    struct output *out = output_create_for(format, stdout, &match_kind, 0);
    struct record_batch *b = batch_create(&match_kind);
    for (size_t i = 0; i < l->count; i++) {
        struct row row;
        row_init(&row, &match_kind, memory, sizeof memory);
        match_row(&l->matches[i], &row);
        batch_clear(b);
        if (batch_append(b, &row)) output_batch_row(out, b, 0);
    }
    bool ok = output_end(out, err);
    batch_destroy(b);
    output_destroy(out);
    return ok;
}

static bool print_all(const struct match_list *l, enum output_format format, struct err *err)
{
    if (format != OUTPUT_TABLE) return print_rows(l, format, err);
    bool colour = screen_colour(stdout);
    for (size_t i = 0; i < l->count; i++)
        print_match(&l->matches[i], i ? &l->matches[i - 1] : NULL, colour);
    return true;
}

// What the person must know of what was not looked at. The exit status.
static int tell(const struct search_result *r)
{
    if (r->list.total > r->list.count)
        fprintf(stderr, "weir: these are %zu of %llu matches; --limit shows more\n", r->list.count,
                (unsigned long long)r->list.total);
    if (r->unfit)
        fprintf(stderr,
                "weir: %u index%s damaged or made from something else and not used; --index makes "
                "%s again\n",
                r->unfit, r->unfit == 1 ? " is" : "es are", r->unfit == 1 ? "it" : "them");
    if (r->given_up)
        fprintf(stderr,
                "weir: the pattern took too many steps in %llu places, which were passed over\n",
                (unsigned long long)r->given_up);
    if (r->cut)
        fprintf(stderr,
                "weir: too many bytes waited for the end of a match; in %llu places one may have "
                "been missed\n",
                (unsigned long long)r->cut);
    if (r->absent)
        fprintf(stderr, "weir: %llu artifacts are not in the case any more and were not searched\n",
                (unsigned long long)r->absent);
    if (r->left_out) command_left_out(r->left_out);
    if (r->unkept)
        fprintf(
            stderr,
            "weir: packets of %llu conversations were not kept (weir read -i NAME --keep): their "
            "streams were not searched\n",
            (unsigned long long)r->unkept);
    if (r->streams.code) return command_fail(&r->streams);
    if (r->absent || r->left_out || r->unkept) return ERR_INPUT;
    return r->list.total ? 0 : ERR_DIFFERENCE;
}

// ---- the command --------------------------------------------------------------------------------

static bool search_format(const char *name, enum output_format *format, struct err *err)
{
    static const char *const names[] = {
        [OUTPUT_TABLE] = "table", [OUTPUT_JSON] = "json", [OUTPUT_CSV] = "csv"};
    *format = OUTPUT_TABLE;
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (name && strcmp(name, names[i]) != 0) continue;
        *format = i;
        return true;
    }
    return err_set(err, ERR_USAGE, "\"%s\" is no format; there are table, json and csv", name);
}

static bool search_asked(struct asked *asked, struct search_options *o, const struct filter *filter,
                         struct search_result *result, struct err *err)
{
    struct ids wanted = {0};
    bool ok = !filter || find_ids(asked->reader, filter, &wanted, err);
    o->ids = wanted.ids;
    o->id_count = wanted.count;
    ok = ok && search(asked->reader, o, result, err);
    memory_free(wanted.ids);
    return ok;
}

static int search_case(const char *path, const struct search_words *words, struct search_options *o,
                       const struct filter *filter)
{
    struct err err = {0};
    struct asked asked;
    struct search_result result = {0};
    enum output_format format;
    if (!search_format(words->format, &format, &err) || !asked_open(&asked, path, &err))
        return command_fail(&err);
    bool ok = !words->index || index_make(asked.reader, path, &err);
    if (o->needle)
        ok = ok && search_asked(&asked, o, filter, &result, &err) &&
             print_all(&result.list, format, &err);
    int status = !ok ? command_fail(&err) : o->needle ? tell(&result) : 0;
    search_result_deinit(&result);
    asked_close(&asked);
    return status;
}

static int search_run(int argc, char **argv)
{
    struct search_words words = {.limit = SEARCH_LIMIT};
    struct err err = {0};
    char wrong[NEEDLE_ERROR_MAX];
    argc = options_parse(&search_command, argc, argv, &words, &err);
    if (argc < 0) return command_fail(&err);
    if (argc != 2 && !(argc == 1 && words.index)) {
        err_set(&err, ERR_USAGE, "name a case and what to look for: weir search CASE TEXT");
        return command_fail(&err);
    }
    struct search_options o = {.limit = words.limit, .scan = words.scan};
    if (argc == 2 && !(o.needle = needle_create(argv[1], words.fold, wrong))) {
        err_set(&err, ERR_USAGE, "%s", wrong);
        return command_fail(&err);
    }
    struct filter *filter =
        words.expression ? wanted_filter(words.expression, &conversation_kind) : NULL;
    bool is_wrong = words.expression && !filter;
    int status = is_wrong ? ERR_USAGE : search_case(argv[0], &words, &o, filter);
    filter_destroy(filter);
    needle_destroy(o.needle);
    return status;
}

const struct command search_command = {"search",
                                       "CASE|FILE TEXT|0xBYTES|/REGEX/",
                                       "where text, 0xBYTES or a /REGEX/ (PCRE2, of bytes) stands",
                                       rows,
                                       sizeof rows / sizeof rows[0],
                                       search_run};
