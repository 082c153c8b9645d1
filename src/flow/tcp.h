// What the flags of a TCP connection tell: the state of both endpoints, Zeek's `conn_state` and
// `history`, round-trip time, and whether a packet belongs to this connection or begins another one
// on the same ports.
//
// RFC 9293; the letters and states are those of Zeek's documentation of conn.log.
#pragma once

#include "flow/conversation.h"

// Whether the packet opens a new connection though the ports are those of `c` (port reuse).
bool tcp_is_new_connection(const struct conversation *c, const struct packet *p);

// Notes flags, states, history and times of one packet. Payload letters are noted by tcp_note_data.
void tcp_note(struct conversation *c, const struct packet *p);

// Letters that the stream tells: `D` data, `T` retransmitted, `G` gap. Counted ones are noted at 1,
// 10, 100, ... times.
void history_note(struct conversation *c, unsigned side, char letter);
void history_note_counted(struct conversation *c, unsigned side, char letter, uint64_t count);

// Zeek's state of the whole connection; for protocols other than TCP by who was heard.
const char *conn_state_of(const struct conversation *c);

// Exchanges src and dst; `^` in the history says so.
void conversation_turn(struct conversation *c);
