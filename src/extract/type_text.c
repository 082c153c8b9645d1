// Text, and what sort of text: by how it begins, since text has no magic numbers.
#include "extract/type.h"

static bool is_control(uint8_t c)
{
    bool allowed = (c >= 7 && c <= 13) || c == 27;
    return (c < 32 && !allowed) || c == 127;
}

// Bytes of the UTF-8 character that begins with `c`; 0 when none does (RFC 3629 section 4).
static unsigned utf8_length(uint8_t c)
{
    if (c < 0x80) return 1;
    if (c >= 0xc2 && c <= 0xdf) return 2;
    if (c >= 0xe0 && c <= 0xef) return 3;
    return c >= 0xf0 && c <= 0xf4 ? 4 : 0;
}

static bool is_utf8(bytes b, bool whole)
{
    size_t i = 0;
    while (i < b.n) {
        unsigned n = utf8_length(b.p[i]);
        if (n == 0) return false;
        for (unsigned k = 1; k < n; k++) {
            if (i + k == b.n) return !whole;
            if ((b.p[i + k] & 0xc0) != 0x80) return false;
        }
        i += n;
    }
    return true;
}

// One byte a character, as ISO 8859 has them: 128 to 159 are control characters there. Languages
// that use it have more ASCII than accents; of other bytes too many would pass.
static bool is_latin(bytes b)
{
    size_t accents = 0;
    for (size_t i = 0; i < b.n; i++) {
        if (b.p[i] >= 0x80 && b.p[i] < 0xa0) return false;
        if (b.p[i] >= 0xa0) accents++;
    }
    return accents <= b.n / 2;
}

static bool is_text(bytes b, bool whole)
{
    for (size_t i = 0; i < b.n; i++)
        if (is_control(b.p[i])) return false;
    return is_utf8(b, whole) || is_latin(b);
}

static bool is_utf16(bytes b)
{
    if (b.n < 4) return false;
    bool little = b.p[0] == 0xff && b.p[1] == 0xfe, big = b.p[0] == 0xfe && b.p[1] == 0xff;
    // Of ordinary text the other half of the first character is zero.
    return (little && b.p[3] == 0 && b.p[2] != 0) || (big && b.p[2] == 0 && b.p[3] != 0);
}

static bytes without_space(bytes b)
{
    size_t i = 0;
    while (i < b.n && (b.p[i] == ' ' || (b.p[i] >= 9 && b.p[i] <= 13))) i++;
    return bytes_after(b, i);
}

static bool begins(bytes b, const char *word)
{
    return bytes_equal_nocase(bytes_first(b, strlen(word)), bytes_text(word));
}

static bool contains(bytes b, const char *word)
{
    size_t n = strlen(word);
    return b.n >= n && memmem(b.p, b.n, word, n) != NULL;
}

struct beginning {
    const char *word; // in any case
    const char *type;
};

static const char *by_beginning(bytes b, const struct beginning *table, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (begins(b, table[i].word)) return table[i].type;
    return NULL;
}

#define LOOK_UP(b, table) by_beginning(b, table, sizeof table / sizeof table[0])

// clang-format off
static const struct beginning markup[] = {
    {"<!doctype html", "text/html"}, {"<html", "text/html"}, {"<head", "text/html"},
    {"<title", "text/html"}, {"<body", "text/html"}, {"<script", "text/html"},
    {"<style", "text/html"},
    {"<table", "text/html"}, {"<a href", "text/html"}, {"<h1", "text/html"}, {"<div", "text/html"},
    {"<iframe", "text/html"}, {"<meta ", "text/html"}, {"<center", "text/html"},
    {"<p>", "text/html"},
    {"<svg", "image/svg+xml"}, {"<!doctype svg", "image/svg+xml"},
    {"<?php", "text/x-php"}, {"<rss", "text/xml"}, {"<soap", "text/xml"},
};

static const struct beginning plain[] = {
    {"-----begin certificate", "application/x-pem-file"},
    {"-----begin pgp message", "application/pgp-encrypted"},
    {"-----begin pgp public key", "application/pgp-keys"},
    {"-----begin pgp signature", "application/pgp-signature"},
    {"begin:vcalendar", "text/calendar"}, {"begin:vcard", "text/vcard"},
    {"#extm3u", "audio/x-mpegurl"}, {"webvtt", "text/vtt"},
    {"@echo off", "text/x-msdos-batch"}, {"[internetshortcut]", "application/x-mswinurl"},
    {"return-path:", "message/rfc822"}, {"received: from ", "message/rfc822"},
    {"delivered-to:", "message/rfc822"}, {"mime-version: 1.0", "message/rfc822"},
};
// clang-format on

