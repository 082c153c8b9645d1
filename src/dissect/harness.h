// A conversation in memory: the services of dissect.h for unit tests of one dissector, without the
// stages around it.
//
// Feed datagrams, or the bytes of both directions in any segments, gaps and half closes; what the
// dissector makes of them becomes lines of text, one for each record, anomaly, body and switch, in
// the order in which they came:
//
//     dns ts=1970-01-01T00:00:01Z src_offset=0 src_length=29 trans_id=7 query="example.org"
//     answers=["192.0.2.1"] anomaly name=dns_pointer_loop side=0 position=12 detail="..." file
//     source=http side=1 position=212 name="" type="text/html" length=5 codings=[gzip] bytes=5
//     sha256=... complete=true client side=1 switch name=tls
//
// A record shows all fields that have a value, in table order, except names and addresses of the
// conversation. Text is a JSON string, a list is in brackets, a duration is in seconds.
//
// Views are shown in memory of their own, and the state moves between calls, so that a sanitizer
// sees what is read beyond a view or kept from an earlier call. What dissect.h forbids ends the
// test by assert. The harness allocates freely, and must not be linked into the program.
#pragma once

#include "dissect/dissect.h"

struct harness;

// Ports are 40000 and the dissector's first; src is side 0. Time begins at 1 s after 1970.
struct harness *harness_create(const struct dissector *dissector, enum transport transport);
void harness_destroy(struct harness *h);
void harness_ports(struct harness *h, uint16_t src_port, uint16_t dst_port);
void harness_time(struct harness *h, nanos now); // of the packets that follow

// What the dissector says about first bytes; nothing is kept.
enum recognition harness_recognise(const struct dissector *dissector, enum transport transport,
                                   bytes first);

// `harness_datagram_cut`: the snap length left `data` of a datagram of `length` bytes.
enum verdict harness_datagram(struct harness *h, uint8_t side, bytes data);
enum verdict harness_datagram_cut(struct harness *h, uint8_t side, bytes data, uint32_t length);

// One segment; `length` missing bytes; the end of one direction, cut off or closed by its sender.
void harness_stream(struct harness *h, uint8_t side, bytes data);
void harness_gap(struct harness *h, uint8_t side, uint64_t length);
void harness_last(struct harness *h, uint8_t side);
void harness_close(struct harness *h, uint8_t side);

// Ends what is still open: cuts off both directions where they did not end, then ends the
// conversation.
void harness_end(struct harness *h);

// Results so far. Strings and bytes are valid until the next call that feeds, or harness_destroy.
size_t harness_count(const struct harness *h);
const char *harness_line(const struct harness *h, size_t index);
const char *harness_text(struct harness *h); // all lines, each with its line feed
// The value of `field` in record `index`, a text without its quotes; NULL when it has none.
const char *harness_value(const struct harness *h, size_t index, const char *field);
// Lines that begin with `word` ("dns", "anomaly").
size_t harness_count_of(const struct harness *h, const char *word);
// Encoded bytes of the body that was opened as number `index`, from 0.
bytes harness_body(const struct harness *h, size_t index);
// The dissector gave the direction, or the conversation, up.
bool harness_stopped(const struct harness *h, uint8_t side);
bool harness_not_mine(const struct harness *h);
// Bytes of a direction that were not consumed.
bytes harness_unread(const struct harness *h, uint8_t side);

// A whole conversation as a table.
enum harness_what { HARNESS_DATA, HARNESS_GAP, HARNESS_LAST, HARNESS_CLOSE };
struct harness_step {
    enum harness_what what;
    uint8_t side;
    bytes data;      // HARNESS_DATA
    uint64_t length; // HARNESS_GAP
    nanos time;      // 0: as before
};

// Plays the steps and ends; data is fed in segments of at most `segment_max` bytes (0: each step as
// one), and cut at `cut_at` bytes of data from the beginning as well (0: not). Returns the lines;
// freed with memory_free.
char *harness_play(const struct dissector *dissector, enum transport transport,
                   const struct harness_step *steps, size_t step_count, size_t segment_max,
                   size_t cut_at);

// Plays the steps of a stream whole, byte by byte, in segments of 2, 3, 7 and 1460 bytes, and cut
// once at every place (at most 4096 of them); asserts that the lines never differ, and returns
// them; freed with memory_free.
char *harness_play_cuts(const struct dissector *dissector, const struct harness_step *steps,
                        size_t step_count);
