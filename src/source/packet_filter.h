// A filter over packets in the BPF language (pcap-filter(7)), compiled for each link type that
// occurs.
//
// One thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

struct packet_filter;

// `expression` is kept, and compiled when a link type is met.
struct packet_filter *packet_filter_create(const char *expression);
void packet_filter_destroy(struct packet_filter *f); // NULL is fine
// False and err when the expression cannot be compiled for this link type: then none of its packets
// pass.
bool packet_filter_prepare(struct packet_filter *f, uint16_t link_type, struct err *err);
// False and err when the expression is valid for none of the link types met so far, or for Ethernet
// if there were none.
bool packet_filter_check(struct packet_filter *f, struct err *err);
bool packet_filter_passes(struct packet_filter *f, uint16_t link_type, bytes data, uint32_t length);

// The sentence for a filter that is none. Always false.
bool packet_filter_invalid(const char *expression, const char *why, struct err *err);
