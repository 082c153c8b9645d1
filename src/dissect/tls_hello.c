#include "dissect/tls_hello.h"

enum { RANDOM_SIZE = 32, SESSION_ID_MAX = 32, SERVER_NAMES_MAX = 16, HOST_NAME = 0 };

// ---- lists --------------------------------------------------------------------------------------

bool tls_extension_next(struct reader *r, struct tls_extension *extension)
{
    if (reader_left(r) == 0) return false;
    extension->type = read_be16(r);
    extension->content = read_bytes(r, read_be16(r));
    return !r->bad;
}

bool tls_list_next(bytes *list, uint16_t *v)
{
    if (list->n < 2) return false;
    struct reader r = reader_of(*list);
    *v = read_be16(&r);
    *list = reader_rest(&r);
    return true;
}

bool tls_alpn_next(bytes *list, bytes *name)
{
    struct reader r = reader_of(*list);
    *name = read_bytes(&r, read_u8(&r));
    *list = reader_rest(&r);
    return !r.bad && name->n > 0;
}

// ---- extensions ---------------------------------------------------------------------------------

// RFC 6066 section 3.
static bool read_server_name(struct tls_hello *hello, struct reader *r)
{
    hello->has_server_name = true;
    if (reader_left(r) == 0) return true; // a server that has heard it
    struct reader names = read_sub(r, read_be16(r));
    for (unsigned i = 0; i < SERVER_NAMES_MAX && reader_left(&names) > 0; i++) {
        uint8_t type = read_u8(&names);
        bytes name = read_bytes(&names, read_be16(&names));
        if (type != HOST_NAME || hello->server_name.n) continue;
        hello->server_name = name;
    }
    return !names.bad;
}

// RFC 8446 section 4.2.8: a server's share, or only the group that it wants.
static void read_key_share(struct tls_hello *hello, struct reader *r, bool from_client)
{
    if (!from_client) hello->selected_group = read_be16(r);
}

// RFC 8446 section 4.2.1; early drafts had the list of the client in both messages.
static void read_versions(struct tls_hello *hello, struct reader *r, bool from_client)
{
    if (from_client) hello->supported_versions = read_bytes(r, read_u8(r));
    else hello->selected_version = read_be16(r);
}

static bool read_extension(struct tls_hello *hello, const struct tls_extension *extension,
                           bool from_client)
{
    struct reader r = reader_of(extension->content);
    switch (extension->type) {
    case TLS_EXTENSION_SERVER_NAME:
        return read_server_name(hello, &r);
    case TLS_EXTENSION_SUPPORTED_GROUPS:
        hello->groups = read_bytes(&r, read_be16(&r));
        break;
    case TLS_EXTENSION_POINT_FORMATS:
        hello->point_formats = read_bytes(&r, read_u8(&r));
        break;
    case TLS_EXTENSION_SIGNATURE_ALGORITHMS:
        hello->signature_algorithms = read_bytes(&r, read_be16(&r));
        break;
    case TLS_EXTENSION_ALPN:
        hello->alpn = read_bytes(&r, read_be16(&r));
        break;
    case TLS_EXTENSION_PRE_SHARED_KEY:
        hello->has_pre_shared_key = true;
        break;
    case TLS_EXTENSION_EARLY_DATA:
        hello->has_early_data = true;
        break;
    case TLS_EXTENSION_SUPPORTED_VERSIONS:
        read_versions(hello, &r, from_client);
        break;
    case TLS_EXTENSION_KEY_SHARE:
        read_key_share(hello, &r, from_client);
        break;
    default:
        break;
    }
    return !r.bad;
}

static void read_extensions(struct tls_hello *hello, struct reader *r, bool from_client)
{
    if (reader_left(r) == 0) return;
    uint16_t length = read_be16(r);
    if (length != reader_left(r)) hello->malformed = true;
    hello->extensions = bytes_first(reader_rest(r), length);
    struct reader list = reader_of(hello->extensions);
    struct tls_extension extension;
    while (tls_extension_next(&list, &extension))
        if (!read_extension(hello, &extension, from_client)) hello->malformed = true;
    if (list.bad) hello->malformed = true;
}

// ---- hellos -------------------------------------------------------------------------------------

static void read_opening(struct tls_hello *hello, struct reader *r)
{
    *hello = (struct tls_hello){.version = read_be16(r)};
    hello->random = read_bytes(r, RANDOM_SIZE);
    hello->session_id = read_bytes(r, read_u8(r));
    if (hello->session_id.n > SESSION_ID_MAX) hello->malformed = true;
}

bool tls_client_hello(struct tls_hello *hello, bytes message)
{
    struct reader r = reader_of(message);
    read_opening(hello, &r);
    hello->ciphers = read_bytes(&r, read_be16(&r));
    read_bytes(&r, read_u8(&r)); // compression methods
    if (r.bad) return false;
    if (hello->ciphers.n % 2) hello->malformed = true;
    read_extensions(hello, &r, true);
    return true;
}

// The drafts of TLS 1.3 up to 21 had neither session identifier nor compression method here.
static bool has_session_id(uint16_t version)
{
    return version >> 8 != 0x7f;
}

bool tls_server_hello(struct tls_hello *hello, bytes message)
{
    struct reader r = reader_of(message);
    struct reader look = r;
    if (has_session_id(read_be16(&look))) {
        read_opening(hello, &r);
        hello->cipher = read_be16(&r);
        read_u8(&r);
    } else {
        *hello = (struct tls_hello){.version = read_be16(&r)};
        hello->random = read_bytes(&r, RANDOM_SIZE);
        hello->cipher = read_be16(&r);
    }
    if (r.bad) return false;
    read_extensions(hello, &r, false);
    return true;
}

bool tls_client_hello_ssl2(struct tls_hello *hello, bytes record)
{
    struct reader r = reader_of(record);
    uint8_t type = read_u8(&r);
    *hello = (struct tls_hello){.version = read_be16(&r), .is_ssl2 = true};
    uint16_t ciphers = read_be16(&r), session_id = read_be16(&r), challenge = read_be16(&r);
    hello->ciphers = read_bytes(&r, ciphers);
    hello->session_id = read_bytes(&r, session_id);
    hello->random = read_bytes(&r, challenge);
    return type == 1 && !r.bad && reader_left(&r) == 0 && ciphers > 0 && ciphers % 3 == 0 &&
           challenge >= 16 && challenge <= 32 && session_id <= SESSION_ID_MAX &&
           (hello->version == 0x0002 || (hello->version >= 0x0300 && hello->version <= 0x0304));
}

bool tls_server_hello_ssl2(struct tls_hello *hello, bytes record, bytes *certificate)
{
    struct reader r = reader_of(record);
    uint8_t type = read_u8(&r), hit = read_u8(&r), certificate_type = read_u8(&r);
    *hello = (struct tls_hello){.version = read_be16(&r), .is_ssl2 = true};
    uint16_t length = read_be16(&r), ciphers = read_be16(&r), connection = read_be16(&r);
    *certificate = read_bytes(&r, length);
    hello->ciphers = read_bytes(&r, ciphers);
    hello->session_id = read_bytes(&r, connection);
    return type == 4 && hit <= 1 && certificate_type <= 1 && hello->version == 0x0002 && !r.bad &&
           reader_left(&r) == 0 && ciphers % 3 == 0;
}

// The SHA-256 of "HelloRetryRequest".
bool tls_is_retry(const struct tls_hello *hello)
{
    static const uint8_t RETRY[RANDOM_SIZE] = {
        0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
        0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
        0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
    };
    return bytes_equal(hello->random, bytes_of(RETRY, sizeof RETRY));
}
