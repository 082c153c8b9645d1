// Pages over HTTP for programs at this machine: each is text that is made when it is asked for.
//
// A thread of its own asks `make`, one request at a time. Bounded: PAGE_CONNECTIONS_MAX
// connections, PAGE_REQUEST_MAX bytes of a request, PAGE_SECONDS for each; GET and HEAD only.
#pragma once

#include "base/err.h"
#include "base/text.h"

enum { PAGE_CONNECTIONS_MAX = 16, PAGE_REQUEST_MAX = 16 * 1024, PAGE_SECONDS = 10 };

struct page_options {
    const char *listen; // "127.0.0.1:9104", "[::1]:9104"; without a host 127.0.0.1
    void *context;
    // Adds the page at `path`, "/metrics" say; false when there is none.
    bool (*make)(void *context, const char *path, struct text *out);
    const char *type; // what they are: "text/plain"
};

struct page_server;

// Copies nothing: the strings stay. NULL and err when it cannot listen there.
struct page_server *page_server_open(const struct page_options *options, struct err *err);
void page_server_close(struct page_server *s); // NULL is fine
uint16_t page_server_port(const struct page_server *s);
// Whether a place can be understood.
bool page_check(const char *listen, struct err *err);
