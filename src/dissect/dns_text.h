// Parts of resource records in the forms that zone files have (RFC 1035 section 5.1 and later
// ones).
//
// Each appends to `out`, which is full when there is no room.
#pragma once

#include "base/buf.h"

void dns_put_number(struct buf *out, uint64_t v);
void dns_put_hexadecimal(struct buf *out, bytes b);
void dns_put_base64(struct buf *out, bytes b);
void dns_put_base32(struct buf *out,
                    bytes b); // with the hexadecimal alphabet, no padding (RFC 4648 section 7)
void dns_put_dashed(struct buf *out, bytes b); // 00-00-5e-00-53-2a (RFC 7043)
void dns_put_quoted(struct buf *out,
                    bytes b); // in double quotes; a quote or backslash has a backslash before it
void dns_put_time(struct buf *out,
                  uint32_t t); // seconds since 1970 as YYYYMMDDHHMMSS (RFC 4034 section 3.2)

// To the end of `r`, which is bad afterwards when they are broken: service parameters (RFC 9460
// section 2.1), and a location (RFC 1876 section 3).
void dns_put_parameters(struct buf *out, struct reader *r);
void dns_put_location(struct buf *out, struct reader *r);
