// What a live capture needs of an interface and of the machine: behind this the tests have some of
// their own.
#pragma once

#include "base/err.h"
#include "source/interface.h"
#include "source/live_queue.h"

enum live_result {
    LIVE_DRAINED, // there is nothing more for now
    LIVE_MORE,    // the queue is full, or enough was taken in one call
    LIVE_GONE,    // the interface is not there any more
};

struct live_device {
    struct capture_interface interface;
    const struct live_device_calls *calls;
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
