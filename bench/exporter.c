// Exporters of flows to measure and to test collectors with: the same flows for the same words, at
// a steady rate, and at the end what was told.
//
//     exporter FORM TARGET [-n FLOWS] [-s SEED] [-e EXPORTERS] [-r RATE] [-c RATE] [-a SECONDS|now]
//     [-b]
//
//     FORM    netflow5, netflow9, ipfix, sflow or json
//     TARGET  udp://ADDRESS[:PORT] (IPv4); or a file: lines of json, NAME.pcap of anything else,
//             and any other name of ipfix is a file of messages (RFC 5655)
//     -n      flows in all [1000000]
//     -s      another number, other flows [1]
//     -e      exporters, each with a domain (source, engine, agent), numbers and an address of its
//             own: 127.0.0.1, 127.0.0.2, ... They take turns [1]
//     -r      flows a second to send; 0: as fast as the socket takes them [0]
//     -c      flows a second by the exporters' clock [100000]
//     -b      both directions: every second flow is the answer to the one before
//     -a      when the first is told, in seconds since 1970 [1767225600]
//
// Prints a line of JSON for each exporter, and one for all with what sending took.
#include <arpa/inet.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "exported.h"

enum {
    EXPORTERS_MAX = 200,
    AT_ONCE = 32,
    SEND_BUFFER = 4 * 1024 * 1024,
    UP_BEFORE_MS = 864000000, // ten days
    FRAME_HEADERS = 14 + 20 + 8
};

struct exporter {
    int socket;
    uint64_t messages, flows, packets, bytes; // told
    uint32_t waiting;                         // messages that are not sent
    struct mmsghdr headers[AT_ONCE];
    struct iovec places[AT_ONCE];
    uint8_t content[AT_ONCE][EXPORTED_MESSAGE_MAX];
};

struct exporters {
    const struct exported_form *form;
    uint64_t flows, seed, rate, clock_rate;
    int64_t start_ms;
    bool is_both;
    uint32_t count;
    struct sockaddr_in to;
    FILE *file;
    bool is_capture;
    struct exporter *list;
};

static void die(const char *what)
{
    fprintf(stderr, "exporter: %s\n", what);
    exit(2);
}

static void die_errno(const char *what)
{
    perror(what);
    exit(4);
}

static int64_t now_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * NANOS_PER_SECOND + t.tv_nsec;
}

// ---- into files ---------------------------------------------------------------------------------

static void write_bytes(const struct exporters *all, const void *p, size_t n)
{
    if (fwrite(p, 1, n, all->file) != n) die_errno("exporter: cannot write");
}

static void write_capture_head(const struct exporters *all)
{
    const uint32_t head[] = {0xa1b23c4d, 2 | 4 << 16, 0, 0, 65535, 1}; // nanoseconds, Ethernet
    write_bytes(all, head, sizeof head);
}

static void put_be16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

// Ethernet, IPv4 and UDP without checksums, which is what offloading leaves in captures.
static void write_packet(const struct exporters *all, uint32_t domain, int64_t ms, bytes content)
{
    uint32_t n = (uint32_t)content.n + FRAME_HEADERS, up = all->form->port;
    uint32_t record[] = {(uint32_t)(ms / 1000), (uint32_t)(ms % 1000) * 1000000, n, n};
    uint8_t head[FRAME_HEADERS] = {2,   0, 0, 0, 0, 1, 2, 0,  0,  0, 0, 2,   8, 0, 0x45,
                                   0,   0, 0, 0, 0, 0, 0, 64, 17, 0, 0, 127, 0, 0, (uint8_t)domain,
                                   127, 0, 0, 1};
    put_be16(head + 16, n - 14);
    put_be16(head + 34, 40000 + domain);
    put_be16(head + 36, up);
    put_be16(head + 38, n - 34);
    write_bytes(all, record, sizeof record);
    write_bytes(all, head, sizeof head);
    write_bytes(all, content.p, content.n);
}

// ---- over sockets -------------------------------------------------------------------------------

