#include "dissect/socks_message.h"

#include <string.h>

enum { ADDRESS_IPV4 = 1, ADDRESS_NAME = 3, ADDRESS_IPV6 = 4, LOGIN_VERSION = 1 };
enum { REPLY_4_SUCCESS = 90, REPLY_4_LAST = 93, REPLY_5_LAST = 8, NAME_ONLY_MAX = 0xff };

// ---- parts --------------------------------------------------------------------------------------

static void name_set(struct socks_name *name, bytes text)
{
    text = bytes_first(text, SOCKS_NAME_MAX);
    name->length = (uint8_t)text.n;
    if (text.n) memcpy(name->text, text.p, text.n);
}

// RFC 1928 section 5, with the port behind it.
static enum socks_read read_end(struct reader *r, uint8_t type, struct socks_end *end)
{
    *end = (struct socks_end){.has_address = type != ADDRESS_NAME};
    if (type == ADDRESS_IPV4) {
        end->address = address_v4(read_be32(r));
    } else if (type == ADDRESS_IPV6) {
        end->address.hi = read_be64(r);
        end->address.lo = read_be64(r);
    } else if (type == ADDRESS_NAME) {
        name_set(&end->name, read_bytes(r, read_u8(r)));
    } else {
        return SOCKS_BAD;
    }
    end->port = read_be16(r);
    return r->bad ? SOCKS_SHORT : SOCKS_READ;
}

// A text that a NUL ends (SOCKS 4); the longest that is read is that of version 5.
static enum socks_read read_ended(struct reader *r, struct socks_name *name)
{
    bytes rest = reader_rest(r);
    size_t n = bytes_find(rest, 0);
    if (n > SOCKS_NAME_MAX) return SOCKS_BAD;
    if (n == rest.n) return SOCKS_SHORT;
    name_set(name, bytes_first(rest, n));
    read_bytes(r, n + 1);
    return SOCKS_READ;
}

// ---- version 5, RFC 1928 ------------------------------------------------------------------------

static bool method_is_known(uint8_t method)
{
    return (method < 10 && method != 4) || (method >= 0x80 && method != SOCKS_METHOD_REFUSED);
}

enum socks_read socks_read_greeting(struct reader *r, bytes *methods)
{
    uint8_t version = read_u8(r), count = read_u8(r);
    if (r->bad) return SOCKS_SHORT;
    if (version != SOCKS_VERSION_5 || !count || count > SOCKS_METHODS_MAX) return SOCKS_BAD;
    *methods = read_bytes(r, count);
    if (r->bad) return SOCKS_SHORT;
    bool seen[256] = {false};
    for (size_t i = 0; i < methods->n; i++) {
        uint8_t method = methods->p[i];
        if (!method_is_known(method) || seen[method]) return SOCKS_BAD;
        seen[method] = true;
    }
    return SOCKS_READ;
}

enum socks_read socks_read_method(struct reader *r, uint8_t *method)
{
    uint8_t version = read_u8(r);
    *method = read_u8(r);
    if (r->bad) return SOCKS_SHORT;
    bool is_known = method_is_known(*method) || *method == SOCKS_METHOD_REFUSED;
    return version == SOCKS_VERSION_5 && is_known ? SOCKS_READ : SOCKS_BAD;
}

enum socks_read socks_read_login(struct reader *r, struct socks_name *user)
{
    uint8_t version = read_u8(r);
    bytes name = read_bytes(r, read_u8(r));
    read_bytes(r, read_u8(r)); // password
    if (r->bad) return SOCKS_SHORT;
    if (version != LOGIN_VERSION) return SOCKS_BAD;
    name_set(user, name);
    return SOCKS_READ;
}

enum socks_read socks_read_status(struct reader *r, uint8_t *status)
{
    uint8_t version = read_u8(r);
    *status = read_u8(r);
    if (r->bad) return SOCKS_SHORT;
    return version == LOGIN_VERSION ? SOCKS_READ : SOCKS_BAD;
}

static bool command_is_known(uint8_t command)
{
    return (command >= SOCKS_CONNECT && command <= SOCKS_UDP_ASSOCIATE) ||
           command == SOCKS_RESOLVE || command == SOCKS_RESOLVE_PTR;
}

