#include "collect/lines.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/memory.h"
#include "collect_list.h"
#include "collect/line_inside.h"
#include "flow/flow_kind.h"
#include "record/loss.h"

// What a row takes of a batch at most: each text once (1,024 bytes escaped), and the list.
enum { ROW_NEED = 48 * 1024, ICMPV6 = 58 };

#define FORMAT_DECLARE(name) extern const struct line_format name##_lines;
LINE_LIST(FORMAT_DECLARE)
#undef FORMAT_DECLARE

#define FORMAT_ENTRY(name) &name##_lines,
const struct line_format *const line_formats[] = {LINE_LIST(FORMAT_ENTRY)};
#undef FORMAT_ENTRY
const uint32_t line_format_count = sizeof line_formats / sizeof line_formats[0];

static const char *const loss_words[] = {
#define LINE_LOSS_WORD(name, help) #name,
    LINE_LOSSES(LINE_LOSS_WORD)
#undef LINE_LOSS_WORD
};

// ---- formats ------------------------------------------------------------------------------------

static bytes first_line(bytes text)
{
    bytes line = bytes_first(text, bytes_find(text, '\n'));
    while (line.n && line.p[line.n - 1] == '\r') line.n--;
    return line;
}

static const struct line_format *format_of(bytes line)
{
    for (uint32_t i = 0; i < line_format_count; i++)
        if (line_formats[i]->recognise(line)) return line_formats[i];
    return NULL;
}

bool lines_recognise(bytes head)
{
    return format_of(first_line(head)) != NULL;
}

bool line_has(bytes line, const char *name)
{
    size_t n = strlen(name);
    if (!line.n || line.p[0] != '{') return false;
    for (size_t i = 1; i + n < line.n; i++)
        if (line.p[i] == '"' && memcmp(line.p + i + 1, name, n) == 0) return true;
    return false;
}

// ---- one line -----------------------------------------------------------------------------------

bool line_fault(struct lines *l, enum line_loss loss, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(l->why, sizeof l->why, format, args);
    va_end(args);
    l->fault = loss;
    return false;
}

void line_begin(struct lines *l)
{
    l->stamp++;
    l->is_told = l->is_other = l->is_icmp = false;
    l->duration = 0;
    l->packets_both = l->bytes_both = 0;
    text_clear(&l->list);
    l->batch = writer_begin(l->writer, &flow_kind, ROW_NEED);
}

void line_cancel(struct lines *l)
{
    batch_cancel(l->batch);
}

static bool line_times(struct lines *l)
{
    struct record_batch *b = l->batch;
    bool has_first = batch_has(b, FLOW_FIRST_SEEN, b->rows);
    bool has_last = batch_has(b, FLOW_LAST_SEEN, b->rows);
    if (!has_first && !has_last) return line_fault(l, LINE_LOSS_no_flow, "it tells no time");
    int64_t first = (int64_t)batch_get(b, FLOW_FIRST_SEEN, b->rows);
    int64_t last = (int64_t)batch_get(b, FLOW_LAST_SEEN, b->rows);
    if (!has_first) {
        if (__builtin_sub_overflow(last, l->duration, &first) || first < 0) first = last;
        batch_word(b, FLOW_FIRST_SEEN, (uint64_t)first);
    } else if (!has_last) {
        if (__builtin_add_overflow(first, l->duration, &last)) last = first;
        batch_word(b, FLOW_LAST_SEEN, (uint64_t)last);
    }
    l->now = last;
    return true;
}

// "icmp" is told of both families by name.
static void line_family(struct lines *l)
{
    struct record_batch *b = l->batch;
    if (l->is_icmp && batch_has(b, FLOW_SRC_ADDR, b->rows) &&
        !address_is_v4(batch_get_address(b, FLOW_SRC_ADDR, b->rows)))
        batch_word(b, FLOW_PROTO, ICMPV6);
}

// Where both directions are told together and the first one alone, the rest is the other's.
static void line_reverse(struct lines *l, unsigned field, unsigned reverse, uint64_t both)
{
    struct record_batch *b = l->batch;
    if (!both || !batch_has(b, field, b->rows) || batch_has(b, reverse, b->rows)) return;
    uint64_t one = batch_get(b, field, b->rows);
    if (one <= both) batch_word(b, reverse, both - one);
}

static bool line_finish(struct lines *l)
{
    struct record_batch *b = l->batch;
    if (!l->is_told) return line_fault(l, LINE_LOSS_no_flow, "no name in it tells of a flow");
    if (!line_times(l)) return false;
    line_family(l);
    flow_icmp_ports(b);
    line_reverse(l, FLOW_PACKETS, FLOW_REVERSE_PACKETS, l->packets_both);
    line_reverse(l, FLOW_BYTES, FLOW_REVERSE_BYTES, l->bytes_both);
    if (*l->options.point) batch_text(b, FLOW_POINT, bytes_text(l->options.point));
    if (l->list.n) batch_text(b, FLOW_ELEMENTS, bytes_of(l->list.p, l->list.n));
    batch_end(b);
    l->counts.flows++;
    return true;
}

