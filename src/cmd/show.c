// weir show: one conversation, or whatever hangs on one: its PDUs, what was made of it, and the
// packets it came from.
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "cmd/cmd.h"
#include "cmd/readings.h"
#include "engine/captures.h"
#include "engine/catalogue.h"
#include "engine/pdu_list.h"
#include "engine/provenance.h"
#include "engine/replay.h"
#include "flow/flow.h"
#include "record/output.h"
#include "store/case.h"

enum { HEX_COLUMNS = 16, SHOW_LIMIT = 4096 };

struct show_options {
    bool packets;
    const char *raw;
    uint64_t limit;
};

static const struct option_row rows[] = {
    {0, "packets", OPTION_FLAG, offsetof(struct show_options, packets), NULL,
     "from which packets that is made which the id names", 0, 0},
    {0, "raw", OPTION_TEXT, offsetof(struct show_options, raw), "src|dst",
     "the bytes of one direction as delivered, to standard output", 0, 0},
    {0, "limit", OPTION_SIZE, offsetof(struct show_options, limit), "SIZE",
     "most that is shown of one PDU [4k]; 0 for all", 0, 0},
};

struct show {
    const struct show_options *options;
    struct case_reader *reader;
    struct record_id id, conversation;
    bool has_conversation;
    const char *kind;        // that the id is of
    bool carries;            // the conversation is the outside of others
    struct address src_addr; // of the conversation
    uint16_t src_port;
    struct pdu_cutter cutter;
    struct pdu_list pdus;
    struct readings readings;
    uint8_t src_side;             // of the key
    uint8_t raw_side;             // 0 src, 1 dst
    struct provenance provenance; // for --packets
};

static bool scan_where(const struct show *s, const struct record_kind *kind, const char *field,
                       struct record_id id, case_take *take, void *context, struct err *err)
{
    char where[CASE_ID_CONDITION_MAX];
    case_id_condition(where, field, id);
    struct case_scan scan = {kind, CASE_ALL_FIELDS, where, take, context};
    return case_scan(s->reader, &scan, err);
}

// ---- finding ------------------------------------------------------------------------------------

static bool take_named(void *context, const struct record_batch *b)
{
    struct show *s = context;
    s->kind = b->kind->name;
    if (s->options->packets) provenance_add(&s->provenance, b, 0);
    int field =
        b->kind == &conversation_kind ? 0 : kind_field(b->kind, bytes_text("conversation_id"));
    if (field >= 0 && batch_has(b, (unsigned)field, 0)) {
        s->has_conversation = true;
        s->conversation = batch_get_id(b, (unsigned)field, 0);
    }
    return false;
}

static bool take_src(void *context, const struct record_batch *b)
{
    struct show *s = context;
    int address = kind_field(b->kind, bytes_text("src_addr"));
    int port = kind_field(b->kind, bytes_text("src_port"));
    s->src_addr = batch_get_address(b, (unsigned)address, 0);
    s->src_port = (uint16_t)batch_get(b, (unsigned)port, 0);
    s->carries = batch_has(b, (unsigned)kind_field(b->kind, bytes_text("carries")), 0);
    return false;
}

static bool show_find(struct show *s, struct err *err)
{
    if (!named_find(s->reader, s->id, take_named, s, err)) return false;
    if (!s->has_conversation)
        return err_set(err, ERR_INPUT, "this %s hangs on no conversation", s->kind);
    return scan_where(s, &conversation_kind, "id", s->conversation, take_src, s, err);
}

// ---- records ------------------------------------------------------------------------------------

static bool take_record(void *context, const struct record_batch *b)
{
    (void)context;
    struct output *out = output_create_for(OUTPUT_JSON, stdout, b->kind, 0);
    for (uint32_t row = 0; row < b->rows; row++) {
        printf("%s ", b->kind->name);
        output_batch_row(out, b, row);
        struct err ignored;
        if (!output_end(out, &ignored)) break;
    }
    output_destroy(out);
    return true;
}

