// Messages that wait on disk for whoever takes them, in the order in which they came.
//
//     put ─► end of the last file ... from which they are read ─► next ─► ... ─► done
//
// A file is named by where it begins among all bytes that ever were in the queue, so places only
// grow; a file whose messages are done goes. Opened again after a kill, the queue begins with the
// first message that was not done as far as was noted last, and ends before the first that is not
// whole: so a message may come twice, and none is lost that was written.
//
// One thread. Memory: two buffers. Disk: `bytes_max`.
#pragma once

#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

enum { DISK_QUEUE_MESSAGE_MAX = 1 << 20 };

struct disk_queue;

// The folder is made when it is missing; nobody else may have it open. ERR_USAGE, ERR_MACHINE.
struct disk_queue *disk_queue_open(const char *folder, uint64_t bytes_max, struct err *err);
// Notes what is done. NULL is fine.
void disk_queue_close(struct disk_queue *q);

// False without an error when there is no room left; with one when the disk fails.
bool disk_queue_put(struct disk_queue *q, bytes message, struct err *err);
// Writes what was put; before that a kill loses it.
bool disk_queue_flush(struct disk_queue *q, struct err *err);

// The next message, valid until this is called again; false when there is none, or on failure with
// err. `place` names it for disk_queue_done.
bool disk_queue_next(struct disk_queue *q, bytes *message, uint64_t *place, struct err *err);
// All messages before `place`, and the one there, are done.
void disk_queue_done(struct disk_queue *q, uint64_t place);
// Makes known to whoever opens it next what is done.
bool disk_queue_note(struct disk_queue *q, struct err *err);

uint64_t disk_queue_bytes(const struct disk_queue *q);    // that are not done
uint64_t disk_queue_messages(const struct disk_queue *q); // that were there when it was opened
