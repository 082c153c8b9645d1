// OpenSSL 3's one-shot interface looks an algorithm up by name at each call, which costs more
// than hashing a short message; the older calls below are the same code without the search.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "base/hash.h"

#include <assert.h>
#include <openssl/md5.h>
#include <openssl/sha.h>
#include <sys/random.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/text.h"

_Static_assert(sizeof(SHA256_CTX) <= sizeof(struct sha256), "room for SHA-256");
_Static_assert(sizeof(SHA_CTX) <= sizeof(struct sha1), "room for SHA-1");
_Static_assert(sizeof(MD5_CTX) <= sizeof(struct md5), "room for MD5");

void sha256_init(struct sha256 *h)
{
    SHA256_Init((SHA256_CTX *)h->state);
}

void sha256_add(struct sha256 *h, bytes b)
{
    if (b.n) SHA256_Update((SHA256_CTX *)h->state, b.p, b.n);
}

void sha256_end(struct sha256 *h, uint8_t digest[SHA256_SIZE])
{
    SHA256_Final(digest, (SHA256_CTX *)h->state);
}

void sha256_of(bytes b, uint8_t digest[SHA256_SIZE])
{
    struct sha256 h;
    sha256_init(&h);
    sha256_add(&h, b);
    sha256_end(&h, digest);
}

void sha1_init(struct sha1 *h)
{
    SHA1_Init((SHA_CTX *)h->state);
}

void sha1_add(struct sha1 *h, bytes b)
{
    if (b.n) SHA1_Update((SHA_CTX *)h->state, b.p, b.n);
}

void sha1_end(struct sha1 *h, uint8_t digest[SHA1_SIZE])
{
    SHA1_Final(digest, (SHA_CTX *)h->state);
}

void md5_init(struct md5 *h)
{
    MD5_Init((MD5_CTX *)h->state);
}

void md5_add(struct md5 *h, bytes b)
{
    if (b.n) MD5_Update((MD5_CTX *)h->state, b.p, b.n);
}

void md5_end(struct md5 *h, uint8_t digest[MD5_SIZE])
{
    MD5_Final(digest, (MD5_CTX *)h->state);
}

uint64_t table_hash(const void *p, size_t n, uint64_t seed)
{
    return XXH3_64bits_withSeed(p, n, seed);
}

uint64_t table_secret(void)
{
    uint64_t secret = 0;
    if (getrandom(&secret, sizeof secret, GRND_NONBLOCK) != sizeof secret) secret = 0;
    return secret | 1;
}

void hex_format(char *text, bytes b)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < b.n; i++) {
        text[2 * i] = digits[b.p[i] >> 4];
        text[2 * i + 1] = digits[b.p[i] & 15];
    }
    text[2 * b.n] = 0;
}

bool hex_parse(bytes text, uint8_t *out, size_t n)
{
    if (text.n != 2 * n) return false;
    for (size_t i = 0; i < n; i++) {
        int high = text_hex_value(text.p[2 * i]), low = text_hex_value(text.p[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}
