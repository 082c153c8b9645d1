#include "record/loss.h"

#include "record/kinds.h"

enum { LOSS_ROW_SIZE = 8192 };

void loss_tell(struct record_writer *writer, const struct loss *loss)
{
    uint8_t memory[LOSS_ROW_SIZE];
    struct row row;
    row_init(&row, &loss_kind, memory, sizeof memory);
    if (loss->from <= loss->to) {
        row_time(&row, LOSS_TS, loss->from);
        row_time(&row, LOSS_LAST_SEEN, loss->to);
    }
    if (loss->point && *loss->point) row_text(&row, LOSS_POINT, bytes_text(loss->point));
    row_text(&row, LOSS_STAGE, bytes_text(loss->stage));
    row_text(&row, LOSS_REASON, bytes_text(loss->reason));
    if (loss->packets) row_uint(&row, LOSS_PACKETS, loss->packets);
    if (loss->bytes) row_uint(&row, LOSS_BYTES, loss->bytes);
    if (loss->count) row_uint(&row, LOSS_COUNT, loss->count);
    if (loss->conversation) row_id(&row, LOSS_CONVERSATION_ID, *loss->conversation);
    if (loss->capture) row_text(&row, LOSS_CAPTURE, bytes_text(loss->capture));
    if (loss->interface && *loss->interface)
        row_text(&row, LOSS_INTERFACE, bytes_text(loss->interface));
    if (loss->side) {
        row_text(&row, LOSS_SIDE, bytes_text(loss->side));
        row_uint(&row, LOSS_OFFSET, loss->offset);
    }
    writer_emit(writer, &row);
}
