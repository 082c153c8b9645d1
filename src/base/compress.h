// Compressed frames that can be had back one by one: each is a whole zstd frame (RFC 8878) with the
// size of its content, so that a file of them is what any zstd program reads.
//
// One thread at a time.
#pragma once

#include "base/bytes.h"

// What stands before bytes that decompressors pass over (RFC 8878 section 3.1.2): this and their
// length, both 4 bytes, least significant first.
enum { FRAME_SKIPPABLE = 0x184d2a5e, FRAME_SKIPPABLE_HEADER = 8 };

struct frame_codec;

// `checksum`: frames have one of their content. NULL when there is no memory for one.
struct frame_codec *frame_codec_create(bool checksum);
void frame_codec_destroy(struct frame_codec *c);

// The room that a frame of so much content needs.
size_t frame_room(size_t content);
// Makes a frame of it; its size, or 0 when `room` is less than frame_room says.
size_t frame_make(struct frame_codec *c, bytes content, uint8_t *out, size_t room);
// The content of a frame, which must be exactly `size` bytes. False when it is not, or is damaged.
bool frame_open(struct frame_codec *c, bytes frame, uint8_t *out, size_t size);
