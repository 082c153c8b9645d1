// What the numbers in TLS messages are called. All texts are constant unless a buffer is given for
// them.
#pragma once

#include <stdint.h>

enum tls_version {
    TLS_SSL_2 = 0x0002,
    TLS_SSL_3 = 0x0300,
    TLS_1_0 = 0x0301,
    TLS_1_1 = 0x0302,
    TLS_1_2 = 0x0303,
    TLS_1_3 = 0x0304,
    TLS_1_3_DRAFT_HIGH = 0x7f, // upper byte of the versions that drafts of RFC 8446 had
};

enum { TLS_NUMBER_TEXT_MAX = 24 };

// NULL when the number has no name.
const char *tls_cipher_name(uint32_t cipher); // two bytes, or the three of SSL 2.0
const char *tls_group_name(uint16_t group);
const char *tls_alert_name(uint8_t description);

// "TLSv12", "TLSv13-draft28", "unknown-1234"; `text` is where those with a number are made.
const char *tls_version_text(uint16_t version, char text[TLS_NUMBER_TEXT_MAX]);
// `name`, or "unknown-NUMBER" when it is NULL.
const char *tls_known_or_number(const char *name, uint32_t number, char text[TLS_NUMBER_TEXT_MAX]);

// RFC 8701: values that clients send so that servers learn to ignore what they do not know.
static inline int tls_is_grease(uint16_t v)
{
    return (v & 0x0f0f) == 0x0a0a && v >> 8 == (v & 0xff);
}
