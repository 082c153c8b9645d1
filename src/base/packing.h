// Small pieces of memory that rest for a while, packed. They resemble one another, so each is
// packed against the first that came, which are kept as a sample. What comes back is what went in,
// byte by byte.
//
// One thread. About 100 kB, from the first piece on.
#pragma once

#include "base/bytes.h"

enum { PACKING_PIECE_MAX = 4096, PACKING_SAMPLE = 16384 };

struct packing;

struct packing *packing_create(void); // NULL when there is no memory for one
void packing_destroy(struct packing *p);

// The size of what was packed; 0 when `room` is too small for it.
size_t packing_pack(struct packing *p, bytes piece, uint8_t *out, size_t room);
// The piece again, which was `size` bytes. False when `packed` is not what packing_pack gave.
bool packing_unpack(struct packing *p, bytes packed, uint8_t *out, size_t size);
