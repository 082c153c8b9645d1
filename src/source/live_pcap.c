#include <errno.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "source/link_type.h"
#include "source/live_device.h"
#include "source/packet_filter.h"

enum { AT_ONCE = 4096, NAMED_MAX = 32, DESCRIPTORS_MAX = 64, PROGRAM_PATH_MAX = 4096 };

struct pcap_device {
    struct live_device device;
    pcap_t *pcap;
    int asking; // socket by which flags are asked
    bool is_nanos, was_down, is_any;
    uint64_t downs;
    struct pcap_stat counted; // as libpcap had it last: its counts begin anew at 2^32
    uint64_t received, dropped, interface_dropped;
    struct live_queue *to;
};

// ---- reading ------------------------------------------------------------------------------------

static void take(uint8_t *context, const struct pcap_pkthdr *head, const uint8_t *data)
{
    struct pcap_device *p = (void *)context;
    nanos fraction = head->ts.tv_usec * (p->is_nanos ? 1 : NANOS_PER_MICRO);
    struct live_queued queued = {.time = head->ts.tv_sec * NANOS_PER_SECOND + fraction,
                                 .captured = head->caplen,
                                 .length = head->len,
                                 .link_type = p->device.interface.link_type};
    live_queue_put(p->to, &queued, data);
    if (!live_queue_has_room(p->to)) pcap_breakloop(p->pcap);
}

// An error waits at the socket when the interface went down, even if it is up again.
static void look_for_error(struct pcap_device *p)
{
    struct pollfd polled = {pcap_get_selectable_fd(p->pcap), POLLIN, 0};
    if (poll(&polled, 1, 0) != 1 || !(polled.revents & POLLERR)) return;
    p->downs++;
    p->was_down = true;
}

static enum live_result read_some(struct live_device *d, struct live_queue *to)
{
    struct pcap_device *p = (struct pcap_device *)d;
    p->to = to;
    if (!live_queue_has_room(to)) return LIVE_MORE;
    look_for_error(p);
    int n = pcap_dispatch(p->pcap, AT_ONCE, take, (uint8_t *)p);
    if (n == PCAP_ERROR) return LIVE_GONE;
    return n == 0 ? LIVE_DRAINED : LIVE_MORE;
}

static void count(struct live_device *d, uint64_t *received, uint64_t *dropped,
                  uint64_t *interface_dropped)
{
    struct pcap_device *p = (struct pcap_device *)d;
    struct pcap_stat s;
    if (pcap_stats(p->pcap, &s) == 0) {
        p->received += (uint32_t)(s.ps_recv - p->counted.ps_recv);
        p->dropped += (uint32_t)(s.ps_drop - p->counted.ps_drop);
        p->interface_dropped += (uint32_t)(s.ps_ifdrop - p->counted.ps_ifdrop);
        p->counted = s;
    }
    *received = p->received;
    *dropped = p->dropped;
    *interface_dropped = p->interface_dropped;
}

static bool is_down(struct live_device *d, uint64_t *times)
{
    struct pcap_device *p = (struct pcap_device *)d;
    struct ifreq request = {0};
    memcpy(request.ifr_name, d->interface.name, IFNAMSIZ - 1);
    bool down = !p->is_any &&
                (ioctl(p->asking, SIOCGIFFLAGS, &request) != 0 || !(request.ifr_flags & IFF_UP));
    if (down && !p->was_down) p->downs++;
    p->was_down = down;
    *times = p->downs;
    return down;
}

static int descriptor(const struct live_device *d)
{
    return pcap_get_selectable_fd(((const struct pcap_device *)d)->pcap);
}

static void close_device(struct live_device *d)
{
    struct pcap_device *p = (struct pcap_device *)d;
    if (p->pcap) pcap_close(p->pcap);
    if (p->asking >= 0) close(p->asking);
    memory_free(p);
}

static const struct live_device_calls calls = {.read = read_some,
                                               .count = count,
                                               .is_down = is_down,
                                               .descriptor = descriptor,
                                               .close = close_device};

// ---- opening ------------------------------------------------------------------------------------

static bool is_missing(const char *name, struct err *err)
{
    struct text there = {0};
    struct if_nameindex *list = if_nameindex();
    for (unsigned i = 0; list && list[i].if_index && i < NAMED_MAX; i++)
        text_format(&there, "%s, ", list[i].if_name);
    if (list) if_freenameindex(list);
    err_set(err, ERR_USAGE, "there is no interface %s; there are %sand any", name,
            there.p ? there.p : "");
    text_deinit(&there);
    return false;
}

