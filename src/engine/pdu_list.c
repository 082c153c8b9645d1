#include "engine/pdu_list.h"

#include <stdlib.h>

#include "base/memory.h"

enum { PDUS_FIRST = 64 };

void pdu_list_add(struct pdu_list *l, const struct pdu *pdu)
{
    if (l->count == l->size) {
        l->size = l->size ? 2 * l->size : PDUS_FIRST;
        l->pdus = memory_resize(l->pdus, l->size * sizeof *l->pdus);
    }
    l->pdus[l->count++] = *pdu;
    text_put(&l->data, pdu->data);
}

// The text may have moved while it grew, so places in it are known only now.
static void find_data(struct pdu_list *l)
{
    size_t at = 0;
    for (size_t i = 0; i < l->count; i++) {
        size_t n = l->pdus[i].data.n;
        l->pdus[i].data = bytes_of(l->data.p + at, n);
        at += n;
    }
}

static int compare_places(const void *x, const void *y, void *context)
{
    const struct pdu_list *l = context;
    size_t a = *(const size_t *)x, b = *(const size_t *)y;
    if (l->times[a] != l->times[b]) return l->times[a] < l->times[b] ? -1 : 1;
    return a < b ? -1 : a > b;
}

void pdu_list_order(struct pdu_list *l)
{
    nanos reached[2] = {INT64_MIN, INT64_MIN};
    find_data(l);
    l->times = memory_get((l->count + 1) * sizeof *l->times);
    l->order = memory_get((l->count + 1) * sizeof *l->order);
    for (size_t i = 0; i < l->count; i++) {
        nanos *last = &reached[l->pdus[i].side];
        if (l->pdus[i].first_seen > *last) *last = l->pdus[i].first_seen;
        l->times[i] = *last;
        l->order[i] = i;
    }
    qsort_r(l->order, l->count, sizeof *l->order, compare_places, l);
}

const struct pdu *pdu_list_at(const struct pdu_list *l, size_t place)
{
    return &l->pdus[l->order[place]];
}

void pdu_list_deinit(struct pdu_list *l)
{
    memory_free(l->pdus);
    memory_free(l->times);
    memory_free(l->order);
    text_deinit(&l->data);
    *l = (struct pdu_list){0};
}
