// What the files of the service share. Not for others.
//
// Locks: `passing` is held while a batch goes into store and sinks; `counting` for moments, so that
// metrics are answered at any time. In this order.
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "base/lock.h"
#include "engine/reading.h"
#include "service/delivery.h"
#include "service/service.h"
#include "service/tally.h"
#include "service/topics.h"
#include "source/live.h"
#include "store/store.h"

enum { DELIVERIES_MAX = 64 };

enum source_task { TASK_NONE, TASK_FLUSH, TASK_SYNC, TASK_TELL, TASK_PART, TASK_COMMIT };
enum commit_state { COMMIT_RESTS, COMMIT_TELLS, COMMIT_MAKES };

struct page_server;

// Of a source that is an interface.
struct live_counts {
    struct live_state state;
    uint64_t packets, bytes, captured_bytes;
    struct reading_counts reading;
};

// A source that runs: what gathers from one input, or from several that share their options.
struct service_source {
    struct service *service;
    const struct config_source *options;
    char name[SOURCE_NAME_MAX]; // of the first input
    const char *inputs[GATHER_INPUTS_MAX];
    uint32_t input_count, port_count; // ports: of the inputs, those that listen
    uint32_t number;
    struct record_writer *writer;
    struct joining *joining; // behind the writer, or NULL
    nanos cut;               // when all that it held was kept last
    struct collector *collector;
    struct topics *topics; // or NULL
    struct live *live;     // an interface, or NULL
    uint64_t recording;    // its number, where the packets are kept
    uint64_t parted;       // how many packets there were when a part was asked for last
    FILE *dead;
    pthread_t thread;
    bool has_thread;
    atomic_bool stop, has_ended;
    atomic_uint listening;
    atomic_int task;             // enum source_task, for its thread
    struct gather_counts counts; // the thread's own
    // By `counting`.
    struct gather_counts shown;
    struct collector_counts shown_flows;
    struct live_counts shown_live;
    struct topic_rows *shown_topics; // NULL: it reads none
    struct text told;                // what exporters told, as it was when the source told last
    // Valid once it has ended.
    bool ok;
    struct err err;
};

// clang-format off
#define STORE_METRICS(X) \
    X(commits, "counter", "commits_total", 1, "Parts of the case that were made") \
    X(rows, "counter", "rows_total", 1, "Records that are in the case") \
    X(faults, "counter", "commit_errors_total", 1, "Parts that could not be made") \
    X(took, "counter", "commit_seconds_total", 1e9, "Time that making parts took") \
    X(last, "gauge", "last_commit_timestamp_seconds", 1e9, "When the last part was made") \
    X(waiting, "gauge", "waiting_rows", 1, "Records that are in no part yet") \
    X(passed, "counter", "passed_rows_total", 1, \
      "Records that were not kept, as the disk was full") \
    X(full, "gauge", "full", 1, "1 while nothing is kept for want of room") \
    X(free, "gauge", "free_bytes", 1, "Bytes of the disk that are free")
// clang-format on

struct store_counts {
#define STORE_FIELD(name, type, metric, unit, help) uint64_t name;
    STORE_METRICS(STORE_FIELD)
#undef STORE_FIELD
};

struct service {
    const struct config *config, *first; // the one that holds, and that it began with
    struct service_options options;
    nanos began, committed, flushed, told;
    nanos asked; // when the sources were asked to tell, for a part
    nanos cared; // when the store was cared for
    enum commit_state commit_state;
    struct store *store;
    struct service_source *sources[SERVICE_SOURCES_MAX];
    uint32_t source_count;
    struct service_source *reader; // of topics: makes the parts, since only its thread knows how
                                   // far they were taken; or NULL
    struct live *lives[SERVICE_SOURCES_MAX];  // of sources that are interfaces, by their place
    uint64_t recordings[SERVICE_SOURCES_MAX]; // those that are kept, by their place
    bool lives_stop;
    struct page_server *pages;

    struct lock passing;
    bool has_failed;       // what came since the last part is gone, and nothing may count as taken
    bool was_full;         // the disk, when it was looked at last
    bool is_full;          // and nothing could go: records pass by the store
    uint64_t full_count;   // those that did
    uint64_t passed_count; // the same, of all times when it was full
    nanos full_since;
    struct record_writer *writer; // of the service itself
    struct delivery *deliveries[DELIVERIES_MAX];
    uint32_t delivery_count;

    struct lock counting;
    struct tally *tally;
    struct store_counts stored;
    struct store_holding holdings[CATALOGUE_MAX]; // by kind
    struct delivery_counts delivered[DELIVERIES_MAX];
    char delivered_to[DELIVERIES_MAX][TALLY_WORD_MAX];
    uint32_t delivered_count;
    uint64_t reloads, reload_faults;
};

// service_source.c
struct service_source *source_begin(struct service *s, const struct config_source *options,
                                    const char *const *inputs, uint32_t count, struct err *err);
void source_ask(struct service_source *source, enum source_task task);
bool source_is_idle(const struct service_source *source); // did what it was asked
// Keeps in the case what its exporters told, as far as it told that.
bool source_keep(struct service_source *source, struct err *err);
// Waits for its end.
void source_end(struct service_source *source);
void source_destroy(struct service_source *source);
// Does what was asked; in its thread.
bool source_rest(void *context, nanos now, struct err *err);

// service_live.c
// Opens the interfaces among the sources, and gives up the right to; before there are threads.
bool lives_open(struct service *s, struct err *err);
void lives_close(struct service *s);
// Has the case know of those that are kept; before it collects.
bool lives_record(struct service *s, nanos now, struct err *err);
// Whether packets were recorded since the last part.
bool lives_wait(struct service *s);
// What is between two interfaces is one lane. In the source's thread.
bool live_gather(struct service_source *source, struct err *err);

// service_metrics_live.c: of the sources that are interfaces; under `counting`.
void metrics_put_live(const struct service *s, struct text *out);

// service.c: a batch on its way; from the thread of any source.
void service_take(void *context, const struct record_batch *batch);
// Makes durable what came, and acknowledges it. `topics` as below.
bool service_sync(struct service *s, struct topics *topics, struct err *err);
// Makes a part of the case. `topics` are those of the calling thread, or of one that has ended.
bool service_commit(struct service *s, struct topics *topics, nanos now, struct err *err);
