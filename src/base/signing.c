#include "base/signing.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"

struct signing_key {
    EVP_PKEY *key;
    uint8_t public_key[PUBLIC_KEY_SIZE];
};

// What stands before the 32 bytes of a public key: SubjectPublicKeyInfo of RFC 8410, section 4.
static const uint8_t public_head[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                      0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};

static struct signing_key *key_of(EVP_PKEY *key)
{
    struct signing_key *k = memory_get(sizeof *k);
    size_t n = sizeof k->public_key;
    k->key = key;
    int done = EVP_PKEY_get_raw_public_key(key, k->public_key, &n);
    assert(done == 1 && n == sizeof k->public_key);
    return k;
}

struct signing_key *signing_key_of(const uint8_t seed[32])
{
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32);
    assert(key);
    return key_of(key);
}

void signing_key_close(struct signing_key *k)
{
    if (!k) return;
    EVP_PKEY_free(k->key);
    memory_free(k);
}

const uint8_t *signing_public(const struct signing_key *k)
{
    return k->public_key;
}

// ---- files --------------------------------------------------------------------------------------

// A key that wants a passphrase is refused: a reading may run with nobody there to type it.
static int no_passphrase(char *text, int size, int writing, void *context)
{
    (void)text, (void)size, (void)writing, (void)context;
    return -1;
}

// The Ed25519 key in a PEM text, or NULL.
static EVP_PKEY *parse(bytes content, bool with_private)
{
    BIO *bio = BIO_new_mem_buf(content.p, (int)content.n);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
    if (!key && !with_private && BIO_reset(bio) == 1)
        key = PEM_read_bio_PUBKEY(bio, NULL, no_passphrase, NULL);
    BIO_free(bio);
    if (key && EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519) return key;
    EVP_PKEY_free(key);
    return NULL;
}

static EVP_PKEY *read_key(const char *path, bool with_private, struct err *err)
{
    bytes content = file_read(path, KEY_FILE_MAX, err);
    if (!content.p) return NULL;
    EVP_PKEY *key = parse(content, with_private);
    OPENSSL_cleanse((void *)content.p, content.n);
    memory_free((void *)content.p);
    return key;
}

// Two that begin at the same time must not have two keys: who links first wins.
static bool put_file(const char *path, bytes content, struct err *err)
{
    char hidden[PATH_MAX];
    if (snprintf(hidden, sizeof hidden, "%s.%ld", path, (long)getpid()) >= (int)sizeof hidden)
        return err_system(err, ENAMETOOLONG, "cannot write %s", path);
    int file = open(hidden, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file < 0) return err_system(err, errno, "cannot write %s", hidden);
    bool fine = file_write_all(file, content, err);
    if (fine && fsync(file) != 0) fine = err_system(err, errno, "cannot sync %s", hidden);
    close(file);
    if (fine && link(hidden, path) != 0 && errno != EEXIST)
        fine = err_system(err, errno, "cannot write %s", path);
    unlink(hidden);
    return fine;
}

// The folders that lead to `path`, for their owner only; the last of them durable with the file.
static bool make_way(char *path, struct err *err)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        bool fine = mkdir(path, 0700) == 0 || errno == EEXIST ||
                    err_system(err, errno, "cannot make the folder %s", path);
        *slash = '/';
        if (!fine) return false;
    }
    return true;
}

static bool make_key(const char *path, struct err *err)
{
    char copy[PATH_MAX];
    if (snprintf(copy, sizeof copy, "%s", path) >= (int)sizeof copy)
        return err_system(err, ENAMETOOLONG, "cannot write %s", path);
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    BIO *bio = BIO_new(BIO_s_mem());
    if (!key || !PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL)) abort();
    char *text;
    long n = BIO_get_mem_data(bio, &text);
    bool fine = make_way(copy, err) && put_file(path, bytes_of(text, (size_t)n), err);
    char *slash = strrchr(copy, '/');
    if (slash) *slash = 0;
    fine = fine && file_sync(slash ? (*copy ? copy : "/") : ".", err);
    OPENSSL_cleanse(text, (size_t)n);
    BIO_free(bio);
    EVP_PKEY_free(key);
    return fine;
}

struct signing_key *signing_key_open(const char *path, struct err *err)
{
    struct err ignored = {0};
    if (!err) err = &ignored;
    *err = (struct err){0};
    if (access(path, F_OK) != 0 && errno == ENOENT && !make_key(path, err)) {
        err_in(err, "there is no key yet to sign the case with, and it cannot be made; "
                    "WEIR_KEY=FILE names another place");
        return NULL;
    }
    EVP_PKEY *key = read_key(path, true, err);
    if (key) return key_of(key);
    if (err->code)
        err_in(err, "the key that signs the case is not readable; WEIR_KEY=FILE names another");
    else
        err_set(err, ERR_INPUT,
                "%s is no Ed25519 key without a passphrase: make one with openssl genpkey "
                "-algorithm ed25519, or name another with WEIR_KEY=FILE",
                path);
    return NULL;
}

bool public_key_read(const char *path, uint8_t public_key[PUBLIC_KEY_SIZE], struct err *err)
{
    struct err why = {0};
    EVP_PKEY *key = read_key(path, false, &why);
    size_t n = PUBLIC_KEY_SIZE;
    if (!key) {
        if (err && why.code) *err = why;
        return why.code ? err_in(err, "the key is missing")
                        : err_set(err, ERR_INPUT,
                                  "%s is no Ed25519 key: name a PEM file such as keys/… in a case",
                                  path);
    }
    EVP_PKEY_get_raw_public_key(key, public_key, &n);
    EVP_PKEY_free(key);
    return true;
}

void public_key_text(struct text *t, const uint8_t key[PUBLIC_KEY_SIZE])
{
    uint8_t der[sizeof public_head + PUBLIC_KEY_SIZE];
    unsigned char base64[80];
    memcpy(der, public_head, sizeof public_head);
    memcpy(der + sizeof public_head, key, PUBLIC_KEY_SIZE);
    EVP_EncodeBlock(base64, der, sizeof der);
    text_format(t, "-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\n", base64);
}

// ---- signing ------------------------------------------------------------------------------------

void signing_sign(const struct signing_key *k, bytes message, uint8_t signature[SIGNATURE_SIZE])
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t n = SIGNATURE_SIZE;
    bool fine = context && EVP_DigestSignInit(context, NULL, NULL, NULL, k->key) == 1 &&
                EVP_DigestSign(context, signature, &n, message.p, message.n) == 1;
    assert(fine && n == SIGNATURE_SIZE);
    EVP_MD_CTX_free(context);
}

bool signature_holds(const uint8_t public_key[PUBLIC_KEY_SIZE], bytes message,
                     const uint8_t signature[SIGNATURE_SIZE])
{
    EVP_PKEY *key =
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, PUBLIC_KEY_SIZE);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool holds = key && context && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
                 EVP_DigestVerify(context, signature, SIGNATURE_SIZE, message.p, message.n) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return holds;
}
