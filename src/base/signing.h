// Ed25519 signatures (RFC 8032) and the files in which their keys lie.
//
// A private key is a PEM file as `openssl genpkey -algorithm ed25519` writes it, readable by its
// owner only; a public key is one as `openssl pkey -pubout` writes it. Keys are values of the
// process: made at the start, borrowed by whoever signs.
//
// Thread: any; a key is not changed.
#pragma once

#include "base/bytes.h"
#include "base/err.h"
#include "base/text.h"

enum { PUBLIC_KEY_SIZE = 32, SIGNATURE_SIZE = 64, KEY_FILE_MAX = 65536 };

struct signing_key;

// The key in the file. When there is no such file it is made, durable and whole or not at all, with
// the folders that lead there. NULL and err on failure.
struct signing_key *signing_key_open(const char *path, struct err *err);
struct signing_key *signing_key_of(const uint8_t seed[32]); // for tests
void signing_key_close(struct signing_key *k);

const uint8_t *signing_public(const struct signing_key *k); // PUBLIC_KEY_SIZE bytes
void signing_sign(const struct signing_key *k, bytes message, uint8_t signature[SIGNATURE_SIZE]);
bool signature_holds(const uint8_t key[PUBLIC_KEY_SIZE], bytes message,
                     const uint8_t signature[SIGNATURE_SIZE]);

// The public key in a file, of its own or as part of a private one.
bool public_key_read(const char *path, uint8_t key[PUBLIC_KEY_SIZE], struct err *err)
    __attribute__((warn_unused_result));
// What such a file contains.
void public_key_text(struct text *t, const uint8_t key[PUBLIC_KEY_SIZE]);
