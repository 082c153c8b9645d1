#include "record/printer.h"

#include <assert.h>
#include <errno.h>

#include "base/lock.h"
#include "base/memory.h"
#include "record/output.h"

enum { PRINTER_KINDS_MAX = 256 };

struct printer {
    struct lock lock;
    FILE *out;
    // One for each kind that was seen.
    const struct record_kind *kinds[PRINTER_KINDS_MAX];
    struct output *outputs[PRINTER_KINDS_MAX];
    unsigned count;
};

struct printer *printer_create(FILE *out)
{
    struct printer *p = memory_get(sizeof *p);
    *p = (struct printer){.out = out};
    lock_init(&p->lock);
    return p;
}

void printer_destroy(struct printer *p)
{
    if (!p) return;
    for (unsigned i = 0; i < p->count; i++) output_destroy(p->outputs[i]);
    lock_deinit(&p->lock);
    memory_free(p);
}

static struct output *printer_output(struct printer *p, const struct record_kind *kind)
{
    for (unsigned i = 0; i < p->count; i++)
        if (p->kinds[i] == kind) return p->outputs[i];
    assert(p->count < PRINTER_KINDS_MAX);
    struct output *o = output_create_for(OUTPUT_JSON, p->out, kind, 0);
    output_tell_kind(o, kind->name);
    p->kinds[p->count] = kind;
    p->outputs[p->count++] = o;
    return o;
}

static void printer_take(void *context, const struct record_batch *batch)
{
    struct printer *p = context;
    if (batch->kind->hidden) return;
    lock_take(&p->lock);
    struct output *o = printer_output(p, batch->kind);
    output_batch(o, batch);
    lock_give(&p->lock);
}

struct record_sink printer_sink(struct printer *p)
{
    return (struct record_sink){p, printer_take};
}

bool printer_end(struct printer *p, struct err *err)
{
    errno = 0;
    if (fflush(p->out) == 0 && !ferror(p->out)) return true;
    return err_system(err, errno ? errno : EIO, "cannot write the records");
}
