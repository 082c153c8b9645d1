// One run over captures: source, dispatcher, lanes, and the records that tell of the captures
// themselves.
//
// With one lane everything but the hashing of files happens in the caller's thread. With more, the
// caller's thread reads and decodes, and each lane has a thread; all lanes see every batch and take
// the packets of their shards.
#pragma once

#include "decode/decode.h"
#include "engine/lane.h"
#include "source/source.h"

enum { LANES_MAX = 64 };

// What a run counted. packets + more = classes summed; classes[PACKET_IP] = lanes.packets_in.
struct reading_counts {
    uint64_t packets;
    uint64_t more; // packets behind the first of their frame
    uint64_t classes[PACKET_CLASSES];
    uint64_t reasons[REASON_COUNT];
    struct lane_counters lanes;
    struct lane_gauges now; // summed over the lanes
    nanos last_seen;        // the last watermark
};

struct reading_options {
    struct lane_options lane; // `lane` and `lanes` of it are filled in here
    uint32_t lanes;
    // Called now and then in the caller's thread. NULL when nobody looks.
    void *progress_context;
    void (*progress)(void *context, uint64_t bytes_done, uint64_t bytes_total, uint64_t packets);
    // Each batch as it came, in the caller's thread, before it is decoded. False and err end the
    // run. NULL when nobody wants it.
    void *frames_context;
    bool (*frames)(void *context, const struct packet_batch *batch, struct err *err);
    // Called in the caller's thread while no lane works, when nothing follows for now and now and
    // then: what was made of the packets so far was passed on. False and err end the run. NULL when
    // nobody wants to know.
    void *rest_context;
    bool (*rest)(void *context, const struct reading_counts *counts, struct err *err);
};

#define READING_DEFAULTS                                                                           \
    {                                                                                              \
        .lane = {.flow = {.conversation_timeout = 600 * NANOS_PER_SECOND,                          \
                          .closed_linger = 60 * NANOS_PER_SECOND,                                  \
                          .active_timeout = 60 * NANOS_PER_SECOND,                                 \
                          .idle_timeout = 15 * NANOS_PER_SECOND,                                   \
                          .conversations_max = 4 * 1024 * 1024,                                    \
                          .shard_max = SHARD_CONVERSATIONS_MAX,                                    \
                          .source_max = SHARD_SOURCE_MAX},                                         \
                 .shard_max = {SHARD_BYTES_MAX, SHARD_FILES_MAX, SHARD_RECENT_MAX},                \
                 .point = "",                                                                      \
                 .dissect = true,                                                                  \
                 .references = true,                                                               \
                 .kept_max = 25000000,                                                             \
                 .awake_max = AWAKE_MAX},                                                          \
        .lanes = 1                                                                                 \
    }

// Runs the source to its end. Records of all kinds go to `sink`, from all lanes. False and err when
// the machine failed.
bool reading_run(struct source *source, const struct reading_options *options,
                 const struct record_kind *const *kinds, uint32_t kind_count,
                 struct record_sink sink, struct reading_counts *counts, struct err *err);
