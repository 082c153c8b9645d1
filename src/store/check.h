// Whether the files of a case are what its log says: each segment, extent, artifact and key is
// there with the content that it had when it was written, and nothing else is there. (The log
// itself: store/log_check.h.)
//
// Reads every byte of the case once. Thread: one.
#pragma once

#include "store/case.h"
#include "store/finding.h"
#include "store/log_check.h"

struct case_checked {
    uint64_t segments, extents, artifacts; // that were looked at
    uint64_t bytes;
    uint64_t tail_rows; // in no segment yet, and so in no line of the log
    bool is_written;    // somebody writes: files that the log does not name yet were passed over
};

// `log` is what was found out about the log of the same reader. False when it could not be done.
bool case_check(struct case_reader *c, const struct log_checked *log,
                const struct finding_sink *findings, struct case_checked *checked, struct err *err)
    __attribute__((warn_unused_result));