static bool show_records(struct show *s, struct err *err)
{
    uint32_t count;
    const struct record_kind *const *kinds = catalogue(&count);
    if (!scan_where(s, &conversation_kind, "id", s->conversation, take_record, s, err))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (kinds[i]->hidden || kinds[i] == &flow_kind ||
            kind_field(kinds[i], bytes_text("conversation_id")) < 0)
            continue;
        if (!scan_where(s, kinds[i], "conversation_id", s->conversation, take_record, s, err))
            return false;
    }
    putchar('\n');
    return readings_load(&s->readings, s->reader, s->conversation, err);
}

// ---- PDUs ---------------------------------------------------------------------------------------

static void print_hex_line(bytes data, size_t at)
{
    printf("  %08zx  ", at);
    for (size_t i = 0; i < HEX_COLUMNS; i++) {
        if (at + i < data.n) printf("%02x ", data.p[at + i]);
        else fputs("   ", stdout);
        if (i == HEX_COLUMNS / 2 - 1) putchar(' ');
    }
    putchar(' ');
    for (size_t i = 0; i < HEX_COLUMNS && at + i < data.n; i++) {
        uint8_t c = data.p[at + i];
        putchar(c >= 0x20 && c < 0x7f ? c : '.');
    }
    putchar('\n');
}

static void print_gap(const struct show *s, uint8_t side, uint64_t length, enum gap_kind kind)
{
    static const char *const why[] = {[GAP_LOST] = "never seen",
                                      [GAP_CUT] = "cut by the snap length",
                                      [GAP_BUDGET] = "given up, too much waited behind it"};
    printf("%s    %llu bytes missing: %s\n", side == s->src_side ? "-->" : "<--",
           (unsigned long long)length, why[kind]);
}

static void print_pdu(const struct show *s, const struct pdu *pdu, nanos begin)
{
    if (pdu->gap_before) print_gap(s, pdu->side, pdu->gap_before, pdu->gap_kind);
    printf("%s %.6f s  %zu bytes at %llu\n", pdu->side == s->src_side ? "-->" : "<--",
           (double)(pdu->first_seen - begin) / (double)NANOS_PER_SECOND, pdu->data.n,
           (unsigned long long)pdu->position);
    size_t n =
        s->options->limit && pdu->data.n > s->options->limit ? s->options->limit : pdu->data.n;
    for (size_t at = 0; at < n; at += HEX_COLUMNS) print_hex_line(bytes_first(pdu->data, n), at);
    if (n < pdu->data.n) printf("  ... %zu bytes more; --limit 0 shows all\n", pdu->data.n - n);
    readings_print(&s->readings, pdu->side != s->src_side, pdu->position,
                   pdu->position + pdu->data.n);
}

static void print_pdus(struct show *s)
{
    pdu_list_order(&s->pdus);
    for (size_t i = 0; i < s->pdus.count; i++)
        print_pdu(s, pdu_list_at(&s->pdus, i), pdu_list_at(&s->pdus, 0)->first_seen);
    for (uint8_t side = 0; side < 2; side++)
        if (s->cutter.gap[side]) print_gap(s, side, s->cutter.gap[side], s->cutter.gap_kind[side]);
    if (!s->carries) return;
    char id[RECORD_ID_TEXT_SIZE];
    record_id_format(id, s->conversation);
    printf("Its packets carry other conversations: weir query CASE -k conversation -Y "
           "'parent_id == %s'\n",
           id);
}

static void take_pdu(void *context, const struct pdu *pdu)
{
    struct show *s = context;
    pdu_list_add(&s->pdus, pdu);
}

// Who is src was decided by the whole conversation, and may not be known yet while it is replayed.
static void find_src_side(struct show *s, const struct conversation *c)
{
    bool is_a = address_equal(c->key.a, s->src_addr) && c->key.port_a == s->src_port;
    s->src_side = !is_a;
}

static void watch_pdus(void *context, const struct conversation *c,
                       const struct stream_delivery *piece)
{
    struct show *s = context;
    find_src_side(s, c);
    pdu_cutter_add(&s->cutter, piece);
}

