// A packet as a message of a topic, in the two forms that other programs write and read:
//
//     pcap    the value is a pcap file of one packet: 24 bytes of its head, 16 of the packet's
//     frame   the value is the frame, the key its time: microseconds since 1970, 8 bytes,
//             big-endian; nothing says how it is to be read
//
// Thread: plain functions.
#pragma once

#include "base/bytes.h"
#include "base/time.h"
#include "record/packet.h"

enum { PACKET_MESSAGE_HEAD = 40, PACKET_MESSAGE_KEY = 8, PACKET_MESSAGE_MAX = 262144 };

enum packet_form {
    PACKET_FORM_ANY, // for reading: each message by what it is
    PACKET_FORM_PCAP,
    PACKET_FORM_FRAME,
};
// "packets", "pcap" and "frame"; false for others.
bool packet_form_of(const char *word, enum packet_form *form);

struct packet_message {
    nanos time;
    uint32_t length;
    uint16_t link_type;
    bytes data; // lies in the value
};
// False when the message is no packet in this form, or longer than PACKET_MESSAGE_MAX. `link_type`
// is that of frames.
bool packet_message_read(enum packet_form form, uint16_t link_type, bytes key, bytes value,
                         struct packet_message *out);

// What stands before the frame in the form pcap. Times are microseconds where they are whole ones:
// every program reads that.
void packet_message_head(const struct packet *p, uint8_t head[PACKET_MESSAGE_HEAD]);
void packet_message_key(const struct packet *p, uint8_t key[PACKET_MESSAGE_KEY]);

// The link type that a pcap file names so.
uint16_t link_type_of_pcap(uint32_t field);