static void exporter_open(struct exporters *all, uint32_t i)
{
    struct exporter *e = &all->list[i];
    struct sockaddr_in own = {.sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(UINT32_C(127) << 24 | (i + 1))};
    const int size = SEND_BUFFER;
    e->socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (e->socket < 0) die_errno("exporter: cannot open a socket");
    setsockopt(e->socket, SOL_SOCKET, SO_SNDBUF, &size, sizeof size); // what there is must do
    bool is_loopback = ntohl(all->to.sin_addr.s_addr) >> 24 == 127;
    if (is_loopback && bind(e->socket, (struct sockaddr *)&own, sizeof own))
        die_errno("exporter: cannot send from an address of its own");
    for (uint32_t m = 0; m < AT_ONCE; m++) {
        e->places[m].iov_base = e->content[m];
        e->headers[m].msg_hdr = (struct msghdr){.msg_name = &all->to,
                                                .msg_namelen = sizeof all->to,
                                                .msg_iov = &e->places[m],
                                                .msg_iovlen = 1};
    }
}

static void exporter_send(struct exporter *e)
{
    for (uint32_t at = 0; at < e->waiting;) {
        int n = sendmmsg(e->socket, e->headers + at, e->waiting - at, 0);
        if (n < 0) die_errno("exporter: cannot send");
        at += (uint32_t)n;
    }
    e->waiting = 0;
}

// ---- what is told -------------------------------------------------------------------------------

static int64_t told_at(const struct exporters *all, uint64_t number)
{
    return all->start_ms + (int64_t)(number * 1000 / all->clock_rate);
}

static struct exported_flow flow_at(const struct exporters *all, uint64_t number, int64_t ms)
{
    if (!all->is_both) return exported_flow(all->seed, number, ms);
    struct exported_flow flow = exported_flow(all->seed, number / 2, ms);
    return number % 2 ? exported_answer(&flow) : flow;
}

// The next message of one exporter, with the flows from `number` on; returns how many.
static uint32_t tell(struct exporters *all, uint32_t exporter, uint64_t number)
{
    struct exported_flow flows[EXPORTED_FLOWS_MAX];
    struct exporter *e = &all->list[exporter];
    struct buf b = buf_on(e->content[e->waiting], EXPORTED_MESSAGE_MAX);
    uint64_t left = all->flows - number;
    uint32_t n = left < all->form->flows ? (uint32_t)left : all->form->flows;
    struct exported_message m = {flows,
                                 n,
                                 exporter + 1,
                                 told_at(all, number + n - 1),
                                 all->start_ms - UP_BEFORE_MS,
                                 e->messages,
                                 e->flows};
    for (uint32_t i = 0; i < n; i++) {
        flows[i] = flow_at(all, number + i, m.ms);
        e->packets += flows[i].packets;
        e->bytes += flows[i].bytes;
    }
    all->form->put(&b, &m);
    if (b.full) die("a message became too large");
    e->messages++;
    e->flows += n;
    if (all->is_capture) write_packet(all, exporter + 1, m.ms, buf_bytes(&b));
    else if (all->file) write_bytes(all, b.p, b.n);
    else e->places[e->waiting++].iov_len = b.n;
    return n;
}

