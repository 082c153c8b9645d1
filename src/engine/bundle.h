// Conversations of a case as a folder that can be checked without this program: their packets,
// records and files, the log of the case with the keys that signed it, the SHA-256 of each, and a
// signature over these. Its README says how.
//
// Thread: one.
#pragma once

#include "engine/export.h"
#include "store/entry.h"

// `folder` must be missing or empty; what was written stays when it fails. `what` are whole
// conversations.
bool bundle_write(struct case_reader *reader, const struct referred *what, const char *folder,
                  const struct author *author, struct export_counts *counts, struct err *err);
