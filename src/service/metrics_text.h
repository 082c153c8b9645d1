// Metrics in the form that Prometheus reads:
// https://prometheus.io/docs/instrumenting/exposition_formats
//
// A family is its head, then its samples: each a name, labels and a number.
#pragma once

#include "base/text.h"

// weir_AREA_NAME, with what it means; `area` ends in "_", or is "".
void metric_family(struct text *out, const char *area, const char *name, const char *type,
                   const char *help);
// The beginning of a sample; its labels, each behind "{" or ","; and its number, behind "}" where
// it has labels.
void metric_sample(struct text *out, const char *area, const char *name);
void metric_label(struct text *out, const char *before, const char *name, const char *value);
void metric_number(struct text *out, uint64_t v);
void metric_real(struct text *out, double v);
