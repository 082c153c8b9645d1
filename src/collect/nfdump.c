#include "collect/nfdump.h"

#include "base/memory.h"
#include "base/unpack.h"
#include "collect/nfdump_inside.h"
#include "record/loss.h"

enum {
    MAGIC = 0xa50c,
    LAYOUT = 2,
    HEADER_SIZE = 40,
    BLOCK_HEADER = 12,
    RECORD_HEADER = 4,
    BLOCK_TYPE = 3,               // of records
    BLOCK_PLAIN = 1,              // flag: not packed, though the file is
    BLOCK_MAX = 16 * 1024 * 1024, // nfcapd makes them of 5 MB at most
    RECORD_EXPORTER = 7,
    RECORD_FLOW = 11,
};

// ---- exporters ----------------------------------------------------------------------------------

// Known by a number in the file. What a number is used for again replaces what it was.
static void take_exporter(struct nfdump *f, struct reader r)
{
    read_le32(&r); // version of its protocol
    struct address a = {read_le64(&r), read_le64(&r)};
    read_le16(&r); // family
    uint16_t number = read_le16(&r);
    uint32_t domain = read_le32(&r);
    if (r.bad || number >= NFDUMP_EXPORTERS_MAX) return;
    if (!a.hi && a.lo <= UINT32_MAX) a = address_v4((uint32_t)a.lo);
    f->exporters[number] = (struct nfdump_exporter){a, domain};
}

// ---- blocks -------------------------------------------------------------------------------------

static void take_record(struct nfdump *f, uint16_t type, struct reader r)
{
    if (type == RECORD_FLOW) {
        if (!nfdump_flow(f, r)) f->counts->lost[NFDUMP_LOSS_bad_record]++;
        return;
    }
    if (type == RECORD_EXPORTER) take_exporter(f, r);
    f->counts->other++;
}

static void take_records(struct nfdump *f, bytes block, uint32_t count)
{
    struct reader r = reader_of(block);
    for (; count && reader_left(&r) >= RECORD_HEADER; count--) {
        uint16_t type = read_le16(&r), size = read_le16(&r);
        if (size < RECORD_HEADER) break;
        struct reader record = read_sub(&r, size - (size_t)RECORD_HEADER);
        if (record.bad) break;
        take_record(f, type, record);
    }
    if (count) f->counts->lost[NFDUMP_LOSS_bad_block]++;
}

// False when the file ends within it.
static bool take_block(struct nfdump *f, struct reader *r, enum unpack_form form, uint8_t *memory)
{
    uint32_t count = read_le32(r), size = read_le32(r);
    uint16_t type = read_le16(r), flags = read_le16(r);
    bytes block = read_bytes(r, size);
    if (r->bad) return false;
    if (type != BLOCK_TYPE) return true; // of another kind, which has no flows
    if (form != UNPACK_NONE && !(flags & BLOCK_PLAIN)) {
        size_t n;
        if (!unpack(form, block, memory, BLOCK_MAX, &n)) {
            f->counts->lost[NFDUMP_LOSS_bad_block]++;
            return true;
        }
        block = bytes_of(memory, n);
    }
    take_records(f, block, count);
    return true;
}

// ---- the file -----------------------------------------------------------------------------------

struct header {
    uint8_t form, encryption;
    uint32_t blocks;
    nanos created;
};

static bool read_header(struct reader *r, const char *input, struct header *h, struct err *err)
{
    struct reader head = read_sub(r, HEADER_SIZE);
    uint16_t magic = read_le16(&head), layout = read_le16(&head);
    read_le32(&head); // version of nfdump
    uint64_t created = read_le64(&head);
    h->created = created <= UINT32_MAX ? (nanos)created * NANOS_PER_SECOND : 0;
    h->form = read_u8(&head);
    h->encryption = read_u8(&head);
    read_bytes(&head, 2 + 4 + 8 + 4); // what stands behind the flows, and who wrote it
    h->blocks = read_le32(&head);
    if (head.bad) return err_set(err, ERR_INPUT, "%s is a file of nfdump, but cut", input);
    if (magic != MAGIC)
        return err_set(err, ERR_INPUT, "%s: nfdump wrote it on a machine of the other byte order",
                       input);
    if (layout != LAYOUT)
        return err_set(
            err, ERR_INPUT,
            "%s is of nfdump 1.%s: nfdump 1.7 makes a new one of it, nfdump -r %s -w NEW", input,
            layout < LAYOUT ? "6" : "8 or later", input);
    if (h->encryption || h->form >= UNPACK_COUNT)
        return err_set(err, ERR_INPUT, "%s is encrypted, or packed in a way that is not known",
                       input);
    return true;
}

static void tell_losses(const struct nfdump *f)
{
    static const char *const words[] = {
#define NFDUMP_LOSS_WORD(name, unit, help) #name,
        NFDUMP_LOSSES(NFDUMP_LOSS_WORD)
#undef NFDUMP_LOSS_WORD
    };
    for (unsigned i = 0; i < NFDUMP_LOSS_COUNT; i++) {
        if (!f->counts->lost[i]) continue;
        struct loss loss = {.stage = "collect",
                            .reason = words[i],
                            .from = f->first ? f->first : 1,
                            .to = f->last,
                            .count = f->counts->lost[i],
                            .capture = f->options->input,
                            .point = f->options->point};
        loss_tell(f->rows.writer, &loss);
    }
}

void nfdump_counts_add(struct nfdump_counts *sum, const struct nfdump_counts *n)
{
    sum->files += n->files;
    sum->flows += n->flows;
    sum->other += n->other;
    for (unsigned i = 0; i < NFDUMP_LOSS_COUNT; i++) sum->lost[i] += n->lost[i];
}

bool nfdump_recognise(bytes head)
{
    struct reader r = reader_of(head);
    uint16_t magic = read_le16(&r), layout = read_le16(&r);
    bool is_swapped = magic == __builtin_bswap16(MAGIC) && layout >> 8 && layout >> 8 <= 3;
    return !r.bad && ((magic == MAGIC && layout && layout <= 3) || is_swapped);
}

bool nfdump_read(bytes content, const struct nfdump_options *options, struct record_writer *writer,
                 struct nfdump_counts *counts, struct err *err)
{
    struct reader r = reader_of(content);
    struct header h;
    *counts = (struct nfdump_counts){.files = 1};
    if (!read_header(&r, options->input, &h, err)) return false;
    uint8_t *memory = memory_reserve(BLOCK_MAX, err);
    if (!memory) return false;
    struct nfdump *f = memory_get(sizeof *f);
    f->options = options;
    f->counts = counts;
    f->created = h.created;
    flow_rows_init(&f->rows, writer, options->elements);
    while (h.blocks && take_block(f, &r, (enum unpack_form)h.form, memory)) h.blocks--;
    counts->lost[NFDUMP_LOSS_cut_file] = h.blocks;
    counts->flows = f->rows.rows;
    tell_losses(f);
    flow_rows_deinit(&f->rows);
    memory_free(f);
    memory_release(memory, BLOCK_MAX);
    return true;
}
