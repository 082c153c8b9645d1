// Packets of network interfaces, or of topics, as they come: a capture that is being made, in the
// form of a pcapng file, so that a recording of it is the very bytes that were read
// (`live_content`).
//
// Several interfaces are one tap: their packets are joined by time. A packet waits until no other
// interface can have an earlier one any more, LIVE_WINDOW at most; so the order does not depend on
// which interface is asked first. One that comes later still stands where it came.
//
// What the kernel had no room for, and from when to when an interface was down, is told by
// statistics blocks. The clock of the machine is asked here, as part of the source: for the window,
// for statistics, and for when to end. It shapes nothing but where in the capture they stand.
//
// One thread. Bounded by the kernel's buffer and LIVE_QUEUE_SIZE, both for each interface.
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "record/capture.h"
#include "source/live_device.h"

enum {
    LIVE_INTERFACES_MAX = 64,
    LIVE_BUFFER = 64 * 1024 * 1024,
    LIVE_QUEUE_SIZE = 64 * 1024 * 1024,
};
#define LIVE_WINDOW (200 * NANOS_PER_MILLI)

struct live_options {
    const char *const *interfaces; // names
    uint32_t interface_count;
    const char *bpf; // what the kernel lets through; or NULL
    bool quiet;      // sees only what the interface would take anyway: not promiscuous
    uint64_t buffer; // what the kernel may keep for each; 0: LIVE_BUFFER
    const char *program;
    // When it ends: each 0 or NULL when it is no reason.
    const bool *stop; // set atomically, from anywhere
    uint64_t packets;
    nanos duration;
    nanos idle; // nothing came for so long
    // Names of topics (kafka://BROKER/TOPIC) may stand for interfaces, but not beside them. Of what
    // is above only the filter, `stop` and `duration` are for them.
    const char *more; // their options (bus/kafka_place.h), or NULL
    bool until_end;   // what is there now, and no more
    void *context;
    void (*tell)(void *context, const char *sentence); // such as that brokers are away
};

struct live;

// Opens all of the interfaces. ERR_USAGE when one is not there, with those that are. The options'
// memory is borrowed until live_close.
struct live *live_open(const struct live_options *options, struct err *err);
// The same over devices of another kind, which are taken, as is the array.
struct live *live_over(const struct live_options *options, const struct live_clock *clock,
                       struct live_device **devices);
void live_close(struct live *l); // NULL is fine

// The name in "interface:NAME"; NULL when the word is none.
const char *live_interface_of(const char *word);
// "interface:eth0", "interface:eth0,eth1", or topics without their options: what the capture is
// called.
const char *live_name(const struct live *l);
// The bytes of the capture: reading waits until there are some; 0 is the end. Only the next bytes
// can be read.
struct capture_content *live_content(struct live *l);
// Ends the capture here, and not the reading: the next one has what comes from now on, with a
// beginning of its own. It takes effect where the bytes are read, and nothing happens where no
// packet came yet. From any thread.
void live_cut(struct live *l);
bool live_is_cutting(const struct live *l); // it was asked for and has not happened yet
// Behind the end of a capture: begins the next one, if there is one.
bool live_next(struct live *l);
// What is known of an interface at the moment: false when there are not so many.
struct live_state {
    const char *interface;
    uint64_t kernel_drops, interface_drops; // packets for which there was no room, since it began
    uint64_t queued_bytes;                  // packets that wait for those of other interfaces
    uint64_t up;                            // 1, or 0
};
bool live_state(const struct live *l, uint32_t interface, struct live_state *state);
// Of topics: where reading goes on, before it begins; how far they were given, and that what came
// of it is safe.
bool live_is_topics(const struct live *l);
void live_resume(struct live *l, const struct live_memory *memory);
void live_positions(const struct live *l,
                    void (*take)(void *context, const char *input, uint64_t next), void *context);
void live_kept(struct live *l);
// Whether an interface was taken out of the machine, with a sentence.
bool live_remark(const struct live *l, char *text, size_t size);
