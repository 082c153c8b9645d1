// What a live capture needs of an interface and of the machine: behind this the tests have some of
// their own.
#pragma once

#include "base/err.h"
#include "source/interface.h"
#include "source/capture_writer.h"
#include "source/live_queue.h"

enum live_result {
    LIVE_DRAINED, // there is nothing more for now
    LIVE_MORE,    // the queue is full, or enough was taken in one call
    LIVE_GONE,    // the interface is not there any more
    LIVE_ENDED,   // there will be nothing more
    LIVE_FAILED,  // `err` says why
};

// What is known of an interface before its packets come; those of a topic bring their link types.
enum { LIVE_LINK_TYPES_MAX = 16, LIVE_LINK_UNKNOWN = UINT16_MAX };

struct live_device {
    struct capture_interface interface;
    const struct live_device_calls *calls;
    const char *called; // in place of "interface:NAME"; or NULL
    struct err err;
};

// How far the partitions of a topic were taken, as bus/kafka_reader.h has it.
struct live_memory {
    void *context;
    bool (*position)(void *context, const char *input, uint64_t *next);
};

struct live_device_calls {
    // Takes what is there without waiting.
    enum live_result (*read)(struct live_device *d, struct live_queue *to);
    // Since it was opened: what passed the filter, with what the kernel and the interface dropped.
    void (*count)(struct live_device *d, uint64_t *received, uint64_t *dropped,
                  uint64_t *interface_dropped);
    // How often it went down, and whether it is down now.
    bool (*is_down)(struct live_device *d, uint64_t *times);
    int (*descriptor)(const struct live_device *d);
    void (*close)(struct live_device *d);

    // Of topics; NULL for others.
    // Messages that brought no packets since it was asked last: statistics with a comment; false
    // when there are none any more.
    bool (*missed)(struct live_device *d, struct capture_statistics *s);
    void (*resume)(struct live_device *d, const struct live_memory *memory); // before reading
    void (*positions)(const struct live_device *d,
                      void (*take)(void *context, const char *input, uint64_t next), void *context);
    void (*kept)(struct live_device *d);
};

struct live_clock {
    void *context;
    nanos (*now)(void *context);     // by which packets have their times
    nanos (*elapsed)(void *context); // never goes back
    void (*wait)(void *context, const int *descriptors, uint32_t count, int milliseconds);
};

// By libpcap: packets in blocks of the kernel's ring (TPACKET_V3). LIVE_BLOCK_TIME is how long a
// block waits to be full at most. NULL and err on failure.
enum { LIVE_BLOCK_MILLISECONDS = 50 };
struct live_pcap_options {
    const char *bpf;
    bool quiet;
    uint64_t buffer;
};
struct live_device *live_pcap_open(const char *name, const struct live_pcap_options *options,
                                   struct err *err);
extern const struct live_clock live_pcap_clock;

// By bus/kafka_reader.h: the messages of a topic are packets (record/packet_message.h); those of
// its partitions are joined by time. It ends when `stop` is set, after `duration` (0: never), or,
// `until_end`, with what was there.
struct live_topic_options {
    const char *more; // options of the topic (bus/kafka_place.h), or NULL
    const char *bpf;
    bool until_end;
    nanos duration;
    const bool *stop;
    void *context;
    void (*tell)(void *context, const char *sentence);
};
struct live_device *live_topic_open(const char *url, const struct live_topic_options *options,
                                    struct err *err);
