// ClientHello and ServerHello taken apart: RFC 8446 section 4.1, RFC 5246 section 7.4.1, RFC 6101
// appendix E for the hellos of SSL 2.0.
//
// Nothing is copied: a hello consists of views of the message, valid as long as that is. Lists are
// walked by tls_list_next and tls_extension_next, which stop at what does not fit.
//
// Thread: plain values, no shared state.
#pragma once

#include "base/bytes.h"

enum tls_extension_type {
    TLS_EXTENSION_SERVER_NAME = 0,
    TLS_EXTENSION_SUPPORTED_GROUPS = 10,
    TLS_EXTENSION_POINT_FORMATS = 11,
    TLS_EXTENSION_SIGNATURE_ALGORITHMS = 13,
    TLS_EXTENSION_ALPN = 16,
    TLS_EXTENSION_PRE_SHARED_KEY = 41,
    TLS_EXTENSION_EARLY_DATA = 42,
    TLS_EXTENSION_SUPPORTED_VERSIONS = 43,
    TLS_EXTENSION_KEY_SHARE = 51,
};

struct tls_hello {
    uint16_t version; // as the message says, which is TLS 1.2 at most
    bytes random;
    bytes session_id;
    bytes ciphers;    // of a client: two bytes each, three in a hello of SSL 2.0
    uint16_t cipher;  // of a server
    bytes extensions; // all of them, one after the other
    bool is_ssl2;
    bool malformed; // an extension, or its content, does not fit

    bool has_server_name;
    bytes server_name;          // the first host name
    bytes alpn;                 // names, each behind a length byte
    bytes groups;               // two bytes each
    bytes point_formats;        // one byte each
    bytes signature_algorithms; // two bytes each
    bytes supported_versions;   // two bytes each; of a client
    uint16_t selected_version;  // of a server; 0: not told
    uint16_t selected_group;    // of a server; 0: not told
    bool has_pre_shared_key, has_early_data;
};

// False when the message is too short to be one; what was read until then stands in `hello`.
bool tls_client_hello(struct tls_hello *hello, bytes message);
bool tls_server_hello(struct tls_hello *hello, bytes message);
// Records of SSL 2.0 without their header.
bool tls_client_hello_ssl2(struct tls_hello *hello, bytes record);
bool tls_server_hello_ssl2(struct tls_hello *hello, bytes record, bytes *certificate);

// RFC 8446 section 4.1.3: this ServerHello asks for another ClientHello.
bool tls_is_retry(const struct tls_hello *hello);

struct tls_extension {
    uint16_t type;
    bytes content;
};

// The next extension; false at the end, and where one does not fit.
bool tls_extension_next(struct reader *r, struct tls_extension *extension);
// The next number of two bytes; false at the end.
bool tls_list_next(bytes *list, uint16_t *v);
// The next name of an ALPN list (RFC 7301 section 3.1).
bool tls_alpn_next(bytes *list, bytes *name);
