#include "engine/carriers.h"

#include <string.h>

#include "base/memory.h"
#include "decode/tunnels.h"
#include "engine/losses.h"
#include "flow/flow.h"
#include "flow/references.h"
#include "flow/tcp.h"
#include "record/loss.h"

enum { CARRIERS_CONVERSATIONS_MAX = 1024 * 1024 };
#define CARRIERS_BLOCKS_MAX (UINT64_C(1) << 30)

struct carriers {
    struct lane_options options;
    struct record_writer *writer;
    struct blocks blocks;
    struct references references;
    struct flow_table *table;
    struct losses *losses;
    struct loss refused; // packets of those that could not be noted
};

static void carrier_end(void *context, struct conversation *c, enum conversation_end why,
                        nanos watermark)
{
    struct carriers *all = context;
    (void)watermark;
    if (why == CONVERSATION_EVICTED) losses_add(all->losses, c, GIVEN_UP_CARRIERS_FULL, 0);
    conversation_write(c, all->writer);
    references_end(&all->references, c);
}

static void carrier_interval(void *context, struct conversation *c, nanos watermark)
{
    (void)context;
    (void)watermark;
    c->metered = false;
}

struct carriers *carriers_create(const struct lane_options *options, struct record_writer *writer,
                                 struct err *err)
{
    struct carriers *all = memory_get(sizeof *all);
    all->options = *options;
    all->writer = writer;
    all->references = (struct references){&all->blocks, writer, options->reading, 0};
    all->losses = losses_create(writer, options->point);
    all->refused = (struct loss){"flow", "process_full", .point = options->point};
    struct flow_options flow = options->flow;
    flow.conversations_max = CARRIERS_CONVERSATIONS_MAX;
    struct flow_table_hooks hooks = {all, carrier_end, carrier_interval};
    if (blocks_init(&all->blocks, CARRIERS_BLOCKS_MAX, err) &&
        (all->table = flow_table_create(&flow, hooks, err)))
        return all;
    carriers_destroy(all);
    return NULL;
}

void carriers_destroy(struct carriers *c)
{
    if (!c) return;
    flow_table_destroy(c->table);
    losses_destroy(c->losses);
    if (c->blocks.range) blocks_deinit(&c->blocks);
    memory_free(c);
}

static struct conversation *carrier_of(struct carriers *all, const struct packet *p)
{
    struct conversation *c = flow_table_find(all->table, p);
    if (c) return c;
    c = flow_table_add(all->table, p);
    if (!c) return NULL;
    c->src_side = p->side;
    c->carries = true;
    c->services[0] = tunnel_name(p->carries);
    conversation_name(c, p, all->options.point);
    return c;
}

static void carrier_count(struct carriers *all, struct conversation *c, const struct packet *p)
{
    flow_table_meter(all->table, c, p);
    if (all->options.references) references_add(&all->references, c, p);
    conversation_count(c, p);
    c->side[p->side].payload_bytes += p->payload_length;
    if (p->payload_length) history_note(c, p->side, 'D');
}

// Whether one of the n packets further out is of the same conversation: a tunnel in itself.
static bool is_within_itself(const struct packet *around, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (memcmp(&around[i].key, &around[n].key, sizeof around[n].key) == 0) return true;
    return false;
}

// All the address space for carriers is taken: what is carried goes on without a parent.
static void carrier_refuse(struct carriers *all, const struct packet *p)
{
    struct loss *refused = &all->refused;
    if (!refused->packets++) refused->from = refused->to = p->time;
    if (p->time < refused->from) refused->from = p->time;
    if (p->time > refused->to) refused->to = p->time;
}

void carriers_packet(struct carriers *all, struct packet *p, const struct packet *around,
                     unsigned n)
{
    struct record_id parent = {0};
    for (unsigned i = 0; i < n; i++) {
        if (is_within_itself(around, i)) continue;
        struct packet outside = around[i];
        outside.parent = parent;
        struct conversation *c = carrier_of(all, &outside);
        if (!c) {
            carrier_refuse(all, p);
            break;
        }
        parent = conversation_id(c);
        // One that carries several packets in a frame counts it with the first.
        if (!p->is_more) carrier_count(all, c, &outside);
    }
    p->parent = parent;
}

void carriers_run(struct carriers *c, nanos watermark)
{
    flow_table_run(c->table, watermark);
}

void carriers_end(struct carriers *c)
{
    flow_table_end_all(c->table);
    losses_end(c->losses);
    if (c->refused.packets) loss_tell(c->writer, &c->refused);
}
