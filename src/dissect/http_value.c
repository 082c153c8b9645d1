#include "dissect/http_value.h"

#include "base/text.h"

enum { PARAMETERS_MAX = 32 };

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bytes trimmed(bytes b)
{
    while (b.n && is_blank(b.p[0])) b = bytes_after(b, 1);
    while (b.n && is_blank(b.p[b.n - 1])) b.n--;
    return b;
}

static bool starts_nocase(bytes b, const char *prefix)
{
    return bytes_equal_nocase(bytes_first(b, strlen(prefix)), bytes_text(prefix));
}

// ---- parameters ---------------------------------------------------------------------------------

// Takes a quoted string or all up to `separator`; a quoted one without its quotes, still with its
// escapes.
static bytes value_take(bytes *rest, uint8_t separator)
{
    *rest = trimmed(*rest);
    if (rest->n == 0 || rest->p[0] != '"') {
        size_t end = bytes_find(*rest, separator);
        bytes value = trimmed(bytes_first(*rest, end));
        *rest = bytes_after(*rest, end + 1);
        return value;
    }
    bytes value = bytes_after(*rest, 1);
    size_t n = 0;
    while (n < value.n && value.p[n] != '"') n += value.p[n] == '\\' && n + 1 < value.n ? 2 : 1;
    value = bytes_first(value, n);
    *rest = bytes_after(*rest, n + 2);
    *rest = bytes_after(*rest, bytes_find(*rest, separator) + 1);
    return value;
}

// The value of parameter `name` in name=value pairs between `separator`s; false when there is none.
static bool parameter_find(bytes list, const char *name, uint8_t separator, bytes *value)
{
    for (unsigned i = 0; i < PARAMETERS_MAX && list.n; i++) {
        size_t equals = bytes_find(list, '='), end = bytes_find(list, separator);
        if (end < equals) { // a word without a value
            list = bytes_after(list, end + 1);
            continue;
        }
        bytes key = trimmed(bytes_first(list, equals));
        list = bytes_after(list, equals + 1);
        *value = value_take(&list, separator);
        if (bytes_equal_nocase(key, bytes_text(name))) return true;
    }
    return false;
}

// ---- credentials --------------------------------------------------------------------------------

static int base64_digit(uint8_t c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == '+') return 62;
    return c == '/' ? 63 : -1;
}

// RFC 4648 4, up to the first byte that is no digit or until `out` is full.
static bytes base64_decode(bytes text, struct buf *out)
{
    uint32_t bits = 0;
    unsigned bit_count = 0;
    for (size_t i = 0; i < text.n && !out->full; i++) {
        int digit = base64_digit(text.p[i]);
        if (digit < 0) break;
        bits = (bits << 6 | (uint32_t)digit) & 0xffffff;
        bit_count += 6;
        if (bit_count < 8) continue;
        bit_count -= 8;
        buf_u8(out, (uint8_t)(bits >> bit_count));
    }
    return buf_bytes(out);
}

bool http_user_name(bytes value, struct buf *out, bytes *name)
{
    if (starts_nocase(value, "Digest "))
        return parameter_find(bytes_after(value, 7), "username", ',', name);
    if (!starts_nocase(value, "Basic ")) return false;
    bytes pair = base64_decode(trimmed(bytes_after(value, 6)), out);
    *name = bytes_first(pair, bytes_find(pair, ':'));
    return name->n > 0;
}

// ---- file names ---------------------------------------------------------------------------------

// RFC 8187 3.2: charset'language'percent-encoded.
static bytes extended_decode(bytes value, struct buf *out)
{
    value = bytes_after(value, bytes_find(value, '\'') + 1);
    value = bytes_after(value, bytes_find(value, '\'') + 1);
    for (size_t i = 0; i < value.n && !out->full; i++) {
        bool coded = value.p[i] == '%' && value.n - i > 2 && text_hex_value(value.p[i + 1]) >= 0 &&
                     text_hex_value(value.p[i + 2]) >= 0;
        if (!coded) {
            buf_u8(out, value.p[i]);
            continue;
        }
        buf_u8(out,
               (uint8_t)(text_hex_value(value.p[i + 1]) << 4 | text_hex_value(value.p[i + 2])));
        i += 2;
    }
    return buf_bytes(out);
}

// A backslash in front of a quote or another backslash is an escape; elsewhere it stands for itself
// (old browsers send whole Windows paths).
static bytes quoted_decode(bytes value, struct buf *out)
{
    for (size_t i = 0; i < value.n && !out->full; i++) {
        bool escape = value.p[i] == '\\' && i + 1 < value.n &&
                      (value.p[i + 1] == '"' || value.p[i + 1] == '\\');
        if (escape) i++;
        buf_u8(out, value.p[i]);
    }
    return buf_bytes(out);
}

bytes http_file_name(bytes value, struct buf *out)
{
    bytes name;
    if (parameter_find(value, "filename*", ';', &name)) return extended_decode(name, out);
    if (parameter_find(value, "filename", ';', &name)) return quoted_decode(name, out);
    return buf_bytes(out);
}

bytes http_last_segment(bytes target)
{
    target = bytes_first(target, bytes_find(target, '?'));
    target = bytes_first(target, bytes_find(target, '#'));
    size_t n = target.n;
    while (n > 0 && target.p[n - 1] != '/') n--;
    return n ? bytes_after(target, n) : bytes_first(target, 0);
}

// ---- folded lines -------------------------------------------------------------------------------

bytes http_unfold(bytes line, struct buf *out)
{
    for (size_t i = 0; i < line.n && !out->full; i++) {
        if (line.p[i] != '\r' && line.p[i] != '\n') {
            buf_u8(out, line.p[i]);
            continue;
        }
        while (i + 1 < line.n && is_blank(line.p[i + 1])) i++;
        buf_u8(out, ' ');
    }
    return buf_bytes(out);
}