// The element after declarations and comments decides what an XML document is.
static const char *of_xml(bytes b)
{
    if (contains(b, "<svg")) return "image/svg+xml";
    if (contains(b, "<!DOCTYPE html") || contains(b, "<html")) return "text/html";
    return "text/xml";
}

// "#!" and a path; the interpreter may stand behind /usr/bin/env.
static const char *of_script(bytes b)
{
    bytes line = bytes_first(b, bytes_find(b, '\n'));
    if (contains(line, "python")) return "text/x-python";
    if (contains(line, "perl")) return "text/x-perl";
    if (contains(line, "php")) return "text/x-php";
    if (contains(line, "ruby")) return "text/x-ruby";
    if (contains(line, "node")) return "application/javascript";
    return contains(line, "sh") ? "text/x-shellscript" : "text/plain";
}

// RFC 8259 section 2. The whole document is seldom there, so the first tokens must do.
static bool is_json(bytes b)
{
    bool object = b.n && b.p[0] == '{', array = b.n && b.p[0] == '[';
    if (!object && !array) return false;
    b = without_space(bytes_after(b, 1));
    if (b.n == 0) return false;
    if (b.p[0] == (object ? '}' : ']')) return without_space(bytes_after(b, 1)).n == 0;
    if (array) {
        static const char starts[] = "{[\"-0123456789";
        bool literal = begins(b, "true") || begins(b, "false") || begins(b, "null");
        return literal || memchr(starts, b.p[0], sizeof starts - 1) != NULL;
    }
    if (b.p[0] != '"') return false;
    b = bytes_after(b, 1);
    b = bytes_after(b, bytes_find(b, '"'));
    b = without_space(bytes_after(b, 1));
    return b.n && b.p[0] == ':';
}

static bytes without_comments(bytes b)
{
    for (unsigned i = 0; i < 16; i++) {
        b = without_space(b);
        if (bytes_start_with(b, "//")) {
            b = bytes_after(b, bytes_find(b, '\n'));
        } else if (bytes_start_with(b, "/*")) {
            const uint8_t *end = memmem(b.p, b.n, "*/", 2);
            b = end ? bytes_after(b, (size_t)(end - b.p) + 2) : bytes_after(b, b.n);
        } else {
            break;
        }
    }
    return b;
}

static bool is_javascript(bytes b)
{
    static const char *const starts[] = {
        "(function", "!function",      ";(function",   "function ", "function(", "var ",  "let ",
        "const ",    "\"use strict\"", "'use strict'", "window.",   "document.", "self.", "jQuery",
        "$(",        "import ",        "export ",      "(()=>",     "(() =>",
    };
    b = without_comments(b);
    bool evidence = contains(b, "function") || contains(b, "=>") || contains(b, ");") ||
                    (contains(b, "=") && contains(b, ";"));
    if (!evidence) return false;
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++)
        if (bytes_start_with(b, starts[i])) return true;
    return false;
}

// XML and HTML may begin with comments.
static bytes without_markup_comments(bytes b)
{
    for (unsigned i = 0; i < 16 && bytes_start_with(b, "<!--"); i++) {
        const uint8_t *end = memmem(b.p, b.n, "-->", 3);
        b = without_space(bytes_after(b, end ? (size_t)(end - b.p) + 3 : b.n));
    }
    return b;
}

const char *type_of_text(bytes head, bool whole)
{
    if (is_utf16(head)) return "text/plain";
    if (head.n == 0 || !is_text(head, whole)) return NULL;
    if (bytes_start_with(head, "\xef\xbb\xbf")) head = bytes_after(head, 3);
    if (bytes_start_with(head, "#!")) return of_script(head);
    bytes b = without_space(head);
    if (bytes_start_with(b, "<?xml")) return of_xml(b);
    const char *type = LOOK_UP(b, plain);
    if (!type) type = LOOK_UP(without_markup_comments(b), markup);
    if (type) return type;
    if (is_json(b)) return "application/json";
    return is_javascript(b) ? "application/javascript" : "text/plain";
}
