#include "dissect/http_look.h"

#include "dissect/http_head.h"

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(uint8_t c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

size_t http_method_length(bytes view)
{
    size_t n = 0;
    if (view.n == 0 || !is_letter(view.p[0])) return 0;
    while (n < view.n && n <= HTTP_METHOD_MAX &&
           (is_letter(view.p[n]) || is_digit(view.p[n]) || view.p[n] == '-' || view.p[n] == '_')) {
        n++;
    }
    return n;
}

size_t http_version_find(bytes line)
{
    for (size_t n = line.n; n >= 6; n--) {
        if (line.p[n - 6] == ' ' && memcmp(&line.p[n - 6], " HTTP/", 6) == 0) return n - 6;
    }
    return line.n;
}

// " HTTP/1.1" ends the line (spaces may follow); *target_end is where its space stands.
static bool line_has_version(bytes line, size_t *target_end)
{
    while (line.n && (line.p[line.n - 1] == '\r' || line.p[line.n - 1] == ' ')) line.n--;
    if (line.n < 9) return false;
    bytes end = bytes_after(line, line.n - 9);
    if (!bytes_start_with(end, " HTTP/") || !(end.p[6] == '1' || end.p[6] == '0')) return false;
    *target_end = line.n - 9;
    return end.p[7] == '.' && is_digit(end.p[8]);
}

// HTTP/0.9 knows GET with a path, and nothing behind it.
static bool line_is_simple(bytes line)
{
    if (!bytes_start_with(line, "GET /")) return false;
    bytes target = bytes_after(line, 4);
    while (target.n && (target.p[target.n - 1] == '\r' || target.p[target.n - 1] == ' '))
        target.n--;
    for (size_t i = 0; i < target.n; i++) {
        if (target.p[i] <= ' ' || target.p[i] > '~') return false;
    }
    return true;
}

// Of a line that is not all there: is what follows the method a request's target?
static bool target_begins_well(bytes view, size_t method_length)
{
    bytes target = bytes_after(view, method_length + 1);
    bool known = bytes_start_with(view, "GET ") || bytes_start_with(view, "POST ") ||
                 bytes_start_with(view, "HEAD ") || bytes_start_with(view, "PUT ") ||
                 bytes_start_with(view, "DELETE ") || bytes_start_with(view, "PATCH ");
    return known && (bytes_start_with(target, "/") || bytes_start_with(target, "http://"));
}

enum http_look http_look_request(bytes view, bool last)
{
    size_t method_length = http_method_length(view);
    if (method_length > HTTP_METHOD_MAX) return HTTP_LOOK_NO;
    if (method_length == view.n) return last ? HTTP_LOOK_NO : HTTP_LOOK_MORE;
    if (method_length == 0 || view.p[method_length] != ' ') return HTTP_LOOK_NO;
    bytes seen = bytes_first(view, HTTP_LINE_MAX);
    size_t end = bytes_find(seen, '\n'), target_end;
    if (end == seen.n) {
        if (!last && view.n < HTTP_LINE_MAX) return HTTP_LOOK_MORE;
        return target_begins_well(view, method_length) ? HTTP_LOOK_SIMPLE : HTTP_LOOK_NO;
    }
    bytes line = bytes_first(seen, end);
    if (line_has_version(line, &target_end))
        return target_end > method_length ? HTTP_LOOK_YES : HTTP_LOOK_NO;
    return line_is_simple(line) ? HTTP_LOOK_SIMPLE : HTTP_LOOK_NO;
}

enum http_look http_look_response(bytes view, bool last)
{
    static const char START[] = "HTTP/1.";
    size_t compared = view.n < sizeof START - 1 ? view.n : sizeof START - 1;
    if (memcmp(view.p ? view.p : (const uint8_t *)START, START, compared) != 0) return HTTP_LOOK_NO;
    if (view.n < HTTP_STATUS_START) return last ? HTTP_LOOK_NO : HTTP_LOOK_MORE;
    bool good = is_digit(view.p[7]) && view.p[8] == ' ' && is_digit(view.p[9]) &&
                is_digit(view.p[10]) && is_digit(view.p[11]);
    return good ? HTTP_LOOK_YES : HTTP_LOOK_NO;
}

// ---- the way back -------------------------------------------------------------------------------

// Methods that may stand right behind bytes of something else, as the end of a line says "HTTP/1.".
static const char *const METHODS[] = {"GET",     "POST",  "HEAD",    "PUT",     "DELETE",
                                      "OPTIONS", "PATCH", "CONNECT", "PROPFIND"};

// Length of the known method in which `b` ends; 0 when it ends otherwise.
static size_t ends_in_method(bytes b)
{
    for (size_t i = 0; i < sizeof METHODS / sizeof *METHODS; i++) {
        size_t n = strlen(METHODS[i]);
        if (b.n >= n && memcmp(&b.p[b.n - n], METHODS[i], n) == 0) return n;
    }
    return 0;
}

// Where a request begins in a line that ends in a version: *at counts from the start of `line`.
// `whole`: nothing stands before `line` in its line.
static bool line_find_request(bytes line, bool whole, size_t *at)
{
    size_t target_end;
    if (!line_has_version(line, &target_end)) return false;
    size_t space = target_end;
    while (space > 0 && line.p[space - 1] != ' ') space--;
    if (space < 2) return false;
    bytes before = bytes_first(line, space - 1); // all up to the space before the target
    *at = 0;
    if (whole && http_method_length(before) == before.n && before.n <= HTTP_METHOD_MAX) return true;
    size_t method_length = ends_in_method(before);
    *at = before.n - method_length;
    return method_length > 0;
}

bool http_find_request(bytes view, bool *in_line, size_t *at)
{
    size_t begin = 0;
    for (;;) {
        bytes rest = bytes_after(view, begin);
        size_t end = bytes_find(rest, '\n'), found;
        size_t from = end > HTTP_LINE_MAX ? end - HTTP_LINE_MAX : 0;
        bytes line = bytes_after(bytes_first(rest, end), from);
        if (end == rest.n) {
            *in_line |= from > 0;
            *at = begin + from;
            return false;
        }
        if (line_find_request(line, !*in_line && from == 0, &found)) {
            *at = begin + from + found;
            *in_line = false;
            return true;
        }
        *in_line = false;
        begin += end + 1;
    }
}

bool http_find_response(bytes view, size_t *at)
{
    bytes rest = view;
    for (;;) {
        const uint8_t *hit = rest.n ? memmem(rest.p, rest.n, "HTTP/1.", 7) : NULL;
        if (!hit) {
            *at = view.n - (rest.n < 6 ? rest.n : 6); // the start may be cut
            return false;
        }
        *at = view.n - (size_t)(rest.p + rest.n - hit);
        bytes found = bytes_after(view, *at);
        enum http_look look = http_look_response(found, false);
        if (look != HTTP_LOOK_NO) return look == HTTP_LOOK_YES;
        rest = bytes_after(found, 1);
    }
}
