#include "service/notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t n = path ? strlen(path) : 0;
    if (!n || n >= sizeof to.sun_path || (*path != '/' && *path != '@')) return;
    memcpy(to.sun_path, path, n);
    if (*path == '@') to.sun_path[0] = 0; // a name that is in no folder (unix(7))
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return;
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
    (void)!sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&to, size);
    close(fd);
}

nanos notify_watchdog(void)
{
    const char *wait = getenv("WATCHDOG_USEC"), *process = getenv("WATCHDOG_PID");
    if (!wait || (process && strtol(process, NULL, 10) != (long)getpid())) return 0;
    unsigned long long n = strtoull(wait, NULL, 10);
    return n < INT64_MAX / 1000 ? (nanos)n * NANOS_PER_MICRO : 0;
}