enum socks_read socks_read_request_5(struct reader *r, struct socks_request *request)
{
    uint8_t version = read_u8(r), command = read_u8(r), reserved = read_u8(r), type = read_u8(r);
    if (r->bad) return SOCKS_SHORT;
    if (version != SOCKS_VERSION_5 || !command_is_known(command) || reserved) return SOCKS_BAD;
    request->command = command;
    return read_end(r, type, &request->end);
}

enum socks_read socks_read_reply_5(struct reader *r, struct socks_reply *reply)
{
    uint8_t version = read_u8(r), code = read_u8(r);
    read_u8(r); // reserved; not all servers clear it
    uint8_t type = read_u8(r);
    if (r->bad) return SOCKS_SHORT;
    if (version != SOCKS_VERSION_5) return SOCKS_BAD;
    reply->code = code;
    return read_end(r, type, &reply->end);
}

// ---- version 4 and 4a ---------------------------------------------------------------------------

enum socks_read socks_read_request_4(struct reader *r, struct socks_request *request,
                                     struct socks_name *user)
{
    uint8_t version = read_u8(r), command = read_u8(r);
    uint16_t port = read_be16(r);
    uint32_t address = read_be32(r);
    if (r->bad) return SOCKS_SHORT;
    bool is_command = command == SOCKS_CONNECT || command == SOCKS_BIND;
    if (version != SOCKS_VERSION_4 || !is_command || !port) return SOCKS_BAD;
    *request = (struct socks_request){.command = command, .end = {.port = port}};
    enum socks_read result = read_ended(r, user);
    // Version 4a: an address that nobody has says that a name follows.
    bool has_name = address && address <= NAME_ONLY_MAX;
    if (result == SOCKS_READ && has_name) return read_ended(r, &request->end.name);
    request->end.has_address = true;
    request->end.address = address_v4(address);
    return result;
}

enum socks_read socks_read_reply_4(struct reader *r, struct socks_reply *reply)
{
    uint8_t version = read_u8(r);
    reply->code = read_u8(r);
    uint16_t port = read_be16(r);
    uint32_t address = read_be32(r);
    if (r->bad) return SOCKS_SHORT;
    bool is_code = reply->code >= REPLY_4_SUCCESS && reply->code <= REPLY_4_LAST;
    if (version || !is_code) return SOCKS_BAD;
    reply->end = (struct socks_end){true, port, address_v4(address), {0}};
    return SOCKS_READ;
}

// ---- words --------------------------------------------------------------------------------------

bool socks_reply_is_success(const struct socks_reply *reply, uint8_t version)
{
    return reply->code == (version == SOCKS_VERSION_5 ? 0 : REPLY_4_SUCCESS);
}

const char *socks_command_name(uint8_t command)
{
    static const char *const names[] = {"unknown", "connect", "bind", "udp_associate"};
    if (command == SOCKS_RESOLVE) return "resolve";
    if (command == SOCKS_RESOLVE_PTR) return "resolve_ptr";
    return command <= SOCKS_UDP_ASSOCIATE ? names[command] : names[0];
}

const char *socks_method_name(uint8_t method)
{
    static const char *const names[] = {
        "none", "gssapi", "password", "challenge_handshake",  "unknown", "challenge_response",
        "tls",  "nds",    "multi",    "json_parameter_block",
    };
    if (method == SOCKS_METHOD_REFUSED) return "refused";
    if (method >= 0x80) return "private";
    return method < sizeof names / sizeof names[0] ? names[method] : "unknown";
}

const char *socks_reply_name(uint8_t code, uint8_t version)
{
    static const char *const of_5[] = {
        "succeeded",
        "general SOCKS server failure",
        "connection not allowed by ruleset",
        "network unreachable",
        "host unreachable",
        "connection refused",
        "TTL expired",
        "command not supported",
        "address type not supported",
    };
    static const char *const of_4[] = {
        "succeeded",
        "request rejected or failed",
        "request rejected: no identd at the client",
        "request rejected: identd reports another user",
    };
    if (version == SOCKS_VERSION_5) return code <= REPLY_5_LAST ? of_5[code] : "unknown";
    bool is_known = code >= REPLY_4_SUCCESS && code <= REPLY_4_LAST;
    return is_known ? of_4[code - REPLY_4_SUCCESS] : "unknown";
}