static bool is_denied(const char *name, struct err *err)
{
    char program[PROGRAM_PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    program[n > 0 ? n : 0] = 0;
    return err_set(err, ERR_MACHINE,
                   "no right to capture at %s: run it as root, or give the program the right once: "
                   "sudo setcap cap_net_raw+ep %s",
                   name, program);
}

static bool activate(pcap_t *pcap, const char *name, struct err *err)
{
    int result = pcap_activate(pcap);
    if (result >= 0) return true;
    if (result == PCAP_ERROR_NO_SUCH_DEVICE) return is_missing(name, err);
    if (result == PCAP_ERROR_PERM_DENIED || result == PCAP_ERROR_PROMISC_PERM_DENIED)
        return is_denied(name, err);
    if (result == PCAP_ERROR_IFACE_NOT_UP)
        return err_set(err, ERR_MACHINE, "%s is down: ip link set %s up", name, name);
    return err_set(err, ERR_MACHINE, "cannot capture at %s: %s", name, pcap_geterr(pcap));
}

static bool filter(pcap_t *pcap, const char *expression, struct err *err)
{
    struct bpf_program program;
    if (!expression) return true;
    if (pcap_compile(pcap, &program, expression, 1, PCAP_NETMASK_UNKNOWN) != 0)
        return packet_filter_invalid(expression, pcap_geterr(pcap), err);
    bool ok = pcap_setfilter(pcap, &program) == 0;
    pcap_freecode(&program);
    return ok || err_set(err, ERR_MACHINE, "the packet filter '%s' cannot be set: %s", expression,
                         pcap_geterr(pcap));
}

static bool open_pcap(struct pcap_device *p, const struct live_pcap_options *o, struct err *err)
{
    const char *name = p->device.interface.name;
    char problem[PCAP_ERRBUF_SIZE];
    p->asking = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (p->asking < 0) return err_system(err, errno, "cannot ask for the state of %s", name);
    p->pcap = pcap_create(name, problem);
    if (!p->pcap) return err_set(err, ERR_MACHINE, "cannot capture at %s: %s", name, problem);
    pcap_set_snaplen(p->pcap, LIVE_PACKET_MAX);
    pcap_set_promisc(p->pcap, !o->quiet);
    pcap_set_timeout(p->pcap, LIVE_BLOCK_MILLISECONDS);
    pcap_set_buffer_size(p->pcap, (int)o->buffer);
    pcap_set_tstamp_precision(p->pcap, PCAP_TSTAMP_PRECISION_NANO);
    if (!activate(p->pcap, name, err) || !filter(p->pcap, o->bpf, err)) return false;
    if (pcap_setnonblock(p->pcap, 1, problem) != 0)
        return err_set(err, ERR_MACHINE, "cannot capture at %s: %s", name, problem);
    p->is_nanos = pcap_get_tstamp_precision(p->pcap) == PCAP_TSTAMP_PRECISION_NANO;
    p->is_any = strcmp(name, "any") == 0;
    p->device.interface.link_type = link_type_of_dlt(pcap_datalink(p->pcap));
    return true;
}

struct live_device *live_pcap_open(const char *name, const struct live_pcap_options *options,
                                   struct err *err)
{
    struct pcap_device *p = memory_get(sizeof *p);
    p->device.calls = &calls;
    p->device.interface.snap_length = LIVE_PACKET_MAX;
    p->asking = -1;
    snprintf(p->device.interface.name, sizeof p->device.interface.name, "%s", name);
    // libpcap takes names of other things, too: a file of interfaces, a bus, a queue of netfilter.
    bool is_interface = strcmp(name, "any") == 0 || if_nametoindex(name);
    if (is_interface ? open_pcap(p, options, err) : is_missing(name, err)) return &p->device;
    close_device(&p->device);
    return NULL;
}

// ---- the clock ----------------------------------------------------------------------------------

static nanos clock_read(clockid_t which)
{
    struct timespec t;
    clock_gettime(which, &t);
    return t.tv_sec * NANOS_PER_SECOND + t.tv_nsec;
}

static nanos now(void *context)
{
    (void)context;
    return clock_read(CLOCK_REALTIME);
}

static nanos elapsed(void *context)
{
    (void)context;
    return clock_read(CLOCK_MONOTONIC);
}

static void wait_for(void *context, const int *descriptors, uint32_t n, int milliseconds)
{
    (void)context;
    struct pollfd polled[DESCRIPTORS_MAX];
    for (uint32_t i = 0; i < n; i++) polled[i] = (struct pollfd){descriptors[i], POLLIN, 0};
    poll(polled, n, milliseconds);
}

const struct live_clock live_pcap_clock = {NULL, now, elapsed, wait_for};