static void line_dead(struct lines *l, bytes line)
{
    l->counts.dead++;
    l->lost[l->fault]++;
    if (!l->lost_from || l->now < l->lost_from) l->lost_from = l->now;
    if (l->now > l->lost_to) l->lost_to = l->now;
    if (l->options.dead)
        l->options.dead(l->options.context, l->counts.lines - l->lines_before, l->why, line);
}

void line_end(struct lines *l, bytes line, bool ok)
{
    if (ok && !l->is_other && line_finish(l)) return;
    line_cancel(l);
    if (ok && l->is_other) l->counts.other++;
    else line_dead(l, line);
}

void line_take_json(struct lines *l, bytes line)
{
    line_begin(l);
    enum scan_result r = l->options.strict_only ? SCAN_REFUSED : line_scan(l, line);
    bool ok = r == SCAN_DONE;
    if (r == SCAN_REFUSED) {
        line_cancel(l);
        line_begin(l);
        l->counts.strict++;
        ok = line_strict(l, line);
    }
    line_end(l, line, ok);
}

static void take_line(struct lines *l, bytes line)
{
    l->counts.lines++;
    while (line.n && line.p[line.n - 1] == '\r') line.n--;
    if (!line.n) return;
    if (!l->format) l->format = format_of(line);
    if (l->format) {
        l->format->take(l, line);
        return;
    }
    line_fault(l, LINE_LOSS_no_flow, "it is of no format that is known");
    line_dead(l, line);
}

// ---- the input ----------------------------------------------------------------------------------

struct lines *lines_create(const struct lines_options *options, struct record_writer *writer)
{
    struct lines *l = memory_get(sizeof *l);
    l->options = *options;
    l->writer = writer;
    return l;
}

void lines_destroy(struct lines *l)
{
    if (!l) return;
    text_deinit(&l->list);
    text_deinit(&l->value);
    text_deinit(&l->cell);
    memory_free(l);
}

static void take_long(struct lines *l, bytes line)
{
    l->counts.lines++;
    line_fault(l, LINE_LOSS_too_long, "it is longer than %d bytes: this is its beginning",
               LINE_BYTES_MAX);
    line_dead(l, bytes_first(line, LINE_BYTES_MAX));
}

// Keeps what has no end yet; of a line that is too long only the beginning.
static void lines_carry(struct lines *l, bytes piece)
{
    size_t room = LINE_BYTES_MAX - l->carried;
    l->is_cut |= piece.n > room;
    piece = bytes_first(piece, room);
    if (piece.n) memcpy(l->carry + l->carried, piece.p, piece.n);
    l->carried += piece.n;
}

static void take_carried(struct lines *l)
{
    bytes line = bytes_of(l->carry, l->carried);
    l->carry[line.n] = '\n';
    if (l->is_cut) take_long(l, line);
    else take_line(l, line);
    l->is_cut = false;
    l->carried = 0;
}

// The line of a piece that ends at `end`. Near the end of the piece it is copied to where more can
// be read behind it.
static void take_first(struct lines *l, bytes piece, size_t end)
{
    bytes line = bytes_first(piece, end);
    if (l->carried || piece.n - end <= LINE_SLACK) {
        lines_carry(l, line);
        take_carried(l);
    } else if (line.n > LINE_BYTES_MAX) {
        take_long(l, line);
    } else {
        take_line(l, line);
    }
}

void lines_feed(struct lines *l, bytes piece)
{
    while (piece.n) {
        size_t end = bytes_find(piece, '\n');
        if (end == piece.n) {
            lines_carry(l, piece);
            return;
        }
        take_first(l, piece, end);
        piece = bytes_after(piece, end + 1);
    }
}

void lines_message(struct lines *l, bytes message)
{
    l->lines_before = l->counts.lines;
    while (message.n) {
        size_t end = bytes_find(message, '\n');
        take_first(l, message, end);
        message = bytes_after(message, end + 1);
    }
}

void lines_tell(struct lines *l)
{
    for (unsigned i = 0; i < LINE_LOSS_COUNT; i++) {
        if (!l->lost[i]) continue;
        struct loss loss = {"collect",
                            loss_words[i],
                            l->lost_from,
                            l->lost_to,
                            .count = l->lost[i],
                            .capture = l->options.input,
                            .point = l->options.point};
        if (!l->lost_to) loss.from = 1; // no flow told a time before it
        loss_tell(l->writer, &loss);
        l->lost[i] = 0;
    }
    l->lost_from = l->lost_to = 0;
}

void lines_end(struct lines *l)
{
    if (l->carried) take_carried(l);
    lines_tell(l);
}

struct lines_counts lines_counts(const struct lines *l)
{
    return l->counts;
}

void lines_counts_add(struct lines_counts *sum, struct lines_counts n)
{
    sum->lines += n.lines;
    sum->flows += n.flows;
    sum->dead += n.dead;
    sum->other += n.other;
    sum->strict += n.strict;
}
