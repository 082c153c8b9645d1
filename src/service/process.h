// What the process itself takes, under the names that all programs use for it:
// https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics
//
// Any thread.
#pragma once

#include "base/text.h"
#include "base/time.h"

void process_metrics(nanos began, struct text *out);