static void watch_gap(void *context, const struct conversation *c, uint8_t side, uint64_t position,
                      uint64_t length, enum gap_kind kind)
{
    struct show *s = context;
    (void)position;
    find_src_side(s, c);
    if (!s->options->raw) pdu_cutter_gap(&s->cutter, side, length, kind);
}

static void watch_raw(void *context, const struct conversation *c,
                      const struct stream_delivery *piece)
{
    struct show *s = context;
    find_src_side(s, c);
    if ((piece->side ^ s->src_side) == s->raw_side) fwrite(piece->data.p, 1, piece->data.n, stdout);
}

// ---- packets ------------------------------------------------------------------------------------

static bool print_packet(void *context, const struct packet *p, const struct capture_place *place,
                         struct err *err)
{
    char time[TIME_TEXT_MAX];
    (void)context;
    (void)err;
    time_format(time, p->time);
    printf("%s  frame %llu  %u bytes  %s\n", time, (unsigned long long)p->ordinal + 1, p->length,
           place->path);
    return true;
}

static bool show_packets(struct show *s, struct err *err)
{
    if (!provenance_find(&s->provenance, s->reader, err)) return false;
    const struct referred *found = &s->provenance.found;
    struct captures *c = captures_of(s->reader, found->readings, found->reading_count, err);
    bool ok = c && captures_visit(c, print_packet, s, err);
    if (ok && captures_left_out(c)) command_left_out(captures_left_out(c));
    captures_close(c);
    return ok;
}

static bool show_replay(struct show *s, struct err *err)
{
    struct replay_options o = {.which = {&s->conversation, 1, 0},
                               .context = s,
                               .watch = watch_pdus,
                               .watch_gap = watch_gap};
    if (s->options->raw) o.watch = watch_raw;
    pdu_cutter_init(&s->cutter, s, take_pdu);
    bool ok = replay(s->reader, &o, err);
    pdu_cutter_flush(&s->cutter);
    if (ok) print_pdus(s);
    pdu_list_deinit(&s->pdus);
    pdu_cutter_deinit(&s->cutter);
    return ok;
}

// ---- the command --------------------------------------------------------------------------------

static bool show_check(int argc, char **argv, struct show *s, struct err *err)
{
    const char *raw = s->options->raw;
    if (argc < 0) return false;
    if (argc != 2) return err_set(err, ERR_USAGE, "name a case and an id: weir show CASE ID");
    if (!named_parse(argv[1], &s->id, err)) return false;
    if (raw && strcmp(raw, "src") != 0 && strcmp(raw, "dst") != 0)
        return err_set(err, ERR_USAGE, "--raw takes src or dst, not \"%s\"", raw);
    if (raw && isatty(STDOUT_FILENO))
        return err_set(err, ERR_USAGE, "--raw writes bytes: send them to a file or a program");
    s->raw_side = raw && strcmp(raw, "dst") == 0;
    return true;
}

static int show_run(int argc, char **argv)
{
    struct show_options o = {.limit = SHOW_LIMIT};
    struct show s = {.options = &o};
    struct err err = {0};
    argc = options_parse(&show_command, argc, argv, &o, &err);
    if (!show_check(argc, argv, &s, &err)) return command_fail(&err);
    struct asked asked;
    if (!asked_open(&asked, argv[0], &err)) return command_fail(&err);
    s.reader = asked.reader;
    bool ok = show_find(&s, &err);
    if (o.packets) ok = ok && show_packets(&s, &err);
    else ok = ok && (o.raw || show_records(&s, &err)) && show_replay(&s, &err);
    provenance_deinit(&s.provenance);
    readings_deinit(&s.readings);
    asked_close(&asked);
    return ok ? 0 : command_fail(&err);
}

const struct command show_command = {"show",
                                     "CASE|FILE ID",
                                     "one conversation, and what was made of it",
                                     rows,
                                     sizeof rows / sizeof rows[0],
                                     show_run};
