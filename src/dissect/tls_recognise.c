// Whether first bytes are TLS: by a hello, or by records behind one another.
#include "dissect/tls_walk.h"

enum {
    RECOGNISE_RECORDS = 3,
    RECOGNISE_BYTES = 512, // more is not shown to who wants more
    CLIENT_HELLO_MIN = 38, // version, random, empty session identifier, one cipher suite, ...
    SERVER_HELLO_MIN = 36, // ... the drafts of TLS 1.3 had it shorter
};

// The lengths in the head of a hello of SSL 2.0 must add up to that of its record, which chance
// does not bring about.
static enum recognition recognise_ssl2(const struct piece *first)
{
    enum { CLIENT_HEAD = 9, SERVER_HEAD = 11 };
    struct reader r = reader_of(first->data);
    size_t size = read_be16(&r);
    uint8_t type = read_u8(&r);
    if (!(size & 0x8000) || (type != 1 && type != 4)) return RECOGNISE_NO;
    if (type == 4) read_be16(&r); // session hit, certificate type
    uint16_t version = read_be16(&r);
    size_t head = type == 1 ? CLIENT_HEAD : SERVER_HEAD;
    size_t content = read_be16(&r);
    content += read_be16(&r);
    content += read_be16(&r);
    if (r.bad) return first->last ? RECOGNISE_NO : RECOGNISE_MORE;
    bool is_version =
        version == 0x0002 || (type == 1 && version >> 8 == 3 && (version & 0xff) <= 4);
    return is_version && head + content == (size & 0x7fff) ? RECOGNISE_YES : RECOGNISE_NO;
}

static enum recognition recognise_hello(bytes b, const struct tls_header *h)
{
    struct reader r = reader_of(bytes_after(b, TLS_HEADER_SIZE));
    uint8_t type = read_u8(&r);
    uint32_t length = read_be24(&r);
    uint8_t major = read_u8(&r);
    if (r.bad) return RECOGNISE_MORE;
    if (!tls_message_is_known(type)) return RECOGNISE_NO;
    bool is_client = type == TLS_CLIENT_HELLO && length >= CLIENT_HELLO_MIN;
    bool is_server = type == TLS_SERVER_HELLO && length >= SERVER_HELLO_MIN;
    bool is_hello =
        (is_client || is_server) && length < STREAM_VIEW_MAX && (major == 3 || major == 0x7f);
    if (is_hello) return RECOGNISE_YES;
    if (type == TLS_CLIENT_HELLO || type == TLS_SERVER_HELLO) return RECOGNISE_NO;
    return length + TLS_MESSAGE_HEADER_SIZE <= h->length ? RECOGNISE_PORT : RECOGNISE_NO;
}

// Begun in the middle: several believable records behind one another.
static enum recognition recognise_records(const struct piece *first)
{
    bytes b = first->data;
    for (unsigned i = 0; i < RECOGNISE_RECORDS; i++) {
        bool is_enough = first->last || first->data.n >= RECOGNISE_BYTES;
        if (b.n < TLS_HEADER_SIZE) return is_enough ? RECOGNISE_PORT : RECOGNISE_MORE;
        struct tls_header h = tls_header_read(b);
        if (!tls_is_record(&h)) return RECOGNISE_NO;
        b = bytes_after(b, TLS_HEADER_SIZE + (size_t)h.length);
    }
    return RECOGNISE_YES;
}

enum recognition tls_recognise(const struct piece *first, enum transport transport)
{
    (void)transport;
    bytes b = first->data;
    if (b.n < TLS_HEADER_SIZE) return first->last ? RECOGNISE_NO : RECOGNISE_MORE;
    struct tls_header h = tls_header_read(b);
    if (!tls_is_record(&h)) return recognise_ssl2(first);
    if (h.type == TLS_HANDSHAKE) return recognise_hello(b, &h);
    return recognise_records(first);
}
