// Any bytes as a body: the first say how it is encoded and where it is cut or has a gap. Whatever
// comes out, it must be the same when the bytes come one by one.
#include <assert.h>
#include <stdlib.h>

#include "extract/extract.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FUZZ_DECODED_MAX = 4 << 20, FUZZ_KEPT_MAX = 3000 };

struct plan {
    struct body_start start;
    uint16_t step, gap_at; // no gap when gap_at is 0
};

static struct plan plan_of(struct reader *r)
{
    struct plan plan = {.start = {.source = "fuzz"}};
    uint8_t head = read_u8(r);
    plan.start.coding_count = head % (BODY_CODINGS_MAX + 1);
    for (unsigned i = 0; i < plan.start.coding_count; i++)
        plan.start.codings[i] = (enum body_coding)(read_u8(r) % (BODY_ZSTD + 1));
    plan.step = read_be16(r);
    if (head & 0x80) plan.gap_at = read_be16(r);
    return plan;
}

static void run(struct extractor *x, const struct plan *plan, bytes body, size_t step,
                struct body_summary *summary)
{
    uint32_t file = extract_open(x, &plan->start);
    assert(file);
    bytes parts[2] = {bytes_first(body, plan->gap_at), bytes_after(body, plan->gap_at)};
    for (unsigned part = 0; part < 2; part++) {
        for (bytes rest = parts[part]; rest.n; rest = bytes_after(rest, step))
            extract_data(x, file, bytes_first(rest, step));
        if (part == 0 && plan->gap_at) extract_gap(x, file, 1);
    }
    static uint8_t memory[ROW_SIZE_MAX];
    struct row row;
    row_init(&row, &file_kind, memory, sizeof memory);
    extract_close(x, file, true, summary, &row);
    assert(!row.truncated);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct extractor *x;
    struct extract_options options = {1, BODY_CODINGS_MAX, FUZZ_KEPT_MAX, FUZZ_DECODED_MAX, NULL};
    if (!x) x = extractor_create(&options, NULL);
    struct reader r = reader_of(bytes_of(data, size));
    struct plan plan = plan_of(&r);
    bytes body = reader_rest(&r);
    if (r.bad) return 0;
    struct body_summary one, other;
    run(x, &plan, body, body.n ? body.n : 1, &one);
    run(x, &plan, body, plan.step ? plan.step : 1, &other);
    assert(memcmp(one.sha256, other.sha256, sizeof one.sha256) == 0);
    assert(one.file_bytes == other.file_bytes && one.complete == other.complete);
    assert(strcmp(one.media_type, other.media_type) == 0);
    return 0;
}
