// Messages of SOCKS 4, 4a and 5 on the wire.
//
// Each is read from the beginning of what is unread of a stream: SOCKS_SHORT means that more is
// needed. Thread: none of its own; nothing is kept.
#pragma once

#include "base/address.h"
#include "base/bytes.h"

enum {
    SOCKS_VERSION_4 = 4,
    SOCKS_VERSION_5 = 5,
    SOCKS_NAME_MAX = 255,
    SOCKS_METHODS_MAX = 16, // that a client offers; there are ten, and some private ones
};

enum socks_command {
    SOCKS_CONNECT = 1,
    SOCKS_BIND = 2,
    SOCKS_UDP_ASSOCIATE = 3,
    SOCKS_RESOLVE = 0xf0, // of Tor
    SOCKS_RESOLVE_PTR = 0xf1,
};

enum socks_method { // RFC 1928 section 3
    SOCKS_METHOD_NONE = 0,
    SOCKS_METHOD_GSSAPI = 1,
    SOCKS_METHOD_PASSWORD = 2,
    SOCKS_METHOD_REFUSED = 0xff,
};

enum socks_read { SOCKS_SHORT, SOCKS_BAD, SOCKS_READ };

struct socks_name {
    uint8_t length;
    uint8_t text[SOCKS_NAME_MAX];
};

struct socks_end {
    bool has_address;
    uint16_t port;
    struct address address;
    struct socks_name name; // in place of an address
};

struct socks_request {
    uint8_t command; // enum socks_command; 0: not seen
    struct socks_end end;
};

struct socks_reply {
    uint8_t code;
    struct socks_end end;
};

// The client's first message of version 5: which methods it offers.
enum socks_read socks_read_greeting(struct reader *r, bytes *methods);
// The server's choice, and what it says of a login.
enum socks_read socks_read_method(struct reader *r, uint8_t *method);
enum socks_read socks_read_status(struct reader *r, uint8_t *status);
// A login by password (RFC 1929 section 2).
enum socks_read socks_read_login(struct reader *r, struct socks_name *user);

enum socks_read socks_read_request_5(struct reader *r, struct socks_request *request);
enum socks_read socks_read_reply_5(struct reader *r, struct socks_reply *reply);
enum socks_read socks_read_request_4(struct reader *r, struct socks_request *request,
                                     struct socks_name *user);
enum socks_read socks_read_reply_4(struct reader *r, struct socks_reply *reply);

bool socks_reply_is_success(const struct socks_reply *reply, uint8_t version);
const char *socks_command_name(uint8_t command); // "unknown" for what has none, and so below
const char *socks_method_name(uint8_t method);
const char *socks_reply_name(uint8_t code, uint8_t version);
