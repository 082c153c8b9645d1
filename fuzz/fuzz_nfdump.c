// Any bytes as the blocks of a file of nfdump, packed in each form.
#include <assert.h>

#include "collect/nfdump.h"
#include "flow/flow_kind.h"
#include "record/kinds.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FILE_MAX = 65536, HEADER_SIZE = 40, FORM_AT = 16, BLOCKS_AT = 36, FORMS = 5 };

static void drop(void *context, const struct record_batch *batch)
{
    (void)context;
    assert(batch->rows && batch->rows <= BATCH_ROWS_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct record_kind *const kinds[] = {&flow_kind, &loss_kind};
    static const struct nfdump_options options = {.input = "fuzz", .point = "", .elements = true};
    static uint8_t file[FILE_MAX] = {0x0c, 0xa5, 2, 0};
    if (!size || size > FILE_MAX - HEADER_SIZE) return 0;
    file[FORM_AT] = data[0] % FORMS;
    file[BLOCKS_AT] = 4;
    memcpy(file + HEADER_SIZE, data + 1, size - 1);
    struct record_writer *writer = writer_create(kinds, 2, (struct record_sink){NULL, drop});
    struct nfdump_counts counts;
    nfdump_read(bytes_of(file, HEADER_SIZE + size - 1), &options, writer, &counts, NULL);
    writer_flush(writer);
    writer_destroy(writer);
    return 0;
}
