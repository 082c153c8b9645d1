// Fingerprints of TLS implementations: JA3 and JA3S (an MD5 over numbers in the order of the
// message), JA4 (counts in the clear and two SHA-256 prefixes over sorted numbers). GREASE values
// (RFC 8701) are left out of all of them.
//
// Thread: plain functions, no shared state, no memory.
#pragma once

#include "dissect/tls_hello.h"

enum { JA3_TEXT_SIZE = 33, JA4_TEXT_SIZE = 37, JA4_NUMBERS_MAX = 1024 };

// 32 hexadecimal digits of the MD5 of "version,ciphers,extensions,groups,point formats".
void tls_ja3(char text[JA3_TEXT_SIZE], const struct tls_hello *client);
// The same of "version,cipher,extensions".
void tls_ja3s(char text[JA3_TEXT_SIZE], const struct tls_hello *server);
// "t13d1516h2_8daaf6152771_b186095e22b6". False when the hello lists more than JA4_NUMBERS_MAX
// numbers of a sort.
bool tls_ja4(char text[JA4_TEXT_SIZE], const struct tls_hello *client);
