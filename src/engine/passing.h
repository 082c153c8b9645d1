// Records passed on while they are made: flows as an exporter sends them, all kinds as lines of
// JSON, or flows as lines in the words of others (sink/record_lines.h).
//
// Beside flows an exporter of IPFIX, also as lines, tells what DNS, HTTP and TLS said, each as a
// record of its own as soon as it is known, with the elements for it and without counters: so that
// counters add up.
//
// Any lane may tell it; records of one batch stay together. One message and one batch of memory.
#pragma once

#include "base/err.h"
#include "record/batch.h"
#include "sink/flow_export.h"

struct passing;

struct passing_options {
    const char *to;     // as outlet_open takes it
    const char *format; // of flow_export, or of record_lines
    uint32_t domain;
    bool is_live; // what came is sent with its batch, full or not
    // Called before each message, with the records that were sent so far; or NULL.
    void *context;
    void (*pace)(void *context, uint64_t sent);
};

// NULL and err when the words are wrong or nobody is there.
struct passing *passing_open(const struct passing_options *options, struct err *err);
struct record_sink passing_sink(struct passing *p);
// Sends what is left. False with the first thing that went wrong: after it nothing was sent.
bool passing_end(struct passing *p, struct err *err) __attribute__((warn_unused_result));
struct flow_export_counts passing_counts(const struct passing *p); // none of lines
void passing_close(struct passing *p);                             // NULL is fine
