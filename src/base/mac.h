// A hardware address (IEEE 802, 48 bits) as a number, the first octet highest.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum { MAC_SIZE = 6, MAC_TEXT_SIZE = 3 * MAC_SIZE };
#define MAC_MAX ((UINT64_C(1) << 48) - 1)

static inline uint64_t mac_of(const uint8_t octets[MAC_SIZE])
{
    uint64_t mac = 0;
    for (unsigned i = 0; i < MAC_SIZE; i++) mac = mac << 8 | octets[i];
    return mac;
}

// 02:00:5e:00:53:01, ended by zero.
void mac_format(char text[MAC_TEXT_SIZE], uint64_t mac);
// Digits of either case, with colons or hyphens.
bool mac_parse(bytes text, uint64_t *mac);
