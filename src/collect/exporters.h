// What exporters told, as bytes that outlive the process: templates, samplers, and where their
// counts stand. Of those that send datagrams; a connection's go with it (RFC 7011 section 10.4).
//
// docs/formats/case.md describes the bytes.
#pragma once

#include "base/text.h"
#include "collect/collector.h"

// One template, and whose it is.
struct exporter_template {
    struct session_key key;
    const struct template *template;
};

enum { EXPORTERS_BYTES_MAX = 128 * 1024 * 1024 };

// Appends all that is known.
void exporters_write(const struct collector *c, struct text *to);
// Into a collector that has heard nothing yet. False when the bytes are not what was written.
bool exporters_read(struct collector *c, bytes content);
// Each template, by the exporter that was silent longest, then by its number.
void exporters_each(const struct collector *c, void *context,
                    void (*each)(void *context, const struct exporter_template *t));