static void wait_for(int64_t began, uint64_t told, uint64_t rate)
{
    int64_t due = began + (int64_t)((double)told / (double)rate * 1e9);
    struct timespec t = {due / NANOS_PER_SECOND, due % NANOS_PER_SECOND};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static void send_waiting(struct exporters *all)
{
    for (uint32_t i = 0; i < all->count; i++) exporter_send(&all->list[i]);
}

// They take turns, message by message; with a rate, what is due in a millisecond goes out at once.
static void tell_all(struct exporters *all)
{
    uint64_t burst = all->rate / 1000 / all->form->flows + 1;
    int64_t began = now_ns(CLOCK_MONOTONIC);
    for (uint64_t told = 0, turn = 0; told < all->flows; turn++) {
        uint32_t exporter = (uint32_t)(turn % all->count);
        told += tell(all, exporter, told);
        if (all->list[exporter].waiting == AT_ONCE) exporter_send(&all->list[exporter]);
        if (!all->rate || all->file || turn % burst) continue;
        send_waiting(all);
        wait_for(began, told, all->rate);
    }
    send_waiting(all);
}

static void print_told(const struct exporters *all, int64_t took)
{
    struct exporter sum = {0};
    for (uint32_t i = 0; i < all->count; i++) {
        const struct exporter *e = &all->list[i];
        printf("{\"exporter\":\"127.0.0.%u\",\"domain\":%u,\"messages\":%" PRIu64
               ",\"flows\":%" PRIu64 ",\"packets\":%" PRIu64 ",\"bytes\":%" PRIu64 "}\n",
               i + 1, i + 1, e->messages, e->flows, e->packets, e->bytes);
        sum.messages += e->messages, sum.flows += e->flows;
        sum.packets += e->packets, sum.bytes += e->bytes;
    }
    double seconds = (double)took / 1e9;
    printf("{\"form\":\"%s\",\"messages\":%" PRIu64 ",\"flows\":%" PRIu64 ",\"packets\":%" PRIu64
           ",\"bytes\":%" PRIu64 ",\"seconds\":%.3f,\"cpu\":%.3f}\n",
           all->form->name, sum.messages, sum.flows, sum.packets, sum.bytes, seconds,
           (double)now_ns(CLOCK_PROCESS_CPUTIME_ID) / 1e9);
}

// ---- words --------------------------------------------------------------------------------------

static uint64_t number_of(const char *word, uint64_t min, uint64_t max)
{
    char *end;
    unsigned long long n = strtoull(word, &end, 10);
    if (!*word || *end || n < min || n > max) die("a number is none, or out of bounds");
    return n;
}

static void set_target(struct exporters *all, const char *target)
{
    static const char udp[] = "udp://";
    char address[INET_ADDRSTRLEN] = "";
    unsigned port = all->form->port;
    size_t n = strlen(target);
    bool is_json = all->form->port == 0;
    if (strncmp(target, udp, sizeof udp - 1) == 0) {
        int found = sscanf(target + sizeof udp - 1, "%15[0-9.]:%u", address, &port);
        all->to = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
        if (is_json || found < 1 || inet_pton(AF_INET, address, &all->to.sin_addr) != 1)
            die("a target is udp://ADDRESS:PORT or a file, and json a file");
        return;
    }
    all->is_capture = n > 5 && strcmp(target + n - 5, ".pcap") == 0;
    if (!all->is_capture && !is_json && strcmp(all->form->name, "ipfix") != 0)
        die("there are no files of such messages: name it .pcap");
    all->file = fopen(target, "we");
    if (!all->file) die_errno(target);
    if (all->is_capture) write_capture_head(all);
}

static void set_options(struct exporters *all, int argc, char **argv)
{
    for (int option; (option = getopt(argc, argv, "n:s:e:r:c:a:b")) != -1;) {
        bool is_now = option == 'a' && strcmp(optarg, "now") == 0;
        if (option == 'n') all->flows = number_of(optarg, 1, UINT64_C(1) << 40);
        else if (option == 's') all->seed = number_of(optarg, 0, UINT64_MAX);
        else if (option == 'e') all->count = (uint32_t)number_of(optarg, 1, EXPORTERS_MAX);
        else if (option == 'r') all->rate = number_of(optarg, 0, 1000000000);
        else if (option == 'c') all->clock_rate = number_of(optarg, 1, 1000000000);
        else if (option == 'b') all->is_both = true;
        else if (is_now) all->start_ms = now_ns(CLOCK_REALTIME) / NANOS_PER_MILLI;
        else if (option == 'a') all->start_ms = (int64_t)number_of(optarg, 1, UINT32_MAX) * 1000;
        else
            die("exporter FORM TARGET [-n FLOWS] [-s SEED] [-e EXPORTERS] [-r RATE] [-c RATE] "
                "[-a SECONDS|now] [-b]");
    }
}

int main(int argc, char **argv)
{
    struct exporters all = {.flows = 1000000,
                            .seed = 1,
                            .clock_rate = 100000,
                            .start_ms = INT64_C(1767225600000),
                            .count = 1};
    set_options(&all, argc, argv); // getopt moves the words that are none to the end
    if (argc - optind != 2) die("exporter FORM TARGET [...]: name both");
    all.form = exported_form(argv[optind]);
    if (!all.form) die("there are netflow5, netflow9, ipfix, sflow and json");
    set_target(&all, argv[optind + 1]);
    all.list = calloc(all.count, sizeof *all.list);
    if (!all.list) die("no memory");
    for (uint32_t i = 0; !all.file && i < all.count; i++) exporter_open(&all, i);
    int64_t began = now_ns(CLOCK_MONOTONIC);
    tell_all(&all);
    if (all.file && fclose(all.file)) die_errno("exporter: cannot write");
    print_told(&all, now_ns(CLOCK_MONOTONIC) - began);
    return 0;
}
