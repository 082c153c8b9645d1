#include "source/packet_filter.h"

#include <pcap/pcap.h>

#include "base/memory.h"
#include "source/link_type.h"

enum { FILTER_LINK_TYPES_MAX = 64, FILTER_SNAP_LENGTH = 262144 };

struct filter_program {
    uint16_t link_type;
    bool usable;
    struct bpf_program program;
};

struct packet_filter {
    const char *expression;
    struct filter_program programs[FILTER_LINK_TYPES_MAX];
    uint32_t count, last;
};

bool packet_filter_invalid(const char *expression, const char *why, struct err *err)
{
    return err_set(err, ERR_USAGE,
                   "the packet filter '%s' is not valid: %s (its language is that of tcpdump: "
                   "see pcap-filter(7))",
                   expression, why);
}

static bool filter_compile(struct packet_filter *f, struct filter_program *p, struct err *err)
{
    pcap_t *pcap = pcap_open_dead(dlt_of_link_type(p->link_type), FILTER_SNAP_LENGTH);
    if (!pcap)
        return err_set(err, ERR_MACHINE, "no memory left to compile the filter '%s'",
                       f->expression);
    p->usable = pcap_compile(pcap, &p->program, f->expression, 1, PCAP_NETMASK_UNKNOWN) == 0;
    if (!p->usable) packet_filter_invalid(f->expression, pcap_geterr(pcap), err);
    pcap_close(pcap);
    return p->usable;
}

// The program for this link type, compiled when it is first met. NULL when there are too many.
static struct filter_program *filter_program(struct packet_filter *f, uint16_t link_type,
                                             struct err *err)
{
    for (uint32_t i = 0; i < f->count; i++) {
        if (f->programs[i].link_type != link_type) continue;
        f->last = i;
        return &f->programs[i];
    }
    if (f->count == FILTER_LINK_TYPES_MAX) return NULL;
    f->last = f->count;
    struct filter_program *p = &f->programs[f->count++];
    p->link_type = link_type;
    filter_compile(f, p, err);
    return p;
}

struct packet_filter *packet_filter_create(const char *expression)
{
    struct packet_filter *f = memory_get(sizeof *f);
    f->expression = expression;
    return f;
}

void packet_filter_destroy(struct packet_filter *f)
{
    if (!f) return;
    for (uint32_t i = 0; i < f->count; i++) {
        if (f->programs[i].usable) pcap_freecode(&f->programs[i].program);
    }
    memory_free(f);
}

bool packet_filter_prepare(struct packet_filter *f, uint16_t link_type, struct err *err)
{
    struct filter_program *p = filter_program(f, link_type, err);
    return p && p->usable;
}

bool packet_filter_check(struct packet_filter *f, struct err *err)
{
    if (f->count == 0) return packet_filter_prepare(f, LINK_TYPE_ETHERNET, err);
    for (uint32_t i = 0; i < f->count; i++) {
        if (f->programs[i].usable) return true;
    }
    struct filter_program again = {.link_type = f->programs[0].link_type};
    return filter_compile(f, &again, err);
}

bool packet_filter_passes(struct packet_filter *f, uint16_t link_type, bytes data, uint32_t length)
{
    struct filter_program *p = &f->programs[f->last];
    if (f->count == 0 || p->link_type != link_type) p = filter_program(f, link_type, NULL);
    return p && p->usable && bpf_filter(p->program.bf_insns, data.p, length, (uint32_t)data.n) != 0;
}
