// Hashes: MD5, SHA-1 and SHA-256 (with the processor's SHA instructions where it has them), and a
// fast keyed hash for tables.
//
// The only place that includes xxHash, and with signing.h OpenSSL.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum { SHA256_SIZE = 32, SHA1_SIZE = 20, MD5_SIZE = 16, HEX_SHA256_SIZE = 65 };

// Running hash; caller's storage, no allocation, may be copied and dropped at any time.
struct sha256 {
    _Alignas(8) uint8_t state[112];
};
void sha256_init(struct sha256 *h);
void sha256_add(struct sha256 *h, bytes b);
void sha256_end(struct sha256 *h, uint8_t digest[SHA256_SIZE]);
void sha256_of(bytes b, uint8_t digest[SHA256_SIZE]);

struct sha1 {
    _Alignas(8) uint8_t state[96];
};
void sha1_init(struct sha1 *h);
void sha1_add(struct sha1 *h, bytes b);
void sha1_end(struct sha1 *h, uint8_t digest[SHA1_SIZE]);

struct md5 {
    _Alignas(8) uint8_t state[92 + 4];
};
void md5_init(struct md5 *h);
void md5_add(struct md5 *h, bytes b);
void md5_end(struct md5 *h, uint8_t digest[MD5_SIZE]);

// Not for evidence: a 64-bit hash for tables, keyed against collision attacks.
uint64_t table_hash(const void *p, size_t n, uint64_t seed);
// A key for it that nobody knows, never 0. Without entropy the process goes on with one that can be
// guessed: then whoever does that can slow down tables, no more.
uint64_t table_secret(void);

// Lower-case hexadecimal digits and a terminator: 2 * b.n + 1 bytes.
void hex_format(char *text, bytes b);
// Reads 2 * n hexadecimal digits; false when they are not.
bool hex_parse(bytes text, uint8_t *out, size_t n);
