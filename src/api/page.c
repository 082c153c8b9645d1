#include "api/page.h"

#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"
#include "base/memory.h"

enum { HOST_MAX = 256, BACKLOG = 16 };

struct page_server {
    struct page_options options;
    struct MHD_Daemon *daemon;
    uint16_t port;
};

// ---- where --------------------------------------------------------------------------------------

static struct addrinfo *place_find(const char *listen, struct err *err)
{
    char host[HOST_MAX];
    const char *port;
    struct addrinfo *found = NULL;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    if (!place_split(listen, host, sizeof host, &port) || !port)
        err_set(err, ERR_USAGE, "\"%s\" names no port: 127.0.0.1:9104", listen);
    else if (getaddrinfo(*host ? host : "127.0.0.1", port, &hints, &found) != 0)
        err_set(err, ERR_USAGE, "\"%s\" is no address and port: 127.0.0.1:9104", listen);
    return found;
}

bool page_check(const char *listen, struct err *err)
{
    struct addrinfo *found = place_find(listen, err);
    if (!found) return false;
    freeaddrinfo(found);
    return true;
}

static int listen_at(const struct addrinfo *place, const char *name, struct err *err)
{
    int on = 1, fd = socket(place->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (fd >= 0 && bind(fd, place->ai_addr, place->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    err_system(err, errno, "cannot listen at %s", name);
    if (fd >= 0) close(fd);
    return -1;
}

static uint16_t port_of(int fd)
{
    struct sockaddr_storage own = {0};
    socklen_t size = sizeof own;
    getsockname(fd, (struct sockaddr *)&own, &size);
    bool is_v4 = own.ss_family == AF_INET;
    return ntohs(is_v4 ? ((struct sockaddr_in *)&own)->sin_port
                       : ((struct sockaddr_in6 *)&own)->sin6_port);
}

// ---- requests -----------------------------------------------------------------------------------

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, const char *type,
                              struct text *page)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(page->n, page->p, MHD_RESPMEM_MUST_COPY);
    if (!response) return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result take_request(void *context, struct MHD_Connection *connection,
                                    const char *path, const char *method, const char *version,
                                    const char *data, size_t *data_size, void **state)
{
    static const char plain[] = "text/plain; charset=utf-8";
    const struct page_server *s = context;
    struct text page = {0};
    enum MHD_Result result;
    (void)version;
    (void)data;
    (void)data_size;
    (void)state;
    text_add(&page, "");
    bool reads =
        strcmp(method, MHD_HTTP_METHOD_GET) == 0 || strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
    if (!reads) {
        text_add(&page, "Pages are read only.\n");
        result = answer(connection, MHD_HTTP_METHOD_NOT_ALLOWED, plain, &page);
    } else if (s->options.make(s->options.context, path, &page)) {
        result = answer(connection, MHD_HTTP_OK, s->options.type, &page);
    } else {
        text_add(&page, "There is no such page.\n");
        result = answer(connection, MHD_HTTP_NOT_FOUND, plain, &page);
    }
    text_deinit(&page);
    return result;
}

// ---- life ---------------------------------------------------------------------------------------

static bool daemon_start(struct page_server *s, int fd, struct err *err)
{
    s->port = port_of(fd);
    s->daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, take_request, s,
                                 MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
                                 (unsigned)PAGE_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                                 (size_t)PAGE_REQUEST_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
                                 (unsigned)PAGE_SECONDS, MHD_OPTION_END);
    if (s->daemon) return true;
    close(fd);
    return err_set(err, ERR_MACHINE, "cannot answer at %s: no thread", s->options.listen);
}

struct page_server *page_server_open(const struct page_options *options, struct err *err)
{
    struct addrinfo *place = place_find(options->listen, err);
    int fd = place ? listen_at(place, options->listen, err) : -1;
    if (place) freeaddrinfo(place);
    if (fd < 0) return NULL;
    struct page_server *s = memory_get(sizeof *s);
    s->options = *options;
    if (daemon_start(s, fd, err)) return s;
    memory_free(s);
    return NULL;
}

void page_server_close(struct page_server *s)
{
    if (!s) return;
    MHD_stop_daemon(s->daemon);
    memory_free(s);
}

uint16_t page_server_port(const struct page_server *s)
{
    return s->port;
}
