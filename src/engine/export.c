#include "engine/export.h"

#include <errno.h>

#include "base/memory.h"
#include "engine/captures.h"
#include "engine/packets_out.h"
#include "engine/version.h"
#include "source/fetch.h"
#include "source/capture_writer.h"

// An interface of a capture, and its number in the file that is written.
struct interface {
    uint64_t reading;
    uint32_t capture, number;
    uint16_t interface, link_type;
};

struct export
{
    struct capture_writer writer;
    struct packets_out *to; // instead of that
    struct export_counts *counts;
    struct interface *interfaces;
    uint32_t interface_count, interface_room, last; // last: that of the packet before
};

static bool is_interface_of(const struct interface *i, const struct packet *p, uint64_t reading)
{
    return i->reading == reading && i->capture == p->capture && i->interface == p->interface &&
           i->link_type == p->link_type;
}

static uint32_t export_interface(struct export *e, const struct packet *p,
                                 const struct capture_place *place)
{
    for (uint32_t i = 0, at = e->last; i < e->interface_count; i++, at++) {
        if (at == e->interface_count) at = 0;
        if (!is_interface_of(&e->interfaces[at], p, place->reading)) continue;
        e->last = at;
        return e->interfaces[at].number;
    }
    if (e->interface_count == e->interface_room) {
        e->interface_room = e->interface_room ? 2 * e->interface_room : 8;
        e->interfaces = memory_resize(e->interfaces, e->interface_room * sizeof *e->interfaces);
    }
    struct capture_interface described;
    fetch_interface(place->fetch, &described);
    uint32_t number = capture_write_interface(&e->writer, &described);
    e->last = e->interface_count++;
    e->interfaces[e->last] =
        (struct interface){place->reading, p->capture, number, p->interface, p->link_type};
    return number;
}

static bool export_packet(void *context, const struct packet *p, const struct capture_place *place,
                          struct err *err)
{
    struct export *e = context;
    bytes comments[WRITTEN_COMMENTS_MAX];
    unsigned n = 0;
    while (n < WRITTEN_COMMENTS_MAX && (comments[n] = fetch_comment(place->fetch, n)).n) n++;
    capture_write_packet(&e->writer, export_interface(e, p, place), p, comments, n);
    e->counts->packets++;
    e->counts->bytes += p->captured;
    return !ferror(e->writer.out) || err_system(err, errno, "cannot write the packets");
}

static bool send_packet(void *context, const struct packet *p, const struct capture_place *place,
                        struct err *err)
{
    struct export *e = context;
    (void)place;
    e->counts->packets++;
    e->counts->bytes += p->captured;
    return packets_out_take(e->to, p, err);
}

bool export_packets_to(struct case_reader *reader, const struct referred *what,
                       struct packets_out *to, struct export_counts *counts, struct err *err)
{
    struct export e = {.counts = counts, .to = to};
    *counts = (struct export_counts){0};
    struct captures *c = captures_of(reader, what->readings, what->reading_count, err);
    bool ok = c && captures_visit(c, send_packet, &e, err);
    captures_close(c);
    return ok;
}

bool export_packets(struct case_reader *reader, const struct referred *what, FILE *out,
                    struct export_counts *counts, struct err *err)
{
    struct export e = {.counts = counts};
    *counts = (struct export_counts){0};
    struct captures *c = captures_of(reader, what->readings, what->reading_count, err);
    if (!c) return false;
    counts->left_out = captures_left_out(c);
    capture_write_begin(&e.writer, out, "weir " WEIR_VERSION);
    bool ok = captures_visit(c, export_packet, &e, err);
    captures_close(c);
    memory_free(e.interfaces);
    if (ok && (fflush(out) != 0 || ferror(out)))
        ok = err_system(err, errno, "cannot write the packets");
    return ok;
}
