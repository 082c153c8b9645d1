// Any bytes as lines behind one of each format, and behind headers of tables, by both parsers: what
// the scanner makes of them the strict parser may refuse, and never the other way round. It has
// whole numbers up to 2^63.
#include <assert.h>

#include "collect/lines.h"
#include "flow/flow_kind.h"
#include "record/kinds.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const firsts[] = {
    "{\"date_first_seen\":\"2020-01-01T00:00:00Z\",\"packets\":1}\n",
    "{\"ipfix.flowStartMilliseconds\":1,\"ipfix.octetDeltaCount\":1}\n",
    "{\"ts\":1.5,\"id.orig_h\":\"10.0.0.1\",\"conn_state\":\"S0\"}\n",
    "{\"timestamp\":\"2020-01-01T00:00:00Z\",\"event_type\":\"stats\"}\n",
    "{\"first_seen\":\"2020-01-01T00:00:00Z\",\"last_seen\":\"2020-01-01T00:00:00Z\"}\n",
    "#separator \\x09\n#path\tconn\n#fields\tts\tid.orig_h\tproto\tduration\tservice\torig_pkts\n",
    "ts,sa,dp,pr,flg,td,service,nh,elements,TotBytes,x\n",
    "StartTime;Dur;Proto;SrcAddr;Sport;DstAddr;Dport;TotPkts;SrcPkts\n",
};

static void drop(void *context, const struct record_batch *batch)
{
    (void)context;
    assert(batch->rows && batch->rows <= BATCH_ROWS_MAX);
}

static struct lines_counts take(const char *first, bytes line, bool strict_only)
{
    static const struct record_kind *const kinds[] = {&flow_kind, &loss_kind};
    struct record_writer *writer = writer_create(kinds, 2, (struct record_sink){NULL, drop});
    struct lines_options options = {
        .input = "fuzz", .point = "", .elements = true, .strict_only = strict_only};
    struct lines *l = lines_create(&options, writer);
    lines_feed(l, bytes_text(first));
    lines_feed(l, line);
    lines_end(l);
    writer_flush(writer);
    struct lines_counts counts = lines_counts(l);
    lines_destroy(l);
    writer_destroy(writer);
    return counts;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size) return 0;
    const char *first = firsts[data[0] % (sizeof firsts / sizeof firsts[0])];
    bytes line = bytes_of(data + 1, size - 1);
    struct lines_counts fast = take(first, line, false), strict = take(first, line, true);
    assert(fast.lines == strict.lines);
    assert(fast.flows + fast.other >= strict.flows + strict.other);
    return 0;
}
