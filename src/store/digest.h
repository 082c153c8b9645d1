// What a case says, as one SHA-256 for each kind: equal when the same packets were read with the
// same options, whatever the number of lanes, the form of the files, the time or the machine.
//
// A record's hash is over the fields that it has, in the order of its kind's table: for each the
// name's length and name, the value's length and value; numbers are 8 bytes, addresses and ids 16,
// most significant first; a list is its elements, texts with a length each. Left out are kinds and
// fields that are hidden or undigested, and blobs. A kind's digest is over its records' ids and
// hashes (16 bytes each), sorted; a record without an id has zeros there. The total is over "NAME
// DIGEST\n" of the kinds that have records, by name.
//
// Thread: one. Takes 32 bytes of memory a record.
#pragma once

#include "base/hash.h"
#include "record/batch.h"

struct digest;

struct digest *digest_create(const struct record_kind *const *kinds,
                             unsigned kind_count); // keeps `kinds`
// The same for proving records: with blobs, hidden fields and the names of artifacts, and with what
// says of which packets a conversation is.
struct digest *digest_create_whole(const struct record_kind *const *kinds, unsigned kind_count);
void digest_destroy(struct digest *d);

// Batches of kinds that are not digested are fine, and nothing.
void digest_add(struct digest *d, const struct record_batch *batch);
// The fields that are needed of a kind, as case_scan wants them; 0 when it is not digested.
uint64_t digest_fields(const struct record_kind *kind);

uint64_t digest_fields_whole(const struct record_kind *kind);

// How two sets of records of a kind differ. After the first call nothing may be added; `a` and `b`
// are over the same kinds.
enum digest_difference { DIGEST_CHANGED, DIGEST_ONLY_A, DIGEST_ONLY_B };
typedef void digest_differs(void *context, enum digest_difference how, struct record_id id);
void digest_compare(struct digest *a, struct digest *b, unsigned kind, digest_differs *differs,
                    void *context);
// Forgets the records of a kind.
void digest_forget(struct digest *d, unsigned kind);

// The digest of the kind in that place of the list, and its number of records; false when it is not
// digested. After the first call nothing may be added.
bool digest_of_kind(struct digest *d, unsigned kind, char hex[HEX_SHA256_SIZE], uint64_t *rows);
void digest_total(struct digest *d, char hex[HEX_SHA256_SIZE]);
